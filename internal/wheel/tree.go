package wheel

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"
)

// maxEntries bounds the files and folders of a project.
const maxEntries = 200_000

// sourceEntry is one thing in a project's tree.
type sourceEntry struct {
	path string // slash-separated, relative
	kind byte   // tar.TypeReg, TypeDir or TypeSymlink
	exec bool
	link string
	size int64
}

// mode is what the file gets, whatever the tree's own filesystem says: the bits that git keeps.
func (e sourceEntry) mode() int64 {
	if e.kind == tar.TypeDir || e.exec {
		return 0o755
	}
	return 0o644
}

// walk visits a tree in the order of its paths. Anything but files, folders and symbolic links that stay inside is refused.
func walk(tree fs.FS, limit int64, visit func(sourceEntry) error) error {
	var count int
	var total int64
	return fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if name == "." {
			return nil
		}
		if count++; count > maxEntries {
			return fmt.Errorf("it has more than %d files", maxEntries)
		}
		entry, err := describe(tree, name, d)
		if err != nil {
			return fmt.Errorf("%q: %w", name, err)
		}
		if total += entry.size; total > limit {
			return fmt.Errorf("it is larger than %d MiB", limit>>20)
		}
		return visit(entry)
	})
}

func describe(tree fs.FS, name string, d fs.DirEntry) (sourceEntry, error) {
	e := sourceEntry{path: name}
	switch d.Type() {
	case fs.ModeDir:
		e.kind = tar.TypeDir
	case fs.ModeSymlink:
		target, err := fs.ReadLink(tree, name)
		if err != nil {
			return e, err
		}
		if escapes(name, target) {
			return e, fmt.Errorf("a symbolic link that leaves the project, to %q", target)
		}
		e.kind, e.link = tar.TypeSymlink, target
	case 0:
		info, err := d.Info()
		if err != nil {
			return e, err
		}
		e.kind, e.size, e.exec = tar.TypeReg, info.Size(), info.Mode()&0o111 != 0
	default:
		return e, fmt.Errorf("neither file nor folder nor link, but %s", d.Type())
	}
	return e, nil
}

// escapes tells whether the link at name points out of the tree.
func escapes(name, target string) bool {
	if target == "" || path.IsAbs(target) || strings.ContainsRune(target, 0) {
		return true
	}
	end := path.Join(path.Dir(name), target)
	return end == ".." || strings.HasPrefix(end, "../")
}

// survey is what a build can see of a tree, as hashes.
type survey struct {
	key     string            // of everything: paths, kinds, executable bits, contents
	outline string            // the same without the contents of modules
	modules map[string]string // hashes of the contents of Python modules, by path; setup.py is none
	names   map[string]bool   // words of the project's configuration that may be file names
}

var (
	configuration = []string{"setup.py", "setup.cfg", "pyproject.toml", "MANIFEST.in"}
	fileName      = regexp.MustCompile(`[\w.-]+\.py\b`)
)

func takeSurvey(tree fs.FS, limit int64) (survey, error) {
	s := survey{modules: map[string]string{}, names: map[string]bool{}}
	key, outline := sha256.New(), sha256.New()
	err := walk(tree, limit, func(e sourceEntry) error {
		content := ""
		if e.kind == tar.TypeReg {
			file := sha256.New()
			if err := copyFile(file, tree, e); err != nil {
				return err
			}
			content = hex.EncodeToString(file.Sum(nil))
		}
		line := fmt.Sprintf("%c %o %q %q", e.kind, e.mode(), e.path, e.link)
		fmt.Fprintln(key, line, content)
		if e.kind == tar.TypeReg && strings.HasSuffix(e.path, ".py") && e.path != "setup.py" {
			s.modules[e.path] = content
			content = ""
		}
		fmt.Fprintln(outline, line, content)
		return nil
	})
	if err != nil {
		return survey{}, fmt.Errorf("reading the project's files: %w", err)
	}
	for _, name := range configuration {
		text, err := readSmall(tree, name, maxPyproject)
		if err != nil {
			continue // not there, or the build will say so
		}
		for _, word := range fileName.FindAllString(string(text), -1) {
			s.names[word] = true
		}
	}
	s.key, s.outline = hex.EncodeToString(key.Sum(nil)), hex.EncodeToString(outline.Sum(nil))
	return s, nil
}

// candidates counts the modules that could become the wheel's member of a name.
func (s survey) candidates(member string) (n int) {
	for source := range s.modules {
		if source == member || strings.HasSuffix(source, "/"+member) {
			n++
		}
	}
	return n
}

// writeTar writes the tree as a tar archive. The same tree and time give the same bytes.
func writeTar(w io.Writer, tree fs.FS, epoch, limit int64) error {
	archive := tar.NewWriter(w)
	when := time.Unix(epoch, 0)
	err := walk(tree, limit, func(e sourceEntry) error {
		header := &tar.Header{Typeflag: e.kind, Name: e.path, Linkname: e.link, Size: e.size, Mode: e.mode(), ModTime: when, Format: tar.FormatPAX}
		if e.kind == tar.TypeDir {
			header.Name += "/"
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if e.kind != tar.TypeReg {
			return nil
		}
		return copyFile(archive, tree, e)
	})
	if err != nil {
		return fmt.Errorf("reading the project's files: %w", err)
	}
	return archive.Close()
}

var errChanged = errors.New("its size changed while it was read")

// copyFile copies a file of the tree, which has to be as long as it was said to be.
func copyFile(w io.Writer, tree fs.FS, e sourceEntry) error {
	f, err := tree.Open(e.path)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := io.Copy(w, io.LimitReader(f, e.size))
	if err == nil {
		if more, _ := io.CopyN(io.Discard, f, 1); n != e.size || more > 0 {
			err = errChanged
		}
	}
	if err != nil {
		return fmt.Errorf("%q: %w", e.path, err)
	}
	return nil
}
