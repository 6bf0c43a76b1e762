package pymeta

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// tomlNode is a value of a TOML document with the line it is written on.
type tomlNode struct {
	line   int
	kind   tomlKind
	text   string // of a string, or of any other scalar as written
	keys   []string
	fields map[string]*tomlNode
	list   []*tomlNode
}

type tomlKind int

const (
	tomlTable tomlKind = iota
	tomlArray
	tomlString
	tomlScalar // a number, boolean or date
)

// parseTOML reads a document. The standard decoder judges whether it is valid; the lines come from its tokens.
func parseTOML(text string) (*tomlNode, error) {
	var valid map[string]any
	if err := toml.Unmarshal([]byte(text), &valid); err != nil {
		var at *toml.DecodeError
		if errors.As(err, &at) {
			line, _ := at.Position()
			return nil, &iniError{line: line, message: at.Error()}
		}
		return nil, &iniError{message: err.Error()}
	}
	b := tomlBuilder{data: []byte(text), root: newTable(1)}
	b.table = b.root
	b.parser.Reset(b.data)
	for b.parser.NextExpression() {
		if err := b.expression(b.parser.Expression()); err != nil {
			return nil, err
		}
	}
	if err := b.parser.Error(); err != nil {
		return nil, &iniError{message: err.Error()}
	}
	return b.root, nil
}

func newTable(line int) *tomlNode {
	return &tomlNode{line: line, kind: tomlTable, fields: map[string]*tomlNode{}}
}

type tomlBuilder struct {
	parser unstable.Parser
	data   []byte
	root   *tomlNode
	table  *tomlNode // the table that key-value lines go into
	at     int       // offset up to which lines have been counted
	line   int       // lines before at
}

// lineOf returns the line of a node. Documents are read forwards, so newlines are counted once.
func (b *tomlBuilder) lineOf(offset int) int {
	if offset < b.at {
		b.at, b.line = 0, 0
	}
	b.line += bytes.Count(b.data[b.at:offset], []byte("\n"))
	b.at = offset
	return b.line + 1
}

func (b *tomlBuilder) expression(node *unstable.Node) error {
	switch node.Kind {
	case unstable.Table, unstable.ArrayTable:
		t, err := b.descend(b.root, node.Key(), node.Kind == unstable.ArrayTable)
		b.table = t
		return err
	case unstable.KeyValue:
		return b.keyValue(b.table, node)
	}
	return nil
}

// descend finds or makes the table that a key names.
func (b *tomlBuilder) descend(t *tomlNode, key unstable.Iterator, array bool) (*tomlNode, error) {
	for key.Next() {
		part := key.Node()
		line := b.lineOf(int(part.Raw.Offset))
		last := key.IsLast()
		child := t.fields[string(part.Data)]
		if child == nil {
			child = newTable(line)
			if last && array {
				child = &tomlNode{line: line, kind: tomlArray}
			}
			t.add(string(part.Data), child)
		}
		if child.kind == tomlArray {
			if last && array {
				child.list = append(child.list, newTable(line))
			}
			if len(child.list) == 0 {
				return nil, &iniError{line: line, message: fmt.Sprintf("%s is not a table", part.Data)}
			}
			child = child.list[len(child.list)-1]
		}
		if child.kind != tomlTable {
			return nil, &iniError{line: line, message: fmt.Sprintf("%s is not a table", part.Data)}
		}
		t = child
	}
	return t, nil
}

func (t *tomlNode) add(key string, child *tomlNode) {
	if t.fields[key] == nil {
		t.keys = append(t.keys, key)
	}
	t.fields[key] = child
}

func (b *tomlBuilder) keyValue(t *tomlNode, node *unstable.Node) error {
	key := node.Key()
	var parts []string
	line := t.line
	for key.Next() {
		parts = append(parts, string(key.Node().Data))
		line = b.lineOf(int(key.Node().Raw.Offset))
	}
	for _, part := range parts[:len(parts)-1] {
		child := t.fields[part]
		if child == nil {
			child = newTable(line)
			t.add(part, child)
		}
		if child.kind != tomlTable {
			return &iniError{line: line, message: part + " is not a table"}
		}
		t = child
	}
	value, err := b.value(node.Value(), line)
	if err == nil {
		t.add(parts[len(parts)-1], value)
	}
	return err
}

// value converts a value. line is where it starts, as far as is known; strings know better.
func (b *tomlBuilder) value(node *unstable.Node, line int) (*tomlNode, error) {
	switch node.Kind {
	case unstable.String:
		if node.Raw.Length > 0 {
			line = b.lineOf(int(node.Raw.Offset))
		}
		return &tomlNode{line: line, kind: tomlString, text: string(node.Data)}, nil
	case unstable.Array:
		array := &tomlNode{line: line, kind: tomlArray}
		for it := node.Children(); it.Next(); {
			if it.Node().Kind == unstable.Comment {
				continue
			}
			child, err := b.value(it.Node(), line)
			if err != nil {
				return nil, err
			}
			array.list = append(array.list, child)
		}
		return array, nil
	case unstable.InlineTable:
		table := newTable(line)
		for it := node.Children(); it.Next(); {
			if it.Node().Kind != unstable.KeyValue {
				continue
			}
			if err := b.keyValue(table, it.Node()); err != nil {
				return nil, err
			}
		}
		return table, nil
	default:
		return &tomlNode{line: line, kind: tomlScalar, text: strings.TrimSpace(string(node.Data))}, nil
	}
}

// get follows keys down from a table; it returns nil when there is no such value. A nil receiver has none.
func (t *tomlNode) get(keys ...string) *tomlNode {
	for _, key := range keys {
		if t == nil || t.kind != tomlTable {
			return nil
		}
		t = t.fields[key]
	}
	return t
}

// str returns the text of a string, or "" for anything else.
func (t *tomlNode) str() string {
	if t == nil || t.kind != tomlString {
		return ""
	}
	return t.text
}

// strings returns the strings of an array.
func (t *tomlNode) strings() []*tomlNode {
	if t == nil {
		return nil
	}
	var out []*tomlNode
	for _, element := range t.list {
		if element.kind == tomlString {
			out = append(out, element)
		}
	}
	return out
}

// has says whether an array of strings holds one.
func (t *tomlNode) has(text string) bool {
	for _, s := range t.strings() {
		if s.text == text {
			return true
		}
	}
	return false
}
