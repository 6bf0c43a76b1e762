package release_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/release"
)

func TestBuild(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	b := w.build("stg")
	s := b.Snapshot
	if b.Known || b.Pushed == 0 {
		t.Errorf("known %v, %d bytes pushed", b.Known, b.Pushed)
	}
	if !regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(s.ID) || !regexp.MustCompile(`^[a-z]+-[a-z]+-`+s.ID[:4]+`$`).MatchString(s.Alias) {
		t.Errorf("ID %s, alias %s", s.ID, s.Alias)
	}
	if len(s.Projects) != 1 || s.Projects[0].Commit != w.git("files", "rev-parse", "HEAD") || s.Projects[0].Subject != "change 1" || s.Branch != "main" || !s.Created.Equal(now) {
		t.Errorf("snapshot %+v", s)
	}
	if got := strings.Join(w.files(s, "web"), "\n"); !strings.Contains(got, "0755 0:0 usr/bin/\n") || !strings.HasSuffix(got, "0644 0:0 usr/bin/run.sh #!/bin/sh") {
		t.Errorf("files:\n%s", got)
	}
	for _, ref := range []string{"web:" + s.Alias, "web-base:" + s.Alias, "web-base@" + s.Images[0].Base} {
		if _, err := registry.Resolve(t.Context(), w.p.Registry.Address+"/"+ref, registry.Options{}); err != nil {
			t.Error(err)
		}
	}
	again := w.build("stg")
	if !again.Known || again.Snapshot.ID != s.ID || again.Pushed != 0 {
		t.Errorf("built again: %+v", again)
	}
}

// TestIdentity changes one thing at a time and looks whether the snapshot is another one.
func TestIdentity(t *testing.T) {
	t.Parallel()
	text := strings.Replace(plain, "{from: \"files:run.sh\", to: /usr/bin/run.sh}", `{from: "files:run.sh", to: /usr/bin/run.sh}, {from: beside, to: /etc/beside}, {from: link, to: /etc/link}`, 1)
	w := newWorld(t, text)
	w.write("beside/a", "1")
	w.write("target", "1")
	w.ok(os.Symlink("target", filepath.Join(w.dir, "link")))
	seen := map[string]string{}
	for i, tt := range []struct {
		name   string
		change func()
		env    string
		same   bool
	}{
		{"first", func() {}, "stg", false},
		{"another environment at the same commits", func() {}, "prod", true},
		{"a file that no image takes", func() { w.write("other", "1") }, "stg", true},
		{"a lock's comment", func() {
			text, err := os.ReadFile(w.p.LockPath())
			w.ok(err)
			w.ok(os.WriteFile(w.p.LockPath(), append([]byte("# hello\n"), text...), 0o600))
		}, "stg", true},
		{"a file beside", func() { w.write("beside/a", "2") }, "stg", false},
		{"its mode", func() { w.ok(os.Chmod(filepath.Join(w.dir, "beside/a"), 0o700)) }, "stg", false},
		{"one more", func() { w.write("beside/b", "") }, "stg", false},
		{"what a link leads to", func() { w.write("target", "2") }, "stg", false},
		{"a commit", func() { w.commit("files") }, "stg", false},
		{"stable at the same commit", func() {}, "prod", true},
		{"a tag", func() { w.git("files", "tag", "v1.0") }, "stg", false},
		{"slipway.yaml", func() { w.write("slipway.yaml", text+"# hello\n"); w.load() }, "stg", false},
		{"the configuration's commit", func() {
			w.write(".gitignore", "*\n")
			w.git(".", "init", "--quiet")
			w.git(".", "add", "--force", "slipway.yaml")
			w.git(".", "commit", "--quiet", "-m", "config")
		}, "stg", false},
		{"the program", func() { w.p.Version = "other" }, "stg", false},
	} {
		tt.change()
		s := w.build(tt.env).Snapshot
		other, known := seen[s.ID]
		if known != tt.same {
			t.Errorf("%d %s: the same snapshot as after %q: %v, want %v", i, tt.name, other, known, tt.same)
		}
		seen[s.ID] = tt.name
	}
}

// TestSameElsewhere builds the same in two worlds, which share nothing but the input.
func TestSameElsewhere(t *testing.T) {
	t.Parallel()
	a, b := newWorld(t, plain).build("stg").Snapshot, newWorld(t, plain).build("prod").Snapshot
	if a.ID != b.ID || a.Images[0] != b.Images[0] {
		t.Errorf("%+v\n%+v", a, b)
	}
}

// TestVanishedImage holds that a snapshot whose images are gone from the registry is built again, and
// is the same one.
func TestVanishedImage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	first := w.build("stg")
	for _, repository := range []string{"web", "web-base"} {
		w.ok(os.RemoveAll(filepath.Join(w.registry.Root, "docker/registry/v2/repositories/greeter", repository)))
	}
	second := w.build("stg")
	if second.Known || second.Pushed == 0 || second.Snapshot.ID != first.Snapshot.ID {
		t.Errorf("built again: %+v", second)
	}
	w.files(second.Snapshot, "web")
	if third := w.build("stg"); !third.Known {
		t.Error("built a third time")
	}
}

func TestBuildWithoutPush(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	c, n, l, _ := w.lock("stg", release.LockOptions{})
	layout := filepath.Join(t.TempDir(), "layout")
	b, err := w.p.Build(t.Context(), c, n, l, release.BuildOptions{Layout: layout, NoPush: true})
	w.ok(err)
	if _, err := os.Stat(filepath.Join(layout, "index.json")); err != nil {
		t.Error(err)
	}
	if _, err := w.p.Records.Snapshot(t.Context(), "greeter", b.Snapshot.ID); err == nil {
		t.Error("it was recorded")
	}
	// The same candidate, pushed now, is the same snapshot.
	if s := w.build("stg").Snapshot; s.ID != b.Snapshot.ID {
		t.Errorf("%s, then %s", b.Snapshot.ID, s.ID)
	}
}

// TestBuildNeedsItsLock holds that no image is built of a lock that was made for something else.
func TestBuildNeedsItsLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	_, _, l, _ := w.lock("stg", release.LockOptions{})
	w.write("slipway.yaml", strings.Replace(plain, "[tool]", "[tool, filesystem]", 1))
	w.load()
	c, err := w.p.Candidate(t.Context(), "stg")
	w.ok(err)
	n, err := w.p.Needs(t.Context(), c)
	w.ok(err)
	for _, l := range []*lock.Lock{l, {}} {
		if _, err := w.p.Build(t.Context(), c, n, l, release.BuildOptions{}); err == nil || !strings.Contains(err.Error(), "run slipway lock") {
			t.Errorf("error: %v", err)
		}
	}
}

// TestCandidateTellsAllThatIsMissing holds that one project's fault does not hide another's.
func TestCandidateTellsAllThatIsMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, strings.Replace(plain, "projects:\n", "projects:\n  gone: {git: ./gone}\n", 1))
	w.write("slipway.yaml", strings.Replace(strings.Replace(plain, "projects:\n", "projects:\n  gone: {git: ./gone}\n", 1), "    packages:", "    projects: [gone]\n    packages:", 1))
	w.load()
	w.git("files", "branch", "-D", "stable")
	_, err := w.p.Candidate(t.Context(), "prod")
	for _, want := range []string{"project gone: fetching", `project files: `, `has no branch "stable": it has main`, "projects.files.branches: {stable: …}"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v\nlacks %s", err, want)
		}
	}
	if _, err := w.p.Candidate(t.Context(), "production"); err == nil || !strings.Contains(err.Error(), `no environment "production": slipway.yaml has prod, stg`) {
		t.Errorf("error: %v", err)
	}
}

// TestUnmet holds that projects of an image which do not fit each other are told, before anything is
// resolved.
func TestUnmet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, strings.NewReplacer("projects:\n  files: {git: ./files}", "projects:\n  files: {git: ./files}\n  lib: {git: ./lib}\n  app: {git: ./app}",
		"    packages: [tool]", "    projects: [lib, app]\n    packages: [tool]").Replace(plain))
	for name, requires := range map[string]string{"lib": "", "app": `, dependencies = ["lib >= 2"]`} {
		w.write(name+"/pyproject.toml", "build-system = {requires = [\"setuptools\"], build-backend = \"setuptools.build_meta\"}\nproject = {name = \""+name+"\", version = \"1.0\""+requires+"}\n")
		w.git(name, "init", "--quiet", "--initial-branch=main")
		w.commit(name)
	}
	c, err := w.p.Candidate(t.Context(), "stg")
	w.ok(err)
	_, err = w.p.Needs(t.Context(), c)
	want := regexp.MustCompile(`^app/pyproject.toml:\d+ needs python3dist\(lib\) >= 2, but lib at [0-9a-f]{7} is python3dist\(lib\) = 1[0-9.]*$`)
	if err == nil || !want.MatchString(err.Error()) {
		t.Errorf("error: %v", err)
	}
}

// TestTwoBuildsAtOnce builds the same from two sides, with one cache, registry and records, as two
// processes do, and a third time of another commit.
func TestTwoBuildsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	w.lock("stg", release.LockOptions{})
	w.git("files", "commit", "--quiet", "--allow-empty", "-m", "main is ahead of stable")
	type result struct {
		env string
		b   *release.Built
		err error
	}
	results := make(chan result)
	sides := []string{"stg", "stg", "prod", "prod"}
	for _, env := range sides {
		go func() {
			b, err := buildOnce(t.Context(), w.p, env)
			results <- result{env, b, err}
		}()
	}
	ids := map[string]string{}
	for range sides {
		r := <-results
		if r.err != nil {
			t.Error(r.err)
			continue
		}
		if id, ok := ids[r.env]; ok && id != r.b.Snapshot.ID {
			t.Errorf("%s: %s and %s", r.env, id, r.b.Snapshot.ID)
		}
		ids[r.env] = r.b.Snapshot.ID
	}
	if ids["stg"] == ids["prod"] {
		t.Error("both environments have one snapshot")
	}
	if !w.build("stg").Known || !w.build("prod").Known {
		t.Error("what was built is not known")
	}
}

// buildOnce is all of a build, with errors instead of a test's end.
func buildOnce(ctx context.Context, p *release.Pipeline, env string) (*release.Built, error) {
	c, err := p.Candidate(ctx, env)
	if err != nil {
		return nil, err
	}
	n, err := p.Needs(ctx, c)
	if err != nil {
		return nil, err
	}
	l, err := p.ReadLock()
	if err != nil {
		return nil, err
	}
	return p.Build(ctx, c, n, l, release.BuildOptions{})
}
