// Package slipway_test holds the house's rules: which room may import which (ARCHITECTURE.md).
package slipway_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/slipway-build/slipway/"

// rooms are the stages in the order in which data goes through them. A room imports rooms above it
// only; what a room has below it are its own sub-packages.
var rooms = []string{
	"config", "source", "rpm", "requirement", "scaffold", "rpmrepo", "resolve", "lock", "sandbox", "wheel", "image",
	"attest", "registry", "archive", "strategy", "deploy", "release", "store",
}

// leaves may be imported by every room and import none.
var leaves = []string{"cache", "inflate", "lua", "nesting", "oracle", "progress", "terminal", "xz"}

// only says which packages alone may import a library or a part of the standard library, so that a
// change of it stays in one place. Keys and values are path prefixes.
var only = map[string][]string{
	"database/sql":                           {"internal/store", "internal/image/rpmdb"},
	"modernc.org/sqlite":                     {"internal/store", "internal/image/rpmdb"},
	"github.com/google/go-containerregistry": {"internal/image", "internal/registry", "internal/strategy/s2i"},
	"github.com/distribution/distribution":   {"internal/registry"},
	"github.com/spf13/cobra":                 {"cmd/slipway"},
	"github.com/goccy/go-yaml":               {"internal/config", "internal/lock", "internal/requirement/ansible", "internal/rpmrepo/modulemd"},
	"github.com/ProtonMail/go-crypto":        {"internal/rpm", "tools/universe"},
}

// pure packages do no I/O and start nothing: these imports are not for them.
var (
	pure      = []string{"internal/requirement/specfile", "internal/requirement/pymeta", "internal/requirement/ansible", "internal/resolve/sat", "internal/lua", "internal/inflate", "internal/xz", "internal/wheel/native"}
	forbidden = []string{"os", "os/exec", "net", "net/http", "syscall", "time"}
)

func TestImports(t *testing.T) {
	for _, pkg := range packages(t) {
		for imp, file := range pkg.imports {
			if reason := allowed(pkg.dir, imp); reason != "" {
				t.Errorf("%s imports %s: %s", file, imp, reason)
			}
		}
	}
}

// TestRules tries the rules on imports that break them: a check that can't fail is none.
func TestRules(t *testing.T) {
	for _, tt := range []struct{ dir, imp string }{
		{"internal/config", module + "internal/release"},
		{"internal/rpm", module + "internal/rpmrepo"},
		{"internal/cache", module + "internal/config"},
		{"internal/resolve/sat", module + "internal/rpm"},
		{"internal/requirement/specfile", "os/exec"},
		{"internal/release", "database/sql"},
		{"internal/unknown", module + "internal/rpm"},
		{"internal/deploy", module + "cmd/slipway"},
	} {
		if allowed(tt.dir, tt.imp) == "" {
			t.Errorf("%s may import %s", tt.dir, tt.imp)
		}
	}
}

// allowed says why dir may not import imp, or nothing.
func allowed(dir, imp string) string {
	for lib, owners := range only {
		if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !slices.ContainsFunc(owners, func(o string) bool { return within(dir, o) }) {
			return "only " + strings.Join(owners, " and ") + " may"
		}
	}
	if slices.Contains(pure, dir) && slices.Contains(forbidden, imp) {
		return "the package is pure"
	}
	inner, own := strings.CutPrefix(imp, module)
	if !own || !within(dir, "internal") {
		return ""
	}
	from, to := room(dir), room(inner)
	switch {
	case to == "":
		return "rooms import rooms, nothing else of the module"
	case slices.Contains(leaves, to):
		return ""
	case slices.Contains(leaves, from):
		return "a leaf imports no room"
	case !slices.Contains(rooms, from):
		return "its room is not in the order of layout_test.go"
	case dir == "internal/resolve/sat" && from != to:
		return "the solver knows no RPM"
	case from == to:
		return ""
	case slices.Index(rooms, to) > slices.Index(rooms, from):
		return "imports point up"
	}
	return ""
}

func room(dir string) string {
	rest, ok := strings.CutPrefix(dir, "internal/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	return name
}

func within(dir, prefix string) bool { return dir == prefix || strings.HasPrefix(dir, prefix+"/") }

type pkg struct {
	dir     string
	imports map[string]string // import path -> a file that has it
}

// packages reads the imports of all non-test files.
func packages(t *testing.T) []*pkg {
	t.Helper()
	byDir := map[string]*pkg{}
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && p != ".") {
			return fs.SkipDir
		}
		if !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir := path.Dir(filepath.ToSlash(p))
		if byDir[dir] == nil {
			byDir[dir] = &pkg{dir: dir, imports: map[string]string{}}
		}
		for _, imp := range f.Imports {
			name, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				return err
			}
			byDir[dir].imports[name] = p
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var list []*pkg
	for _, p := range byDir {
		list = append(list, p)
	}
	if len(list) < 10 {
		t.Fatalf("found %d packages: is the test run at the module's root?", len(list))
	}
	return list
}
