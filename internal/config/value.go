package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/invopop/jsonschema"
)

// Text is a string whose place in the file is kept, for messages about what it names.
type Text struct {
	Value        string
	Line, Column int
}

// JSONSchema says that a Text is written as a string.
func (Text) JSONSchema() *jsonschema.Schema { return &jsonschema.Schema{Type: "string"} }

// String is the value.
func (t Text) String() string { return t.Value }

// Duration is a time span written as "30s", "1m30s", "500ms".
type Duration time.Duration

// JSONSchema says how a Duration is written.
func (Duration) JSONSchema() *jsonschema.Schema {
	return &jsonschema.Schema{Type: "string", Pattern: `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`}
}

// Or gives the duration, or other where it is zero.
func (d Duration) Or(other time.Duration) time.Duration {
	if d == 0 {
		return other
	}
	return time.Duration(d)
}

// Source splits PROJECT:PATH; the project is empty where the config's folder is meant.
func (t Text) Source() (project, path string) {
	if p, rest, ok := strings.Cut(t.Value, ":"); ok {
		return p, rest
	}
	return "", t.Value
}

// Source splits From into the project (empty: the config's folder) and the path in it.
func (f File) Source() (project, path string) { return f.From.Source() }

// Error is one thing wrong in the file.
type Error struct {
	File         string
	Line, Column int // from 1; 0 where the whole file is meant
	Message      string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}

// Errors is all that is wrong in the file, in the order of its lines.
type Errors []*Error

func (es Errors) Error() string {
	lines := make([]string, len(es))
	for i, e := range es {
		lines[i] = e.Error()
	}
	return strings.Join(lines, "\n")
}

// ParseTarget reads a target as command lines name it, RELEASE[/ARCH], such as fedora-43/aarch64. It
// has no repositories.
func ParseTarget(s string) (Target, error) {
	release, arch, ok := strings.Cut(s, "/")
	if !ok {
		arch = arches[0]
	}
	if !releaseForm.MatchString(release) {
		return Target{}, fmt.Errorf("%q is not a release: write it as fedora-43, fedora-rawhide or centos-stream-9", release)
	}
	if !slices.Contains(arches, arch) {
		return Target{}, fmt.Errorf("architecture %q is not supported: %s are", arch, strings.Join(arches, " and "))
	}
	return Target{Release: release, Arch: arch}, nil
}
