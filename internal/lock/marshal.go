package lock

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
)

const header = `# Made by "slipway lock". Commit it; do not edit it: change the requirements and lock again.
`

// Marshal gives the lock as a file. Equal locks give equal bytes, whatever the order of their parts.
func (l *Lock) Marshal() []byte {
	var b bytes.Buffer
	b.WriteString(header)
	fmt.Fprintf(&b, "version: %d\n", cmp.Or(l.Version, Version))
	if len(l.Targets) == 0 {
		b.WriteString("targets: {}\n")
		return b.Bytes()
	}
	b.WriteString("targets:\n")
	for _, t := range sorted(l.Targets, func(a, b Target) int { return strings.Compare(a.Name, b.Name) }) {
		writeTarget(&b, t)
	}
	return b.Bytes()
}

func writeTarget(b *bytes.Buffer, t Target) {
	fmt.Fprintf(b, "  %s:\n", scalar(t.Name))
	fmt.Fprintf(b, "    release: %s\n", scalar(t.Release))
	fmt.Fprintf(b, "    arch: %s\n", scalar(t.Arch))
	b.WriteString("    repositories:" + none(t.Repositories) + "\n")
	for _, r := range sorted(t.Repositories, func(a, b Repository) int { return strings.Compare(a.ID, b.ID) }) {
		fmt.Fprintf(b, "      - {id: %s, url: %s, repomd: %q", scalar(r.ID), scalar(r.URL), r.Repomd)
		if r.Revision != "" {
			fmt.Fprintf(b, ", revision: %s", scalar(r.Revision))
		}
		b.WriteString("}\n")
	}
	if len(t.Requests) > 0 {
		b.WriteString("    requests:\n")
		for _, root := range slices.Sorted(maps.Keys(t.Requests)) {
			fmt.Fprintf(b, "      %s: %q\n", scalar(root), t.Requests[root])
		}
	}
	b.WriteString("    packages:" + none(t.Packages) + "\n")
	for _, p := range sorted(t.Packages, func(a, b Package) int { return a.NEVRA.Compare(b.NEVRA) }) {
		writePackage(b, p)
	}
}

func writePackage(b *bytes.Buffer, p Package) {
	fmt.Fprintf(b, "      - {nevra: %s, repository: %s, path: %s, size: %d, sha256: %q",
		scalar(p.NEVRA.String()), scalar(p.Repository), scalar(p.Path), p.Size, p.SHA256)
	if p.Source != "" {
		fmt.Fprintf(b, ", source: %s", scalar(p.Source))
	}
	if p.Layer != "" {
		fmt.Fprintf(b, ", layer: %s", scalar(p.Layer))
	}
	b.WriteString(", roots: [")
	for i, root := range sorted(p.Roots, strings.Compare) {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(scalar(root))
	}
	b.WriteString("]")
	if p.Why != "" {
		fmt.Fprintf(b, ", why: %s", scalar(p.Why))
	}
	b.WriteString("}\n")
}

// none is what a list without elements looks like.
func none[T any](list []T) string {
	if len(list) == 0 {
		return " []"
	}
	return ""
}

// sorted copies before it sorts: marshalling changes nothing.
func sorted[T any](s []T, order func(a, b T) int) []T {
	s = slices.Clone(s)
	slices.SortFunc(s, order)
	return s
}

// scalar writes a text so that every reader of YAML 1.1 and 1.2 takes it for that text: plain where
// it can be nothing else, in double quotes otherwise (YAML 1.2.2, sections 7.3.1 and 7.3.3).
func scalar(s string) string {
	if isPlain(s) {
		return s
	}
	return strconv.QuoteToASCII(s)
}

func isPlain(s string) bool {
	if s == "" || strings.Trim(s, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_./+-~^") != "" {
		return false
	}
	if strings.ContainsAny(s[:1], "-~^.+") || strings.HasPrefix(s, "0x") {
		return false
	}
	switch strings.ToLower(s) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return false
	}
	return s[0] < '0' || s[0] > '9' || strings.ContainsFunc(s, notInNumber)
}

// notInNumber recognises characters that neither a number (12, 1e6, 0x1f, 1_000) nor a time has.
func notInNumber(r rune) bool {
	switch r {
	case 'e', 'E', 'x', 'X', 'o', 'O', 'T', 'Z', 't', 'z', '_', '.', '-', '+', '/':
		return false
	}
	return r < '0' || r > '9'
}

// Write stores the lock at path, whole or not at all.
func (l *Lock) Write(path string) error {
	if err := renameio.WriteFile(path, l.Marshal(), 0o644); err != nil {
		return fmt.Errorf("writing the lock %s: %w", path, err)
	}
	return nil
}

// Load reads the lock at path. The error wraps fs.ErrNotExist when there is none, and is a
// *ParseError when it is not a lock.
func Load(path string) (*Lock, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading the lock: %w", err)
	}
	return Parse(data, path)
}
