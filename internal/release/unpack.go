package release

import (
	"archive/tar"
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/rpmrepo/repodata"
)

// unpackArchive reads a tar or zip archive into entries below a.To, in the order of their paths. Owners
// become root, permissions 0755 or 0644. No entry leaves the folder, nor does a link; devices and the
// like are errors, as is an entry of "only" that the archive does not have.
func unpackArchive(file string, a config.ExceptionArchive) ([]image.FileEntry, error) {
	u := &unpacking{archive: a, entries: map[string]image.FileEntry{}, found: map[string]bool{}}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	magic := make([]byte, 4)
	if _, err := io.ReadFull(f, magic); err != nil {
		return nil, fmt.Errorf("unpacking %s: it is no archive: %w", a.URL, err)
	}
	if string(magic) == "PK\x03\x04" {
		err = u.zip(f)
	} else if _, err = f.Seek(0, io.SeekStart); err == nil {
		err = u.tar(f)
	}
	if err != nil {
		return nil, fmt.Errorf("unpacking %s: %w", a.URL, err)
	}
	return u.list()
}

// unpacking is an archive being read.
type unpacking struct {
	archive config.ExceptionArchive
	entries map[string]image.FileEntry // by path below the folder
	found   map[string]bool            // of archive.Only
	left    budget
}

// maxArchiveEntries bounds also what is not taken.
const maxArchiveEntries = 200_000

func (u *unpacking) tar(f io.Reader) error {
	plain, err := repodata.Decompress(f)
	if err != nil {
		return err
	}
	defer plain.Close()
	r := tar.NewReader(io.LimitReader(plain, 16<<30))
	for n := 0; ; n++ {
		h, err := r.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil && !errors.Is(err, tar.ErrInsecurePath): // names are checked below
			return fmt.Errorf("it is no tar or zip archive, or damaged: %w", err)
		case n == maxArchiveEntries:
			return fmt.Errorf("it has more than %d entries", maxArchiveEntries)
		}
		if err := u.add(h, r); err != nil {
			return fmt.Errorf("%q: %w", h.Name, err)
		}
	}
}

func (u *unpacking) add(h *tar.Header, r io.Reader) error {
	switch h.Typeflag {
	case tar.TypeXGlobalHeader:
		return nil
	case tar.TypeReg:
		return u.file(h.Name, h.FileInfo().Mode(), h.Size, r)
	case tar.TypeDir:
		return u.put(h.Name, image.FileEntry{Mode: modeDir | 0o755})
	case tar.TypeSymlink:
		return u.link(h.Name, h.Linkname)
	case tar.TypeLink:
		at, taken, err := u.place(h.Name)
		if err != nil || !taken {
			return err
		}
		from, _, err := u.place(h.Linkname)
		if err != nil {
			return err
		}
		e, ok := u.entries[from]
		if !ok || e.Mode&modeType != modeRegular {
			return fmt.Errorf("it is a link to %q, which is no file before it that is taken", h.Linkname)
		}
		return u.store(at, e)
	}
	return errors.New("it is neither a file, nor a folder, nor a link")
}

func (u *unpacking) zip(f *os.File) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	r, err := zip.NewReader(f, st.Size())
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) {
		return err
	}
	if len(r.File) > maxArchiveEntries {
		return fmt.Errorf("it has more than %d entries", maxArchiveEntries)
	}
	for _, m := range r.File {
		if err := u.member(m); err != nil {
			return fmt.Errorf("%q: %w", m.Name, err)
		}
	}
	return nil
}

func (u *unpacking) member(m *zip.File) error {
	mode := m.Mode()
	if mode.IsDir() || strings.HasSuffix(m.Name, "/") {
		return u.put(m.Name, image.FileEntry{Mode: modeDir | 0o755})
	}
	r, err := m.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	switch {
	case mode&fs.ModeSymlink != 0:
		target, err := io.ReadAll(io.LimitReader(r, 4097))
		if err != nil || len(target) > 4096 {
			return errors.Join(err, errors.New("the link cannot be read"))
		}
		return u.link(m.Name, string(target))
	case mode.IsRegular():
		return u.file(m.Name, mode, int64(min(m.UncompressedSize64, maxImageBytes+1)), r)
	}
	return errors.New("it is neither a file, nor a folder, nor a link")
}

// place is where an entry goes below the folder, and whether it is taken at all.
func (u *unpacking) place(name string) (at string, taken bool, err error) {
	if path.IsAbs(name) || slices.Contains(strings.Split(name, "/"), "..") || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f }) {
		return "", false, errors.New("its path leaves the archive, or is none")
	}
	parts := strings.Split(path.Clean(name), "/")
	if len(parts) <= u.archive.Strip {
		return "", false, nil
	}
	at = strings.Join(parts[u.archive.Strip:], "/")
	if len(u.archive.Only) == 0 {
		return at, at != ".", nil
	}
	for _, only := range u.archive.Only {
		if at == only || strings.HasPrefix(at, only+"/") {
			u.found[only], taken = true, true
		}
	}
	return at, taken, nil
}

func (u *unpacking) file(name string, mode fs.FileMode, size int64, r io.Reader) error {
	if _, taken, err := u.place(name); err != nil || !taken {
		return err
	}
	if err := u.left.take(size); err != nil {
		return err
	}
	content, err := io.ReadAll(io.LimitReader(r, size+1))
	if err != nil {
		return err
	}
	if int64(len(content)) != size {
		return fmt.Errorf("it should have %d bytes and has %d", size, len(content))
	}
	e := image.FileEntry{Mode: modeRegular | 0o644, Content: content}
	if mode&0o111 != 0 {
		e.Mode = modeRegular | 0o755
	}
	return u.put(name, e)
}

// link takes a symbolic link that stays in the folder.
func (u *unpacking) link(name, target string) error {
	at, taken, err := u.place(name)
	if err != nil || !taken {
		return err
	}
	to := path.Join(path.Dir(at), target)
	if target == "" || path.IsAbs(target) || to == ".." || strings.HasPrefix(to, "../") || strings.ContainsRune(target, 0) {
		return fmt.Errorf("it is a link to %q, which leaves the archive", target)
	}
	return u.put(name, image.FileEntry{Mode: modeLink | 0o777, Link: target})
}

// put takes an entry; a later one of the same path replaces it, as tar does.
func (u *unpacking) put(name string, e image.FileEntry) error {
	at, taken, err := u.place(name)
	if err != nil || !taken {
		return err
	}
	return u.store(at, e)
}

func (u *unpacking) store(at string, e image.FileEntry) error {
	if err := u.left.take(0); err != nil {
		return err
	}
	e.Path = path.Join(u.archive.To, at)
	u.entries[at] = e
	return nil
}

// list gives the entries. Folders are left out that something is in: they are made around it.
func (u *unpacking) list() ([]image.FileEntry, error) {
	for _, only := range u.archive.Only {
		if !u.found[only] {
			return nil, fmt.Errorf("unpacking %s: there is no %s in it", u.archive.URL, only)
		}
	}
	parents := map[string]bool{}
	for at := range u.entries {
		for dir := path.Dir(at); dir != "."; dir = path.Dir(dir) {
			parents[dir] = true
			if e, ok := u.entries[dir]; ok && e.Mode&modeType != modeDir {
				return nil, fmt.Errorf("unpacking %s: %q is below %q, which is no folder", u.archive.URL, at, dir)
			}
		}
	}
	var list []image.FileEntry
	for _, at := range sortedKeys(u.entries) {
		if !parents[at] {
			list = append(list, u.entries[at])
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("unpacking %s: nothing of it is taken (is strip too large?)", u.archive.URL)
	}
	return list, nil
}
