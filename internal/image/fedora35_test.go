package image_test

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // reads the database

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// fedora35 rebuilds packages of a Fedora 35 container from their headers, which go-rpmdb has in its
// test data: their files, with made-up contents, and their scripts.
func fedora35(t *testing.T, wanted ...string) []rpmwrite.Spec {
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
	specs := make([]rpmwrite.Spec, len(wanted))
	for rows.Next() {
		var blob []byte
		if err := rows.Scan(&blob); err != nil {
			t.Fatal(err)
		}
		h, err := rpm.ParseHeader(blob)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.Index(wanted, h.NEVRA().Name)
		if i < 0 {
			continue
		}
		specs[i] = rebuilt(t, h)
		if i > 0 {
			specs[i].Requires = requires(wanted[i-1])
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return specs
}

// rebuilt has the scripts that rpm's own Lua runs: they need no program.
func rebuilt(t *testing.T, h *rpm.Header) rpmwrite.Spec {
	t.Helper()
	n := h.NEVRA()
	s := rpmwrite.Spec{Name: n.Name, EVR: n.EVR, Arch: n.Arch}
	files, err := h.Files()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasPrefix(f.Path, "/usr/lib/.build-id") {
			continue
		}
		file := rpmwrite.File{Path: f.Path, Mode: f.Mode, Flags: f.Flags, Link: f.Link}
		if f.IsRegular() {
			text := f.Path + "\n"
			file.Content, file.Size = rpmwrite.Bytes([]byte(text)), int64(len(text))
		}
		s.Files = append(s.Files, file)
	}
	scripts, err := h.Scripts()
	if err != nil {
		t.Fatal(err)
	}
	for _, script := range scripts {
		if script.IsLua() {
			s.Scripts = append(s.Scripts, script)
		}
	}
	return s
}

// TestFedora35Lua runs every script in Lua of a Fedora 35 container, by rpm and here.
func TestFedora35Lua(t *testing.T) {
	oracle.Need(t, "rpm", "umoci")
	needStatic(t)
	if os.Geteuid() != 0 {
		oracle.Missing(t, "rpm --root needs root: run this test as root")
	}
	specs := fedora35(t, "setup", "filesystem", "libgcc", "crypto-policies", "glibc", "bash")
	count := 0
	for _, s := range specs {
		count += len(s.Scripts)
	}
	if count < 7 {
		t.Errorf("%d scripts in Lua", count)
	}
	packages := build(t, specs...)
	theirs, ours := installed(t, packages), unpacked(t, base(t, builder(t), packages))
	want, got := survey(t, theirs), survey(t, ours)
	for _, path := range slices.Sorted(keys(want, got)) {
		dropped := strings.HasPrefix(path, "/var/log/") || strings.HasPrefix(path, "/var/lib/rpm") || strings.HasPrefix(path, "/run/")
		if untimed(want[path]) != untimed(got[path]) && !dropped {
			t.Errorf("%s: %s\n  rpm:  %s\n  ours: %s", classOf(want[path], got[path]), path, want[path], got[path])
		}
	}
	if got["/bin"] == "" || got["/proc"] == "" {
		t.Error("the pretrans script of filesystem made nothing")
	}
}
