package wheel

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Bounds of a wheel.
const (
	maxMembers   = 100_000
	maxDirectory = 32 << 20  // bytes of the list of files
	maxUnpacked  = 512 << 20 // bytes of all files together
)

// readArchive reads all files of a zip archive, sorted by name.
func readArchive(r io.ReaderAt, size int64) ([]member, error) {
	bounded := &boundedReader{ReaderAt: r, left: maxDirectory}
	archive, err := zip.NewReader(bounded, size)
	bounded.left = math.MaxInt64                            // the files have bounds of their own
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // names are checked below, more strictly
		return nil, err
	}
	if len(archive.File) > maxMembers {
		return nil, fmt.Errorf("it has more than %d files", maxMembers)
	}
	var total uint64
	seen := map[string]bool{} // path -> is a file
	var members []member
	for _, f := range archive.File {
		m, err := readMember(f, &total)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", printable(f.Name), err)
		}
		if m == nil {
			continue
		}
		if _, twice := seen[m.name]; twice {
			return nil, fmt.Errorf("%q is there twice", m.name)
		}
		seen[m.name] = true
		members = append(members, *m)
	}
	for name := range seen {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if seen[dir] {
				return nil, fmt.Errorf("%q is a file and a folder", dir)
			}
		}
	}
	slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	return members, nil
}

// boundedReader gives up after many bytes. A zip's list of files becomes many times larger in memory, and its length is
// only known at its end.
type boundedReader struct {
	io.ReaderAt
	left int64
}

func (r *boundedReader) ReadAt(p []byte, offset int64) (int, error) {
	if r.left -= int64(len(p)); r.left < 0 {
		return 0, fmt.Errorf("its list of files is longer than %d MiB", maxDirectory>>20)
	}
	return r.ReaderAt.ReadAt(p, offset)
}

// readMember reads a file; nil for a folder.
func readMember(f *zip.File, total *uint64) (*member, error) {
	if err := checkName(strings.TrimSuffix(f.Name, "/")); err != nil {
		return nil, err
	}
	if strings.HasSuffix(f.Name, "/") {
		if f.UncompressedSize64 != 0 {
			return nil, errors.New("a folder with content")
		}
		return nil, nil
	}
	// As pip reads it: the upper half of the attributes is Unix's, whatever system the archive says to come from.
	mode := f.ExternalAttrs >> 16
	if kind := mode & 0o170000; kind != 0 && kind != 0o100000 {
		return nil, fmt.Errorf("neither a file nor a folder (mode %o)", mode)
	}
	if f.Flags&1 != 0 {
		return nil, errors.New("it is encrypted")
	}
	if *total += f.UncompressedSize64; f.UncompressedSize64 > maxUnpacked || *total > maxUnpacked {
		return nil, fmt.Errorf("with it, the wheel is larger than %d MiB", maxUnpacked>>20)
	}
	rc, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	content, err := readSized(rc, f.UncompressedSize64)
	if err != nil {
		return nil, err
	}
	exec := mode&0o170000 == 0o100000 && mode&0o111 != 0
	return &member{name: f.Name, exec: exec, content: content}, nil
}

// readSized reads what should be size bytes. Memory grows with what comes, not with what is promised.
func readSized(r io.Reader, size uint64) ([]byte, error) {
	var content []byte
	if size <= 1<<20 {
		content = make([]byte, 0, size+1)
	}
	for {
		if len(content) == cap(content) {
			content = append(content, 0)[:len(content)]
		}
		n, err := r.Read(content[len(content):cap(content)])
		content = content[:len(content)+n]
		switch {
		case uint64(len(content)) > size:
			return nil, fmt.Errorf("it is longer than the %d bytes it says", size)
		case err == io.EOF && uint64(len(content)) == size: // and its checksum was right
			return content, nil
		case err == io.EOF:
			return nil, fmt.Errorf("it is shorter than the %d bytes it says", size)
		case err != nil:
			return nil, err
		}
	}
}

// checkName refuses names that could leave the folder they are unpacked in, or that a person could not read.
func checkName(name string) error {
	switch {
	case !utf8.ValidString(name):
		return errors.New("its name is not UTF-8")
	case len(name) > 2048:
		return errors.New("its name is too long")
	case strings.ContainsRune(name, '\\'):
		return errors.New("its name has a backslash")
	case !fs.ValidPath(name) || name == ".":
		return errors.New("its name is not a plain relative path")
	}
	for _, r := range name {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return errors.New("its name has control characters")
		}
	}
	for part := range strings.SplitSeq(name, "/") {
		if len(part) > 255 {
			return errors.New("its name is too long")
		}
	}
	return nil
}
