package native

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// Edition is another one whenever [Write] writes other wheels than before.
const Edition = "1"

// Project is one project at a commit.
type Project struct {
	Tree        fs.FS
	Backend     string   // as in build-backend
	BackendPath []string // as in backend-path
	Requires    []string // as in build-system.requires
	Name        string   // what Version is meant for; the project may be called otherwise
	Version     string   // what a version taken from tags comes to; "" where none is known
}

// Environment is the Python of a build root.
type Environment struct {
	Python  string            // full version
	Machine string            // as platform.machine() has it
	Dists   map[string]string // versions of what is installed, by normalised name
	// Plugins are the distributions, by normalised name, that have entry points in the groups by which they change
	// what setuptools does; by group.
	Plugins map[string][]string
	// WheelCommand is the distribution whose bdist_wheel setuptools runs.
	WheelCommand string
	Sorts        bool // setuptools sorts requirements, as Debian's does
}

// Wheel is what a wheel consists of.
type Wheel struct {
	Filename string
	Info     string // name of the .dist-info folder
	Files    []File // sorted by name, RECORD not among them
	Backend  string // whose work it is: "setuptools 66.1.1"
}

// File is one file of a wheel.
type File struct {
	Name    string // slash-separated, relative
	Exec    bool
	Content []byte
}

// UnsupportedError says why a project's backend has to run.
type UnsupportedError struct{ Reason string }

func (e *UnsupportedError) Error() string { return e.Reason }

// TooOldError says that the build root's backend does not read what the project is written in: it would make a wheel, and a
// wrong one.
type TooOldError struct{ Reason string }

func (e *TooOldError) Error() string { return e.Reason }

// unsupported makes an UnsupportedError.
func unsupported(format string, args ...any) error {
	return &UnsupportedError{Reason: fmt.Sprintf(format, args...)}
}

// Write makes the wheel of a project. An [*UnsupportedError] leaves it to the backend; a [*TooOldError] is the project's fault. Any
// other error is one of reading the tree.
func Write(p Project, env Environment) (*Wheel, error) {
	if len(p.BackendPath) > 0 {
		return nil, unsupported("its backend is its own")
	}
	if err := p.met(env); err != nil {
		return nil, err
	}
	tree, err := openTree(p.Tree)
	if err != nil {
		return nil, err
	}
	var w *Wheel
	switch p.Backend {
	case "setuptools.build_meta", "setuptools.build_meta:__legacy__":
		w, err = writeSetuptools(p, tree, env)
	case "hatchling.build":
		w, err = writeHatchling(p, tree, env)
	case "flit_core.buildapi":
		w, err = writeFlit(tree, env)
	default:
		return nil, unsupported("its backend is %s", p.Backend)
	}
	if err != nil {
		return nil, err
	}
	return w, w.finish()
}

// met makes sure that the build root has what the project wants for its build, so that nothing is built that the backend
// would not.
func (p Project) met(env Environment) error {
	markers := pymeta.LinuxEnvironment(env.Python, env.Machine)
	for _, written := range p.Requires {
		r, err := pymeta.ParseRequirement(written)
		if err != nil {
			return unsupported("its build requires %q", written)
		}
		if applies, err := r.Applies(markers); err != nil {
			return unsupported("its build requires %q", written)
		} else if !applies {
			continue
		}
		version, err := pymeta.ParseVersion(env.Dists[pymeta.NormalizeName(r.Name)])
		if err != nil || !r.Specifiers.Contains(version, true) {
			return unsupported("the build root does not have %s", written)
		}
	}
	return nil
}

// finish sorts the files and makes sure that each is there once.
func (w *Wheel) finish() error {
	slices.SortFunc(w.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(w.Files); i++ {
		if w.Files[i].Name == w.Files[i-1].Name {
			return unsupported("%s comes from two places", w.Files[i].Name)
		}
	}
	return nil
}

// add adds a file; the latter of two of one name counts.
func (w *Wheel) add(f File) {
	if i := slices.IndexFunc(w.Files, func(have File) bool { return have.Name == f.Name }); i >= 0 {
		w.Files[i] = f
		return
	}
	w.Files = append(w.Files, f)
}

// release is a version as three numbers.
type release [3]int

// parseRelease reads the version of a backend; ok is false for anything but a final release.
func parseRelease(s string) (r release, ok bool) {
	v, err := pymeta.ParseVersion(s)
	if err != nil || v.IsPrerelease() || v.String() != s && !strings.HasPrefix(s, v.Public()) {
		return r, false
	}
	for i, part := range v.Release() {
		if i == len(r) {
			return r, false
		}
		if r[i], err = strconv.Atoi(part); err != nil {
			return r, false
		}
	}
	return r, true
}

func (r release) compare(other release) int {
	return cmp.Or(cmp.Compare(r[0], other[0]), cmp.Compare(r[1], other[1]), cmp.Compare(r[2], other[2]))
}

// since tells whether a backend is of this version or newer.
func (r release) since(major, minor, patch int) bool {
	return r.compare(release{major, minor, patch}) >= 0
}

// text decodes a file as Python's text mode does: UTF-8, all ends of lines alike.
func text(content []byte) (string, error) {
	if !utf8.Valid(content) {
		return "", errors.New("it is not UTF-8")
	}
	s := strings.ReplaceAll(string(content), "\r\n", "\n")
	return strings.ReplaceAll(s, "\r", "\n"), nil
}
