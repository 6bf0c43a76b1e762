package lock

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/slipway-build/slipway/internal/nesting"
	"github.com/slipway-build/slipway/internal/rpm"
)

// ParseError is something in a lock file that is not right.
type ParseError struct {
	File string
	// Line counts from 1; 0 when it is about the file as a whole.
	Line   int
	Reason string
}

func (e *ParseError) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Reason)
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Reason)
}

// maxSize bounds a lock file, in bytes. Ten thousand packages take four megabytes.
const maxSize = 32 << 20

// Parse reads a lock file. name is what errors call it; they are all *ParseError.
func Parse(data []byte, name string) (*Lock, error) {
	r := reader{name: name}
	if len(data) > maxSize {
		return nil, r.errorf(nil, "the file has %d bytes, more than a lock can have", len(data))
	}
	if err := nesting.Check(data); err != nil {
		return nil, r.errorf(nil, "%v", err)
	}
	file, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, r.syntax(err)
	}
	if len(file.Docs) != 1 || file.Docs[0].Body == nil {
		return nil, r.errorf(nil, "the file is not a lock: it must be one YAML document")
	}
	return r.lock(file.Docs[0].Body)
}

// reader walks the syntax tree.
type reader struct{ name string }

func (r reader) lock(n ast.Node) (*Lock, error) {
	fields, err := r.mapping(n, "version", "targets")
	if err != nil {
		return nil, err
	}
	l := &Lock{}
	if l.Version, err = r.version(n, fields["version"]); err != nil {
		return nil, err
	}
	targets, err := r.entries(cmp.Or(fields["targets"], n))
	if err != nil {
		return nil, err
	}
	for _, e := range targets {
		t, err := r.target(e.key, e.value)
		if err != nil {
			return nil, err
		}
		l.Targets = append(l.Targets, t)
	}
	slices.SortFunc(l.Targets, func(a, b Target) int { return strings.Compare(a.Name, b.Name) })
	return l, nil
}

func (r reader) version(parent, n ast.Node) (int, error) {
	text, err := r.text(parent, n, "version")
	if err != nil {
		return 0, err
	}
	version, err := strconv.Atoi(text)
	switch {
	case err != nil || version < 1:
		return 0, r.errorf(n, "version %q is not a number from 1", text)
	case version > Version:
		return 0, r.errorf(n, "the lock has version %d, this slipway reads up to %d: take a newer slipway", version, Version)
	}
	return version, nil
}

func (r reader) target(name string, n ast.Node) (Target, error) {
	t := Target{Name: name}
	fields, err := r.mapping(n, "release", "arch", "repositories", "requests", "packages")
	if err != nil {
		return t, err
	}
	if t.Release, err = r.text(n, fields["release"], "release"); err != nil {
		return t, err
	}
	if t.Arch, err = r.text(n, fields["arch"], "arch"); err != nil {
		return t, err
	}
	repositories, err := r.list(n, fields["repositories"], "repositories")
	if err != nil {
		return t, err
	}
	for _, n := range repositories {
		repository, err := r.repository(n)
		if err != nil {
			return t, err
		}
		if t.repository(repository.ID) != nil {
			return t, r.errorf(n, "repository %s is there twice", repository.ID)
		}
		t.Repositories = append(t.Repositories, repository)
	}
	if t.Requests, err = r.requests(fields["requests"]); err != nil {
		return t, err
	}
	packages, err := r.list(n, fields["packages"], "packages")
	if err != nil {
		return t, err
	}
	seen := map[rpm.NEVRA]bool{}
	for _, n := range packages {
		p, err := r.pkg(n)
		switch {
		case err != nil:
			return t, err
		case seen[p.NEVRA]:
			return t, r.errorf(n, "package %s is there twice", p.NEVRA)
		case t.repository(p.Repository) == nil:
			return t, r.errorf(n, "package %s is from repository %s, which target %s does not list", p.NEVRA, p.Repository, name)
		}
		seen[p.NEVRA] = true
		t.Packages = append(t.Packages, p)
	}
	slices.SortFunc(t.Packages, func(a, b Package) int { return a.NEVRA.Compare(b.NEVRA) })
	return t, nil
}

// requests are the digests of what each root asked for; a lock without them was made by hand.
func (r reader) requests(n ast.Node) (map[string]string, error) {
	if n == nil {
		return nil, nil
	}
	entries, err := r.entries(n)
	if err != nil {
		return nil, err
	}
	requests := map[string]string{}
	for _, e := range entries {
		digest, err := r.text(n, e.value, e.key)
		if err != nil {
			return nil, err
		}
		if !isSHA256(digest) {
			return nil, r.errorf(e.value, "requests of %s: %q is not a sha256", e.key, digest)
		}
		requests[e.key] = digest
	}
	return requests, nil
}

func (r reader) repository(n ast.Node) (Repository, error) {
	var repo Repository
	fields, err := r.mapping(n, "id", "url", "repomd", "revision")
	if err != nil {
		return repo, err
	}
	err = r.texts(n, fields, map[string]*string{"id": &repo.ID, "url": &repo.URL, "repomd": &repo.Repomd})
	if err != nil {
		return repo, err
	}
	if fields["revision"] != nil {
		if repo.Revision, err = r.text(n, fields["revision"], "revision"); err != nil {
			return repo, err
		}
	}
	if !isSHA256(repo.Repomd) {
		return repo, r.errorf(fields["repomd"], "repomd %q is not a sha256", repo.Repomd)
	}
	return repo, nil
}

func (r reader) pkg(n ast.Node) (Package, error) {
	var p Package
	fields, err := r.mapping(n, "nevra", "repository", "path", "size", "sha256", "source", "layer", "roots", "why")
	if err != nil {
		return p, err
	}
	var nevra, size string
	err = r.texts(n, fields, map[string]*string{
		"nevra": &nevra, "repository": &p.Repository, "path": &p.Path, "size": &size, "sha256": &p.SHA256,
	})
	if err != nil {
		return p, err
	}
	optional := map[string]*string{}
	for key, to := range map[string]*string{"source": &p.Source, "layer": &p.Layer, "why": &p.Why} {
		if fields[key] != nil {
			optional[key] = to
		}
	}
	if err := r.texts(n, fields, optional); err != nil {
		return p, err
	}
	if p.NEVRA, err = rpm.ParseNEVRA(nevra); err != nil {
		return p, r.errorf(fields["nevra"], "%v", err)
	}
	if p.Size, err = strconv.ParseInt(size, 10, 64); err != nil || p.Size <= 0 {
		return p, r.errorf(fields["size"], "size %q is not a number of bytes", size)
	}
	if !isSHA256(p.SHA256) {
		return p, r.errorf(fields["sha256"], "sha256 %q is not one", p.SHA256)
	}
	if !isInside(p.Path) {
		return p, r.errorf(fields["path"], "path %q leaves the repository", p.Path)
	}
	if p.Roots, err = r.roots(n, fields["roots"]); err != nil {
		return p, err
	}
	if inImage(p.Roots) != (p.Layer != "") {
		return p, r.errorf(n, "package %s must have a layer if it is in an image, and only then", p.NEVRA)
	}
	return p, nil
}

func (r reader) roots(parent, n ast.Node) ([]string, error) {
	nodes, err := r.list(parent, n, "roots")
	if err != nil {
		return nil, err
	}
	var roots []string
	for _, n := range nodes {
		root, err := r.text(parent, n, "roots")
		if err != nil {
			return nil, err
		}
		if slices.Contains(roots, root) {
			return nil, r.errorf(n, "root %s is there twice", root)
		}
		roots = append(roots, root)
	}
	if len(roots) == 0 {
		return nil, r.errorf(n, "roots is empty: the package is in nothing")
	}
	slices.Sort(roots)
	return roots, nil
}

// isSHA256 says whether the text is one, in lowercase hex.
func isSHA256(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == 64 && strings.ToLower(s) == s
}

// isInside says whether a path stays below where it starts, and is written in the one way that
// names its place.
func isInside(p string) bool {
	return p != "" && !path.IsAbs(p) && path.Clean(p) == p && p != ".." && !strings.HasPrefix(p, "../") &&
		!strings.ContainsFunc(p, func(r rune) bool { return r < ' ' || r == '\\' || r == 0x7f })
}

// inImage says whether one of the roots is an image.
func inImage(roots []string) bool {
	return slices.ContainsFunc(roots, func(root string) bool { return !IsBuildRoot(root) })
}
