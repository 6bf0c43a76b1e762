package rpmrepo

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// section is a [section] of a .repo file, with its keys in order of their first line.
type section struct {
	name string
	line int
	keys []setting
}

// setting is key=value, where continuation lines are joined by newlines.
type setting struct {
	key, value string
	line       int
}

// maxRepoFile bounds a .repo file.
const maxRepoFile = 4 << 20

// parseINI reads the format that dnf's library reads: lines of key=value below [section], values
// that go on in lines that begin with space, comments in lines that begin with # or ;. Of a section
// or key that comes twice there is one, to which the later lines add.
func parseINI(data []byte, file string) ([]section, error) {
	p := iniParser{file: file}
	if len(data) > maxRepoFile {
		return nil, p.errorf("the file is larger than %d bytes", maxRepoFile)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	for line := range strings.Lines(string(data)) {
		p.line++
		if err := p.take(strings.TrimRight(line, "\r\n")); err != nil {
			return nil, err
		}
	}
	for _, s := range p.sections {
		for i := range s.keys {
			s.keys[i].value = unquote(strings.TrimRight(s.keys[i].value, blank+"\n"))
		}
	}
	return p.sections, nil
}

// unquote takes off the quotes that a whole value stands in.
func unquote(value string) string {
	if n := len(value) - 1; n > 0 && (value[0] == '"' || value[0] == '\'') && value[n] == value[0] {
		return value[1:n]
	}
	return value
}

type iniParser struct {
	file     string
	line     int
	sections []section
	current  int // index of the section
	open     int // index of the key that a continuation adds to, -1 for none
}

func (p *iniParser) errorf(format string, args ...any) error {
	e := &ConfigError{File: p.file, Line: p.line, Reason: fmt.Sprintf(format, args...)}
	if len(p.sections) > 0 {
		e.Section = p.sections[p.current].name
	}
	return e
}

const blank = " \t"

func (p *iniParser) take(line string) error {
	text := strings.Trim(line, blank)
	switch {
	case line == "" || line[0] == '#' || line[0] == ';':
		p.open = -1
		return nil
	case strings.HasPrefix(text, "["):
		return p.header(text)
	case line[0] == ' ' || line[0] == '\t':
		return p.continuation(text)
	}
	return p.keyValue(line)
}

func (p *iniParser) header(text string) error {
	name, rest, ok := strings.Cut(text[1:], "]")
	rest = strings.TrimLeft(rest, blank)
	switch {
	case !ok:
		return p.errorf("a section's name lacks its closing bracket")
	case name == "":
		return p.errorf("a section has no name")
	case rest != "" && rest[0] != '#' && rest[0] != ';':
		return p.errorf("there is text after the section's name")
	}
	p.open = -1
	p.current = slices.IndexFunc(p.sections, func(s section) bool { return s.name == name })
	if p.current < 0 {
		p.current = len(p.sections)
		p.sections = append(p.sections, section{name: name, line: p.line})
	}
	return nil
}

func (p *iniParser) continuation(text string) error {
	switch {
	case len(p.sections) > 0 && p.open >= 0:
		s := &p.sections[p.current].keys[p.open]
		s.value += "\n" + text
	case text != "":
		return p.errorf("the line begins with space, but there is no value that it could go on with")
	}
	return nil
}

func (p *iniParser) keyValue(line string) error {
	if len(p.sections) == 0 {
		return p.errorf("a [section] must come first")
	}
	key, value, ok := strings.Cut(line, "=")
	key = strings.TrimRight(key, blank)
	switch {
	case !ok:
		return p.errorf("%.80q is not of the form key=value", line)
	case key == "":
		return p.errorf("there is no key before the =")
	}
	keys := &p.sections[p.current].keys
	p.open = slices.IndexFunc(*keys, func(s setting) bool { return s.key == key })
	if p.open < 0 {
		p.open = len(*keys)
		*keys = append(*keys, setting{key: key})
	}
	s := &(*keys)[p.open]
	s.value, s.line = strings.Trim(value, blank), p.line
	return nil
}
