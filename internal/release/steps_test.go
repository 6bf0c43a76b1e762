package release_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// shell adds a package with this machine's /bin/sh and the libraries that it needs.
func (w *world) shell() {
	w.Helper()
	out, err := exec.CommandContext(w.Context(), "ldd", "/bin/sh").Output()
	if err != nil {
		w.Skipf("ldd cannot say what this machine's shell needs: %v", err)
	}
	s := rpmwrite.Spec{Name: "shell", Requires: needs("filesystem")}
	links := map[string]bool{"/bin": true} // that of filesystem
	for _, name := range append([]string{"/bin/sh"}, regexp.MustCompile(`/\S+`).FindAllString(string(out), -1)...) {
		top := "/" + strings.Split(name, "/")[1]
		if target, err := os.Readlink(top); err == nil && !links[top] {
			links[top] = true
			s.Files = append(s.Files, rpmwrite.Symlink(top, target))
		}
		dir, err := filepath.EvalSymlinks(filepath.Dir(name))
		w.ok(err)
		data, err := os.ReadFile(name)
		w.ok(err)
		f := rpmwrite.Text(filepath.Join(dir, filepath.Base(name)), string(data))
		f.Mode = rpm.ModeRegular | 0o755
		s.Files = append(s.Files, f)
	}
	w.packages(s)
}

// stepped is the service with more said of its image.
func stepped(image string) string {
	return strings.Replace(plain, "    packages: [tool]\n", "    packages: [tool, shell]\n"+image, 1)
}

// TestSteps runs steps over what an image has, and again only when that changes.
func TestSteps(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stepped(`    env: {HOME: /srv/home}
    writable: [/srv/home]
    healthcheck: {command: [/usr/bin/run.sh, --health], interval: 5s, timeout: 1s, start-period: 2s, retries: 4}
    run:
      - command: |
          read -r first </usr/bin/run.sh
          echo "$first of $HOME" >/etc/first
      - {name: second, command: [/bin/sh, -c, "read -r x </etc/first; echo \"$x\" >/srv/home/second"]}
`))
	w.shell()
	built := w.build("stg").Snapshot
	want := []string{"0755 0:0 etc/", "0644 0:0 etc/first #!/bin/sh of /srv/home", "0755 0:0 srv/", "0775 0:0 srv/home/", "0664 0:0 srv/home/second #!/bin/sh of /srv/home"}
	if got := w.files(built, "web"); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	img, _ := built.Image("web")
	pulled, err := registry.Pull(t.Context(), w.p.Registry.Address+"/web@"+img.Digest, registry.Options{})
	w.ok(err)
	raw, err := pulled.RawConfigFile()
	w.ok(err)
	if want := `"Healthcheck":{"Test":["CMD","/usr/bin/run.sh","--health"],"Interval":5000000000,"Timeout":1000000000,"StartPeriod":2000000000,"Retries":4}`; !strings.Contains(string(raw), want) {
		t.Errorf("no %s in %s", want, raw)
	}
	w.write("files/run.sh", "#!/bin/dash\n")
	w.commit("files")
	if got := strings.Join(w.files(w.build("stg").Snapshot, "web"), "\n"); !strings.Contains(got, "etc/first #!/bin/dash of") {
		t.Errorf("after a change of the project: %s", got)
	}
}

// TestStepFails says which image, where its step stands, and what it wrote.
func TestStepFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, stepped("    run:\n      - {name: good, command: \"true\"}\n      - command: |\n          echo so far\n          no-such-program\n          echo not reached\n"))
	w.shell()
	_, err := w.tryBuild("stg")
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"image web: slipway.yaml:11: ", "running step 2: exit code 127", "so far", "no-such-program"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not say %q", err, want)
		}
	}
	if strings.Contains(err.Error(), "not reached") {
		t.Errorf("the step went on: %v", err)
	}
}

// TestNetworkedStep needs an exception, and the image tells of it.
func TestNetworkedStep(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	port := fmt.Sprintf("%04X", l.Addr().(*net.TCPAddr).Port)
	text := stepped("    run: [{name: ask, network: true, command: 'while read -r x; do case $x in *:" + port + "*) echo seen >/etc/seen;; esac; done </proc/net/tcp'}]\n")
	w := newWorld(t, text)
	w.shell()
	c, err := w.p.Candidate(t.Context(), "stg")
	w.ok(err)
	n, err := w.p.Needs(t.Context(), c)
	w.ok(err)
	_, _, err = w.p.Lock(t.Context(), n, nil, release.LockOptions{})
	var refused *release.ExceptionError
	if !errors.As(err, &refused) || !strings.Contains(err.Error(), "{name: ask, run: ask, images: [web], reason: WHY") {
		t.Fatalf("without an exception: %v", err)
	}
	w.write("slipway.yaml", text+"  - {name: asking, run: ask, images: [web], reason: for a test, expires: 2999-01-01}\n")
	w.load()
	built := w.build("stg").Snapshot
	want := []string{"0755 0:0 etc/", "0644 0:0 etc/seen seen"}
	if got := w.files(built, "web"); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	img, _ := built.Image("web")
	pulled, err := registry.Pull(t.Context(), w.p.Registry.Address+"/web@"+img.Digest, registry.Options{})
	w.ok(err)
	manifest, err := pulled.Manifest()
	w.ok(err)
	if got := manifest.Annotations; got["build.slipway.reproducible"] != "false" || got["build.slipway.exception.asking"] != "network for the step ask: for a test" {
		t.Errorf("annotations %v", got)
	}
}
