package unpack

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// root is a folder in which names are resolved as if it were the file system's root: links lead
// elsewhere in it at most.
type root struct {
	fd int
	// last is the folder that was opened last, as the entries of one follow each other.
	last   int
	lastIs string
}

func openRoot(dir string) (*root, error) {
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", dir, err)
	}
	return &root{fd: fd, last: -1}, nil
}

func (r *root) close() {
	r.forget()
	unix.Close(r.fd)
}

func (r *root) forget() {
	if r.last >= 0 {
		unix.Close(r.last)
	}
	r.last, r.lastIs = -1, ""
}

// open opens a folder by its absolute path, through links. The caller closes it.
func (r *root) open(name string) (int, error) { return r.openWith(name, 0) }

func (r *root) openWith(name string, flags uint64) (int, error) {
	how := &unix.OpenHow{
		Flags:   unix.O_PATH | unix.O_DIRECTORY | unix.O_CLOEXEC | flags,
		Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS,
	}
	for range 1000 {
		fd, err := unix.Openat2(r.fd, name, how)
		if !errors.Is(err, unix.EAGAIN) { // something on the machine was renamed meanwhile
			return fd, err
		}
	}
	return -1, unix.EAGAIN
}

// mkdirs opens a folder by its absolute path, making what is missing of it. It stays open until the
// next call.
func (r *root) mkdirs(name string) (int, error) {
	if r.last >= 0 && r.lastIs == name {
		return r.last, nil
	}
	r.forget()
	fd, err := r.open(name)
	if errors.Is(err, unix.ENOENT) {
		fd, err = r.makeMissing(name)
	}
	if err != nil {
		return -1, err
	}
	r.last, r.lastIs = fd, name
	return fd, nil
}

func (r *root) makeMissing(name string) (int, error) {
	at := "/"
	for element := range strings.SplitSeq(strings.Trim(name, "/"), "/") {
		parent, err := r.open(at)
		if err != nil {
			return -1, err
		}
		at = path.Join(at, element)
		err = unix.Mkdirat(parent, element, 0o755)
		if err == nil {
			err = unix.Fchmodat(parent, element, 0o755, 0) // whatever the umask
		}
		unix.Close(parent)
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return -1, err
		}
	}
	return r.open(name)
}

// mkdir makes a folder, or leaves one that is there with what it holds.
func (r *root) mkdir(parent int, base string) error {
	err := unix.Mkdirat(parent, base, 0o700)
	if !errors.Is(err, unix.EEXIST) {
		return err
	}
	var st unix.Stat_t
	if err := unix.Fstatat(parent, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	if st.Mode&unix.S_IFMT == unix.S_IFDIR {
		return nil
	}
	if err := unix.Unlinkat(parent, base, 0); err != nil {
		return err
	}
	return unix.Mkdirat(parent, base, 0o700)
}

// clear removes what is in the way of a new entry.
func (r *root) clear(parent int, base string) error {
	err := unix.Unlinkat(parent, base, 0)
	switch {
	case errors.Is(err, unix.ENOENT):
		return nil
	case errors.Is(err, unix.EISDIR):
		return os.RemoveAll(fdPath(parent, base))
	}
	return err
}

// fdPath names an entry of an open folder for calls that take paths only. The kernel follows the
// first part to the folder itself.
func fdPath(dir int, base string) string { return fmt.Sprintf("/proc/self/fd/%d/%s", dir, base) }
