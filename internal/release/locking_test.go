package release_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

func (w *world) expect(what string, got []string, want ...string) {
	w.Helper()
	if !slices.Equal(got, want) {
		w.Errorf("%s: %q, want %q", what, got, want)
	}
}

var second = rpm.EVR{Version: "2", Release: "1"}

// TestLockStays holds that a lock changes as little as it can.
func TestLockStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	_, _, l, changed := w.lock("stg", release.LockOptions{})
	if !changed {
		t.Error("the first lock is no change")
	}
	w.expect("first", packed(l, "web"), "filesystem 1-1", "tool 1-1")

	// Newer packages change nothing by themselves; the repository is not even looked at.
	w.packages(rpmwrite.Spec{Name: "tool", EVR: second, Requires: needs("filesystem")}, rpmwrite.Spec{Name: "filesystem", EVR: second}, rpmwrite.Spec{Name: "more", EVR: second})
	metadata := filepath.Join(w.dir, "rpms", "repodata")
	w.ok(os.Rename(metadata, metadata+".away"))
	if _, _, _, changed = w.lock("prod", release.LockOptions{}); changed {
		t.Error("it changed without a reason")
	}
	w.ok(os.Rename(metadata+".away", metadata))

	// A further need is added, and what is there stays.
	w.write("slipway.yaml", strings.Replace(plain, "[tool]", "[tool, more]", 1))
	w.load()
	_, _, l, changed = w.lock("stg", release.LockOptions{})
	w.expect("one more", packed(l, "web"), "filesystem 1-1", "more 2-1", "tool 1-1")
	if !changed {
		t.Error("a new need is no change")
	}

	// What the repository dropped is replaced, and nothing else.
	w.forget("tool-1-1.noarch.rpm")
	w.write("slipway.yaml", strings.Replace(plain, "[tool]", "[tool, more, more]", 1))
	w.load()
	if _, _, _, changed = w.lock("stg", release.LockOptions{}); changed {
		t.Error("asking twice is a change")
	}
	w.write("slipway.yaml", strings.Replace(plain, "[tool]", "[tool, filesystem]", 1))
	w.load()
	_, _, l, _ = w.lock("stg", release.LockOptions{})
	w.expect("one dropped", packed(l, "web"), "filesystem 1-1", "tool 2-1")

	_, _, l, _ = w.lock("stg", release.LockOptions{Update: true})
	w.expect("updated", packed(l, "web"), "filesystem 2-1", "tool 2-1")
}

// TestLockOfSeveralEnvironments holds that to lock for one environment keeps what the other's images
// have.
func TestLockOfSeveralEnvironments(t *testing.T) {
	t.Parallel()
	w := newWorld(t, strings.NewReplacer("images:\n", "images:\n  worker: {packages: [more]}\n",
		"prod: {branch: stable, deploy: {to: local, workloads: {", "prod: {branch: stable, deploy: {to: local, workloads: {worker: {image: worker}, ").Replace(plain))
	w.packages(rpmwrite.Spec{Name: "more", Requires: needs("filesystem")})
	_, _, l, _ := w.lock("prod", release.LockOptions{})
	w.expect("worker", packed(l, "worker"), "filesystem 1-1", "more 1-1")
	w.packages(rpmwrite.Spec{Name: "more", EVR: second, Requires: needs("filesystem")}, rpmwrite.Spec{Name: "extra"})
	text, err := os.ReadFile(filepath.Join(w.dir, "slipway.yaml"))
	w.ok(err)
	w.write("slipway.yaml", strings.Replace(string(text), "[tool]", "[tool, extra]", 1))
	w.load()
	_, _, l, changed := w.lock("stg", release.LockOptions{})
	w.expect("web", packed(l, "web"), "extra 1-1", "filesystem 1-1", "tool 1-1")
	w.expect("worker, after stg was locked", packed(l, "worker"), "filesystem 1-1", "more 1-1")
	if _, _, _, again := w.lock("prod", release.LockOptions{}); !changed || again {
		t.Errorf("changed for stg: %v, for prod: %v", changed, again)
	}
	// An image that is no more goes.
	w.write("slipway.yaml", strings.Replace(plain, "[tool]", "[tool, filesystem]", 1))
	w.load()
	_, _, l, _ = w.lock("stg", release.LockOptions{})
	w.expect("worker, after it is gone", packed(l, "worker"))
}

// TestLockOfRenamedRepository holds that the advice to run slipway lock helps.
func TestLockOfRenamedRepository(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	_, _, old, _ := w.lock("stg", release.LockOptions{})
	w.write("slipway.yaml", strings.Replace(plain, "id: tiny", "id: small", 1))
	w.load()
	c, n, l, changed := w.lock("stg", release.LockOptions{})
	if !changed || l.Target("tiny").Packages[0].Repository != "small" {
		t.Errorf("changed: %v, %+v", changed, l.Target("tiny").Packages[0])
	}
	if _, err := w.p.Build(t.Context(), c, n, old, release.BuildOptions{}); err == nil || !strings.Contains(err.Error(), "run slipway lock") {
		t.Errorf("error: %v", err)
	}
}

func TestLockErrors(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ old, new, want string }{
		"no such package": {"[tool]", "[tol]", "image web on target tiny can't be installed:\n"},
		"no such .repo":   {`{id: tiny, baseurl: ./rpms, gpgcheck: false}`, `{file: gone.repo}`, "reading repositories of target tiny: open "},
		"two of one name": {`{id: tiny, baseurl: ./rpms, gpgcheck: false}`, `{id: tiny, baseurl: ./rpms, gpgcheck: false}, {id: tiny, baseurl: ./other, gpgcheck: false}`, `two repositories are called "tiny"`},
		"no metadata":     {"baseurl: ./rpms", "baseurl: ./empty", "repomd.xml"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, strings.Replace(plain, tt.old, tt.new, 1))
			c, err := w.p.Candidate(t.Context(), "stg")
			w.ok(err)
			n, err := w.p.Needs(t.Context(), c)
			w.ok(err)
			if _, _, err = w.p.Lock(t.Context(), n, nil, release.LockOptions{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error: %v\nwant: %s", err, tt.want)
			}
		})
	}
}

// TestLockKeepsSecrets looks for a repository's password in the lock.
func TestLockKeepsSecrets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	w.write("slipway.yaml", strings.Replace(plain, "baseurl: ./rpms", `baseurl: ["./rpms", "https://me:hun%ter2@example.com/rpms"]`, 1))
	w.load()
	_, _, l, _ := w.lock("stg", release.LockOptions{})
	text := l.Marshal()
	if strings.Contains(string(text), "ter2") {
		t.Errorf("lock:\n%s", text)
	}
}
