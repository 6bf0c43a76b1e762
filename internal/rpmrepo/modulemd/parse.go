package modulemd

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/slipway-build/slipway/internal/nesting"
)

// Bounds of a file. RHEL 8's, the largest there is, has some 700 documents, none over 200 KB.
const (
	maxDocuments = 20_000
	maxDocument  = 4 << 20
	maxFile      = 256 << 20
	maxLine      = 1 << 20
)

// Error is a document that could not be read.
type Error struct {
	Line   int // of the file, from 1: where the document begins, or what is wrong in it
	Reason string
}

func (e *Error) Error() string {
	return fmt.Sprintf("modular metadata, line %d: %s", e.Line, e.Reason)
}

// Parse reads a modules.yaml. Errors are *Error, or those of reading.
func Parse(r io.Reader) (*Index, error) {
	index := &Index{}
	d := &documents{lines: bufio.NewScanner(r)}
	d.lines.Buffer(make([]byte, 0, 64<<10), maxLine)
	for n := 0; ; n++ {
		text, line, err := d.next()
		if err != nil {
			return nil, err
		}
		if text == nil {
			return index, nil
		}
		if n == maxDocuments {
			return nil, &Error{line, fmt.Sprintf("there are more than %d documents", maxDocuments)}
		}
		if err := index.add(text, line); err != nil {
			return nil, err
		}
	}
}

// documents takes a YAML stream apart: a document is read at a time, whatever the file has.
type documents struct {
	lines *bufio.Scanner
	line  int
	total int
}

// next gives the text of the next document that has any, and the line before its first one; nil at
// the end.
func (d *documents) next() (text []byte, before int, err error) {
	var b bytes.Buffer
	before = d.line
	for d.lines.Scan() {
		line := d.lines.Bytes()
		d.line++
		if d.total += len(line) + 1; d.total > maxFile {
			return nil, 0, &Error{d.line, fmt.Sprintf("it is larger than %d bytes", maxFile)}
		}
		if marker := strings.TrimRight(string(line[:min(len(line), 8)]), " \t\r"); marker == "---" || marker == "..." {
			if len(bytes.TrimSpace(b.Bytes())) > 0 {
				return b.Bytes(), before, nil
			}
			b.Reset()
			before = d.line
			continue
		}
		if b.Len()+len(line) > maxDocument {
			return nil, 0, &Error{before + 1, fmt.Sprintf("a document is larger than %d bytes", maxDocument)}
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	if err := d.lines.Err(); err != nil {
		return nil, 0, fmt.Errorf("modular metadata, behind line %d: %w", d.line, err)
	}
	if len(bytes.TrimSpace(b.Bytes())) == 0 {
		return nil, 0, nil
	}
	return b.Bytes(), before, nil
}

// add reads one document.
func (x *Index) add(text []byte, before int) error {
	r := reader{before: before}
	if !utf8.Valid(text) {
		return &Error{before + 1, "a document is not UTF-8"}
	}
	if err := nesting.Check(text); err != nil {
		return &Error{before + 1, err.Error()}
	}
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return &Error{before + 1, firstLine(err.Error())}
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil // comments alone
	}
	top := r.mapping(file.Docs[0].Body)
	kind, version := r.text(top["document"]), r.text(top["version"])
	data := r.mapping(top["data"])
	switch {
	case r.err != nil:
	case kind == "modulemd" && version == "2":
		x.Streams = append(x.Streams, r.stream(data))
	case kind == "modulemd-defaults" && version == "1":
		x.Defaults = append(x.Defaults, Default{
			Module: r.name(data["module"], "module"), Stream: r.text(data["stream"]), Modified: r.number(data["modified"]),
		})
	}
	return r.err
}

// reader takes values out of a document and keeps the first thing that is wrong.
type reader struct {
	before int
	err    error
}

func (r *reader) stream(data map[string]ast.Node) Stream {
	s := Stream{
		Module: r.name(data["name"], "name"), Stream: r.name(data["stream"], "stream"), Version: r.number(data["version"]),
		Context: r.text(data["context"]), Arch: r.text(data["arch"]),
	}
	for _, d := range r.list(data["dependencies"]) {
		requires := r.mapping(r.mapping(d)["requires"])
		for _, module := range sortedKeys(requires) {
			s.Requires = append(s.Requires, Requirement{Module: module, Streams: r.texts(requires[module])})
		}
	}
	s.Artifacts = r.texts(r.mapping(data["artifacts"])["rpms"])
	s.Demodularized = r.texts(r.mapping(data["demodularized"])["rpms"])
	return s
}

func (r *reader) wrong(n ast.Node, format string, args ...any) {
	if r.err != nil {
		return
	}
	line := 1
	if n != nil && n.GetToken() != nil && n.GetToken().Position != nil {
		line = n.GetToken().Position.Line
	}
	r.err = &Error{r.before + line, fmt.Sprintf(format, args...)}
}

// mapping gives the values of a mapping; none where there is nothing. The later of two equal keys
// counts.
func (r *reader) mapping(n ast.Node) map[string]ast.Node {
	var values []*ast.MappingValueNode
	switch n := n.(type) {
	case nil, *ast.NullNode:
	case *ast.MappingNode:
		values = n.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{n}
	default:
		r.wrong(n, "there should be keys and values")
	}
	out := make(map[string]ast.Node, len(values))
	for _, v := range values {
		key, ok := v.Key.(ast.ScalarNode)
		if !ok || v.Key.IsMergeKey() || key.GetToken() == nil {
			r.wrong(v, "a key should be a plain text")
			continue
		}
		out[key.GetToken().Value] = v.Value
	}
	return out
}

func (r *reader) list(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case nil, *ast.NullNode:
	case *ast.SequenceNode:
		return n.Values
	default:
		r.wrong(n, "there should be a list")
	}
	return nil
}

func (r *reader) texts(n ast.Node) []string {
	var out []string
	for _, e := range r.list(n) {
		out = append(out, r.text(e))
	}
	return out
}

// text gives a scalar as it is written: a stream 1.10 is no number. It is empty where there is
// nothing.
func (r *reader) text(n ast.Node) string {
	switch n := n.(type) {
	case nil, *ast.NullNode:
	case *ast.LiteralNode:
		return strings.TrimSpace(n.Value.Value)
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return n.GetToken().Value
	default:
		r.wrong(n, "there should be a plain text")
	}
	return ""
}

// name gives a text that must be there and may be part of a dependency.
func (r *reader) name(n ast.Node, key string) string {
	text := r.text(n)
	if text == "" || strings.ContainsAny(text, "() \t\n:,") {
		r.wrong(n, "%s is %.80q, which is no name", key, text)
	}
	return text
}

func (r *reader) number(n ast.Node) uint64 {
	text := r.text(n)
	if text == "" {
		return 0
	}
	v, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		r.wrong(n, "%.80q is no number", text)
	}
	return v
}

func sortedKeys(m map[string]ast.Node) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
