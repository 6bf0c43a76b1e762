package layer

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// whiteout begins the names of entries that stand for deletions (OCI image-spec, "Layer Filesystem
// Changeset").
const whiteout = ".wh."

// modePerm are the bits of st_mode that are no file type.
const modePerm = 0o7777

// Package is what this room needs to know of one RPM.
type Package struct {
	// Name is what messages call it.
	Name string
	// Path and SHA256 of the RPM file.
	Path, SHA256 string
	// Files as the RPM's header lists them.
	Files []rpm.File
}

// Filter says which of the packages' files stay out, as rpm's --excludedocs and %_install_langs do.
type Filter struct {
	NoDocs bool
	// Languages that stay. Empty: all.
	Languages []string
}

// Directory is a folder of the root filesystem.
type Directory struct {
	Path     string
	Mode     uint32
	UID, GID int
}

// Tree is where the files of a set of packages come to lie in one root filesystem: the paths after
// directory links, the owners as numbers, what is left out, and the folders with their modes.
type Tree struct {
	packages []Package
	plans    [][]place
	dirs     map[string]Directory
	files    map[string]fileRef // what is no folder, by path
	links    Links
	unknown  []UnknownOwner

	decompressors rpm.Decompressors // shared by the fragments, whatever makes them
}

// fileRef is a file of a package, both by index.
type fileRef struct{ pkg, file int }

// place says what becomes of one file of a package.
type place struct {
	path     string // absolute, no link in its folders; "" when the package does not bring the file
	uid, gid int
	state    byte
}

// The values of RPMTAG_FILESTATES (RPMFILE_STATE_* of rpm's rpmfi.h) that occur.
const (
	stateNotInstalled = 2
	stateWrongColor   = 4
)

// UnknownOwner is a name that no package defines; its files are root's.
type UnknownOwner struct{ Package, Kind, Name string }

// ConflictError says that two packages bring different files of the same path. rpm refuses to install
// them together as well.
type ConflictError struct{ Path, First, Second string }

func (c *ConflictError) Error() string {
	return fmt.Sprintf("packages %s and %s bring different files as %s, so they cannot be in one image", c.First, c.Second, c.Path)
}

// Plan places the files of packages, given in the order of their installation: of a folder that
// several own, the last one's mode and owner count. links are those that are in the root besides
// the packages' own.
func Plan(packages []Package, ids IDs, links Links, filter Filter) (*Tree, error) {
	t := &Tree{packages: packages, plans: make([][]place, len(packages)), dirs: map[string]Directory{}}
	links, err := collectLinks(packages, links)
	if err != nil {
		return nil, err
	}
	t.links = links
	known := newResolver(links)
	for n := range packages {
		if err := t.place(n, ids, known, filter); err != nil {
			return nil, fmt.Errorf("package %s: %w", packages[n].Name, err)
		}
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	return t, nil
}

// UnknownOwners are the names that no map had, each once for a package.
func (t *Tree) UnknownOwners() []UnknownOwner { return t.unknown }

// States are the values of RPMTAG_FILESTATES of a package: whether each file is there, and why not.
func (t *Tree) States(pkg int) []byte {
	states := make([]byte, len(t.plans[pkg]))
	for i, p := range t.plans[pkg] {
		states[i] = p.state
	}
	return states
}

func collectLinks(packages []Package, extra Links) (Links, error) {
	all := Links{}
	for _, p := range packages {
		for _, f := range p.Files {
			if f.IsLink() && !f.IsGhost() {
				all[f.Path] = f.Link
			}
		}
	}
	maps.Copy(all, extra)
	return all.settle()
}

// maxPackage is how many bytes the files of one package may have; real ones stay below a half of it.
const maxPackage = 8 << 30

func (t *Tree) place(n int, ids IDs, links *resolver, filter Filter) error {
	files := t.packages[n].Files
	var size int64
	skip := filter.skipped(files)
	plan := make([]place, len(files))
	t.plans[n] = plan
	for i, f := range files {
		if err := checkPath(f.Path); err != nil {
			return err
		}
		if size += f.Size; size > maxPackage || f.Size < 0 {
			return fmt.Errorf("its files have more than %d bytes", int64(maxPackage))
		}
		if f.IsGhost() || skip[i] {
			if skip[i] {
				plan[i].state = stateNotInstalled
			}
			continue
		}
		if strings.Contains(f.Path, "/"+whiteout) {
			return fmt.Errorf("file path %q has a part that begins with %s, which means a deletion in an image", f.Path, whiteout)
		}
		resolve := links.file
		if f.IsDir() {
			resolve = links.folder
		}
		at, err := resolve(f.Path)
		if err != nil {
			return err
		}
		plan[i] = place{path: at, uid: t.owner(n, "user", f.Owner, ids.user), gid: t.owner(n, "group", f.Group, ids.group)}
		if f.IsDir() {
			t.dirs[at] = Directory{Path: at, Mode: f.Mode & modePerm, UID: plan[i].uid, GID: plan[i].gid}
		}
	}
	return nil
}

func (t *Tree) owner(n int, kind, name string, find func(string) (int, bool)) int {
	id, ok := find(name)
	if !ok {
		u := UnknownOwner{t.packages[n].Name, kind, name}
		if !slices.Contains(t.unknown, u) {
			t.unknown = append(t.unknown, u)
		}
	}
	return id
}

// check finds two different files of one path, and files where a folder must be.
func (t *Tree) check() error {
	seen := map[string]fileRef{}
	t.files = seen
	for n, plan := range t.plans {
		for i, p := range plan {
			f := &t.packages[n].Files[i]
			if p.path == "" || f.IsDir() {
				continue
			}
			if _, ok := t.dirs[p.path]; ok {
				return &ConflictError{p.path, t.packages[n].Name, t.ownerOf(p.path)}
			}
			first, ok := seen[p.path]
			if !ok {
				seen[p.path] = fileRef{n, i}
				continue
			}
			g := &t.packages[first.pkg].Files[first.file]
			switch {
			case sameFile(f, g):
				plan[i].path = "" // the first to be installed brings it, as for rpm
			case f.Color != g.Color && f.Color|g.Color == 3:
				// Of two ELF files of different word sizes the 64-bit one stays (rpm's
				// %_prefer_color 2); the other counts as installed.
				if f.Color == 2 {
					t.plans[first.pkg][first.file] = place{state: stateWrongColor}
					seen[p.path] = fileRef{n, i}
				} else {
					plan[i] = place{state: stateWrongColor}
				}
			default:
				return &ConflictError{p.path, t.packages[first.pkg].Name, t.packages[n].Name}
			}
		}
	}
	return t.checkFolders()
}

// checkFolders finds files where the folder of another must be.
func (t *Tree) checkFolders() error {
	folders := map[string]bool{"/": true}
	for p := range t.files {
		for dir := path.Dir(p); !folders[dir]; dir = path.Dir(dir) {
			if _, ok := t.files[dir]; ok {
				return t.folderError()
			}
			folders[dir] = true
		}
	}
	return nil
}

// folderError is about the first path whose folder is a file.
func (t *Tree) folderError() error {
	for _, p := range slices.Sorted(maps.Keys(t.files)) {
		for dir := path.Dir(p); dir != "/"; dir = path.Dir(dir) {
			if a, ok := t.files[dir]; ok {
				b := t.files[p]
				return fmt.Errorf("package %s: the folder of %s is a file of package %s", t.packages[b.pkg].Name, p, t.packages[a.pkg].Name)
			}
		}
	}
	return nil
}

func (t *Tree) ownerOf(dir string) string {
	for n, plan := range t.plans {
		for _, p := range plan {
			if p.path == dir {
				return t.packages[n].Name
			}
		}
	}
	return ""
}

// sameFile is rpm's rpmfilesCompare, with the digest only where both have the same kind.
func sameFile(f, g *rpm.File) bool {
	switch {
	case f.Mode != g.Mode:
		return false
	case f.IsLink():
		return f.Link == g.Link
	case f.IsRegular():
		return f.Size == g.Size && f.DigestAlgo == g.DigestAlgo && f.Digest == g.Digest
	}
	return true
}

// Parents gives the folders above the given absolute paths and those among them that are folders,
// sorted, with the modes that their packages gave them, or 0755 and root. The root itself is among
// them when a package owns it.
func (t *Tree) Parents(paths ...string) []Directory {
	need, last := map[string]bool{}, ""
	for _, p := range paths {
		if _, ok := t.dirs[p]; !ok {
			at := max(strings.LastIndexByte(p, '/'), 0)
			if p[:at] == last {
				continue // as the one before
			}
			last = p[:at]
			p = path.Dir(p)
		}
		for ; p != "/" && !need[p]; p = path.Dir(p) {
			need[p] = true
		}
	}
	out := make([]Directory, 0, len(need)+1)
	if root, ok := t.dirs["/"]; ok {
		out = append(out, root)
	}
	for _, p := range slices.Sorted(maps.Keys(need)) {
		d, ok := t.dirs[p]
		if !ok {
			d = Directory{Path: p, Mode: 0o755}
		}
		out = append(out, d)
	}
	return out
}

// Resolve follows the links of the tree in the folders of an absolute path, and at its end.
func (t *Tree) Resolve(name string) (string, error) { return t.links.follow(path.Clean(name)) }

// Owner gives the numbers of a path's owner, and whether a package brings it.
func (t *Tree) Owner(name string) (uid, gid int, ok bool) {
	if d, ok := t.dirs[name]; ok {
		return d.UID, d.GID, true
	}
	if f, ok := t.files[name]; ok {
		p := t.plans[f.pkg][f.file]
		return p.uid, p.gid, true
	}
	return 0, 0, false
}

// Has says whether a package brings this path: a folder, file or link.
func (t *Tree) Has(name string) bool {
	_, _, ok := t.Owner(name)
	return ok
}

// checkPath refuses a path that is not absolute or not clean: no package has one, and a hostile one
// gets no further.
func checkPath(p string) error {
	if !strings.HasPrefix(p, "/") || path.Clean(p) != p || strings.ContainsRune(p, 0) {
		return fmt.Errorf("file path %q is not absolute and clean", p)
	}
	return nil
}

// skipped marks the files that the filter leaves out, and folders of which nothing else is left.
func (filter Filter) skipped(files []rpm.File) []bool {
	skip := make([]bool, len(files))
	if !filter.NoDocs && len(filter.Languages) == 0 {
		return skip
	}
	left, emptied := map[string]int{}, map[string]bool{}
	for i, f := range files {
		dir := path.Dir(f.Path)
		left[dir]++
		if filter.NoDocs && f.Flags&rpm.FileDoc != 0 || !filter.speaks(f.Lang) {
			skip[i], emptied[dir] = true, true
			left[dir]--
		}
	}
	for i, f := range slices.Backward(files) {
		if f.IsDir() && !skip[i] && emptied[f.Path] && left[f.Path] == 0 {
			skip[i] = true
		}
	}
	return skip
}

// speaks says whether a file of these locales ("de" or "de|fr"; "" for all) is wanted. As for rpm,
// who wants "de_AT" wants "de" as well.
func (filter Filter) speaks(lang string) bool {
	if lang == "" || len(filter.Languages) == 0 {
		return true
	}
	for have := range strings.SplitSeq(lang, "|") {
		for _, want := range filter.Languages {
			if have != "" && strings.HasPrefix(want, have) {
				return true
			}
		}
	}
	return false
}
