package rpm

import (
	"strings"
)

// maxFiles bounds the files of one package; the largest real ones have some
// hundred thousand. It also bounds memory: a header of maxHeaderData bytes
// could announce more.
const maxFiles = 4 << 20

// Files gives the files of the package, sorted by path as the header has them.
// A path that could leave the root gives an *UnsafePathError, parallel arrays
// that do not fit together a *FormatError.
func (h *Header) Files() ([]File, error) {
	bases := h.Strings(TagBaseNames)
	if len(bases) == 0 {
		if h.Has(TagOldFileNames) {
			return nil, malformed(h.part, "its file names are in the form of RPM v3, which is not supported")
		}
		return nil, nil
	}
	if len(bases) > maxFiles {
		return nil, malformed(h.part, "it lists %d files", len(bases))
	}
	a := fileArrays{h: h, n: len(bases)}
	a.read()
	if a.err != nil {
		return nil, a.err
	}
	dirs := h.Strings(TagDirNames)
	files := make([]File, len(bases))
	for i, base := range bases {
		if int(a.dirIndexes[i]) >= len(dirs) {
			return nil, malformed(h.part, "file %d is in a directory that is not listed", i)
		}
		path := dirs[a.dirIndexes[i]] + base
		if err := checkPath(path); err != nil {
			return nil, err
		}
		files[i] = a.file(i, path)
	}
	linkSets(files)
	return files, nil
}

// fileArrays are the parallel arrays that describe files. Those that may be
// absent are nil then.
type fileArrays struct {
	h   *Header
	n   int
	err error

	sizes                       []uint64
	modes, rdevs                []uint16
	dirIndexes, mtimes, flags   []uint32
	verify, devices, inodes     []uint32
	colors                      []uint32
	digests, links              []string
	owners, groups, caps, langs []string
	algo                        int
}

func (a *fileArrays) read() {
	h := a.h
	a.dirIndexes = required(a, TagDirIndexes, h.Uint32s)
	a.modes = required(a, TagFileModes, h.Uint16s)
	a.mtimes = required(a, TagFileMTimes, h.Uint32s)
	a.owners = required(a, TagFileUserName, h.Strings)
	a.groups = required(a, TagFileGroupName, h.Strings)
	if h.Has(TagLongFileSizes) {
		a.sizes = required(a, TagLongFileSizes, h.Uint64s)
	} else {
		for _, n := range required(a, TagFileSizes, h.Uint32s) {
			a.sizes = append(a.sizes, uint64(n))
		}
	}
	a.digests = optional(a, TagFileDigests, h.Strings)
	a.links = optional(a, TagFileLinkTos, h.Strings)
	a.flags = optional(a, TagFileFlags, h.Uint32s)
	a.rdevs = optional(a, TagFileRdevs, h.Uint16s)
	a.verify = optional(a, TagFileVerifyFlags, h.Uint32s)
	a.devices = optional(a, TagFileDevices, h.Uint32s)
	a.inodes = optional(a, TagFileInodes, h.Uint32s)
	a.colors = optional(a, TagFileColors, h.Uint32s)
	a.caps = optional(a, TagFileCaps, h.Strings)
	a.langs = optional(a, TagFileLangs, h.Strings)
	a.algo = digestMD5
	if n, ok := h.Uint32(TagFileDigestAlgo); ok {
		a.algo = int(n)
	}
}

func required[T any](a *fileArrays, tag Tag, get func(Tag) []T) []T {
	values := get(tag)
	if len(values) != a.n && a.err == nil {
		a.err = malformed(a.h.part, "tag %d has %d values for %d files", tag, len(values), a.n)
	}
	return values
}

func optional[T any](a *fileArrays, tag Tag, get func(Tag) []T) []T {
	if !a.h.Has(tag) {
		return nil
	}
	return required(a, tag, get)
}

func (a *fileArrays) file(i int, path string) File {
	f := File{
		Path:        path,
		Mode:        uint32(a.modes[i]),
		Owner:       a.owners[i],
		Group:       a.groups[i],
		Size:        int64(a.sizes[i]),
		ModTime:     int64(a.mtimes[i]),
		DigestAlgo:  a.algo,
		Digest:      at(a.digests, i),
		Link:        at(a.links, i),
		Flags:       FileFlags(at(a.flags, i)),
		Caps:        at(a.caps, i),
		Rdev:        uint32(at(a.rdevs, i)),
		Device:      at(a.devices, i),
		Inode:       at(a.inodes, i),
		Color:       at(a.colors, i),
		Lang:        at(a.langs, i),
		VerifyFlags: at(a.verify, i),
	}
	if f.Size < 0 { // more than any file system holds; fails when it is read
		f.Size = 1<<63 - 1
	}
	return f
}

func at[T any](values []T, i int) (v T) {
	if i < len(values) {
		v = values[i]
	}
	return v
}

// linkSets joins regular files that share an inode, as rpm's
// rpmfilesBuildNLink does: ghosts, and files without an inode, stand alone.
func linkSets(files []File) {
	type inode struct{ device, number uint32 }
	sets := make(map[inode][]int)
	for i := range files {
		if f := &files[i]; f.IsRegular() && !f.IsGhost() && f.Inode != 0 {
			id := inode{f.Device, f.Inode}
			sets[id] = append(sets[id], i)
		}
	}
	for _, set := range sets {
		if len(set) < 2 {
			continue
		}
		for _, i := range set {
			files[i].HardLinks = set
		}
	}
}

// checkPath refuses what is not absolute and clean, or what Linux can't store.
// The root itself is allowed: a package may own it.
func checkPath(path string) error {
	unsafe := func(reason string) error { return &UnsafePathError{Path: path, Reason: reason} }
	switch {
	case path == "/":
		return nil
	case !strings.HasPrefix(path, "/"):
		return unsafe("is not absolute")
	case len(path) > maxPath:
		return unsafe("is too long")
	}
	for rest := path[1:]; ; {
		part, next, more := strings.Cut(rest, "/")
		switch {
		case part == "":
			return unsafe("has an empty component")
		case part == "." || part == "..":
			return unsafe("has a component that is not a name")
		case len(part) > maxComponent:
			return unsafe("has a component that is too long")
		}
		if !more {
			return nil
		}
		rest = next
	}
}
