package layer

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/rpm"
)

// unpacked writes the fragment's tar entries, with the files' content from a folder to which they were
// unpacked before. Everything else is the header's, and the content is held against the header's
// digests, so it is what the payload holds or an error.
func (f *Fragment) unpacked(a *Archive, root string) error {
	dir, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: root, Err: err}
	}
	defer unix.Close(dir)
	// Both read all files, and what takes time is to hash what they read.
	checked := make(chan error, 1)
	go func() { checked <- f.check(dir) }()
	from := &folder{fragment: f, dir: dir}
	err = f.write(a, from)
	from.close()
	if wrong := <-checked; err == nil {
		err = wrong
	}
	if err != nil {
		return fmt.Errorf("package %s, unpacked: %w", f.pkg.Name, err)
	}
	return nil
}

// check holds all files against the header's digests.
func (f *Fragment) check(dir int) error {
	from := &folder{fragment: f, dir: dir}
	defer from.close()
	buffer := make([]byte, 64<<10)
	for {
		i, content, err := from.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		file, ok := content.(*unpackedFile)
		if !ok {
			continue
		}
		want := &f.pkg.Files[i]
		sum := want.NewDigest()
		if sum == nil {
			return fmt.Errorf("%s has no digest", want.Path)
		}
		if _, err := io.CopyBuffer(sum, struct{ io.Reader }{file}, buffer); err != nil {
			return err
		}
		if got := hex.EncodeToString(sum.Sum(nil)); !strings.EqualFold(got, want.Digest) {
			return &rpm.DigestError{Of: want.Path, Want: want.Digest, Got: got}
		}
	}
}

// folder is a source of files that lie in a folder, in the order of the header.
type folder struct {
	fragment *Fragment
	dir      int
	next     int
	open     *unpackedFile
}

func (d *folder) close() {
	if d.open != nil {
		d.open.file.Close()
		d.open = nil
	}
}

func (d *folder) Next() (index int, content io.Reader, err error) {
	d.close()
	files := d.fragment.pkg.Files
	for d.next < len(files) && files[d.next].IsGhost() {
		d.next++
	}
	if d.next == len(files) {
		return 0, nil, io.EOF
	}
	i := d.next
	d.next++
	at := d.place(i)
	if at == "" {
		return i, strings.NewReader(""), nil
	}
	if d.open, err = openUnpacked(d.dir, at); err != nil {
		return 0, nil, err
	}
	return i, d.open, nil
}

// place is the path of a regular file's content; "" where there is none, or none that is asked for.
func (d *folder) place(i int) string {
	file := &d.fragment.pkg.Files[i]
	if !file.IsRegular() {
		return ""
	}
	set := file.HardLinks
	if len(set) == 0 {
		set = []int{i}
	}
	if i != set[len(set)-1] {
		return "" // the last one has the content
	}
	for _, j := range set {
		if at := d.fragment.plan[j].path; at != "" {
			return at
		}
	}
	return ""
}

// unpackedFile reads a file below a folder.
type unpackedFile struct {
	dir  int
	name string
	file *os.File
}

func openUnpacked(dir int, at string) (*unpackedFile, error) {
	u := &unpackedFile{dir: dir, name: at[1:]}
	how := &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS}
	for range 1000 {
		fd, err := unix.Openat2(dir, u.name, how)
		if errors.Is(err, unix.EAGAIN) { // something on the machine was renamed meanwhile
			continue
		}
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: at, Err: err}
		}
		u.file = os.NewFile(uintptr(fd), at)
		return u, nil
	}
	return nil, &os.PathError{Op: "open", Path: at, Err: unix.EAGAIN}
}

func (u *unpackedFile) Read(p []byte) (int, error) { return u.file.Read(p) }
