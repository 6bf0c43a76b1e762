package release_test

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/deploy"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/internal/rpmrepo"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
	"github.com/slipway-build/slipway/internal/sandbox"
	"github.com/slipway-build/slipway/internal/source"
	"github.com/slipway-build/slipway/internal/store"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	os.Exit(m.Run())
}

// now is when everything of the tests takes place.
var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

// world is a service of one project and one image, of a repository of tiny packages, with a registry
// and records of its own and a deploy target that only remembers.
type world struct {
	*testing.T
	dir      string // with slipway.yaml, rpms/ and the projects' repositories
	registry *registry.Embedded
	target   *target
	p        *release.Pipeline
	commits  int
}

// plain is a slipway.yaml. Its project only has files, so no Python is needed.
const plain = `service: greeter
projects:
  files: {git: ./files}
targets:
  tiny: {release: universe-1, repositories: [{id: tiny, baseurl: ./rpms, gpgcheck: false}]}
images:
  web:
    packages: [tool]
    files: [{from: "files:run.sh", to: /usr/bin/run.sh}]
    entrypoint: [/usr/bin/run.sh]
    ports: [8080]
environments:
  stg: {branch: main, deploy: {to: local, workloads: {web: {image: web, listen: "127.0.0.1:8080"}}}}
  prod: {branch: stable, deploy: {to: local, workloads: {web: {image: web, listen: "127.0.0.1:8081"}}}}
exceptions:
  - {name: tiny, repository: tiny, reason: made for tests, expires: 2999-01-01}
  - {name: small, repository: small, reason: made for tests, expires: 2999-01-01}
`

func newWorld(t *testing.T, text string) *world {
	t.Helper()
	w := &world{T: t, dir: t.TempDir(), target: &target{}}
	w.packages(rpmwrite.Spec{Name: "filesystem"}, rpmwrite.Spec{Name: "tool", Requires: needs("filesystem")})
	w.write("files/run.sh", "#!/bin/sh\n")
	w.git("files", "init", "--quiet", "--initial-branch=main")
	w.commit("files")
	w.write(config.FileName, text)
	d, err := cache.Open(filepath.Join(t.TempDir(), "cache"))
	w.ok(err)
	state := t.TempDir()
	records, err := store.Open(t.Context(), filepath.Join(state, "records.db"))
	w.ok(err)
	w.registry = &registry.Embedded{Root: filepath.Join(state, "registry")}
	address, err := w.registry.Start(context.WithoutCancel(t.Context()), "")
	w.ok(err)
	blobs := &registry.Blobs{}
	w.p = &release.Pipeline{
		Cache: d, Sources: source.Open(filepath.Join(d.Root(), "mirrors")), Blobs: blobs, Repositories: &rpmrepo.Client{Cache: d, Blobs: blobs}, Images: &image.Builder{Cache: d},
		Registry: release.Registry{Address: address + "/greeter", Embedded: true}, Target: w.target, Records: records,
		Version: "test", Now: func() time.Time { return now },
	}
	t.Cleanup(func() {
		w.ok(errors.Join(w.registry.Close(), records.Close(), d.Close()))
	})
	w.load()
	return w
}

// load reads slipway.yaml again.
func (w *world) load() {
	w.Helper()
	var err error
	w.p.Config, err = config.Load(w.dir)
	w.ok(err)
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) write(name, text string) {
	w.Helper()
	p := filepath.Join(w.dir, name)
	w.ok(os.MkdirAll(filepath.Dir(p), 0o755))
	w.ok(os.WriteFile(p, []byte(text), 0o600))
}

// git runs git in a folder of the world.
func (w *world) git(dir string, args ...string) string {
	w.Helper()
	cmd := exec.CommandContext(w.Context(), "git", args...)
	cmd.Dir = filepath.Join(w.dir, dir)
	date := now.Add(time.Duration(w.commits) * time.Second).Format(time.RFC3339)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_AUTHOR_DATE="+date, "GIT_COMMITTER_DATE="+date,
		"GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
	out, err := cmd.CombinedOutput()
	if err != nil {
		w.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// commit commits what a project has, and moves its branch stable there.
func (w *world) commit(project string) {
	w.Helper()
	w.commits++
	w.git(project, "add", "-A")
	w.git(project, "commit", "--quiet", "--allow-empty", "-m", fmt.Sprintf("change %d", w.commits))
	w.git(project, "branch", "--force", "stable")
}

func needs(names ...string) []rpm.Dependency {
	var list []rpm.Dependency
	for _, n := range names {
		list = append(list, rpm.Dependency{Name: n})
	}
	return list
}

// packages adds packages to the repository, with a file of their own each.
func (w *world) packages(specs ...rpmwrite.Spec) {
	w.Helper()
	dir := filepath.Join(w.dir, "rpms")
	w.ok(os.MkdirAll(dir, 0o755))
	for _, s := range specs {
		if s.EVR.IsZero() {
			s.EVR = rpm.EVR{Version: "1", Release: "1"}
		}
		s.Arch, s.BuildTime = "noarch", 1_700_000_000
		if s.Name == "filesystem" {
			s.Files = append(s.Files, rpmwrite.Dir("/etc"), rpmwrite.Dir("/usr"), rpmwrite.Dir("/usr/bin"), rpmwrite.Symlink("/bin", "usr/bin"))
			tmp := rpmwrite.Dir("/tmp")
			tmp.Mode = rpm.ModeDirectory | 0o1777
			s.Files = append(s.Files, tmp)
		}
		s.Files = append(s.Files, rpmwrite.Text("/usr/share/"+s.Name, s.EVR.String()))
		w.ok(rpmwrite.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%s.noarch.rpm", s.Name, s.EVR)), s))
	}
	w.ok(repowrite.Write(dir, repowrite.Options{}))
}

// forget takes a package out of the repository.
func (w *world) forget(file string) {
	w.Helper()
	dir := filepath.Join(w.dir, "rpms")
	w.ok(os.Remove(filepath.Join(dir, file)))
	w.ok(repowrite.Write(dir, repowrite.Options{}))
}

// lock goes from commits to a lock, which it writes down.
func (w *world) lock(env string, o release.LockOptions) (*release.Candidate, *release.Needs, *lock.Lock, bool) {
	w.Helper()
	c, err := w.p.Candidate(w.Context(), env)
	w.ok(err)
	n, err := w.p.Needs(w.Context(), c)
	w.ok(err)
	old, err := w.p.ReadLock()
	w.ok(err)
	l, changed, err := w.p.Lock(w.Context(), n, old, o)
	w.ok(err)
	if changed {
		w.ok(l.Write(w.p.LockPath()))
	}
	return c, n, l, changed
}

func (w *world) tryBuild(env string) (*release.Built, error) {
	w.Helper()
	c, n, l, _ := w.lock(env, release.LockOptions{})
	return w.p.Build(w.Context(), c, n, l, release.BuildOptions{})
}

func (w *world) build(env string) *release.Built {
	w.Helper()
	b, err := w.tryBuild(env)
	w.ok(err)
	return b
}

// packed lists what an image holds of packages: "tool 1-1".
func packed(l *lock.Lock, root string) []string {
	var list []string
	for _, p := range l.Target("tiny").Root(root) {
		list = append(list, p.NEVRA.Name+" "+p.NEVRA.EVR.String())
	}
	return list
}

// files lists an image's last layer: "0755 0:0 usr/bin/run.sh text".
func (w *world) files(s *release.Snapshot, name string) []string {
	w.Helper()
	img, ok := s.Image(name)
	if !ok {
		w.Fatalf("there is no image %s", name)
	}
	pulled, err := registry.Pull(w.Context(), w.p.Registry.Address+"/"+name+"@"+img.Digest, registry.Options{})
	w.ok(err)
	layers, err := pulled.Layers()
	w.ok(err)
	return w.listing(layers[len(layers)-1])
}

func (w *world) listing(l v1.Layer) []string {
	w.Helper()
	r, err := l.Uncompressed()
	w.ok(err)
	defer r.Close()
	var list []string
	for tr := tar.NewReader(r); ; {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		w.ok(err)
		text, err := io.ReadAll(tr)
		w.ok(err)
		list = append(list, strings.TrimSpace(fmt.Sprintf("%04o %d:%d %s %s%s", h.Mode, h.Uid, h.Gid, h.Name, text, h.Linkname)))
	}
}

// target is a deploy target that does what it is told to.
type target struct {
	got   []deploy.Release
	apply func(ctx context.Context, r deploy.Release) error
}

func (t *target) Apply(ctx context.Context, r deploy.Release) (deploy.Result, error) {
	t.got = append(t.got, r)
	if t.apply == nil {
		return deploy.Result{}, nil
	}
	return deploy.Result{}, t.apply(ctx, r)
}

func (t *target) Status(context.Context, string, string) (deploy.Status, error) {
	return deploy.Status{}, nil
}
func (t *target) Logs(context.Context, deploy.LogRequest, io.Writer) error { return nil }
func (t *target) Down(context.Context, string, string) error               { return nil }
