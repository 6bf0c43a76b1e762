package pymeta

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"regexp"
	"slices"
	"strings"
)

// maxCore bounds core metadata, in bytes. A description, which may be long, comes with it.
const maxCore = 4 << 20

// backendSection is where requirements come from that only the build backend could tell.
const backendSection = "Requires-Dist, as the build backend says"

// Complete fills in what is [Metadata.Unread] from core metadata: the METADATA file that a build backend makes
// (PEP 517, prepare_metadata_for_build_wheel). What was read from the project's own files stays as it is, and what was
// said about the unread fields is dropped. The places are those where the project's files leave the fields open.
//
// On an error nothing has changed.
func (m *Metadata) Complete(core []byte) error {
	header, err := parseCore(core)
	if err != nil {
		return err
	}
	requires, err := m.coreRequires(header)
	if err != nil {
		return err
	}
	single := map[string]struct {
		key string
		to  *Field
	}{"name": {"Name", &m.Name}, "version": {"Version", &m.Version}, "requires-python": {"Requires-Python", &m.RequiresPython}}
	for _, name := range m.Unread {
		if field, ok := single[name]; ok {
			*field.to = m.open(name)
			field.to.Text = strings.TrimSpace(header.Get(field.key))
		}
	}
	m.Requires = requires
	if slices.Contains(m.Unread, "version") {
		m.VersionDynamic = false
	}
	if slices.Contains(m.Unread, "optional-dependencies") {
		m.Extras = nil
		for _, extra := range header.Values("Provides-Extra") {
			m.Extras = append(m.Extras, NormalizeName(extra))
		}
		slices.Sort(m.Extras)
	}
	m.Unread = nil
	m.Diagnostics = slices.DeleteFunc(m.Diagnostics, func(d Diagnostic) bool { return d.Field != "" })
	return nil
}

// open is the place where a field is left open.
func (m *Metadata) open(field string) Field {
	for _, wanted := range []string{field, "*"} {
		for _, d := range m.Diagnostics {
			if d.Field == wanted {
				return Field{File: d.File, Line: d.Line}
			}
		}
	}
	return Field{}
}

// coreRequires are the requirements with the unread ones put in.
func (m *Metadata) coreRequires(header textproto.MIMEHeader) ([]Declared, error) {
	fieldOf := func(d Declared) string {
		if d.Extra == "" {
			return "dependencies"
		}
		return "optional-dependencies"
	}
	unread := func(d Declared) bool { return slices.Contains(m.Unread, fieldOf(d)) }
	requires := slices.DeleteFunc(slices.Clone(m.Requires), unread)
	values := header.Values("Requires-Dist")
	if len(values) > maxDeclared {
		return nil, fmt.Errorf("reading core metadata: more than %d requirements", maxDeclared)
	}
	for _, text := range values {
		d := Declared{Text: strings.TrimSpace(text), Section: backendSection}
		var err error
		if d.Requirement, err = ParseRequirement(d.Text); err != nil {
			return nil, fmt.Errorf("reading core metadata: Requires-Dist: %w", err)
		}
		if extra := extraPattern.FindStringSubmatch(d.Text); extra != nil && d.Requirement.Marker != nil {
			d.Extra = NormalizeName(extra[1])
		}
		if !unread(d) {
			continue
		}
		at := m.open(fieldOf(d))
		d.File, d.Line = at.File, at.Line
		requires = append(requires, d)
	}
	return requires, nil
}

// extraPattern is how backends write that a requirement belongs to an extra.
var extraPattern = regexp.MustCompile(`;.*\bextra\s*==\s*["']([^"']+)["']`)

// parseCore reads the fields of core metadata ("Core metadata specifications" of the Python Packaging User Guide).
func parseCore(core []byte) (textproto.MIMEHeader, error) {
	if len(core) > maxCore {
		return nil, fmt.Errorf("reading core metadata: larger than %d bytes", maxCore)
	}
	core = bytes.ReplaceAll(core, []byte("\r\n"), []byte("\n"))
	head, _, _ := bytes.Cut(core, []byte("\n\n"))
	header, err := textproto.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(head), strings.NewReader("\n\n")))).ReadMIMEHeader()
	if err != nil {
		return nil, fmt.Errorf("reading core metadata: %w", err)
	}
	if header.Get("Name") == "" {
		return nil, errors.New("reading core metadata: it has no Name")
	}
	return header, nil
}
