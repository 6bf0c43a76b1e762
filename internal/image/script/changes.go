package script

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/image/layer"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/sandbox"
)

// Changes are what scripts left, as a layer holds it: sorted, without what depends on the time or
// the place of the run.
type Changes struct {
	entries []change
	uppers  []*os.Root
	unlock  func()
}

// change is one entry and where its content is.
type change struct {
	layer.Entry
	root    *os.Root // of a regular file
	content []byte   // in place of the file's own, when not nil
}

// Collect reads what steps left in uppers, the earliest first, over lower, topmost first, and makes
// it independent of the run:
//
//   - what did not change after all is left out, as are folders that only hold it;
//   - logs, caches of ldconfig, backup copies of the user database, lock files, and all of /run,
//     /tmp, /var/tmp, /dev, /proc and /sys are left out;
//   - modification times later than epoch, in seconds since 1970, become epoch;
//   - days in /etc/shadow later than epoch become epoch's; /etc/machine-id becomes empty.
//
// bottom, if not "", is what steps left before lower came to lie over it: of it, what lower has
// as well is left out.
//
// A private key that a script made is an error, as every image would share it.
//
// owner gives the owners that packages gave their files. It is asked where the running user is not
// root, so that the unpacked layers belong to that user whatever the packages said.
func Collect(bottom string, uppers, lower []string, epoch int64, owner func(path string) (uid, gid int, ok bool)) (*Changes, error) {
	c := &collector{epoch: epoch, merged: map[string]change{}, owner: owner}
	defer func() { closeAll(c.lower) }()
	folders := slices.Concat(uppers, lower)
	if bottom != "" {
		folders = append(folders, bottom)
	}
	unlock, err := lockFolders(folders)
	if err != nil {
		return nil, fmt.Errorf("reading what scripts changed: %w", err)
	}
	entries, err := c.collect(bottom, uppers, lower)
	if err != nil {
		closeAll(c.uppers)
		unlock()
		return nil, err
	}
	return &Changes{entries, c.uppers, unlock}, nil
}

// Empty says whether there is nothing to put into a layer.
func (c *Changes) Empty() bool { return len(c.entries) == 0 }

// Adjust lets f change modes and owners of the entries, whiteouts excepted.
func (c *Changes) Adjust(f func(*layer.Entry)) {
	for i := range c.entries {
		if e := &c.entries[i]; !strings.HasPrefix(path.Base(e.Path), whiteout) {
			f(&e.Entry)
		}
	}
}

// Write adds the entries to a layer.
func (c *Changes) Write(a *layer.Archive) error {
	inodes := map[inode]string{}
	for _, e := range c.entries {
		if err := e.write(a, inodes); err != nil {
			return err
		}
	}
	return nil
}

// Close lets go of the folders that the changes are read from.
func (c *Changes) Close() {
	closeAll(c.uppers)
	c.unlock()
}

func closeAll(roots []*os.Root) {
	for _, r := range roots {
		r.Close()
	}
}

type inode struct{ dev, ino uint64 }

func (e *change) write(a *layer.Archive, inodes map[inode]string) error {
	if e.Mode&rpm.ModeTypeMask != rpm.ModeRegular || e.root == nil || e.content != nil {
		return a.Add(e.Entry, bytes.NewReader(e.content))
	}
	f, err := open(e.root, e.Path[1:])
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if st := info.Sys().(*syscall.Stat_t); st.Nlink > 1 {
		id := inode{st.Dev, st.Ino}
		if first, ok := inodes[id]; ok {
			link := e.Entry
			link.HardLink, link.Link, link.Xattrs = true, first, nil
			return a.Add(link, nil)
		}
		inodes[id] = e.Path
	}
	return a.Add(e.Entry, f)
}

type collector struct {
	epoch         int64
	lower, uppers []*os.Root
	merged        map[string]change
	bytes         int64
	owner         func(path string) (uid, gid int, ok bool)
}

func (c *collector) collect(bottom string, uppers, lower []string) ([]change, error) {
	for _, dir := range lower {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		c.lower = append(c.lower, root)
	}
	if bottom != "" {
		if err := c.read(bottom); err != nil {
			return nil, fmt.Errorf("reading what scripts changed: %w", err)
		}
		maps.DeleteFunc(c.merged, func(name string, _ change) bool { return c.below(name) != nil })
	}
	for _, dir := range uppers {
		if err := c.read(dir); err != nil {
			return nil, fmt.Errorf("reading what scripts changed: %w", err)
		}
	}
	var entries []change
	for _, name := range slices.Sorted(maps.Keys(c.merged)) {
		e, keep, err := c.settle(c.merged[name])
		if err != nil {
			return nil, err
		}
		if keep {
			entries = append(entries, e)
		}
	}
	return c.prune(entries), nil
}

// Entries that stand for deletions (OCI image-spec, "Layer Filesystem Changeset").
const (
	whiteout = ".wh."
	opaque   = ".wh..wh..opq"
)

// read lays one upper folder over what is merged so far.
func (c *collector) read(upper string) error {
	changes, err := sandbox.Changes(upper)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(upper)
	if err != nil {
		return err
	}
	c.uppers = append(c.uppers, root)
	for _, ch := range changes {
		name := "/" + ch.Path
		switch {
		case dropped(name):
			continue
		case strings.HasPrefix(path.Base(name), whiteout):
			return fmt.Errorf("a script made %s, a name that means a deletion in an image", name)
		}
		if ch.Kind != sandbox.Written || !ch.Info.IsDir() {
			c.forget(name)
		}
		if ch.Kind == sandbox.Removed {
			gone := path.Join(path.Dir(name), whiteout+path.Base(name))
			c.merged[gone] = change{Entry: layer.Entry{Path: gone, Mode: rpm.ModeRegular, ModTime: c.epoch}}
			continue
		}
		delete(c.merged, path.Join(path.Dir(name), whiteout+path.Base(name)))
		e, err := c.entry(upper, name, ch.Info)
		if err != nil {
			return err
		}
		e.root = root
		c.merged[name] = e
		if ch.Kind == sandbox.Replaced {
			at := path.Join(name, opaque)
			c.merged[at] = change{Entry: layer.Entry{Path: at, Mode: rpm.ModeRegular, ModTime: c.epoch}}
		}
	}
	return nil
}

// forget drops what earlier steps left at and below a path.
func (c *collector) forget(name string) {
	old, ok := c.merged[name]
	delete(c.merged, name)
	if !ok || old.Mode&rpm.ModeTypeMask != rpm.ModeDirectory {
		return // what is below a folder comes with the folder
	}
	for have := range c.merged {
		if strings.HasPrefix(have, name+"/") {
			delete(c.merged, have)
		}
	}
}

func (c *collector) entry(upper, name string, info os.FileInfo) (change, error) {
	st := info.Sys().(*syscall.Stat_t)
	e := change{Entry: layer.Entry{Path: name, Mode: st.Mode, ModTime: min(st.Mtim.Sec, c.epoch)}}
	var err error
	if e.UID, e.GID, err = c.ids(name, st); err != nil {
		return e, err
	}
	switch {
	case info.Mode().IsRegular():
		e.Size = st.Size
		if c.bytes += st.Size; c.bytes > maxChanges {
			return e, fmt.Errorf("scripts left more than %d bytes", int64(maxChanges))
		}
		value := make([]byte, 64)
		n, err := unix.Lgetxattr(path.Join(upper, name), "security.capability", value)
		if err == nil {
			e.Xattrs = map[string]string{"security.capability": string(value[:n])}
		}
	case info.IsDir():
		e.ModTime = layer.DirectoryTime
	case info.Mode().Type() == fs.ModeSymlink:
		target, err := os.Readlink(path.Join(upper, name))
		if err != nil {
			return e, err
		}
		e.Link = target
	}
	return e, nil
}

// ids gives the owner of an entry of an upper folder.
func (c *collector) ids(name string, st *syscall.Stat_t) (uid, gid int, err error) {
	if os.Geteuid() == 0 {
		return int(st.Uid), int(st.Gid), nil
	}
	if int(st.Uid) != os.Geteuid() || int(st.Gid) != os.Getegid() {
		return 0, 0, fmt.Errorf("a script gave %s to another user, which only a build by root can keep", name)
	}
	uid, gid, _ = c.owner(name)
	return uid, gid, nil
}

// settle decides whether an entry stays, and makes its content independent of the run.
func (c *collector) settle(e change) (change, bool, error) {
	base := path.Base(e.Path)
	if strings.HasPrefix(base, whiteout) {
		if base == opaque {
			return e, c.below(path.Dir(e.Path)) != nil, nil
		}
		return e, c.below(path.Join(path.Dir(e.Path), strings.TrimPrefix(base, whiteout))) != nil, nil
	}
	if e.Mode&rpm.ModeTypeMask == rpm.ModeSocket {
		return e, false, nil
	}
	if e.Mode&rpm.ModeTypeMask != rpm.ModeRegular {
		old := c.below(e.Path)
		same := old != nil && old.Mode == e.Mode && old.UID == e.UID && old.GID == e.GID && old.Link == e.Link
		return e, !same || e.Mode&rpm.ModeTypeMask == rpm.ModeDirectory, nil
	}
	if normalise := normalisers[e.Path]; normalise != nil {
		data, err := readAll(e.root, e.Path)
		if err != nil {
			return e, false, err
		}
		e.content = normalise(data, c.epoch)
		e.Size = int64(len(e.content))
	}
	same, err := c.unchanged(&e)
	if err != nil || same {
		return e, false, err
	}
	return e, true, c.checkSecret(&e)
}

// below finds what the lower folders hold at a path, nil for nothing.
func (c *collector) below(name string) *change {
	for _, root := range c.lower {
		info, err := root.Lstat(name[1:])
		if err != nil {
			continue
		}
		st := info.Sys().(*syscall.Stat_t)
		e := &change{Entry: layer.Entry{Path: name, Mode: st.Mode, Size: st.Size}, root: root}
		if e.UID, e.GID, err = c.ids(name, st); err != nil {
			return nil
		}
		if info.Mode().Type() == fs.ModeSymlink {
			e.Link, _ = root.Readlink(name[1:])
		}
		if st.Mode&rpm.ModeTypeMask == rpm.ModeChar {
			return nil // a deletion
		}
		return e
	}
	return nil
}

// unchanged says whether a regular file is what was there before: overlayfs copies a file up for
// any touch of it.
func (c *collector) unchanged(e *change) (bool, error) {
	old := c.below(e.Path)
	if old == nil || old.Mode != e.Mode || old.UID != e.UID || old.GID != e.GID || old.Size != e.Size {
		return false, nil
	}
	if e.content == nil && len(e.Xattrs) > 0 {
		return false, nil
	}
	f, err := open(old.root, e.Path[1:])
	if err != nil {
		return false, err
	}
	defer f.Close()
	var r io.Reader = bytes.NewReader(e.content)
	if e.content == nil {
		g, err := open(e.root, e.Path[1:])
		if err != nil {
			return false, err
		}
		defer g.Close()
		r = g
	}
	return sameContent(f, r)
}

func sameContent(a, b io.Reader) (bool, error) {
	x, y := make([]byte, 64<<10), make([]byte, 64<<10)
	for {
		n, err := io.ReadFull(a, x)
		m, err2 := io.ReadFull(b, y)
		if !bytes.Equal(x[:n], y[:m]) {
			return false, nil
		}
		if err != nil || err2 != nil {
			ended := (err == io.EOF || err == io.ErrUnexpectedEOF) && (err2 == io.EOF || err2 == io.ErrUnexpectedEOF)
			if ended {
				return true, nil
			}
			return false, cmp.Or(err, err2)
		}
	}
}

// prune drops folders that are as they were and below which nothing changed.
func (c *collector) prune(entries []change) []change {
	used := map[string]bool{}
	var out []change
	for _, e := range slices.Backward(entries) {
		if e.Mode&rpm.ModeTypeMask == rpm.ModeDirectory && !used[e.Path] {
			old := c.below(e.Path)
			if old != nil && old.Mode == e.Mode && old.UID == e.UID && old.GID == e.GID {
				continue
			}
		}
		used[path.Dir(e.Path)] = true
		out = append(out, e)
	}
	slices.Reverse(out)
	return out
}

// maxNormalised bounds the files that are read as a whole.
const maxNormalised = 16 << 20

func readAll(root *os.Root, name string) ([]byte, error) {
	f, err := open(root, name[1:])
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxNormalised+1))
	if err == nil && len(data) > maxNormalised {
		err = fmt.Errorf("%s is larger than %d bytes", name, maxNormalised)
	}
	return data, err
}
