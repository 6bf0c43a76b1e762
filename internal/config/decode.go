package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/slipway-build/slipway/internal/nesting"
)

// maxNodes bounds what aliases can blow a small file up to.
const maxNodes = 100_000

// Parse reads the text of a slipway.yaml. name stands for the file in errors. What is wrong comes
// back as Errors: all that can be told at once, not just the first.
func Parse(data []byte, name string) (*Config, error) {
	d := &decoder{file: name, anchors: map[string]ast.Node{}, at: map[string]*token.Position{}}
	if err := nesting.Check(data); err != nil {
		return nil, Errors{{File: name, Message: err.Error()}}
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, Errors{syntaxError(err, name)}
	}
	c := new(Config)
	switch {
	case len(file.Docs) == 0 || file.Docs[0].Body == nil:
		d.errs = append(d.errs, &Error{File: name, Message: "the file is empty (slipway init writes one)"})
	case len(file.Docs) > 1:
		d.fail(file.Docs[1].Start.Position, "a second document (---) is not allowed")
	default:
		d.value(file.Docs[0].Body, reflect.ValueOf(c).Elem(), "")
	}
	if len(d.errs) == 0 {
		d.validate(c)
	}
	if len(d.errs) > 0 {
		slices.SortStableFunc(d.errs, func(a, b *Error) int {
			if a.Line != b.Line {
				return a.Line - b.Line
			}
			return a.Column - b.Column
		})
		return nil, d.errs
	}
	return c, nil
}

func syntaxError(err error, name string) *Error {
	e := &Error{File: name, Message: "invalid YAML: " + err.Error()}
	var se yaml.Error
	if errors.As(err, &se) {
		e.Message = "invalid YAML: " + se.GetMessage()
		if t := se.GetToken(); t != nil && t.Position != nil {
			e.Line, e.Column = t.Position.Line, t.Position.Column
		}
	}
	return e
}

// decoder turns the YAML tree into the types of this package, strictly, keeping going after an
// error and remembering where each path of the file stands ("images.web.target").
type decoder struct {
	file    string
	errs    Errors
	anchors map[string]ast.Node
	at      map[string]*token.Position
	nodes   int
	depth   int
}

func (d *decoder) fail(pos *token.Position, format string, args ...any) {
	e := &Error{File: d.file, Message: fmt.Sprintf(format, args...)}
	if pos != nil {
		e.Line, e.Column = pos.Line, pos.Column
	}
	d.errs = append(d.errs, e)
}

var (
	textType     = reflect.TypeFor[Text]()
	durationType = reflect.TypeFor[Duration]()
	commandType  = reflect.TypeFor[Command]()
)

// value decodes node into v; path is where it stands in the file.
func (d *decoder) value(node ast.Node, v reflect.Value, path string) {
	d.nodes++
	d.depth++
	defer func() { d.depth-- }()
	if d.nodes > maxNodes || d.depth > 100 {
		if d.nodes <= maxNodes+1 {
			d.fail(node.GetToken().Position, "the file is too large or too deep (are aliases used in a circle?)")
			d.nodes = maxNodes + 2
		}
		return
	}
	node = d.plain(node)
	if node == nil {
		return
	}
	pos := position(node)
	d.at[path] = pos
	if _, null := node.(*ast.NullNode); null {
		return // as if it were not there: required keys are checked later
	}
	switch {
	case v.Type() == textType:
		if s, ok := d.text(node, path); ok {
			v.Set(reflect.ValueOf(Text{Value: s, Line: pos.Line, Column: pos.Column}))
		}
	case v.Type() == durationType:
		d.duration(node, v, path)
	case v.Type() == commandType:
		d.command(node, v, path)
	default:
		d.kind(node, v, path)
	}
}

func (d *decoder) kind(node ast.Node, v reflect.Value, path string) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		d.value(node, v.Elem(), path)
	case reflect.Struct:
		d.mapping(node, path, func(key string, keyPos *token.Position, val ast.Node) {
			d.field(key, keyPos, val, v, path)
		})
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		d.mapping(node, path, func(key string, _ *token.Position, val ast.Node) {
			e := reflect.New(v.Type().Elem()).Elem()
			d.value(val, e, join(path, key))
			v.SetMapIndex(reflect.ValueOf(key), e)
		})
	case reflect.Slice:
		d.sequence(node, v, path)
	case reflect.String:
		if s, ok := d.text(node, path); ok {
			v.SetString(s)
		}
	case reflect.Int:
		if n, ok := node.(*ast.IntegerNode); ok {
			if i, ok := integer(n); ok {
				v.SetInt(i)
				return
			}
		}
		d.fail(position(node), "%s: expected a whole number, found %s", path, describe(node))
	case reflect.Bool:
		if b, ok := node.(*ast.BoolNode); ok {
			v.SetBool(b.Value)
			return
		}
		d.fail(position(node), "%s: expected true or false, found %s", path, describe(node))
	default:
		panic("config: a field of kind " + v.Kind().String())
	}
}

// field decodes one key of a struct.
func (d *decoder) field(key string, pos *token.Position, val ast.Node, v reflect.Value, path string) {
	names := fieldNames(v.Type())
	i := slices.Index(names, key)
	if i < 0 || key == "-" {
		where := "at the top of the file"
		if path != "" {
			where = "in " + path
		}
		d.fail(pos, "unknown key %q %s%s", key, where, suggest(key, names))
		return
	}
	d.value(val, v.Field(i), join(path, key))
	if d.at[join(path, key)] == nil {
		d.at[join(path, key)] = pos
	}
}

func (d *decoder) mapping(node ast.Node, path string, each func(key string, pos *token.Position, val ast.Node)) {
	m, ok := node.(ast.MapNode)
	if !ok {
		d.fail(position(node), "%s: expected keys and values, found %s", orTop(path), describe(node))
		return
	}
	for it := m.MapRange(); it.Next(); { // the parser has refused keys that stand twice
		key, ok := scalar(d.plain(it.Key()))
		pos := it.Key().GetToken().Position
		if !ok {
			d.fail(pos, "%s: a key must be a plain word", orTop(path))
			continue
		}
		each(key, pos, it.Value())
	}
}

// sequence decodes a list; a single scalar stands for a list of one.
func (d *decoder) sequence(node ast.Node, v reflect.Value, path string) {
	items := []ast.Node{node}
	if s, ok := node.(*ast.SequenceNode); ok {
		items = s.Values
	} else if _, ok := scalar(node); !ok {
		d.fail(position(node), "%s: expected a list, found %s", path, describe(node))
		return
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	for i, item := range items {
		d.value(item, out.Index(i), fmt.Sprintf("%s[%d]", path, i))
	}
	v.Set(out)
}

func (d *decoder) text(node ast.Node, path string) (string, bool) {
	s, ok := scalar(node)
	if !ok {
		d.fail(position(node), "%s: expected text, found %s", path, describe(node))
	}
	return s, ok
}

func (d *decoder) duration(node ast.Node, v reflect.Value, path string) {
	s, _ := scalar(node)
	t, err := time.ParseDuration(s)
	if err != nil || t <= 0 {
		d.fail(position(node), "%s: expected a time span such as 30s or 1m30s, found %s", path, describe(node))
		return
	}
	v.SetInt(int64(t))
}

// command decodes a line for the shell, or a list of a program and its arguments.
func (d *decoder) command(node ast.Node, v reflect.Value, path string) {
	pos := position(node)
	c := Command{Line: pos.Line, Column: pos.Column}
	if _, list := node.(*ast.SequenceNode); list {
		d.sequence(node, reflect.ValueOf(&c.Args).Elem(), path)
	} else {
		c.Shell, _ = d.text(node, path)
	}
	v.Set(reflect.ValueOf(c))
}

// plain looks through anchors, aliases and tags.
func (d *decoder) plain(node ast.Node) ast.Node {
	for range 10 {
		switch n := node.(type) {
		case *ast.AnchorNode:
			d.anchors[n.Name.GetToken().Value] = n.Value
			node = n.Value
		case *ast.AliasNode:
			target, ok := d.anchors[n.Value.GetToken().Value]
			if !ok {
				d.fail(n.GetToken().Position, "alias *%s: no anchor of that name before it", n.Value.GetToken().Value)
				return nil
			}
			node = target
		case *ast.TagNode:
			node = n.Value
		case *ast.MappingKeyNode:
			node = n.Value
		default:
			return node
		}
	}
	d.fail(node.GetToken().Position, "aliases refer to each other in a circle")
	return nil
}

// position of a node: of a mapping, its first key rather than its first colon.
func position(node ast.Node) *token.Position {
	if m, ok := node.(ast.MapNode); ok {
		if it := m.MapRange(); it.Next() {
			return it.Key().GetToken().Position
		}
	}
	return node.GetToken().Position
}

// scalar gives the text of a scalar node as it was written (so that 1.10 stays "1.10").
func scalar(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true
	}
	return "", false
}

func integer(n *ast.IntegerNode) (int64, bool) {
	switch i := n.Value.(type) {
	case int64:
		return i, true
	case uint64:
		return int64(i), i < 1<<62
	}
	return 0, false
}

func describe(node ast.Node) string {
	switch n := node.(type) {
	case ast.MapNode:
		return "keys and values"
	case *ast.SequenceNode:
		return "a list"
	default:
		if s, ok := scalar(n); ok {
			return fmt.Sprintf("%q", s)
		}
		return strings.ToLower(n.Type().String())
	}
}

func fieldNames(t reflect.Type) []string {
	names := make([]string, t.NumField())
	for i := range names {
		names[i] = t.Field(i).Tag.Get("yaml")
	}
	return names
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func orTop(path string) string {
	if path == "" {
		return "the file"
	}
	return path
}
