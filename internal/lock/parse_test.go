package lock

import (
	"errors"
	"strings"
	"testing"
)

func TestParseRefuses(t *testing.T) {
	const head = "version: 1\ntargets:\n  u:\n    release: r\n    arch: x86_64\n"
	repo := "    repositories:\n      - {id: r, url: /srv, repomd: \"" + sum("r") + "\"}\n    packages:\n"
	good := "{nevra: a-1-1.noarch, repository: r, path: a.rpm, size: 1, sha256: \"" + sum("a") + "\", layer: web/01, roots: [web]}"
	pkg := func(old, text string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("%q is not in the example", old)
		}
		return head + repo + "      - " + strings.Replace(good, old, text, 1) + "\n"
	}
	if _, err := Parse([]byte(pkg("", "")), "slipway.lock"); err != nil {
		t.Fatalf("the example: %v", err)
	}
	for _, c := range []struct {
		name, text, want string
		line             int
	}{
		{"empty", "", "not a lock", 0},
		{"two documents", "version: 1\n---\nversion: 1\n", "one YAML document", 0},
		{"a list", "- a\n", "keys and values", 1},
		{"bad YAML", "version: [1\n", "", 1},
		{"no version", "targets: {}\n", "version is missing", 1},
		{"newer", "version: 2\ntargets: {}\n", "newer slipway", 1},
		{"version", "version: x\n", "not a number", 1},
		{"unknown key", "version: 1\ntargts: {}\n", `unknown key "targts"`, 2},
		{"key twice", "version: 1\nversion: 1\n", "", 2},
		{"target twice", head + repo + "  u: {}\n", "", 9},
		{"no arch", "version: 1\ntargets:\n  u:\n    release: r\n", "arch is missing", 4},
		{"no packages", head + "    repositories: []\n", "packages is missing", 4},
		{"package key", pkg("path:", "file:"), `unknown key "file"`, 9},
		{"nevra", pkg("a-1-1.noarch", "a-1"), "a-1", 9},
		{"size", pkg("size: 1", "size: -1"), "number of bytes", 9},
		{"size type", pkg("size: 1", "size: [1]"), "size must be a text", 9},
		{"sha256", pkg(sum("a"), "abc"), "sha256", 9},
		{"sha256 case", pkg(sum("a"), strings.Repeat("A", 64)), "sha256", 9},
		{"path up", pkg("a.rpm", "../a.rpm"), "leaves the repository", 9},
		{"path abs", pkg("a.rpm", "/a.rpm"), "leaves the repository", 9},
		{"path dots", pkg("a.rpm", "b/../../a.rpm"), "leaves the repository", 9},
		{"path odd", pkg("a.rpm", "./a.rpm"), "leaves the repository", 9},
		{"repository", pkg("repository: r", "repository: q"), "does not list", 9},
		{"no layer", pkg("layer: web/01, ", ""), "must have a layer", 9},
		{"layer for build", pkg("[web]", "[build]"), "must have a layer", 9},
		{"no roots", pkg("[web]", "[]"), "roots is empty", 9},
		{"root twice", pkg("[web]", "[web, web]"), "twice", 9},
		{"null", pkg("a.rpm", "null"), "path must be a text", 9},
		{"alias", pkg("a.rpm", "*a"), "", 9},
		{"twice", pkg("", "") + "      - " + good + "\n", "twice", 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Parse([]byte(c.text), "slipway.lock")
			var bad *ParseError
			if !errors.As(err, &bad) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(bad.Reason, c.want) || bad.Line != c.line {
				t.Errorf("got %v, want line %d with %q", err, c.line, c.want)
			}
		})
	}
}

func TestDeepNesting(t *testing.T) {
	_, err := Parse([]byte("version: 1\ntargets: "+strings.Repeat("[", 1<<20)), "f")
	if err == nil || !strings.Contains(err.Error(), "nest more than") {
		t.Errorf("error: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(example(f).Marshal())
	f.Add([]byte("version: 1\ntargets: {}\n"))
	f.Add([]byte("a: &a [*a]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := Parse(data, "slipway.lock")
		if err != nil {
			return
		}
		again, err := Parse(l.Marshal(), "again")
		if err != nil {
			t.Fatalf("what was accepted is refused once written: %v\n%s", err, l.Marshal())
		}
		if string(again.Marshal()) != string(l.Marshal()) {
			t.Fatal("writing is not stable")
		}
	})
}
