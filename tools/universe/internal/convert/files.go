package convert

import (
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/tools/universe/internal/debian"
)

// mergedDirs are links to their namesakes in /usr.
var mergedDirs = []string{"/bin", "/sbin", "/lib", "/lib64", "/lib32", "/libx32"}

// merged gives the path that a file has when /usr is merged.
func merged(p string) string {
	for _, dir := range mergedDirs {
		if p == dir || strings.HasPrefix(p, dir+"/") {
			return "/usr" + p
		}
	}
	return p
}

// addFiles takes over the files of the Debian package. What lay outside of /usr
// wins over a link of that name inside, which then pointed to it.
func (p *pkg) addFiles() error {
	at := map[string]int{}
	for _, e := range p.deb.Entries {
		if e.Mode&rpm.ModeTypeMask == rpm.ModeDirectory {
			f := p.file(e)
			p.dirs[f.Path] = f
			continue
		}
		f := p.file(e)
		if f.Path != e.Path {
			p.moved = append(p.moved, e.Path)
		}
		if f.Mode&rpm.ModeTypeMask == rpm.ModeLink && path.Clean(path.Join(path.Dir(f.Path), f.Link)) == f.Path {
			continue // a link to itself, now
		}
		if i, ok := at[f.Path]; ok {
			old := p.spec.Files[i]
			if old.Mode&rpm.ModeTypeMask != rpm.ModeLink {
				if f.Mode&rpm.ModeTypeMask == rpm.ModeLink {
					continue
				}
				return fmt.Errorf("it holds %s twice once /usr is merged", f.Path)
			}
			p.spec.Files[i] = f
			continue
		}
		at[f.Path] = len(p.spec.Files)
		p.spec.Files = append(p.spec.Files, f)
	}
	return nil
}

// file converts one entry.
func (p *pkg) file(e debian.Entry) rpmwrite.File {
	f := rpmwrite.File{
		Path: merged(e.Path), Mode: e.Mode, Owner: e.Owner, Group: e.Group, ModTime: e.ModTime, Rdev: e.Rdev,
	}
	switch {
	case e.Mode&rpm.ModeTypeMask == rpm.ModeLink:
		f.Link = mergedLink(e.Path, e.Link)
	case e.HardLink != "":
		f.HardLink = merged(e.HardLink)
	case e.Mode&rpm.ModeTypeMask == rpm.ModeRegular:
		deb := p.deb
		f.Size = e.Size
		f.Content = func() (io.ReadCloser, error) { return io.NopCloser(deb.Content(e)), nil }
	}
	if p.deb.Conffiles[e.Path] {
		f.Flags |= rpm.FileConfig | rpm.FileNoReplace
	}
	f.Flags |= documentFlags(f.Path)
	f.Lang = language(f.Path)
	return f
}

// mergedLink is the target of a link so that it leads where it led before it
// moved. Only relative ones that climb out of the moved directory change.
func mergedLink(from, target string) string {
	to := merged(from)
	if to == from || path.IsAbs(target) || !strings.Contains(target, "..") {
		return target
	}
	before := merged(path.Join(path.Dir(from), target))
	if path.Join(path.Dir(to), target) == before {
		return target
	}
	return relative(path.Dir(to), before)
}

// relative gives the way from a folder to a path, both absolute and clean.
func relative(from, to string) string {
	a, b := strings.Split(from[1:], "/"), strings.Split(to[1:], "/")
	n := 0
	for n < len(a) && n < len(b)-1 && a[n] == b[n] {
		n++
	}
	return strings.Repeat("../", len(a)-n) + strings.Join(b[n:], "/")
}

// documentFlags marks documentation as rpmbuild does, by where it lies.
func documentFlags(p string) rpm.FileFlags {
	switch {
	case strings.HasPrefix(p, "/usr/share/doc/") && path.Base(p) == "copyright":
		return rpm.FileLicense
	case strings.HasPrefix(p, "/usr/share/doc/"), strings.HasPrefix(p, "/usr/share/man/"), strings.HasPrefix(p, "/usr/share/info/"):
		return rpm.FileDoc
	}
	return 0
}

// language is the language that a file is of no use without.
func language(p string) string {
	for _, dir := range []string{"/usr/share/locale/", "/usr/share/man/"} {
		if rest, ok := strings.CutPrefix(p, dir); ok {
			lang, _, inside := strings.Cut(rest, "/")
			if !inside || dir == "/usr/share/man/" && strings.HasPrefix(lang, "man") {
				return ""
			}
			return lang
		}
	}
	return ""
}

// text is a regular file of our own.
func text(p, content string, mode uint32) rpmwrite.File {
	f := rpmwrite.Text(p, content)
	f.Mode, f.ModTime = rpm.ModeRegular|mode, epoch
	return f
}

// config marks a file as one that administrators change.
func config(f rpmwrite.File) rpmwrite.File {
	f.Flags |= rpm.FileConfig | rpm.FileNoReplace
	return f
}

// ghost is a file that a script or a program makes.
func ghost(p string, mode uint32) rpmwrite.File {
	return rpmwrite.File{Path: p, Mode: rpm.ModeRegular | mode, ModTime: epoch, Flags: rpm.FileGhost}
}

// epoch is the time of what is made up: 1 June 2023, a little before Debian 12.
const epoch = 1685577600
