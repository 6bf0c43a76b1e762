package pymeta

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"sort"
	"strings"
)

// maxFile bounds the size of one metadata file, in bytes.
const maxFile = 512 << 10

// maxDeclared bounds the requirements of one project.
const maxDeclared = 20_000

// Field is a single value with the place where it is written.
type Field struct {
	Text string
	File string
	Line int
}

// Declared is a requirement with the place where it is written.
type Declared struct {
	Requirement Requirement
	Text        string // as written
	File        string
	Line        int
	Section     string // "project.dependencies", "options.install_requires", "install_requires", …
	Extra       string // normalised name of the extra it belongs to, or empty
}

// Diagnostic is something that is not written down literally, or not valid.
type Diagnostic struct {
	File    string
	Line    int
	Message string
	// Field is the field of [Metadata.Unread] that is not known for this reason; "*" means several. Empty when the
	// message is about something else.
	Field string
}

// String returns "file:line: message".
func (d Diagnostic) String() string { return fmt.Sprintf("%s:%d: %s", d.File, d.Line, d.Message) }

// Metadata is what a project says about itself.
type Metadata struct {
	Name Field
	// Version is empty when VersionDynamic is set: then a tool asks the version control system at build time.
	Version        Field
	VersionDynamic bool
	RequiresPython Field
	// Requires are the runtime requirements, those of extras included.
	Requires []Declared
	Extras   []string // normalised, sorted
	// Groups are the dependency groups of PEP 735, with what they include, by normalised name. They are for whoever
	// works on the project: no package asks for them.
	Groups map[string][]Declared
	// BuildRequires are build-system.requires and setup_requires.
	BuildRequires []Declared
	Backend       string   // as PEP 517 names it; the default of PEP 517 when the project does not say
	BackendPath   []string // inside of the tree
	Files         []string // what was read, in order
	// Unread are the fields that only the build backend can tell, sorted: name, version, requires-python,
	// dependencies, optional-dependencies. The diagnostics say why. See [Metadata.Complete].
	Unread      []string
	Diagnostics []Diagnostic
}

// legacyBackend is what PEP 517 says for a project without a build-backend.
const legacyBackend = "setuptools.build_meta:__legacy__"

// reader collects the metadata of one project.
type reader struct {
	tree fs.FS
	meta Metadata
	// seen says which of the fields have been given by a source that takes precedence.
	seen map[string]bool
	// described says that pyproject.toml has the metadata in a table that is understood.
	described bool
}

// Read reads the metadata at the root of a tree. Missing files are no error: a project without any of them has no
// name, no requirements, and the default backend. The error is about reading the tree, or a file beyond all bounds.
func Read(tree fs.FS) (*Metadata, error) {
	r := &reader{tree: tree, seen: map[string]bool{}}
	if err := r.pyproject(); err != nil {
		return nil, err
	}
	if r.usesSetuptools() {
		if err := r.setupPy(); err != nil {
			return nil, err
		}
		if err := r.setupCfg(); err != nil {
			return nil, err
		}
	}
	if r.meta.Backend == "" {
		r.meta.Backend = legacyBackend
	}
	r.strange()
	r.finish()
	return &r.meta, nil
}

func (r *reader) usesSetuptools() bool {
	b := r.meta.Backend
	return b == "" || strings.HasPrefix(b, "setuptools.") || strings.HasPrefix(b, "setuptools_") || len(r.meta.BackendPath) > 0
}

// fields are what [Metadata.Unread] may name.
var fields = []string{"name", "version", "requires-python", "dependencies", "optional-dependencies"}

// unread reports a field that is not written down in a way that can be read.
func (r *reader) unread(field, file string, line int, format string, args ...any) {
	r.report(file, line, format, args...)
	if field != "*" && !slices.Contains(fields, field) {
		return // such as setup_requires, which is no metadata
	}
	r.meta.Diagnostics[len(r.meta.Diagnostics)-1].Field = field
	if field != "*" && !slices.Contains(r.meta.Unread, field) {
		r.meta.Unread = append(r.meta.Unread, field)
	}
}

// strange marks everything as unread of a project whose backend keeps its metadata where only it knows.
func (r *reader) strange() {
	if r.described || r.usesSetuptools() || !slices.Contains(r.meta.Files, pyprojectName) {
		return
	}
	r.unread("*", pyprojectName, 0, "where %s has the metadata is not known, so only it can tell", r.meta.Backend)
	r.meta.Unread = slices.Clone(fields)
}

// finish sorts what has no order of its own.
func (r *reader) finish() {
	sort.Strings(r.meta.Unread)
	extras := map[string]bool{}
	for _, e := range r.meta.Extras {
		extras[e] = true
	}
	for _, d := range r.meta.Requires {
		if d.Extra != "" {
			extras[d.Extra] = true
		}
	}
	r.meta.Extras = make([]string, 0, len(extras))
	for e := range extras {
		r.meta.Extras = append(r.meta.Extras, e)
	}
	sort.Strings(r.meta.Extras)
}

func (r *reader) report(file string, line int, format string, args ...any) {
	if len(r.meta.Diagnostics) < 1000 {
		r.meta.Diagnostics = append(r.meta.Diagnostics, Diagnostic{File: file, Line: line, Message: fmt.Sprintf(format, args...)})
	}
}

// open reads a file of the tree. ok is false when there is none.
func (r *reader) open(name string) (text string, ok bool, err error) {
	if !fs.ValidPath(name) {
		return "", false, nil
	}
	f, err := r.tree.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fmt.Errorf("reading %s: %w", name, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && !info.Mode().IsRegular() {
		return "", false, nil
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", false, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(data) > maxFile {
		return "", false, fmt.Errorf("reading %s: larger than %d bytes", name, maxFile)
	}
	r.meta.Files = append(r.meta.Files, name)
	text = strings.TrimPrefix(string(data), "\ufeff")
	return strings.ReplaceAll(text, "\r\n", "\n"), true, nil
}

// inTree makes a path as written in a metadata file into one of the tree. ok is false when it points outside.
func inTree(name string) (string, bool) {
	name = path.Clean(strings.TrimSpace(name))
	return name, fs.ValidPath(name) && name != "."
}

// declare adds one requirement to a list, or says what is wrong with it.
func (r *reader) declare(list *[]Declared, d Declared) {
	d.Text = strings.TrimSpace(d.Text)
	if d.Text == "" {
		return
	}
	if len(*list) >= maxDeclared {
		return
	}
	var err error
	if d.Requirement, err = ParseRequirement(d.Text); err != nil {
		r.report(d.File, d.Line, "%s: %v", d.Section, err)
		return
	}
	*list = append(*list, d)
}

// once says whether a field is given for the first time; later sources do not replace earlier ones.
func (r *reader) once(field string) bool {
	if r.seen[field] {
		return false
	}
	r.seen[field] = true
	return true
}
