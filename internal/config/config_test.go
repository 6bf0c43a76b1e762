package config_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/config"
)

var update = flag.Bool("update", false, "rewrite golden files")

const good = `service: greeter
projects:
  lib: {git: ./repos/lib, branches: {main: master}}
  web:
    git: https://git.example.com/web.git
targets:
  f43:
    release: fedora-43
    python: "3.13"
    repositories:
      - file: fedora.repo
      - id: extra
        baseurl: file:///srv/extra
        gpgkey: [file:///srv/key.asc]
images:
  web:
    projects: [lib, web]
    packages:
      - python3-flask
      - python3dist(redis) >= 4
    files:
      - {from: "web:files/run.sh", to: /usr/bin/run.sh, mode: "0755"}
    ports: [8080]
environments:
  stg:
    branch: main
    deploy:
      to: local
      workloads:
        web: {image: web, listen: 127.0.0.1:8080, health: {path: /healthz, timeout: 20s}}
`

func TestParse(t *testing.T) {
	c, err := config.Parse([]byte(good), "slipway.yaml")
	if err != nil {
		t.Fatal(err)
	}
	img := c.Images["web"]
	if img.Target != "f43" || c.Targets["f43"].Arch != "x86_64" {
		t.Errorf("defaults: target %q, arch %q", img.Target, c.Targets["f43"].Arch)
	}
	want := []config.Text{{Value: "python3-flask", Line: 19, Column: 9}, {Value: "python3dist(redis) >= 4", Line: 20, Column: 9}}
	if diff := cmp.Diff(want, img.Packages); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	if got := c.Projects["lib"].BranchOf("main"); got != "master" {
		t.Errorf("branch of lib: %q", got)
	}
	if got := c.Projects["web"].BranchOf("main"); got != "main" {
		t.Errorf("branch of web: %q", got)
	}
	if got := time.Duration(c.Environments["stg"].Deploy.Workloads["web"].Health.Timeout); got != 20*time.Second {
		t.Errorf("timeout: %v", got)
	}
	if p, f := img.Files[0].Source(); p != "web" || f != "files/run.sh" {
		t.Errorf("file source: %q %q", p, f)
	}
	if got := c.ProjectsOf([]string{"web"}); !cmp.Equal(got, []string{"lib", "web"}) {
		t.Errorf("projects: %v", got)
	}
}

// TestErrors changes one thing in the good file and expects one error at its place.
func TestErrors(t *testing.T) {
	for _, tt := range []struct{ name, old, new, want string }{
		{"unknown key at top", "service:", "servce:", `slipway.yaml:1:1: unknown key "servce" at the top of the file; did you mean "service"?`},
		{"unknown key in block", "projects: [lib, web]", "projcts: [lib, web]", `:17:5: unknown key "projcts" in images.web; did you mean "projects"?`},
		{"unknown project", "[lib, web]", "[lib, wob]", `:17:21: images.web.projects[1]: there is no project "wob"; did you mean "web"?`},
		{"unknown image", "{image: web,", "{image: wed,", `there is no image "wed"; did you mean "web"?`},
		{"wrong type", "ports: [8080]", "ports: [http]", `:23:13: images.web.ports[0]: expected a whole number, found "http"`},
		{"too many layers", "service: greeter", "service: greeter\nlayers: 101", `:2:9: layers: 101 is not between 1 and 100`},
		{"unknown compression", "ports: [8080]", "packing: {compression: xz}", `:23:28: images.web.packing.compression: "xz" is no compression of layers`},
		{"level out of range", "ports: [8080]", "packing: {level: 10}", `images.web.packing.level: gzip has the levels 1 to 9, not 10`},
		{"docker's zstd", "ports: [8080]", "packing: {compression: zstd, media-types: docker}", `no name for layers in zstd`},
		{"unknown media types", "ports: [8080]", "packing: {media-types: oki}", `"oki" is not oci or docker`},
		{"step without a command", "ports: [8080]", "run: [{name: x}]", `:23:12: images.web.run[0]: command is missing`},
		{"empty step", "ports: [8080]", "run: [{command: []}]", `:23:21: images.web.run[0].command: it is empty`},
		{"step of keys", "ports: [8080]", "run: [{command: {a: b}}]", `:23:22: images.web.run[0].command: expected text, found keys and values`},
		{"two steps of a name", "ports: [8080]", "run: [{name: a, command: x}, {name: a, command: y}]", `:23:41: images.web.run[1].name: there are two steps called "a"`},
		{"networked step without a name", "ports: [8080]", "run: [{command: x, network: true}]", `name is missing: the exception that a step with network needs names it`},
		{"exception for no step", "service: greeter", "service: greeter\nexceptions: [{name: a, run: b, images: [web], reason: r, expires: 2999-01-01}]", `:2:29: exceptions[0].run: image "web" has no step "b" with network: true`},
		{"writable root", "ports: [8080]", "writable: [/]", `:23:16: images.web.writable[0]: "/" is not a folder below /`},
		{"unclean writable", "ports: [8080]", "writable: [/srv/]", `"/srv/" is not a clean absolute path`},
		{"health check without a command", "ports: [8080]", "healthcheck: {retries: 2}", `images.web.healthcheck: command is missing`},
		{"negative retries", "ports: [8080]", "healthcheck: {command: x, retries: -1}", `images.web.healthcheck.retries: -1 is not a number of failures`},
		{"port out of range", "ports: [8080]", "ports: [80800]", `80800 is not a port`},
		{"list for text", "release: fedora-43", "release: [a]", `:8:14: targets.f43.release: expected text, found a list`},
		{"bad release", "fedora-43", "Fedora 43", `is not a release`},
		{"bad mode", `"0755"`, `"rwx"`, `images.web.files[0].mode: "rwx" is not an octal mode`},
		{"escaping source", "web:files/run.sh", "web:../run.sh", `leaves its folder`},
		{"unclean destination", "to: /usr/bin/run.sh", "to: /usr/../run.sh", `is not a clean absolute path`},
		{"relative destination", "to: /usr/bin/run.sh", "to: run.sh", `is not a clean absolute path`},
		{"missing branch", "branch: main\n", "\n", `environments.stg: branch is missing`},
		{"missing git", "git: https://git.example.com/web.git", "path: x", `projects.web: git is missing`},
		{"bad duration", "20s", "20", `expected a time span`},
		{"bad listen", "127.0.0.1:8080", "8080", `is not HOST:PORT`},
		{"option as url", "https://git.example.com/web.git", "--upload-pack=x", `is not a repository's URL`},
		{"helper url", "https://git.example.com/web.git", "ext::sh", `is not a repository's URL`},
		{"twice", "service: greeter\n", "service: greeter\nservice: b\n", `slipway.yaml:2:1: invalid YAML: mapping key "service" already defined`},
		{"bad deploy target", "to: local", "to: lokal", `did you mean "local"?`},
		{"a .repo file and more", "- file: fedora.repo", "- {file: fedora.repo, priority: 3}", `both file and other keys`},
		{"not a fingerprint", "- file: fedora.repo", "- {file: fedora.repo, fingerprints: [C6E7]}", `"C6E7" is not the fingerprint of a key`},
		{"not a Copr project", "- file: fedora.repo", "- {copr: packit}", `"packit" is not a Copr project`},
		{"Copr and a URL", "- file: fedora.repo", "- {copr: packit/main, baseurl: file:///srv}", `both copr and a URL`},
		{"not a chroot", "- file: fedora.repo", "- {copr: packit/main, chroot: ../x}", `"../x" is not a chroot`},
		{"a chroot alone", "- file: fedora.repo", "- {chroot: fedora-43-x86_64}", `with copr only`},
		{"no key for packages", "gpgkey: [file:///srv/key.asc]", "priority: 3", `gpgkey is missing`},
		{"registry with a scheme", "service: greeter", "service: greeter\nregistry: https://r.example.com/x", `:2:11: registry: write HOST[:PORT]/PATH without "https://"`},
		{"registry with a login", "service: greeter", "service: greeter\nregistry: me:hunter2@r.example.com/x", `without a login`},
		{"registry without a host", "service: greeter", "service: greeter\nregistry: team/greeter", `a host has a dot or a port`},
		{"registry with a slash", "service: greeter", "service: greeter\nregistry: r.example.com/x/", `ends with a slash`},
		{"registry in capitals", "service: greeter", "service: greeter\nregistry: r.example.com/Team", `is not HOST[:PORT]/PATH`},
		{"name of an image", "  web:\n    projects", "  we..b:\n    projects", `"we..b" is not a name`},
		{"name of a base", "images:\n", "images:\n  web-base: {projects: [lib]}\n", `the base of image "web" is pushed by it`},
		{"name of the build root", "images:\n", "images:\n  build: {projects: [lib]}\n", `it stands for what builds the projects`},
		{"name of an environment", "  stg:", "  stg.eu:", `"stg.eu" is not a name of an environment`},
		{"control in a path", "to: /usr/bin/run.sh", `to: "/usr/bin/run\n.sh"`, `is not a clean absolute path`},
		{"control in a source", `"web:files/run.sh"`, `"web:files/run\e.sh"`, `"files/run\x1b.sh" leaves its folder`},
		{"up in a branch", "{main: master}", "{main: a..b}", `"a..b" is not a branch name`},
		{"list of an unknown project", "    ports:", "    packages-from: [\"wob:a.yaml\"]\n    ports:", `:23:21: images.web.packages-from[0]: there is no project "wob"; did you mean "web"?`},
		{"list out of its folder", "    ports:", "    packages-from: [../a.yaml]\n    ports:", `leaves its folder`},
		{"override without a reason", "    ports:", "    packages-from: [a.yaml]\n    overrides: [{name: a, drop: true}]\n    ports:", `:24:18: images.web.overrides[0]: reason is missing`},
		{"override that says nothing", "    ports:", "    packages-from: [a.yaml]\n    overrides: [{name: a, reason: b}]\n    ports:", `say either replace or drop`},
		{"override that says both", "    ports:", "    packages-from: [a.yaml]\n    overrides: [{name: a, drop: true, replace: c, reason: b}]\n    ports:", `say either replace or drop`},
		{"override twice", "    ports:", "    packages-from: [a.yaml]\n    overrides: [{name: a, drop: true, reason: b}, {name: a, drop: true, reason: b}]\n    ports:", `"a" is overridden twice`},
		{"override without a list", "    ports:", "    overrides: [{name: a, drop: true, reason: b}]\n    ports:", `packages-from is missing`},
		{"drift without a reason", "branches: {main: master}", "drift: {ignore: [{name: flask}]}", `projects.lib.drift.ignore[0]: reason is missing`},
		{"drift of no kind", "branches: {main: master}", "drift: {ignore: [{name: a, kind: some, reason: b}]}", `"some" is not a kind of drift: only-spec, only-python, ranges-differ, build-only, duplicate are`},
		{"drift on no target", "branches: {main: master}", "drift: {ignore: [{name: a, target: some, reason: b}]}", `there is no target "some"`},
		{"drift ignored twice", "branches: {main: master}", "drift: {ignore: [{name: a, reason: b}, {name: a, reason: c}]}", `"a" is ignored twice`},
		{"which other Python", "    python: \"3.13\"\n", "    alternative-python: true\n", `targets.f43.alternative-python: python is missing`},
		{"names of one project", "    python: \"3.13\"\n", "    names: {Py.YAML: x, py-yaml: y}\n", `Py.YAML and py-yaml are one project`},
		{"name of no project", "    python: \"3.13\"\n", "    names: {python3-: x}\n", `"python3-" is not the name of a Python project`},
		{"syntax", "service: greeter", "service: [", `slipway.yaml:`},
		{"tab", "  lib:", "\tlib:", `slipway.yaml:3:`},
		{"unknown alias", "release: fedora-43", "release: *nothing", `no anchor`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(good, tt.old, tt.new, 1)
			if text == good {
				t.Fatal("nothing changed")
			}
			_, err := config.Parse([]byte(text), "slipway.yaml")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error:\n%v\nwant it to contain:\n%s", err, tt.want)
			}
		})
	}
}

func TestRegistries(t *testing.T) {
	for _, r := range []string{"127.0.0.1:5055/greeter", "localhost/x", "localhost:5000", "registry.example.com/team/sub_team/a-b", "[::1]:5000/x", "build-host:5000/x", "quay.io"} {
		if _, err := config.Parse([]byte("registry: \""+r+"\"\n"+good), "f"); err != nil {
			t.Errorf("%s: %v", r, err)
		}
	}
}

// TestErrorsKeepSecrets looks for passwords in what is said of addresses that are not right.
func TestErrorsKeepSecrets(t *testing.T) {
	for _, text := range []string{
		"registry: https://me:hunter2@r.example.com/x\n" + good,
		"registry: me:hunter2@r.example.com/x\n" + good,
		strings.Replace(good, "https://git.example.com/web.git", "\"https://me:hunter2@git.example.com/web\\n.git\"", 1),
	} {
		_, err := config.Parse([]byte(text), "f")
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("error: %v", err)
		}
	}
}

func TestAllErrorsAtOnce(t *testing.T) {
	text := strings.NewReplacer("ports: [8080]", "ports: [http]", "branch: main", "brunch: main", "20s", "never").Replace(good)
	_, err := config.Parse([]byte(text), "f")
	var es config.Errors
	if !errors.As(err, &es) || len(es) != 3 {
		t.Fatalf("errors: %v", err)
	}
	for i := 1; i < len(es); i++ {
		if es[i].Line < es[i-1].Line {
			t.Errorf("errors are not in the order of lines:\n%v", err)
		}
	}
}

func TestExternalMustBePinned(t *testing.T) {
	for ref, ok := range map[string]bool{
		"docker.io/valkey/valkey:8":                                 false,
		"docker.io/valkey/valkey@sha256:" + strings.Repeat("a", 64): true,
	} {
		_, err := config.Parse([]byte(good+"externals: {cache: {image: \""+ref+"\"}}\n"), "f")
		if (err == nil) != ok {
			t.Errorf("%s: %v", ref, err)
		}
	}
}

// TestAliasBomb holds that aliases can't blow a small file up.
func TestAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x]\n")
	for i := 1; i < 12; i++ {
		prev := "*a" + string(rune('a'+i-1))
		if i == 1 {
			prev = "*a0"
		}
		b.WriteString("k" + string(rune('a'+i)) + ": &a" + string(rune('a'+i)) + " [" + strings.Repeat(prev+", ", 8) + prev + "]\n")
	}
	if _, err := config.Parse([]byte(b.String()), "f"); err == nil {
		t.Error("accepted")
	}
}

// TestDeepNesting holds that brackets can't keep the parser busy.
func TestDeepNesting(t *testing.T) {
	_, err := config.Parse([]byte("service: "+strings.Repeat("[", 1<<20)), "f")
	if err == nil || !strings.Contains(err.Error(), "nest more than") {
		t.Errorf("error: %v", err)
	}
}

func TestLoadSaysWhatToDo(t *testing.T) {
	_, err := config.Load(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "slipway init") {
		t.Errorf("error: %v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, config.FileName), []byte(good), 0o644); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if c.Rel("x") != filepath.Join(dir, "x") || c.Rel("/x") != "/x" {
		t.Errorf("relative paths: %q %q", c.Rel("x"), c.Rel("/x"))
	}
}

func TestLoadReadsFilesOnly(t *testing.T) {
	dir := t.TempDir()
	fifo, large := filepath.Join(dir, "fifo"), filepath.Join(dir, "large")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(large, make([]byte, 5<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{fifo: "is not a file", large: "more than the", "/dev/zero": "is not a file"} {
		if _, err := config.Load(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestDigestIsOfTheText holds that a change of a comment is a change, and where the file lies is none.
func TestDigestIsOfTheText(t *testing.T) {
	digest := func(text string) string {
		path := filepath.Join(t.TempDir(), config.FileName)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := config.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		return c.Digest
	}
	if here, there := digest(good), digest(good); here != there || here == digest(good+"# x\n") {
		t.Error("the digest is not of the text")
	}
}

func TestSchema(t *testing.T) {
	got, err := config.Schema()
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(got) {
		t.Fatal("not JSON")
	}
	golden := filepath.Join("testdata", "schema.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("schema (-golden +now; -update rewrites):\n%s", diff)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("? {a: b}\n: c"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := config.Parse(data, "f")
		if (c == nil) == (err == nil) {
			t.Errorf("config %v, error %v", c, err)
		}
	})
}
