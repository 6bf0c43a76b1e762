package rpmwrite

import (
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// entry is one file of the package in header order, with what is found out
// about it on the way.
type entry struct {
	File
	inode   uint32
	links   []int // indexes of all entries with this inode, this one included
	content *entry
	digest  string // hex; known once the payload is written
}

// layOut sorts files by path, as rpm's lookups want it, and joins hard links.
func layOut(files []File) ([]*entry, error) {
	entries := make([]*entry, len(files))
	byPath := make(map[string]*entry, len(files))
	for i, f := range files {
		if f.Mode&rpm.ModeTypeMask == 0 {
			f.Mode |= rpm.ModeRegular
		}
		if f.Owner == "" {
			f.Owner = "root"
		}
		if f.Group == "" {
			f.Group = "root"
		}
		if !strings.HasPrefix(f.Path, "/") || path.Clean(f.Path) != f.Path {
			return nil, fmt.Errorf("file %q: the path is not absolute and clean", f.Path)
		}
		if byPath[f.Path] != nil {
			return nil, fmt.Errorf("file %s is listed twice", f.Path)
		}
		entries[i] = &entry{File: f}
		byPath[f.Path] = entries[i]
	}
	slices.SortFunc(entries, func(a, b *entry) int { return strings.Compare(a.Path, b.Path) })
	sets := map[*entry][]int{}
	for i, e := range entries {
		e.content = e
		if e.HardLink != "" {
			target := byPath[e.HardLink]
			if target == nil || target.HardLink != "" || !target.regular() {
				return nil, fmt.Errorf("file %s: %s, which it is a hard link of, is not a file with content", e.Path, e.HardLink)
			}
			e.content, e.Mode, e.Size = target, target.Mode, target.Size
			e.Owner, e.Group, e.ModTime, e.Flags, e.Caps = target.Owner, target.Group, target.ModTime, target.Flags, target.Caps
		}
		sets[e.content] = append(sets[e.content], i)
	}
	for _, e := range entries {
		e.links = sets[e.content]
		e.inode = uint32(e.links[0] + 1)
		e.setSize()
	}
	return entries, nil
}

func (e *entry) regular() bool { return e.Mode&rpm.ModeTypeMask == rpm.ModeRegular }
func (e *entry) ghost() bool   { return e.Flags&rpm.FileGhost != 0 }

// setSize gives files without content the size that a file system reports.
func (e *entry) setSize() {
	switch e.Mode & rpm.ModeTypeMask {
	case rpm.ModeRegular:
	case rpm.ModeDirectory:
		e.Size = 4096
	case rpm.ModeLink:
		e.Size = int64(len(e.Link))
	default:
		e.Size = 0
	}
}

// large says whether the package needs the 64-bit format.
func large(spec *Spec, files []*entry) bool {
	return spec.LargeFiles || slices.ContainsFunc(files, func(e *entry) bool { return e.Size > math.MaxUint32 })
}

// installedSize is what the files take when installed, as rpmbuild counts it:
// content once an inode, and the targets of links.
func installedSize(files []*entry) int64 {
	var total int64
	for i, e := range files {
		if (e.regular() || e.Mode&rpm.ModeTypeMask == rpm.ModeLink) && !e.ghost() && e.links[0] == i {
			total += e.Size
		}
	}
	return total
}

const allVerifyFlags = math.MaxUint32

// verifyFlags leaves out what rpm -V can't hold against a ghost: digest, size,
// link and time.
func (e *entry) verifyFlags() uint32 {
	if e.ghost() {
		return allVerifyFlags &^ (1<<0 | 1<<1 | 1<<2 | 1<<5)
	}
	return allVerifyFlags
}

func fileEntries(spec *Spec, files []*entry) []rpm.Entry {
	if len(files) == 0 {
		return nil
	}
	dirIndex := map[string]uint32{}
	var dirs, bases []string
	var dirIndexes []uint32
	for _, e := range files {
		dir, base := path.Split(e.Path)
		n, ok := dirIndex[dir]
		if !ok {
			n = uint32(len(dirs))
			dirIndex[dir] = n
			dirs = append(dirs, dir)
		}
		bases, dirIndexes = append(bases, base), append(dirIndexes, n)
	}
	entries := []rpm.Entry{
		sizes(files, large(spec, files)),
		rpm.Int16Entry(rpm.TagFileModes, each(files, func(e *entry) uint16 { return uint16(e.Mode) })...),
		rpm.Int16Entry(rpm.TagFileRdevs, each(files, func(e *entry) uint16 { return uint16(e.Rdev) })...),
		rpm.Int32Entry(rpm.TagFileMTimes, each(files, func(e *entry) uint32 { return uint32(e.ModTime) })...),
		rpm.StringArrayEntry(rpm.TagFileDigests, each(files, func(e *entry) string { return e.digest })),
		rpm.StringArrayEntry(rpm.TagFileLinkTos, each(files, func(e *entry) string { return e.Link })),
		rpm.Int32Entry(rpm.TagFileFlags, each(files, func(e *entry) uint32 { return uint32(e.Flags) })...),
		rpm.StringArrayEntry(rpm.TagFileUserName, each(files, func(e *entry) string { return e.Owner })),
		rpm.StringArrayEntry(rpm.TagFileGroupName, each(files, func(e *entry) string { return e.Group })),
		rpm.Int32Entry(rpm.TagFileVerifyFlags, each(files, (*entry).verifyFlags)...),
		rpm.Int32Entry(rpm.TagFileDevices, each(files, func(*entry) uint32 { return 1 })...),
		rpm.Int32Entry(rpm.TagFileInodes, each(files, func(e *entry) uint32 { return e.inode })...),
		rpm.StringArrayEntry(rpm.TagFileLangs, each(files, func(e *entry) string { return e.Lang })),
		rpm.Int32Entry(rpm.TagDirIndexes, dirIndexes...),
		rpm.StringArrayEntry(rpm.TagBaseNames, bases),
		rpm.StringArrayEntry(rpm.TagDirNames, dirs),
		rpm.Int32Entry(rpm.TagFileDigestAlgo, 8),
	}
	if hasCaps(files) {
		entries = append(entries, rpm.StringArrayEntry(rpm.TagFileCaps, each(files, func(e *entry) string { return e.Caps })))
	}
	return entries
}

func sizes(files []*entry, large bool) rpm.Entry {
	if large {
		return rpm.Int64Entry(rpm.TagLongFileSizes, each(files, func(e *entry) uint64 { return uint64(e.Size) })...)
	}
	return rpm.Int32Entry(rpm.TagFileSizes, each(files, func(e *entry) uint32 { return uint32(e.Size) })...)
}

func hasCaps(files []*entry) bool {
	return slices.ContainsFunc(files, func(e *entry) bool { return e.Caps != "" })
}

func hasHardLinks(files []*entry) bool {
	return slices.ContainsFunc(files, func(e *entry) bool { return len(e.links) > 1 })
}

func each[T any](files []*entry, get func(*entry) T) []T {
	values := make([]T, len(files))
	for i, e := range files {
		values[i] = get(e)
	}
	return values
}
