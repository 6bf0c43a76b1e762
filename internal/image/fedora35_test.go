package image_test

import (
	"context"
	"database/sql"
	"log/slog"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // reads the database

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// fedora35 rebuilds the packages of a Fedora 35 container from their headers, which go-rpmdb has in its
// test data: all that their headers say, and made-up contents. Their programs are this machine's of the
// same name, so that scripts find what they call.
func fedora35(t *testing.T) []rpmwrite.Spec {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/knqyf263/go-rpmdb").Output()
	if err != nil {
		t.Fatalf("finding go-rpmdb's test data: %v", err)
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(strings.TrimSpace(string(dir)), "pkg/testdata/fedora35/rpmdb.sqlite")+"?mode=ro&immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT blob FROM Packages ORDER BY hnum")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var specs []rpmwrite.Spec
	var libraries []string
	for rows.Next() {
		var blob []byte
		if err := rows.Scan(&blob); err != nil {
			t.Fatal(err)
		}
		h, err := rpm.ParseHeader(blob)
		if err != nil {
			t.Fatal(err)
		}
		if h.NEVRA().Name == "gpg-pubkey" {
			continue
		}
		s, needs := rebuilt(t, h)
		specs, libraries = append(specs, s), append(libraries, needs...)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for i := range specs {
		switch specs[i].Name {
		case "glibc":
			for _, lib := range slices.Compact(slices.Sorted(slices.Values(libraries))) {
				specs[i].Files = append(specs[i].Files, hostFile(t, lib, path.Join("/usr/lib/x86_64-linux-gnu", path.Base(lib))))
			}
		case "alternatives":
			specs[i].Files = append(specs[i].Files, rpmwrite.Dir("/var/lib/dpkg"), rpmwrite.Dir("/var/lib/dpkg/alternatives"))
		}
	}
	return specs
}

// hostPrograms are this machine's programs for those that scripts call, by Fedora's paths.
var hostPrograms = map[string]string{
	"/lib64/ld-linux-x86-64.so.2": "/lib64/ld-linux-x86-64.so.2",
	"/sbin/ldconfig":              "/sbin/ldconfig",
	"/usr/bin/bash":               "/bin/bash",
	"/usr/bin/cat":                "/bin/cat",
	"/usr/bin/cp":                 "/bin/cp",
	"/usr/bin/getent":             "/usr/bin/getent",
	"/usr/bin/grep":               "/bin/grep",
	"/usr/bin/ln":                 "/bin/ln",
	"/usr/bin/mkdir":              "/bin/mkdir",
	"/usr/bin/mv":                 "/bin/mv",
	"/usr/bin/readlink":           "/bin/readlink",
	"/usr/bin/sed":                "/bin/sed",
	"/usr/bin/touch":              "/bin/touch",
	"/usr/sbin/alternatives":      "/usr/bin/update-alternatives", // with the same options, as far as they are used
	"/usr/sbin/groupadd":          "/usr/sbin/groupadd",
	"/usr/sbin/useradd":           "/usr/sbin/useradd",
}

// fedoraContents are files that the scripts' programs read, and programs of Fedora's own, which are
// shell scripts there too.
var fedoraContents = map[string]string{
	"/etc/passwd":              "root:x:0:0:root:/root:/bin/bash\nbin:x:1:1:bin:/bin:/sbin/nologin\nmail:x:8:12:mail:/var/spool/mail:/sbin/nologin\n",
	"/etc/group":               "root:x:0:\nbin:x:1:\ntty:x:5:\nmail:x:12:\nutmp:x:22:\nlock:x:54:\n",
	"/etc/shadow":              "root:*:18000:0:99999:7:::\nbin:*:18000:0:99999:7:::\nmail:*:18000:0:99999:7:::\n",
	"/etc/gshadow":             "root:::\nbin:::\ntty:::\nmail:::\nutmp:::\nlock:::\n",
	"/etc/login.defs":          "UID_MIN 1000\nSYS_UID_MIN 201\nSYS_UID_MAX 999\nGID_MIN 1000\nSYS_GID_MIN 201\nSYS_GID_MAX 999\nCREATE_HOME yes\nUSERGROUPS_ENAB yes\n",
	"/etc/default/useradd":     "HOME=/home\nSHELL=/bin/bash\nSKEL=/etc/skel\n",
	"/etc/ld.so.conf":          "include ld.so.conf.d/*.conf\n",
	"/usr/bin/ca-legacy":       "#!/bin/sh\nln -sf /usr/share/pki/ca-trust-legacy/ca-bundle.legacy.default.crt /etc/pki/ca-trust/source/ca-bundle.legacy.crt\n",
	"/usr/bin/update-ca-trust": "#!/bin/sh\ncat /usr/share/pki/ca-trust-source/*.p11-kit >/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem\n",
}

// rebuilt is a package with the files and scripts of a header. needs are the libraries of this machine that
// its programs need.
func rebuilt(t *testing.T, h *rpm.Header) (s rpmwrite.Spec, needs []string) {
	t.Helper()
	n := h.NEVRA()
	s = rpmwrite.Spec{Name: n.Name, EVR: n.EVR, Arch: n.Arch, SourceRPM: h.SourceRPM(), Compression: "none"}
	provides := func(d rpm.Dependency) bool { return d.Name == n.Name }
	s.Provides = slices.DeleteFunc(h.Provides(), provides)
	s.Requires = slices.DeleteFunc(h.Requires(), func(d rpm.Dependency) bool { return strings.HasPrefix(d.Name, "rpmlib(") })
	files, err := h.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Path, "/usr/lib/.build-id") {
			continue
		}
		file := rpmwrite.File{
			Path: f.Path, Mode: f.Mode, Flags: f.Flags, Link: f.Link, Owner: f.Owner, Group: f.Group, Caps: f.Caps, Lang: f.Lang,
		}
		if f.IsRegular() && !f.IsGhost() {
			text := fedoraContents[f.Path]
			if host := hostPrograms[f.Path]; host != "" {
				file.Content, file.Size = hostFile(t, host, f.Path).Content, hostFile(t, host, f.Path).Size
				needs = append(needs, librariesOf(t, host)...)
			} else {
				if text == "" {
					text = "# " + f.Path + "\n"
				}
				if strings.Contains(path.Dir(f.Path)+"/", "bin/") {
					text = "#!/bin/sh\n" + strings.TrimPrefix(text, "#!/bin/sh\n")
				}
				file.Content, file.Size = rpmwrite.Bytes([]byte(text)), int64(len(text))
			}
		}
		s.Files = append(s.Files, file)
	}
	if s.Scripts, err = h.Scripts(); err != nil {
		t.Fatal(err)
	}
	return s, needs
}

// hostFile is a file of this machine at another path.
func hostFile(t *testing.T, host, at string) rpmwrite.File {
	t.Helper()
	data, err := os.ReadFile(host)
	if err != nil {
		t.Fatal(err)
	}
	f := rpmwrite.Text(at, string(data))
	f.Mode = rpm.ModeRegular | 0o755
	return f
}

// librariesOf are those that a program of this machine needs, without the loader.
func librariesOf(t *testing.T, program string) []string {
	t.Helper()
	out, err := exec.Command("ldd", program).Output()
	if err != nil {
		return nil // it is linked statically, or is the loader itself
	}
	var libs []string
	for _, m := range regexp.MustCompile(`=> (/\S+)`).FindAllStringSubmatch(string(out), -1) {
		libs = append(libs, m[1])
	}
	return libs
}

// ranScripts gathers the names of scripts that a builder says it ran.
type ranScripts struct {
	slog.Handler
	mu  sync.Mutex
	ran []string
}

func (r *ranScripts) Handle(ctx context.Context, rec slog.Record) error {
	if rec.Message == "script ran" {
		rec.Attrs(func(a slog.Attr) bool {
			if a.Key == "script" {
				r.mu.Lock()
				r.ran = append(r.ran, a.Value.String())
				r.mu.Unlock()
			}
			return true
		})
	}
	return r.Handler.Handle(ctx, rec)
}

// TestFedora35 installs a whole Fedora 35 container by rpm and here. Every script that rpm would run is
// run, none is left out, and the roots are the same.
func TestFedora35(t *testing.T) {
	oracle.Need(t, "rpm", "umoci", "useradd", "groupadd", "update-alternatives")
	needStatic(t)
	if os.Geteuid() != 0 {
		oracle.Missing(t, "rpm --root needs root: run this test as root")
	}
	packages := build(t, fedora35(t)...)
	if len(packages) != 137 {
		t.Fatalf("%d packages", len(packages))
	}
	b := builder(t)
	seen := &ranScripts{Handler: b.Log.Handler()}
	b.Log = slog.New(seen)
	ours := unpacked(t, base(t, b, packages))
	plan, err := os.ReadFile("script/testdata/fedora35.txt")
	if err != nil {
		t.Fatal(err)
	}
	sorted := func(lines []string) []string { return slices.Sorted(slices.Values(lines)) }
	if diff := cmp.Diff(sorted(strings.Split(strings.TrimSpace(string(plan)), "\n")), sorted(seen.ran)); diff != "" {
		t.Errorf("scripts that ran (-planned +ran):\n%s", diff)
	}
	theirs := installed(t, inOrderOf(t, ours, packages), "--noorder")
	want, got := survey(t, theirs), survey(t, ours)
	if len(want) < 8000 {
		t.Errorf("rpm's root has only %d paths", len(want))
	}
	classes := map[string]int{}
	for _, path := range slices.Sorted(keys(want, got)) {
		if want[path] == got[path] {
			continue
		}
		class := classOf(want[path], got[path])
		// A file that a script wrote to without changing it keeps its time here.
		left := class == "time" || strings.HasPrefix(path, "/run/") || strings.HasPrefix(path, "/var/log/")
		if left || expected(path, want[path], got[path], buildTime) {
			classes[class+", expected"]++
			continue
		}
		classes[class]++
		t.Errorf("%s: %s\n  rpm:  %s\n  ours: %s", class, path, want[path], got[path])
	}
	for _, class := range slices.Sorted(maps.Keys(classes)) {
		t.Logf("%s: %d of %d paths", class, classes[class], len(want))
	}
	for path, part := range map[string]string{
		"/usr/lib64/libnssckbi.so":                          "-> /etc/alternatives/", // update-alternatives
		"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem": "@",                     // update-ca-trust
		"/etc/ld.so.cache":                                  "",                      // ldconfig, of a file trigger
		"/proc":                                             "dr-xr-xr-x",            // the pretrans script of filesystem
	} {
		if got[path] == "" || !strings.Contains(got[path], part) {
			t.Errorf("%s is %q", path, got[path])
		}
	}
	for _, root := range []string{ours, theirs} {
		if data, err := os.ReadFile(filepath.Join(root, "etc/passwd")); err != nil || !strings.Contains(string(data), "\ntss:x:59:59:") {
			t.Errorf("%s/etc/passwd lacks tss: %v\n%s", root, err, data)
		}
	}
}
