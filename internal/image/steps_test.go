package image_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// stepBase is a base with a shell.
func stepBase(t *testing.T, b *image.Builder) *image.Image {
	t.Helper()
	return base(t, b, build(t, shell(t, "rm", "mkdir", "chmod"), rpmwrite.Spec{Name: "p", Files: []rpmwrite.File{
		rpmwrite.Dir("/etc"), rpmwrite.Text("/etc/removed", "r"), rpmwrite.Text("/etc/touched", "t"),
	}}))
}

// stepSpec runs texts for the shell.
func stepSpec(base *image.Image, texts ...string) image.FinalSpec {
	spec := image.FinalSpec{
		Base:   base,
		Files:  []image.FileEntry{{Path: "/srv/app/data", Mode: 0o640, ModTime: 5, Content: []byte("d")}},
		Config: image.Config{Env: map[string]string{"COLOUR": "red"}, Created: time.Unix(buildTime, 0)},
	}
	for _, text := range texts {
		spec.Steps = append(spec.Steps, image.Step{Name: "step", Args: []string{"/bin/sh", "-e", "-c", text}})
	}
	return spec
}

func final(t *testing.T, b *image.Builder, spec image.FinalSpec) *image.Image {
	t.Helper()
	img, err := b.Final(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestSteps: steps see packages, files and each other; what they change is a layer that says nothing
// of when and where they ran.
func TestSteps(t *testing.T) {
	needRemovals(t)
	b := builder(t)
	root := stepBase(t, b)
	spec := stepSpec(root, "read -r d </srv/app/data || :; echo $d $COLOUR $SOURCE_DATE_EPOCH >/etc/one; rm /etc/removed; : >>/etc/touched",
		"read -r x </etc/one; echo two: $x >/etc/two; mkdir /srv/app/made /opt /opt/deep; while read -r i x; do echo $i; done </proc/net/route >/etc/routes; chmod 700 /srv/app/made; echo t >/tmp/t")
	spec.Writable = []string{"/srv/app"}
	img := final(t, b, spec)
	want := []string{
		"5 0755 0:0 315619200 etc/",
		`0 0000 0:0 1700000000 etc/.wh.removed`,
		`0 0644 0:0 1700000000 etc/one "d red 1700000000\n"`,
		`0 0644 0:0 1700000000 etc/routes "Iface\n"`,
		`0 0644 0:0 1700000000 etc/two "two: d red 1700000000\n"`,
		"5 0755 0:0 315619200 opt/",
		"5 0755 0:0 315619200 opt/deep/",
		"5 0755 0:0 315619200 srv/",
		"5 0775 0:0 315619200 srv/app/",
		"5 0770 0:0 315619200 srv/app/made/",
	}
	if diff := cmp.Diff(want, listing(t, layerOf(t, img, "run"))); diff != "" {
		t.Error(diff)
	}
	again := final(t, b, spec)
	other := builder(t)
	spec.Base = stepBase(t, other)
	elsewhere := final(t, other, spec)
	if digest(t, img) != digest(t, again) || digest(t, img) != digest(t, elsewhere) {
		t.Errorf("digests %s, %s from the cache and %s of another cache", digest(t, img), digest(t, again), digest(t, elsewhere))
	}
	spec.Config.Env = map[string]string{"COLOUR": "blue"}
	if got := listing(t, layerOf(t, final(t, other, spec), "run")); !slices.Contains(got, `0 0644 0:0 1700000000 etc/one "d blue 1700000000\n"`) {
		t.Errorf("another environment gives %q", got)
	}
}

// needRemovals skips where the running user's sandboxes cannot remove files of lower layers.
func needRemovals(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for removals")
	}
}

// TestStepsWithoutChange make no layer: the image is the one without steps.
func TestStepsWithoutChange(t *testing.T) {
	b := builder(t)
	root := stepBase(t, b)
	plain := final(t, b, stepSpec(root))
	if same := final(t, b, stepSpec(root, ": >>/etc/touched; echo x >/tmp/x")); digest(t, plain) != digest(t, same) {
		t.Errorf("digest %s, without steps %s", digest(t, same), digest(t, plain))
	}
}

func TestWritable(t *testing.T) {
	b := builder(t)
	spec := stepSpec(stepBase(t, b))
	spec.Files = append(spec.Files, image.FileEntry{Path: "/srv/app/run", Mode: 0o755, UID: 7, GID: 8, Content: []byte("r")},
		image.FileEntry{Path: "/srv/application", Mode: 0o600}, image.FileEntry{Path: "/srv/app/link", Mode: rpm.ModeLink | 0o777, Link: "run"})
	spec.Writable = []string{"/srv/app", "/var/home"}
	want := []string{
		"5 0755 0:0 315619200 srv/",
		"5 0775 0:0 315619200 srv/app/",
		`0 0660 0:0 5 srv/app/data "d"`,
		"2 0777 0:0 0 srv/app/link -> run",
		`0 0775 7:0 0 srv/app/run "r"`,
		"0 0600 0:0 0 srv/application",
		"5 0755 0:0 315619200 var/",
		"5 0775 0:0 315619200 var/home/",
	}
	if diff := cmp.Diff(want, listing(t, layerOf(t, final(t, b, spec), "files"))); diff != "" {
		t.Error(diff)
	}
	for _, wrong := range []string{"/", "srv", "/srv/../etc"} {
		spec.Writable = []string{wrong}
		if _, err := b.Final(t.Context(), spec); err == nil || !strings.Contains(err.Error(), "writable folder") {
			t.Errorf("%s: error %v", wrong, err)
		}
	}
}

// TestHostileSteps are contained, and it is said what they did.
func TestHostileSteps(t *testing.T) {
	b := builder(t)
	root := stepBase(t, b)
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"fails":       {"echo what I did; exit 3", []string{"running step: exit code 3", "what I did"}},
		"missing":     {"no-such-program --x", []string{"exit code 127", "no-such-program"}},
		"stops early": {"rm /no-such-file; echo on", []string{"exit code 1"}},
		"forks":       {"f() { f | f & f; }; f", []string{"process limit of 1024 processes"}},
		"talks":       {"while :; do echo 0123456789012345678901234567890123456789; done", []string{"output limit of 16 MiB"}},
		"host":        {"read -r x </etc/shadow; echo $x", []string{"exit code"}},
		"key":         {"echo '-----BEGIN RSA PRIVATE KEY-----' >/etc/key", []string{"private key", "/etc/key"}},
		"whiteout":    {"echo x >/etc/.wh.passwd", []string{"/etc/.wh.passwd", "deletion"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := b.Final(t.Context(), stepSpec(root, "echo first >/etc/first", c.text))
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			var failed *image.StepError
			if found := errors.As(err, &failed); strings.Contains(err.Error(), "running") && (!found || failed.Index != 1) {
				t.Errorf("%T does not tell which step it was: %+v", err, failed)
			}
		})
	}
}

func TestHealthcheck(t *testing.T) {
	b := builder(t)
	spec := finalSpec(base(t, b, build(t, sample()...)))
	spec.Config.Healthcheck = &image.Healthcheck{Test: []string{"CMD-SHELL", "curl -f localhost"}, Interval: 5 * time.Second, Retries: 2}
	raw, err := final(t, b, spec).RawConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if want := `"Healthcheck":{"Test":["CMD-SHELL","curl -f localhost"],"Interval":5000000000,"Retries":2}`; !strings.Contains(string(raw), want) {
		t.Errorf("%s is not in %s", want, raw)
	}
}
