package layer

import (
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
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
	from := &folder{fragment: f, dir: dir, names: a.linkOnly}
	defer from.close()
	if err := f.write(a, from); err != nil {
		return fmt.Errorf("package %s, unpacked: %w", f.pkg.Name, err)
	}
	return nil
}

// folder is a source of files that lie in a folder, in the order of the header.
type folder struct {
	fragment *Fragment
	dir      int
	names    bool // nobody reads the files
	next     int
	open     *unpackedFile
}

func (d *folder) close() {
	if d.open != nil {
		unix.Close(d.open.fd)
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
	if d.names {
		return i, &unpackedFile{dir: d.dir, name: at[1:]}, nil
	}
	if d.open, err = openUnpacked(d.dir, at, &files[i]); err != nil {
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

// unpackedFile reads a file below a folder, and holds it against its digest at the end.
type unpackedFile struct {
	dir  int
	name string
	fd   int // of the file; an os.File would try to wait for it
	want *rpm.File
	sum  hash.Hash
}

func openUnpacked(dir int, at string, want *rpm.File) (*unpackedFile, error) {
	u := &unpackedFile{dir: dir, name: at[1:], want: want, sum: want.NewDigest()}
	if u.sum == nil {
		return nil, fmt.Errorf("%s has no digest", at)
	}
	how := &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_CLOEXEC | unix.O_NONBLOCK, Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS}
	for range 1000 {
		fd, err := unix.Openat2(dir, u.name, how)
		if errors.Is(err, unix.EAGAIN) { // something on the machine was renamed meanwhile
			continue
		}
		if err != nil {
			return nil, &os.PathError{Op: "open", Path: at, Err: err}
		}
		u.fd = fd
		return u, nil
	}
	return nil, &os.PathError{Op: "open", Path: at, Err: unix.EAGAIN}
}

func (u *unpackedFile) Read(p []byte) (int, error) {
	n, err := unix.Read(u.fd, p)
	for errors.Is(err, unix.EINTR) {
		n, err = unix.Read(u.fd, p)
	}
	if err != nil {
		return 0, &os.PathError{Op: "read", Path: u.want.Path, Err: err}
	}
	if n > 0 {
		u.sum.Write(p[:n])
		return n, nil
	}
	if got := hex.EncodeToString(u.sum.Sum(nil)); !strings.EqualFold(got, u.want.Digest) {
		return 0, &rpm.DigestError{Of: u.want.Path, Want: u.want.Digest, Got: got}
	}
	return 0, io.EOF
}
