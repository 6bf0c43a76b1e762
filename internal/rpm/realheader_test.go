package rpm_test

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/knqyf263/go-rpmdb/pkg/bdb"
	rpmdb "github.com/knqyf263/go-rpmdb/pkg/db"
	"github.com/knqyf263/go-rpmdb/pkg/ndb"
	"github.com/knqyf263/go-rpmdb/pkg/sqlite3"
	_ "modernc.org/sqlite"

	"github.com/slipway-build/slipway/internal/rpm"
)

// realHeaders reads the headers of real distributions' packages, from the
// databases that go-rpmdb has in its test data.
func realHeaders(t testing.TB, name string) [][]byte {
	t.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/knqyf263/go-rpmdb").Output()
	if err != nil {
		t.Fatalf("finding go-rpmdb's test data: %v", err)
	}
	path := filepath.Join(strings.TrimSpace(string(out)), "pkg", "testdata", filepath.FromSlash(name))
	var db rpmdb.RpmDBInterface
	switch filepath.Base(path) {
	case "rpmdb.sqlite":
		db, err = sqlite3.Open(path)
	case "Packages.db":
		db, err = ndb.Open(path)
	default:
		db, err = bdb.Open(path)
	}
	if err != nil {
		t.Fatal(err)
	}
	var blobs [][]byte
	for entry := range db.Read() {
		if entry.Err != nil {
			t.Fatal(entry.Err)
		}
		blobs = append(blobs, slices.Clone(entry.Value))
	}
	return blobs
}

// TestRealHeaders reads all there is in the headers of real packages, from
// CentOS 5 to Fedora.
func TestRealHeaders(t *testing.T) {
	for name, want := range map[string]int{
		"fedora35/rpmdb.sqlite":            137,
		"cbl-mariner-2.0/rpmdb.sqlite":     100,
		"sle15-bci/Packages.db":            30,
		"centos8-modularitylabel/Packages": 200,
		"ubi8-s390x/Packages":              100,
		"centos7-plain/Packages":           130,
		"centos5-plain/Packages":           80,
	} {
		t.Run(strings.Split(name, "/")[0], func(t *testing.T) {
			count, scripts, rich := 0, 0, 0
			for _, blob := range realHeaders(t, name) {
				h, err := rpm.ParseHeader(blob)
				if err != nil {
					t.Error(err)
					continue
				}
				if h.String(rpm.TagName) == "gpg-pubkey" {
					continue // a trusted key in the shape of a package
				}
				count++
				s, r := readAll(t, h)
				scripts += s
				rich += r
			}
			t.Logf("%d packages, %d scripts, %d rich dependencies", count, scripts, rich)
			if count < want {
				t.Errorf("only %d packages", count)
			}
		})
	}
}

func readAll(t *testing.T, h *rpm.Header) (scripts, rich int) {
	t.Helper()
	nevra := h.NEVRA()
	if again, err := rpm.ParseNEVRA(nevra.String()); err != nil || again != nevra {
		t.Errorf("%s is read back as %v, %v", nevra, again, err)
	}
	files, err := h.Files()
	if err != nil {
		t.Errorf("%s: %v", nevra, err)
	}
	if !slices.IsSortedFunc(files, func(a, b rpm.File) int { return strings.Compare(a.Path, b.Path) }) {
		t.Logf("%s: its files are not sorted", nevra)
	}
	list, err := h.Scripts()
	if err != nil {
		t.Errorf("%s: %v", nevra, err)
	}
	for _, all := range [][]rpm.Dependency{h.Provides(), h.Requires(), h.Conflicts(), h.Obsoletes(),
		h.Recommends(), h.Suggests(), h.Supplements(), h.Enhances()} {
		for _, d := range all {
			if d.IsRich() {
				rich++
			}
			if again, err := rpm.ParseDependency(d.String()); err != nil || again.String() != d.String() {
				t.Errorf("%s: dependency %q is read back as %q, %v", nevra, d, again, err)
			}
		}
	}
	return len(list), rich
}
