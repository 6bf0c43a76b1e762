package source_test

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/source"
)

// beside makes repositories in one folder, as relative addresses of submodules want it.
func beside(t *testing.T, names ...string) []*repo {
	t.Helper()
	dir := t.TempDir()
	var list []*repo
	for _, name := range names {
		r := &repo{t: t, dir: filepath.Join(dir, name)}
		if err := os.MkdirAll(r.dir, 0o755); err != nil {
			t.Fatal(err)
		}
		r.git("init", "--quiet", "--initial-branch=main")
		list = append(list, r)
	}
	return list
}

// module adds a submodule at a path, whose address is given as it is.
func (r *repo) module(at, address, commit string) {
	r.t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, ".gitmodules"))
	if err != nil && !os.IsNotExist(err) {
		r.t.Fatal(err)
	}
	r.write(".gitmodules", fmt.Sprintf("%s[submodule %q]\n\tpath = %s\n\turl = %s\n", text, at, at, address), 0o644)
	r.git("add", ".gitmodules")
	r.git("update-index", "--add", "--cacheinfo", "160000,"+commit+","+at)
}

// seal commits what is in the index: submodules have no folder here.
func (r *repo) seal() {
	r.t.Helper()
	r.n++
	r.git("commit", "--quiet", "-m", "change")
}

func listing(t *testing.T, tree fs.FS) []string {
	t.Helper()
	var list []string
	err := fs.WalkDir(tree, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(tree, p)
		list = append(list, p+": "+strings.TrimSpace(string(data)))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func treeOf(t *testing.T, s *source.Store, dir, folder string) (*source.Tree, error) {
	t.Helper()
	m := mirror(t, s, dir)
	rev, err := m.Branch(t.Context(), "main")
	if err != nil {
		t.Fatal(err)
	}
	tree, err := m.Tree(t.Context(), rev, folder)
	if err == nil {
		t.Cleanup(func() { tree.Close() })
	}
	return tree, err
}

// TestSubmodules reads a submodule in a submodule at the commits that are named, like git's own
// recursive clone.
func TestSubmodules(t *testing.T) {
	all := beside(t, "app", "lib", "deep")
	app, lib, deep := all[0], all[1], all[2]
	deep.write("deep.txt", "deep", 0o644)
	lib.module("vendor/deep", "../deep", deep.commit("deep"))
	lib.write("lib.txt", "old", 0o644)
	lib.git("add", "lib.txt")
	lib.seal()
	old := lib.git("rev-parse", "HEAD")
	lib.write("lib.txt", "new", 0o644)
	lib.git("commit", "--quiet", "-am", "newer")
	app.write("app.txt", "app", 0o644)
	app.write("sub/own.txt", "own", 0o644)
	app.git("add", "app.txt", "sub")
	app.module("sub/lib", "../lib", old)
	app.seal()

	s := source.Open(t.TempDir())
	tree, err := treeOf(t, s, app.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	got := listing(t, tree)
	clone := filepath.Join(t.TempDir(), "clone")
	cmd := exec.Command("git", "-c", "protocol.file.allow=always", "clone", "--quiet", "--recursive", app.dir, clone)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git clone: %v\n%s", err, out)
	}
	var want []string
	for _, line := range listing(t, os.DirFS(clone)) {
		if name, _, _ := strings.Cut(line, ":"); name != ".git" && !strings.HasPrefix(name, ".git/") && !strings.HasSuffix(name, "/.git") {
			want = append(want, line)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-git +got):\n%s", diff)
	}

	tree, err = treeOf(t, s, app.dir, "sub")
	if err != nil {
		t.Fatal(err)
	}
	if got := listing(t, tree); len(got) != len(want)-2 || got[len(got)-1] != "own.txt: own" {
		t.Errorf("of a folder: %q", got)
	}
	// Without the remotes: what was fetched is enough.
	if err := os.RemoveAll(lib.dir); err != nil {
		t.Fatal(err)
	}
	if _, err := treeOf(t, s, app.dir, ""); err != nil {
		t.Errorf("once it is mirrored: %v", err)
	}
}

func TestHostileSubmodules(t *testing.T) {
	secret := newRepo(t)
	secret.write("secret", "x", 0o644)
	commit := secret.commit("secret")
	for name, tt := range map[string]struct{ address, want string }{
		"command":      {"ext::sh -c true", `address "ext::sh -c true" is not allowed`},
		"option":       {"--upload-pack=true", "is not allowed"},
		"dashed host":  {"-oProxyCommand=true:x", "is not allowed"},
		"folder":       {secret.dir, "is not allowed: it must be relative, or of https or ssh"},
		"file":         {"file://" + secret.dir, "is not allowed"},
		"climbs out":   {strings.Repeat("../", 60) + "etc", "leads out of"},
		"climbs later": {"./a/../../../etc", "is not allowed"},
		"password":     {"ftp://me:sesame@example.com/x", `"ftp://example.com/x"`},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRepo(t)
			r.module("sub", tt.address, commit)
			r.seal()
			_, err := treeOf(t, source.Open(t.TempDir()), r.dir, "")
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "sesame") {
				t.Errorf("error: %v\nwant: %s", err, tt.want)
			}
		})
	}
}

func TestSubmoduleProblems(t *testing.T) {
	s := source.Open(t.TempDir())
	all := beside(t, "app", "lib", "circle")
	app, lib, circle := all[0], all[1], all[2]
	lib.commit("lib")
	app.module("lib", "../lib", strings.Repeat("ab", 20))
	app.seal()
	if _, err := treeOf(t, s, app.dir, ""); err == nil || !strings.Contains(err.Error(), "has no commit abab") {
		t.Errorf("a commit that was not pushed: %v", err)
	}
	app.git("rm", "--quiet", "--cached", ".gitmodules")
	app.seal()
	if _, err := treeOf(t, s, app.dir, ""); err == nil || !strings.Contains(err.Error(), "submodule lib: .gitmodules does not say where it is") {
		t.Errorf("no address: %v", err)
	}
	circle.commit("first")
	for range 7 { // each names the one before
		before := circle.git("rev-parse", "HEAD")
		circle.git("rm", "--quiet", "--cached", "--ignore-unmatch", ".gitmodules")
		circle.write(".gitmodules", "", 0o644)
		circle.module("again", "../circle", before)
		circle.seal()
	}
	if _, err := treeOf(t, s, circle.dir, ""); err == nil || !strings.Contains(err.Error(), "submodules in submodules, more than 5 deep") {
		t.Errorf("a circle: %v", err)
	}
}

// TestExportSubst: git archive writes the same files.
func TestExportSubst(t *testing.T) {
	r := newRepo(t)
	r.write(".gitattributes", ".git_archival.txt export-subst\n/pkg/_version.py text export-subst\n# *.md export-subst\n", 0o644)
	r.write("deeper/.gitattributes", "v* export-subst\n", 0o644)
	text := "node: $Format:%H$\nnode-date: $Format:%cI$\nempty: $Format:$ $Format:\n"
	for _, name := range []string{".git_archival.txt", "pkg/_version.py", "deeper/version", "pkg/other.py", "README.md", "x/pkg/_version.py"} {
		r.write(name, text, 0o644)
	}
	r.write(".git_archival.txt", "describe-name: $Format:%(describe:tags=true,match=*[0-9]*)$\n"+text, 0o644)
	r.commit("one")
	r.git("tag", "v1.2")
	r.commit("two")
	tree, err := treeOf(t, source.Open(t.TempDir()), r.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r.git("archive", "--format=tar", "--output", filepath.Join(dir, "a.tar"), "HEAD")
	if out, err := exec.Command("tar", "-C", dir, "-xf", filepath.Join(dir, "a.tar")).CombinedOutput(); err != nil {
		t.Fatalf("tar: %v\n%s", err, out)
	}
	if err := os.Remove(filepath.Join(dir, "a.tar")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(listing(t, os.DirFS(dir)), listing(t, tree)); diff != "" {
		t.Errorf("files (-git archive +got):\n%s", diff)
	}
}

func TestExportSubstOfStrangers(t *testing.T) {
	r := newRepo(t)
	r.write(".gitattributes", "* export-subst\n", 0o644)
	r.write("signature", "$Format:%G?$ $Format:%+GK$ $Format:%D$", 0o644)
	r.commit("one")
	r.git("branch", "other")
	s := source.Open(t.TempDir())
	tree, err := treeOf(t, s, r.dir, "")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := tree.ReadFile("signature"); err != nil || string(data) != "$Format:%G?$ $Format:%+GK$ " {
		t.Errorf("signatures and branches: %q, %v", data, err)
	}
	r.write("many", strings.Repeat("$Format:%H$\n", 100), 0o644)
	r.commit("two")
	if _, err := treeOf(t, s, r.dir, ""); err == nil || !strings.Contains(err.Error(), "many: more than 50 times $Format") {
		t.Errorf("many: %v", err)
	}
}

func TestIsPointer(t *testing.T) {
	const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
	for text, want := range map[string]bool{
		pointer: true, "": false, "version 1\noid sha256:4d7a\n": false, pointer + strings.Repeat("x", 2000): false,
	} {
		if source.IsPointer([]byte(text)) != want {
			t.Errorf("%.60q: want %v", text, want)
		}
	}
}
