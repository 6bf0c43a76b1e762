package unpack

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/sandbox"
)

// Limits bound what one layer may hold. Zero means the default.
type Limits struct {
	Entries int   // default 4,194,304
	Bytes   int64 // of files together; default 32 GiB
}

const (
	defaultEntries = 4 << 20
	defaultBytes   = 32 << 30
)

// LimitError is a layer that holds more than it may.
type LimitError struct{ What string }

func (e *LimitError) Error() string { return "the layer holds more than " + e.What }

// Extract writes the tar stream to dir, which must exist and be empty. It reads r up to the end of
// the archive, not necessarily to the end of r. After an error the folder's content is not usable.
func Extract(ctx context.Context, r io.Reader, dir string, limits Limits) error {
	x, err := New(dir, limits)
	if err != nil {
		return err
	}
	defer x.Close()
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return x.Finish()
		}
		if err != nil {
			return fmt.Errorf("reading layer: %w", err)
		}
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := x.Add(h, tr); err != nil {
			return err
		}
	}
}

// Extractor writes the entries of a layer to a folder one by one, for a caller that has them already.
// It is not safe for concurrent use.
type Extractor struct {
	root    *root
	dir     string // for messages
	limits  Limits
	owners  bool
	group   int // of the files that it makes
	entries int
	bytes   int64
	// dirs get their modes and times at the end, when nothing is put into them any more.
	dirs   []*tar.Header
	buffer []byte
}

// New begins to write to dir, which must exist and be empty. Close the result after use.
func New(dir string, limits Limits) (*Extractor, error) {
	if limits.Entries == 0 {
		limits.Entries = defaultEntries
	}
	if limits.Bytes == 0 {
		limits.Bytes = defaultBytes
	}
	root, err := openRoot(dir)
	if err != nil {
		return nil, err
	}
	return &Extractor{root: root, dir: dir, limits: limits, owners: os.Geteuid() == 0, group: os.Getegid(), buffer: make([]byte, 256<<10)}, nil
}

// Close frees what the extractor holds; the folder stays.
func (x *Extractor) Close() { x.root.close() }

// Add writes an entry. Of a regular file, content gives the bytes, and is read to its end; it may be
// nil for everything else. The extractor keeps h.
func (x *Extractor) Add(h *tar.Header, content io.Reader) error {
	if err := x.entry(h, content); err != nil {
		return fmt.Errorf("unpacking %.300q: %w", h.Name, err)
	}
	return nil
}

// Names that stand for deletions (OCI image-spec, "Layer Filesystem Changeset").
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

func (x *Extractor) entry(h *tar.Header, content io.Reader) error {
	if x.entries++; x.entries > x.limits.Entries {
		return &LimitError{fmt.Sprintf("%d entries", x.limits.Entries)}
	}
	if h.Typeflag == tar.TypeXGlobalHeader {
		return nil
	}
	name, err := cleanName(h.Name)
	if err != nil {
		return err
	}
	if name == "/" {
		if h.Typeflag != tar.TypeDir {
			return errors.New("the root is not a directory")
		}
		x.dirs = append(x.dirs, h)
		return nil
	}
	dir, base := path.Split(name)
	parent, err := x.root.mkdirs(path.Clean(dir))
	if err != nil {
		return err
	}
	if strings.HasPrefix(base, whiteout) {
		return x.delete(parent, base)
	}
	if h.Typeflag == tar.TypeDir {
		x.dirs = append(x.dirs, h)
		return x.root.mkdir(parent, base)
	}
	switch h.Typeflag {
	case tar.TypeReg:
		return x.file(parent, base, h, content)
	case tar.TypeLink:
		return x.link(parent, base, h)
	case tar.TypeSymlink:
		if err := x.make(parent, base, func() error { return unix.Symlinkat(h.Linkname, parent, base) }); err != nil {
			return err
		}
	case tar.TypeFifo:
		if err := x.make(parent, base, func() error { return unix.Mknodat(parent, base, unix.S_IFIFO|0o600, 0) }); err != nil {
			return err
		}
	case tar.TypeChar, tar.TypeBlock:
		return x.root.clear(parent, base)
	default:
		return fmt.Errorf("entries of type %q are not known", h.Typeflag)
	}
	return x.describe(parent, base, h)
}

// make makes an entry, in the place of whatever is there.
func (x *Extractor) make(parent int, base string, create func() error) error {
	err := create()
	if !errors.Is(err, unix.EEXIST) {
		return err
	}
	if err := x.root.clear(parent, base); err != nil {
		return err
	}
	return create()
}

// cleanName gives an absolute path; a name that climbs is refused rather than bent.
func cleanName(name string) (string, error) {
	for element := range strings.SplitSeq(name, "/") {
		if element == ".." {
			return "", errors.New("the name climbs out of the layer")
		}
	}
	return path.Clean("/" + name), nil
}

func (x *Extractor) delete(parent int, base string) error {
	if base == opaque {
		return sandbox.Opaque(fdPath(parent, "."))
	}
	name := strings.TrimPrefix(base, whiteout)
	if name == "" || name == "." || name == ".." || strings.HasPrefix(name, whiteout) {
		return errors.New("the deletion names nothing")
	}
	if err := x.root.clear(parent, name); err != nil {
		return err
	}
	return sandbox.Whiteout(fdPath(parent, name))
}

func (x *Extractor) file(parent int, base string, h *tar.Header, content io.Reader) error {
	if x.bytes += h.Size; x.bytes > x.limits.Bytes || h.Size < 0 {
		return &LimitError{fmt.Sprintf("%d bytes", x.limits.Bytes)}
	}
	fd := -1
	err := x.make(parent, base, func() (err error) {
		fd, err = unix.Openat(parent, base, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
		return err
	})
	if err != nil {
		return err
	}
	w := openFile{fd}
	_, err = io.CopyBuffer(struct{ io.Writer }{w}, content, x.buffer)
	if errno, ok := errors.AsType[unix.Errno](err); ok { // a full disk's message says which disk
		err = &os.PathError{Op: "write", Path: path.Join(x.dir, h.Name), Err: errno}
	}
	if err == nil {
		err = x.describeFile(w, parent, base, h)
	}
	if closed := unix.Close(fd); err == nil {
		err = closed
	}
	return err
}

// openFile is a file that is written to. An os.File would ask the system whether it can be waited for.
type openFile struct{ fd int }

func (f openFile) Write(p []byte) (n int, err error) {
	for n < len(p) {
		k, err := unix.Write(f.fd, p[n:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return n, err
		}
		n += k
	}
	return n, nil
}

// describeFile is describe of a file that was just made, and is open, by this user.
func (x *Extractor) describeFile(f openFile, parent int, base string, h *tar.Header) error {
	if x.owners {
		if err := checkOwner(h); err != nil {
			return err
		}
		if h.Uid != 0 || h.Gid != x.group {
			if err := unix.Fchown(f.fd, h.Uid, h.Gid); err != nil {
				return err
			}
		}
	}
	if err := x.attributes(parent, base, h); err != nil {
		return err
	}
	if err := unix.Fchmod(f.fd, uint32(h.Mode&0o7777)); err != nil {
		return err
	}
	when := unix.NsecToTimespec(h.ModTime.UnixNano())
	return unix.UtimesNanoAt(parent, base, []unix.Timespec{when, when}, unix.AT_SYMLINK_NOFOLLOW)
}

func checkOwner(h *tar.Header) error {
	if h.Uid < 0 || h.Gid < 0 || h.Uid > 1<<31 || h.Gid > 1<<31 {
		return fmt.Errorf("owner %d:%d is out of range", h.Uid, h.Gid)
	}
	return nil
}

// Link makes an entry of a regular file that lies below the open folder dir, and has all that h says
// already: as a second name of it where that is possible, or as a copy.
func (x *Extractor) Link(h *tar.Header, dir int, from string) error {
	if err := x.linkFrom(h, dir, from); err != nil {
		return fmt.Errorf("unpacking %.300q: %w", h.Name, err)
	}
	return nil
}

func (x *Extractor) linkFrom(h *tar.Header, dir int, from string) error {
	if x.entries++; x.entries > x.limits.Entries {
		return &LimitError{fmt.Sprintf("%d entries", x.limits.Entries)}
	}
	name, err := cleanName(h.Name)
	if err != nil {
		return err
	}
	folder, base := path.Split(name)
	parent, err := x.root.mkdirs(path.Clean(folder))
	if err != nil {
		return err
	}
	// A file that its owner may not read may be given another mode for a moment by whoever reads the
	// folder it is in: it stays that folder's alone.
	if h.Mode&0o400 != 0 && x.make(parent, base, func() error { return unix.Linkat(dir, from, parent, base, 0) }) == nil {
		return nil
	}
	fd, err := unix.Openat2(dir, from, &unix.OpenHow{Flags: unix.O_RDONLY | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_SYMLINKS})
	if err != nil {
		return err
	}
	file := os.NewFile(uintptr(fd), from)
	defer file.Close()
	return x.file(parent, base, h, file)
}

// link makes a second name of a file that the layer brought before.
func (x *Extractor) link(parent int, base string, h *tar.Header) error {
	target, err := cleanName(h.Linkname)
	if err != nil {
		return err
	}
	dir, name := path.Split(target)
	from, err := x.root.open(path.Clean(dir))
	if err != nil {
		return fmt.Errorf("linking to %.300q: %w", h.Linkname, err)
	}
	defer unix.Close(from)
	if err := x.make(parent, base, func() error { return unix.Linkat(from, name, parent, base, 0) }); err != nil {
		return fmt.Errorf("linking to %.300q: %w", h.Linkname, err)
	}
	return nil
}

// describe gives owner, mode, attributes and time, in the order in which none undoes another.
func (x *Extractor) describe(parent int, base string, h *tar.Header) error {
	if x.owners {
		if err := checkOwner(h); err != nil {
			return err
		}
		if err := unix.Fchownat(parent, base, h.Uid, h.Gid, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return err
		}
	}
	if h.Typeflag != tar.TypeSymlink {
		if err := x.attributes(parent, base, h); err != nil {
			return err
		}
	}
	when := unix.NsecToTimespec(h.ModTime.UnixNano())
	if err := unix.UtimesNanoAt(parent, base, []unix.Timespec{when, when}, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if h.Typeflag == tar.TypeSymlink {
		return nil
	}
	return unix.Fchmodat(parent, base, uint32(h.Mode&0o7777), 0) // after which the folder may not be entered
}

// attributes sets capabilities and the user's own attributes. Others mean something to this machine
// and not to an image, above all those by which overlayfs hides files.
func (x *Extractor) attributes(parent int, base string, h *tar.Header) error {
	for key, value := range h.PAXRecords {
		name, ok := strings.CutPrefix(key, "SCHILY.xattr.")
		if !ok {
			continue
		}
		capability := name == "security.capability" && x.owners
		user := strings.HasPrefix(name, "user.") && !strings.HasPrefix(name, "user.overlay.")
		if !capability && !user {
			continue
		}
		err := unix.Setxattr(fdPath(parent, base), name, []byte(value), 0)
		if err != nil && !(user && errors.Is(err, unix.ENOTSUP)) {
			return fmt.Errorf("setting attribute %s: %w", name, err)
		}
	}
	return nil
}

// Finish gives folders their modes and times, once all entries are there.
func (x *Extractor) Finish() error {
	for i := len(x.dirs) - 1; i >= 0; i-- {
		h := x.dirs[i]
		name, err := cleanName(h.Name)
		if err != nil {
			return err
		}
		fd, err := x.root.openWith(name, unix.O_NOFOLLOW)
		if err == nil {
			err = x.describe(fd, ".", h)
			unix.Close(fd)
		}
		// A later entry may have put something else in the folder's place.
		if err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ENOTDIR) {
			return fmt.Errorf("unpacking %.300q: %w", h.Name, err)
		}
	}
	return nil
}
