package rpmdb_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rpmreader "github.com/knqyf263/go-rpmdb/pkg"
	_ "modernc.org/sqlite"

	"github.com/slipway-build/slipway/internal/image/rpmdb"
	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
)

// build makes the packages of testdata with rpmbuild and gives their paths.
func build(t *testing.T) []string {
	t.Helper()
	oracle.Need(t, "rpmbuild", "rpm")
	top := t.TempDir()
	var out []string
	for _, name := range []string{"alpha", "beta"} {
		cmd := exec.Command("rpmbuild", "-bb", "--quiet", "--define", "_topdir "+top, "--define", "_rpmdir "+top, filepath.Join("testdata", name+".spec"))
		if b, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("rpmbuild: %v\n%s", err, b)
		}
		out = append(out, filepath.Join(top, "noarch", name+"-1.0-1.noarch.rpm"))
	}
	return out
}

const installTime = 1700000000

// ours writes a database of the packages into a root and gives the root.
func ours(t *testing.T, rpms []string) string {
	t.Helper()
	var packages []rpmdb.Installed
	for _, path := range rpms {
		p, err := rpm.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		packages = append(packages, rpmdb.Installed{
			Header: p.Header, Signature: p.Signature,
			States: make([]byte, len(p.Strings(rpm.TagBaseNames))),
		})
	}
	root := t.TempDir()
	dir := filepath.Join(root, rpmdb.OldLocation)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := rpmdb.Write(t.Context(), filepath.Join(dir, rpmdb.FileName), packages, installTime); err != nil {
		t.Fatal(err)
	}
	return root
}

func run(t *testing.T, root string, args ...string) string {
	t.Helper()
	args = append([]string{"--root", root, "--dbpath", rpmdb.OldLocation}, args...)
	var stderr bytes.Buffer
	cmd := exec.Command("rpm", args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("rpm %s: %v\n%s%s", strings.Join(args, " "), err, out, &stderr)
	}
	return string(out)
}

// TestSameAsRPM holds every table and every header against the database that rpm itself makes of
// the same packages.
func TestSameAsRPM(t *testing.T) {
	rpms := build(t)
	if os.Geteuid() != 0 {
		t.Skip("rpm --root needs root")
	}
	theirs := t.TempDir()
	if err := os.MkdirAll(filepath.Join(theirs, rpmdb.OldLocation), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range rpms { // one by one, as the order of one call is rpm's choice
		out, err := exec.Command("rpm", "--root", theirs, "--dbpath", rpmdb.OldLocation, "-i", "--justdb",
			"--nodeps", "--noscripts", "--notriggers", "--nosignature", path).CombinedOutput()
		if err != nil {
			t.Fatalf("rpm -i: %v\n%s", err, out)
		}
	}
	want, got := dump(t, theirs), dump(t, ours(t, rpms))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("database differs from rpm's (-rpm +ours):\n%s", diff)
	}
}

// dump gives the schema and all rows as text, headers tag by tag, with the times of installation
// taken out.
func dump(t *testing.T, root string) []string {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(root, rpmdb.OldLocation, rpmdb.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var out []string
	each := func(query string, columns int, use func(v []any)) {
		rows, err := db.Query(query)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		defer rows.Close()
		for rows.Next() {
			v, at := make([]any, columns), make([]any, columns)
			for i := range v {
				at[i] = &v[i]
			}
			if err := rows.Scan(at...); err != nil {
				t.Fatal(err)
			}
			use(v)
		}
	}
	var tables []string
	each("SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'", 3, func(v []any) {
		out = append(out, fmt.Sprintf("%v %v %v", v...))
		if v[0] == "table" && v[1] != "Packages" && v[1] != "sqlite_sequence" && v[1] != "Installtid" {
			tables = append(tables, v[1].(string))
		}
	})
	slices.Sort(out)
	slices.Sort(tables)
	for _, name := range tables {
		each("SELECT rowid, key, hnum, idx FROM '"+name+"'", 4, func(v []any) {
			out = append(out, fmt.Sprintf("%s: %v %q %v %v", name, v[0], v[1], v[2], v[3]))
		})
	}
	each("SELECT hnum, blob FROM Packages ORDER BY hnum", 2, func(v []any) {
		h, err := rpm.ParseHeader(v[1].([]byte))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range h.Entries() {
			if e.Tag == rpm.TagInstallTime || e.Tag == rpm.TagInstallTID {
				e.Data = nil
			}
			out = append(out, fmt.Sprintf("header %v: %d %d %d %x", v[0], e.Tag, e.Type, e.Count, e.Data))
		}
	})
	return out
}

func TestRPMReadsIt(t *testing.T) {
	root := ours(t, build(t))
	for _, c := range []struct {
		want string
		args []string
	}{
		{"alpha 1700000000 1700000000\nbeta 1700000000 1700000000\n", []string{"-qa", "--qf", "%{NAME} %{INSTALLTIME} %{INSTALLTID}\n"}},
		{"alpha-1.0-1.noarch\n", []string{"-qf", "/usr/bin/capable"}},
		{"/usr/bin/beta\n", []string{"-ql", "beta"}},
		{"beta-1.0-1.noarch\n", []string{"-q", "--whatrequires", "alpha"}},
		{"alpha-1.0-1.noarch\n", []string{"-q", "--whatprovides", "virt(a)"}},
		{"normal        /usr/bin/beta\n", []string{"-qs", "beta"}},
		{"", []string{"-V", "--nofiles", "--nodeps", "--noscripts", "alpha", "beta"}},
	} {
		if got := run(t, root, c.args...); got != c.want {
			t.Errorf("rpm %s: got %q, want %q", strings.Join(c.args, " "), got, c.want)
		}
	}
}

// TestScannersReadIt reads the database as Trivy does.
func TestScannersReadIt(t *testing.T) {
	root := ours(t, build(t))
	db, err := rpmreader.Open(filepath.Join(root, rpmdb.OldLocation, rpmdb.FileName))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	list, err := db.ListPackages()
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 2 || list[0].Name != "alpha" || *list[0].Epoch != 2 || list[0].SourceRpm != "alpha-1.0-1.src.rpm" {
		t.Fatalf("got %+v", list)
	}
	files, err := list[0].InstalledFileNames()
	if err != nil || !slices.Contains(files, "/etc/alpha/a.conf") {
		t.Errorf("files %v, %v", files, err)
	}
}

func TestSameBytes(t *testing.T) {
	rpms := build(t)
	var first []byte
	for range 2 {
		b, err := os.ReadFile(filepath.Join(ours(t, rpms), rpmdb.OldLocation, rpmdb.FileName))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = b
		}
		if !bytes.Equal(first, b) {
			t.Error("two databases of the same packages differ")
		}
	}
}

func TestLocation(t *testing.T) {
	dir := func(p string) []rpm.File { return []rpm.File{{Path: p, Mode: rpm.ModeDirectory | 0o755}} }
	for _, c := range []struct {
		files [][]rpm.File
		want  string
	}{
		{nil, "/var/lib/rpm"},
		{[][]rpm.File{dir("/var/lib/rpm")}, "/var/lib/rpm"},
		{[][]rpm.File{dir("/var/lib/rpm"), dir("/usr/lib/sysimage/rpm")}, "/usr/lib/sysimage/rpm"},
		{[][]rpm.File{{{Path: "/var/lib/rpm", Mode: rpm.ModeLink | 0o777, Link: "../../usr/lib/sysimage/rpm"}}}, "/var/lib/rpm"},
	} {
		if got := rpmdb.Location(c.files); got != c.want {
			t.Errorf("%v: got %s, want %s", c.files, got, c.want)
		}
	}
}
