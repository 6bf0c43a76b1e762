// Package greeter tests that the example is what its README says: repositories
// whose commits are the same everywhere, and a configuration that agrees with
// the package lists of the web service.
package greeter

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/requirement"
)

// repositories runs make-repos, with further variables in its environment.
func repositories(t *testing.T, env ...string) string {
	t.Helper()
	oracle.Need(t, "git", "sh", "tar", "sed")
	dir := t.TempDir()
	script(t, env, "./make-repos", dir)
	return dir
}

func script(t *testing.T, env []string, name string, args ...string) string {
	t.Helper()
	out, err := tryScript(env, name, args...)
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return out
}

func tryScript(env []string, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	return strings.TrimSpace(script(t, nil, "git", append([]string{"-C", dir}, args...)...))
}

var all = []string{".", "repos/greetlib", "repos/greetcore", "repos/greetweb"}

func TestCommitsAreTheSameEverywhere(t *testing.T) {
	home := t.TempDir()
	settings := "[user]\n\tname = Somebody\n\temail = somebody@example.com\n[init]\n\tdefaultBranch = trunk\n[core]\n\tautocrlf = true\n"
	if err := os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	one := repositories(t)
	other := repositories(t, "HOME="+home, "TZ=Asia/Tokyo", "LC_ALL=C", "GIT_AUTHOR_NAME=Somebody", "GIT_DIR=/nowhere")
	for _, repository := range all {
		for _, branch := range []string{"main", "stable"} {
			a, b := git(t, filepath.Join(one, repository), "rev-parse", branch), git(t, filepath.Join(other, repository), "rev-parse", branch)
			if a != b {
				t.Errorf("%s of %s is %s, and elsewhere %s", branch, repository, a, b)
			}
		}
		if dirty := git(t, filepath.Join(one, repository), "status", "--porcelain"); dirty != "" {
			t.Errorf("%s is not clean: %s", repository, dirty)
		}
	}
}

func TestHistory(t *testing.T) {
	dir := repositories(t)
	library := filepath.Join(dir, "repos/greetlib")
	for args, want := range map[string]string{
		"tag --list":             "v0.1.0\nv0.2.0",
		"describe stable":        "v0.2.0",
		"rev-list --count main":  "4",
		"branch --show-current":  "main",
		"merge-base main stable": git(t, library, "rev-parse", "stable"),
	} {
		if got := git(t, library, strings.Fields(args)...); got != want {
			t.Errorf("git %s prints %q, want %q", args, got, want)
		}
	}
	for tag, version := range map[string]string{"v0.1.0": "0.1.0", "v0.2.0": "0.2.0"} {
		for project, files := range map[string][]string{
			"greetlib": {"setup.cfg", "greetlib.spec"}, "greetcore": {"pyproject.toml", "greetcore.spec"}, "greetweb": {"setup.cfg"},
		} {
			for _, file := range files {
				if text := git(t, filepath.Join(dir, "repos", project), "show", tag+":"+file); !strings.Contains(text, version) {
					t.Errorf("%s of %s at %s does not say %s", file, project, tag, version)
				}
			}
		}
	}
	// What main holds is what lies here.
	for _, project := range []string{"greetlib", "greetcore", "greetweb", "config"} {
		checkout := filepath.Join(dir, "repos", project)
		if project == "config" {
			checkout = dir
		}
		for file := range strings.Lines(git(t, checkout, "ls-files")) {
			file = strings.TrimSpace(file)
			here, err := os.ReadFile(filepath.Join(project, file))
			if err != nil {
				t.Fatal(err)
			}
			there, err := os.ReadFile(filepath.Join(checkout, file))
			if err != nil || string(here) != string(there) {
				t.Errorf("%s of %s differs, %v", file, project, err)
			}
		}
	}
}

func TestChanges(t *testing.T) {
	dir := repositories(t)
	phrases := func() string {
		return git(t, filepath.Join(dir, "repos/greetlib"), "show", "main:src/greetlib/phrases.yaml")
	}
	script(t, nil, "./change", dir, "fix-the-typo")
	if !strings.Contains(phrases(), "en: Hello\n") {
		t.Errorf("after the fix it says %s", phrases())
	}
	fixed := git(t, filepath.Join(dir, "repos/greetlib"), "rev-parse", "main^{tree}")
	script(t, nil, "./change", dir, "break-the-greeting")
	script(t, nil, "./change", dir, "revert")
	if got := git(t, filepath.Join(dir, "repos/greetlib"), "rev-parse", "main^{tree}"); got != fixed {
		t.Error("the revert does not lead back to what was there")
	}
	for want, args := range map[string][]string{
		"is it there already":      {dir, "fix-the-typo"},
		"no change is called oops": {dir, "oops"},
		"make it with make-repos":  {t.TempDir(), "fix-the-typo"},
		"usage:":                   {dir},
	} {
		if out, err := tryScript(nil, "./change", args...); err == nil || !strings.Contains(out, want) {
			t.Errorf("change %q: %v, %s; want an error that says %q", args, err, out, want)
		}
	}
}

func TestMakeReposRefuses(t *testing.T) {
	dir := repositories(t)
	for want, args := range map[string][]string{
		"already holds repositories": {dir},
		"has no universe.repo":       {t.TempDir(), t.TempDir()},
		"usage:":                     {},
	} {
		if out, err := tryScript(nil, "./make-repos", args...); err == nil || !strings.Contains(out, want) {
			t.Errorf("make-repos %q: %v, %s; want an error that says %q", args, err, out, want)
		}
	}
}

func TestConfiguration(t *testing.T) {
	c, err := config.Load("config")
	if err != nil {
		t.Fatal(err)
	}
	for name, image := range c.Images {
		if len(image.Lists) != 1 || len(image.Packages) > 0 {
			t.Fatalf("%s has the lists %v and the packages %v", name, image.Lists, image.Packages)
		}
		project, list := image.Lists[0].Source()
		needs, diagnostics, err := requirement.ReadList(requirement.Project{Name: project, Tree: os.DirFS(project)}, list, requirement.Target{Release: "universe-12"})
		if err != nil || len(diagnostics) > 0 || len(needs) < 5 {
			t.Errorf("the list of %s: %v, %v, %v", name, needs, diagnostics, err)
		}
		for _, f := range image.Files {
			project, path := f.Source()
			st, err := os.Stat(filepath.Join(project, path))
			if err != nil {
				t.Error(err)
			} else if want := st.Mode().Perm()&0o111 != 0; want != (f.Mode == "0755") {
				t.Errorf("%s has mode %v, and %s in the image", path, st.Mode(), f.Mode)
			}
		}
		if !slices.Equal(image.Projects, []string{"greetlib", "greetcore", "greetweb"}) {
			t.Errorf("the projects of %s are %q", name, image.Projects)
		}
	}
}
