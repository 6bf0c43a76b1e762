package debian_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/tools/universe/internal/debian"
	"github.com/slipway-build/slipway/tools/universe/internal/debtest"
)

func TestOpen(t *testing.T) {
	path := debtest.Build(t, debtest.Package{
		Control: "Package: thing\nSource: things (2.0-1)\nVersion: 1:1.0-2\n",
		Files: map[string]string{
			"/bin/thing":           "program",
			"/etc/thing.conf":      "a=1\n",
			"/usr/share/thing/":    "",
			"/usr/share/thing/a b": strings.Repeat("x", 5000),
		},
		Modes:   map[string]os.FileMode{"/bin/thing": 0o755 | os.ModeSetuid},
		Links:   map[string]string{"/usr/lib/thing.so": "thing.so.1"},
		Hard:    map[string]string{"/usr/share/thing/c": "/usr/share/thing/a b"},
		Scripts: map[string]string{"postinst": "#!/bin/sh\n:\n", "conffiles": "/etc/thing.conf\n"},
	})
	spool := t.TempDir()
	deb, err := debian.Open(t.Context(), path, spool)
	if err != nil {
		t.Fatal(err)
	}
	if deb.Name != "thing" || deb.Source != "things" || deb.Arch != "all" || deb.Version.Epoch != 1 {
		t.Errorf("read as %s of %s for %s, %+v", deb.Name, deb.Source, deb.Arch, deb.Version)
	}
	if !deb.Conffiles["/etc/thing.conf"] || deb.Scripts["postinst"] != "#!/bin/sh\n:\n" {
		t.Errorf("conffiles %v, scripts %q", deb.Conffiles, deb.Scripts)
	}
	want := map[string]debian.Entry{
		"/bin/thing":           {Mode: rpm.ModeRegular | 0o4755, Size: 7},
		"/usr/lib/thing.so":    {Mode: rpm.ModeLink | 0o777, Link: "thing.so.1"},
		"/usr/share/thing":     {Mode: rpm.ModeDirectory | 0o755},
		"/usr/share/thing/a b": {Mode: rpm.ModeRegular | 0o644, Size: 5000},
		"/usr/share/thing/c":   {Mode: rpm.ModeRegular | 0o644, HardLink: "/usr/share/thing/a b"},
	}
	for _, e := range deb.Entries {
		if expected, ok := want[e.Path]; ok {
			delete(want, e.Path)
			expected.Path, expected.Owner, expected.Group = e.Path, "root", "root"
			ignore := cmpopts.IgnoreFields(debian.Entry{}, "ModTime")
			if diff := cmp.Diff(expected, e, ignore, cmpopts.IgnoreUnexported(debian.Entry{})); diff != "" {
				t.Errorf("%s: %s", e.Path, diff)
			}
		}
		if e.Path == "/usr/share/thing/a b" {
			data, err := io.ReadAll(deb.Content(e))
			if err != nil || string(data) != strings.Repeat("x", 5000) {
				t.Errorf("its content is %d bytes, %v", len(data), err)
			}
		}
	}
	if len(want) > 0 {
		t.Errorf("missing: %v", want)
	}
	if err := deb.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(spool); len(left) > 0 {
		t.Errorf("Close left %v", left)
	}
}

func TestOpenDamaged(t *testing.T) {
	good, err := os.ReadFile(debtest.Build(t, debtest.Package{
		Control: "Package: thing\nVersion: 1\n", Files: map[string]string{"/usr/share/big": strings.Repeat("x", 100_000)},
	}))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{
		"empty": nil, "cut short": good[:len(good)/2], "not a package": []byte("hello\n"),
	} {
		path := filepath.Join(t.TempDir(), "damaged.deb")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		spool := t.TempDir()
		if deb, err := debian.Open(t.Context(), path, spool); err == nil {
			t.Errorf("%s: opened as %s", name, deb.Name)
		} else if !strings.Contains(err.Error(), "damaged.deb") {
			t.Errorf("%s: the error does not name the file: %v", name, err)
		}
		if left, _ := os.ReadDir(spool); len(left) > 0 {
			t.Errorf("%s: %v was left behind", name, left)
		}
	}
}
