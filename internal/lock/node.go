package lock

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

func (r reader) errorf(n ast.Node, format string, args ...any) error {
	e := &ParseError{File: r.name, Reason: fmt.Sprintf(format, args...)}
	if n != nil && n.GetToken() != nil && n.GetToken().Position != nil {
		e.Line = n.GetToken().Position.Line
	}
	return e
}

// syntax turns an error of the YAML parser into ours.
func (r reader) syntax(err error) error {
	var where yaml.Error
	if errors.As(err, &where) && where.GetToken() != nil && where.GetToken().Position != nil {
		return &ParseError{File: r.name, Line: where.GetToken().Position.Line, Reason: where.GetMessage()}
	}
	return &ParseError{File: r.name, Reason: err.Error()}
}

// entry is a key and a value of a mapping.
type entry struct {
	key   string
	at    ast.Node // the key
	value ast.Node
}

// entries gives what a mapping holds, in its order.
func (r reader) entries(n ast.Node) ([]entry, error) {
	m, ok := n.(*ast.MappingNode)
	if !ok {
		return nil, r.errorf(n, "there must be keys and values here")
	}
	var entries []entry
	for _, v := range m.Values {
		key, ok := v.Key.(ast.ScalarNode)
		if !ok || v.Key.IsMergeKey() {
			return nil, r.errorf(v.Key, "a key must be a plain text")
		}
		e := entry{key: key.GetToken().Value, at: v.Key, value: v.Value}
		if slices.ContainsFunc(entries, func(f entry) bool { return f.key == e.key }) {
			return nil, r.errorf(e.at, "key %q is there twice", e.key)
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// mapping gives the values of a mapping that has none but the known keys.
func (r reader) mapping(n ast.Node, known ...string) (map[string]ast.Node, error) {
	entries, err := r.entries(n)
	if err != nil {
		return nil, err
	}
	fields := map[string]ast.Node{}
	for _, e := range entries {
		if !slices.Contains(known, e.key) {
			return nil, r.errorf(e.at, "unknown key %q (known here: %s)", e.key, strings.Join(known, ", "))
		}
		fields[e.key] = e.value
	}
	return fields, nil
}

// text gives the value of a key that must be there and be a text or a number.
func (r reader) text(parent, n ast.Node, key string) (string, error) {
	if n == nil {
		return "", r.errorf(parent, "%s is missing", key)
	}
	var value string
	switch n := n.(type) {
	case *ast.LiteralNode:
		value = n.Value.Value
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode:
		value = n.GetToken().Value
	default:
		return "", r.errorf(n, "%s must be a text", key)
	}
	if value == "" {
		return "", r.errorf(n, "%s is empty", key)
	}
	return value, nil
}

// texts reads several.
func (r reader) texts(parent ast.Node, fields map[string]ast.Node, into map[string]*string) error {
	keys := make([]string, 0, len(into))
	for key := range into {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	for _, key := range keys {
		text, err := r.text(parent, fields[key], key)
		if err != nil {
			return err
		}
		*into[key] = text
	}
	return nil
}

// list gives the elements of a list that must be there; it may be empty.
func (r reader) list(parent, n ast.Node, key string) ([]ast.Node, error) {
	if n == nil {
		return nil, r.errorf(parent, "%s is missing", key)
	}
	switch n := n.(type) {
	case *ast.SequenceNode:
		return n.Values, nil
	case *ast.NullNode:
		return nil, nil
	}
	return nil, r.errorf(n, "%s must be a list", key)
}
