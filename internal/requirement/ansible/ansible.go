// Package ansible reads which packages the task files of Ansible install, without running anything.
//
// Teams keep the packages of an image in such files. Read: the tasks of dnf, yum and package, and of pip, with literal
// names; plays, blocks, and tasks imported or included from other files of the same tree; loops over literal lists;
// variables with literal values in the same file. Everything else (roles, other variables, facts) is a [Diagnostic]
// with its line. A condition is not evaluated: it is noted at the package, and in a diagnostic.
//
// The package is pure: it reads through the fs.FS it is given and is safe for concurrent use.
package ansible

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/slipway-build/slipway/internal/nesting"
)

// Bounds on what is read.
const (
	maxFile     = 256 << 10 // bytes
	maxFiles    = 200
	maxDepth    = 32 // nested blocks and imports
	maxPackages = 20_000
)

// Package is one package that a task installs.
type Package struct {
	Name   string // as written: an RPM name, provide, path or range; for pip a requirement (PEP 508)
	Python bool   // it is installed by pip
	File   string
	Line   int
	Task   string // the task's name, or its module
	When   string // its condition, as written; empty when it has none
}

// Diagnostic is something that could not be read, or whose meaning is only known when it runs.
type Diagnostic struct {
	File    string
	Line    int
	Message string
}

// String returns "file:line: message".
func (d Diagnostic) String() string { return fmt.Sprintf("%s:%d: %s", d.File, d.Line, d.Message) }

// Read reads a file of tasks or plays, and what it imports. The error is about a file that can't be read or is no
// YAML, or that passes a bound.
func Read(tree fs.FS, file string) ([]Package, []Diagnostic, error) {
	r := reader{tree: tree}
	err := r.file(file, scope{})
	return r.packages, r.diagnostics, err
}

type reader struct {
	tree        fs.FS
	files       int
	packages    []Package
	diagnostics []Diagnostic
}

// scope is what holds where a task stands.
type scope struct {
	file  string
	when  string
	vars  map[string][]text // literal values
	depth int
}

// text is a literal string and where it is written.
type text struct {
	value string
	line  int
}

func (r *reader) report(s scope, line int, format string, args ...any) {
	if len(r.diagnostics) < 1000 {
		r.diagnostics = append(r.diagnostics, Diagnostic{File: s.file, Line: line, Message: fmt.Sprintf(format, args...)})
	}
}

// file reads a file in a scope.
func (r *reader) file(name string, s scope) error {
	if r.files++; r.files > maxFiles || s.depth > maxDepth {
		return errors.New("reading " + name + ": too many files are imported")
	}
	if !fs.ValidPath(name) {
		return fmt.Errorf("reading %q: it is not a path inside the project", name)
	}
	f, err := r.tree.Open(name)
	if err != nil {
		return fmt.Errorf("reading a task file: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	if len(data) > maxFile {
		return fmt.Errorf("reading %s: larger than %d bytes", name, maxFile)
	}
	if err := nesting.Check(data); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	doc, err := parser.ParseBytes(data, 0)
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	s.file = name
	s.depth++
	for _, d := range doc.Docs {
		if err := r.list(d.Body, s); err != nil {
			return err
		}
	}
	return nil
}

// list reads a list of plays or tasks.
func (r *reader) list(node ast.Node, s scope) error {
	if s.depth > maxDepth {
		return errors.New("reading " + s.file + ": tasks nest too deeply")
	}
	sequence, ok := node.(*ast.SequenceNode)
	if !ok {
		return nil
	}
	for _, item := range sequence.Values {
		if m := mapping(item); m != nil {
			if err := r.task(m, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// entry is a key of a mapping with its value.
type entry struct {
	key   string
	line  int
	value ast.Node
}

// mapping returns the entries of a mapping, or nil.
func mapping(node ast.Node) []entry {
	var values []*ast.MappingValueNode
	switch n := node.(type) {
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	}
	var entries []entry
	for _, v := range values {
		entries = append(entries, entry{key: scalar(v.Key), line: lineOf(v.Key), value: v.Value})
	}
	return entries
}

func get(entries []entry, key string) ast.Node {
	for _, e := range entries {
		if e.key == key {
			return e.value
		}
	}
	return nil
}

func lineOf(node ast.Node) int {
	if node == nil || node.GetToken() == nil || node.GetToken().Position == nil {
		return 0
	}
	return node.GetToken().Position.Line
}

// scalar returns the text of a scalar, or "".
func scalar(node ast.Node) string {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case ast.ScalarNode:
		return n.GetToken().Value
	}
	return ""
}

// relative is a file as an import names it, seen from the importing file.
func relative(from, name string) string { return path.Join(path.Dir(from), name) }
