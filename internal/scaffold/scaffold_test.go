package scaffold_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/scaffold"
)

// greeter makes the example's repositories in a new folder, without its slipway.yaml.
func greeter(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "greeter")
	out, err := exec.Command("../../examples/greeter/make-repos", dir).CombinedOutput()
	if err != nil {
		t.Fatalf("make-repos: %v\n%s", err, out)
	}
	for _, f := range []string{"slipway.yaml", "universe.repo"} {
		_ = os.Remove(filepath.Join(dir, f))
	}
	if err := os.WriteFile(filepath.Join(dir, "universe.repo"), []byte("[universe]\nbaseurl=file:///x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestExample holds that the draft of the example says what its own slipway.yaml says.
func TestExample(t *testing.T) {
	d, err := scaffold.Scan(t.Context(), greeter(t), scaffold.Options{Release: "universe-12"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := config.Parse(d.YAML(), "draft")
	if err != nil {
		t.Fatalf("the draft is not valid: %v\n%s", err, d.YAML())
	}
	want, err := config.Load("../../examples/greeter/config/slipway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Projects, got.Projects); diff != "" {
		t.Errorf("projects (-example +draft):\n%s", diff)
	}
	for name, img := range want.Images {
		g := got.Images[name]
		slices.Sort(g.Projects)
		slices.Sort(img.Projects)
		if diff := cmp.Diff([]any{img.Projects, texts(img.Packages), texts(img.Lists), img.Env, img.User, img.Entrypoint, img.Ports, files(img.Files)},
			[]any{g.Projects, texts(g.Packages), texts(g.Lists), g.Env, g.User, g.Entrypoint, g.Ports, files(g.Files)}); diff != "" {
			t.Errorf("image %s (-example +draft):\n%s", name, diff)
		}
	}
	for name, env := range want.Environments {
		if got.Environments[name].Branch != env.Branch {
			t.Errorf("environment %s: branch %q, want %q", name, got.Environments[name].Branch, env.Branch)
		}
	}
	if len(d.Notes) < 8 {
		t.Errorf("it says little of what it guessed: %q", d.Notes)
	}
}

func texts(list []config.Text) []string {
	var out []string
	for _, t := range list {
		out = append(out, t.Value)
	}
	return out
}

func files(list []config.File) []string {
	var out []string
	for _, f := range list {
		out = append(out, f.From.Value+" "+f.To+" "+f.Mode)
	}
	return out
}

// checkout makes a git repository with these files and a branch.
func checkout(t *testing.T, dir, branch string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		p := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", branch}, {"add", "-A"},
		{"-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "-q", "-m", "x"},
	} {
		cmd := exec.Command("git", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
}

func scan(t *testing.T, dir string) *scaffold.Draft {
	t.Helper()
	d, err := scaffold.Scan(t.Context(), dir, scaffold.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestReleaseAndStockRepositories(t *testing.T) {
	for from, want := range map[string]string{
		"registry.fedoraproject.org/fedora:43":     "fedora-43",
		"quay.io/centos/centos:stream9":            "centos-stream-9",
		"registry.access.redhat.com/ubi9/ubi":      "fedora-43", // says its release in the path only
		"registry.access.redhat.com/ubi9-minimal":  "rhel-9",
		"docker.io/library/python:3.13@sha256:abc": "fedora-43",
	} {
		dir := t.TempDir()
		checkout(t, filepath.Join(dir, "a"), "main", map[string]string{"setup.py": "", "Dockerfile": "FROM " + from + "\n"})
		d := scan(t, dir)
		if d.Target.Release != want {
			t.Errorf("%s: %s, want %s", from, d.Target.Release, want)
		}
		if _, err := config.Parse(d.YAML(), "draft"); err != nil {
			t.Errorf("%s: %v\n%s", from, err, d.YAML())
		}
	}
}

func TestContainerfile(t *testing.T) {
	dir := t.TempDir()
	checkout(t, filepath.Join(dir, "My_App"), "master", map[string]string{
		"pyproject.toml": "", "conf/app.yaml": "x", "run.sh": "y", "play.yml": `
- hosts: all
  tasks:
    - name: literal
      ansible.builtin.dnf: {name: [python3-redis, "{{ more }}", "https://example.com/x.rpm"], state: latest}
    - name: string
      package: {name: "tar, gzip"}
      when: false
    - block:
        - dnf: {name: cargo, state: absent}
        - dnf: {name: git-core}
`,
		"files/Dockerfile.worker": `FROM fedora:43
# a comment
ENV A=1 B="two"
ENV C three words
WORKDIR /src
COPY conf/app.yaml /etc/app/
COPY --chown=1 run.sh /usr/bin/run
COPY missing /etc/missing
COPY . /src
RUN dnf -y install python3-flask \
    python3-click && pip3 install requests==2 . && \
    ansible-playbook -vv /src/play.yml
EXPOSE 9000 53/udp 9001/tcp
CMD run --now
`,
	})
	d := scan(t, dir)
	want := []scaffold.Image{{
		Name: "worker", Projects: []string{"my-app"},
		Packages: []string{"python3-flask", "python3-click"}, Lists: []string{"my-app:play.yml"},
		Files: []scaffold.File{{From: "my-app:conf/app.yaml", To: "/etc/app/app.yaml", Mode: "0644"}, {From: "my-app:run.sh", To: "/usr/bin/run", Mode: "0644"}},
		Env:   map[string]string{"A": "1", "B": "two", "C": "three words"}, Workdir: "/src",
		Command: []string{"/bin/sh", "-c", "run --now"}, Ports: []int{9000, 9001},
	}}
	if diff := cmp.Diff(want, d.Images); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	notes := strings.Join(d.Notes, "\n")
	for _, part := range []string{"requests==2", "{{ more }}", "https://example.com/x.rpm is a file", "only when false", "missing is not a file"} {
		if !strings.Contains(notes, part) {
			t.Errorf("no note speaks of %q:\n%s", part, notes)
		}
	}
	if got := d.Projects[0].Branches; !cmp.Equal(got, map[string]string{"main": "master"}) {
		t.Errorf("branches: %v", got)
	}
	if _, err := config.Parse(d.YAML(), "draft"); err != nil {
		t.Errorf("draft: %v\n%s", err, d.YAML())
	}
}

// TestNamesAreUnique holds that what has one name in two places gets two.
func TestNamesAreUnique(t *testing.T) {
	dir := t.TempDir()
	for _, at := range []string{"a/app", "b/app", "lib"} {
		checkout(t, filepath.Join(dir, at), "main", map[string]string{"setup.py": "", "Dockerfile.web": "FROM fedora:43\n", "Dockerfile.build": "FROM fedora:43\n"})
	}
	d := scan(t, dir)
	var projects, images []string
	for _, p := range d.Projects {
		projects = append(projects, p.Name)
	}
	for _, i := range d.Images {
		images = append(images, i.Name)
	}
	if want := []string{"app", "b-app", "lib"}; !cmp.Equal(projects, want) {
		t.Errorf("projects %q, want %q", projects, want)
	}
	if want := []string{"app-build", "web", "b-app-build", "b-app-web", "lib-build", "lib-web"}; !cmp.Equal(images, want) {
		t.Errorf("images %q, want %q", images, want)
	}
	if _, err := config.Parse(d.YAML(), "draft"); err != nil {
		t.Errorf("draft: %v\n%s", err, d.YAML())
	}
}

// TestProjectInTheFolderItself holds that a checkout that is the folder goes by the folder's name.
func TestProjectInTheFolderItself(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "my-app")
	checkout(t, dir, "main", map[string]string{"setup.py": ""})
	t.Chdir(dir)
	if d := scan(t, "."); d.Projects[0].Name != "my-app" || d.Service != "my-app" {
		t.Errorf("project %s of service %s", d.Projects[0].Name, d.Service)
	}
}

// TestHostileCheckout holds that a checkout's files neither lead out of it nor keep us busy for ever.
func TestHostileCheckout(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret.yaml")
	if err := os.WriteFile(secret, []byte("- dnf: {name: hunter2}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bomb := "a0: &a0 [{block: x}]\n"
	for i := 1; i < 20; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [{block: *a%d}, {block: *a%d}, {block: *a%d}, {block: *a%d}]\n", i, i, i-1, i-1, i-1, i-1)
	}
	app := filepath.Join(dir, "app")
	checkout(t, app, "main", map[string]string{
		"setup.py": "", "bomb.yaml": bomb + "tasks: *a19\n",
		"Dockerfile.web": "FROM fedora:43\nRUN ansible-playbook pipe.yaml out.yaml bomb.yaml\nCOPY ../secret.yaml /etc/a\nCOPY out.yaml /etc/b\nCOPY pipe.yaml /etc/c\n",
	})
	if err := errors.Join(syscall.Mkfifo(filepath.Join(app, "pipe.yaml"), 0o600), os.Symlink("../secret.yaml", filepath.Join(app, "out.yaml"))); err != nil {
		t.Fatal(err)
	}
	d := scan(t, dir)
	if img := d.Images[0]; len(img.Packages) > 0 || len(img.Files) > 0 {
		t.Errorf("image %+v", img)
	}
}

// TestListThatIsNone has a recipe that no list can be read of, and one that leads out of the checkout.
func TestListThatIsNone(t *testing.T) {
	dir := t.TempDir()
	at := filepath.Join(dir, "app")
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("/etc/hostname", filepath.Join(at, "out.yaml")); err != nil {
		t.Fatal(err)
	}
	checkout(t, at, "main", map[string]string{
		"setup.py": "", "bad.yaml": "a: [\n",
		"Containerfile": "FROM fedora:43\nRUN ansible-playbook bad.yaml && ansible-playbook out.yaml\n",
	})
	d := scan(t, dir)
	if len(d.Images) != 1 || len(d.Images[0].Lists) > 0 {
		t.Errorf("images: %+v", d.Images)
	}
	notes := strings.Join(d.Notes, "\n")
	for _, part := range []string{"left out app/bad.yaml: ", "out.yaml, which is not in app"} {
		if !strings.Contains(notes, part) {
			t.Errorf("no note speaks of %q:\n%s", part, notes)
		}
	}
}

func TestNothingFound(t *testing.T) {
	_, err := scaffold.Scan(t.Context(), t.TempDir(), scaffold.Options{})
	if !errors.Is(err, scaffold.ErrNothing) {
		t.Errorf("error: %v", err)
	}
}
