package script

import (
	"database/sql"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite" // reads the database

	"github.com/slipway-build/slipway/internal/rpm"
)

// fedora reads the headers of a Fedora 35 container, which go-rpmdb has in its test data.
func fedora(t *testing.T) []Package {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/knqyf263/go-rpmdb").Output()
	if err != nil {
		t.Fatalf("finding go-rpmdb's test data: %v", err)
	}
	file := filepath.Join(strings.TrimSpace(string(out)), "pkg/testdata/fedora35/rpmdb.sqlite")
	db, err := sql.Open("sqlite", "file:"+file+"?mode=ro&immutable=1")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT blob FROM Packages ORDER BY hnum")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var packages []Package
	for rows.Next() {
		var blob []byte
		if err := rows.Scan(&blob); err != nil {
			t.Fatal(err)
		}
		h, err := rpm.ParseHeader(blob)
		if err != nil {
			t.Fatal(err)
		}
		n := h.NEVRA()
		if n.Name == "gpg-pubkey" {
			continue
		}
		p := Package{Name: n.String(), Short: n.Name, EVR: n.EVR, Requires: h.Requires(), Provides: h.Provides()}
		if p.Files, err = h.Files(); err != nil {
			t.Fatal(err)
		}
		if p.Scripts, err = h.Scripts(); err != nil {
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
	return packages
}

// TestFedora plans a real distribution's packages. The steps are kept, with what stops a build.
func TestFedora(t *testing.T) {
	packages := fedora(t)
	if len(packages) != 137 {
		t.Fatalf("%d packages", len(packages))
	}
	var ordered []Package
	for _, i := range Order(packages) {
		ordered = append(ordered, packages[i])
	}
	place := map[string]int{}
	for i, p := range ordered {
		place[p.Short] = i
	}
	// What everything else stands on came first when dnf made this container.
	for _, pair := range []string{"setup filesystem", "filesystem glibc", "glibc coreutils", "coreutils ca-certificates", "shadow-utils tpm2-tss", "rpm dnf"} {
		a, b, _ := strings.Cut(pair, " ")
		if place[a] >= place[b] {
			t.Errorf("%s is installed after %s", a, b)
		}
	}
	steps, _ := Plan(ordered, false)
	steps = append(PreTrans(ordered), steps...)
	var got strings.Builder
	for _, s := range steps {
		got.WriteString(s.String())
		if err := check(&s); err != nil {
			reason, _, _ := strings.Cut(err.Error(), ",")
			got.WriteString(": " + reason)
		}
		got.WriteString("\n")
	}
	const golden = "testdata/fedora35.txt"
	if os.Getenv("SLIPWAY_UPDATE") != "" {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Errorf("the plan differs from %s:\n%s", golden, diff)
	}
}
