package rpmwrite_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// sampleSpec is a spec file whose package is what sample describes.
const sampleSpec = `
%global debug_package %{nil}
%define __spec_install_post %{nil}
%define _build_id_links none
%define _binary_payload w3.gzdio
%define __script_requires %{nil}
Name: sample
Epoch: 1
Version: 2.0~rc1
Release: 3
Summary: A sample
License: MIT
Group: Unspecified
Provides: virtual = 2
Requires: foo >= 1:2-3
Requires: (a or b)
Conflicts: bad < 2
Obsoletes: old <= 1-1
Recommends: nice
%description
A sample.
%install
mkdir -p %{buildroot}/etc %{buildroot}/usr/bin %{buildroot}/usr/share/sample
echo "key = value" > %{buildroot}/etc/sample.conf
echo "#!/bin/sh" > %{buildroot}/usr/bin/sample
printf shared > %{buildroot}/usr/share/sample/a
ln %{buildroot}/usr/share/sample/a %{buildroot}/usr/share/sample/b
touch %{buildroot}/usr/share/sample/empty
ln -s ../sample/a %{buildroot}/usr/share/sample/link
%files
%config(noreplace) %attr(640,root,root) /etc/sample.conf
%caps(cap_net_raw=ep) %attr(755,root,root) /usr/bin/sample
%dir %attr(755,root,root) /usr/share/sample
%attr(644,root,root) /usr/share/sample/a
%attr(644,root,root) /usr/share/sample/b
%attr(600,root,root) /usr/share/sample/empty
/usr/share/sample/link
%ghost %attr(644,root,root) /var/log/sample.log
%pretrans -p <lua>
print('pretrans')
%pre
echo pre $1
%post -p /sbin/ldconfig
%preun -p "/bin/sh -e"
echo preun
%postun
echo postun
%posttrans
echo posttrans
%verifyscript
echo verify
%triggerprein -- bar
echo prein
%triggerin -- bar < 2, baz
echo in
%triggerun -p <lua> -- bar = 1:1-1
print(1)
%triggerpostun -- bar
echo postun
%filetriggerin -P 5 -- /usr/lib, /usr/lib64
echo file in
%filetriggerun -- /usr/lib
echo file un
%transfiletriggerin -- /usr/lib
echo trans in
%transfiletriggerpostun -p <lua> -- /usr/lib
print(2)
`

// rpmTool runs rpm, or a program like it, with a database of its own.
func rpmTool(t testing.TB, db, tool string, args ...string) string {
	t.Helper()
	cmd := exec.Command(tool, append([]string{"--define", "_dbpath " + db}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s%s", tool, args, err, out, stderr.Bytes())
	}
	return string(out)
}

// TestAgainstRpmbuild compares with what rpmbuild makes of the same package,
// in all that rpm can be asked about.
func TestAgainstRpmbuild(t *testing.T) {
	oracle.Need(t, "rpm", "rpmbuild")
	dir := t.TempDir()
	specFile := filepath.Join(dir, "sample.spec")
	if err := os.WriteFile(specFile, []byte(sampleSpec), 0o644); err != nil {
		t.Fatal(err)
	}
	rpmTool(t, dir, "rpmbuild", "--quiet", "--define", "_topdir "+dir, "--target", "x86_64", "-bb", specFile)
	theirs := filepath.Join(dir, "RPMS", "x86_64", "sample-2.0~rc1-3.x86_64.rpm")
	ours := filepath.Join(dir, "ours.rpm")
	spec := sample(t)
	spec.Compression, spec.Level = "gzip", 3
	if err := rpmwrite.WriteFile(ours, spec); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{
		"%{NEVRA} %{SUMMARY} %{DESCRIPTION} %{LICENSE} %{GROUP} %{SOURCERPM} %{SIZE} %{PAYLOADFORMAT} %{PAYLOADCOMPRESSOR} %{PAYLOADFLAGS} %{OS} %{ENCODING} %{FILEDIGESTALGO}\n",
		"[%{PROVIDENEVRS} %{PROVIDEFLAGS}\n]", "[%{REQUIRENEVRS} %{REQUIREFLAGS}\n]",
		"[%{CONFLICTNEVRS} %{CONFLICTFLAGS}\n]", "[%{OBSOLETENEVRS} %{OBSOLETEFLAGS}\n]", "[%{RECOMMENDNEVRS} %{RECOMMENDFLAGS}\n]",
		"[%{FILENAMES} %{FILEMODES:octal} %{FILEUSERNAME} %{FILEGROUPNAME} %{FILEDIGESTS} %{FILELINKTOS} %{FILEFLAGS} %{FILEVERIFYFLAGS} %{FILECAPS} %{FILENLINKS}\n]",
		"[%{FILENAMES} %{FILESIZES}\n]",
		"%{PREIN} %{PREINPROG} %{POSTIN} %{POSTINPROG} %{PREUN} [%{PREUNPROG} ]%{POSTUN} %{POSTTRANS} %{PRETRANS} %{PRETRANSPROG} %{VERIFYSCRIPT}\n",
		"[%{TRIGGERSCRIPTS} %{TRIGGERSCRIPTPROG} %{TRIGGERSCRIPTFLAGS}\n]", "[%{TRIGGERNAME} %{TRIGGERFLAGS} %{TRIGGERVERSION} %{TRIGGERINDEX}\n]",
		"[%{FILETRIGGERSCRIPTS} %{FILETRIGGERSCRIPTPROG} %{FILETRIGGERPRIORITIES}\n]", "[%{FILETRIGGERNAME} %{FILETRIGGERFLAGS} %{FILETRIGGERVERSION} %{FILETRIGGERINDEX}\n]",
		"[%{TRANSFILETRIGGERSCRIPTS} %{TRANSFILETRIGGERSCRIPTPROG} %{TRANSFILETRIGGERPRIORITIES}\n]", "[%{TRANSFILETRIGGERNAME} %{TRANSFILETRIGGERFLAGS} %{TRANSFILETRIGGERVERSION} %{TRANSFILETRIGGERINDEX}\n]",
	} {
		want := rpmTool(t, dir, "rpm", "-qp", "--qf", query, theirs)
		got := rpmTool(t, dir, "rpm", "-qp", "--qf", query, ours)
		if diff := cmp.Diff(withoutDirs(want), withoutDirs(got)); diff != "" {
			t.Errorf("%s (-rpmbuild +got):\n%s", query, diff)
		}
	}
	for _, option := range []string{"--scripts", "--triggers", "--filetriggers"} {
		want := rpmTool(t, dir, "rpm", "-qp", option, theirs)
		got := rpmTool(t, dir, "rpm", "-qp", option, ours)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-rpmbuild +got):\n%s", option, diff)
		}
	}
}

// withoutDirs drops the size of the directory, which is the build machine's
// file system's.
func withoutDirs(s string) []string {
	var lines []string
	for line := range strings.Lines(s) {
		if !strings.HasPrefix(line, "/usr/share/sample 4096") && !strings.HasPrefix(line, "/usr/share/sample 0") {
			lines = append(lines, line)
		}
	}
	return lines
}

// TestInstall installs packages of every form with rpm, signed, and has rpm
// verify what is there.
func TestInstall(t *testing.T) {
	oracle.Need(t, "rpm", "rpmkeys")
	if os.Geteuid() != 0 {
		oracle.Missing(t, "installing into a root needs root")
	}
	rsa, err := rpmwrite.NewSigner("RSA <rsa@example.com>", time.Unix(built, 0))
	if err != nil {
		t.Fatal(err)
	}
	ed, err := rpmwrite.NewEd25519Signer("Ed <ed@example.com>", time.Unix(built, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		compression string
		large       bool
		key         *rpmwrite.Signer
	}{
		{"zstd", false, rsa}, {"zstd", true, ed}, {"gzip", false, rsa}, {"gzip", true, rsa}, {"xz", false, ed}, {"lzma", false, rsa}, {"none", false, rsa},
	} {
		t.Run(fmt.Sprintf("%s, large %v", test.compression, test.large), func(t *testing.T) {
			dir := t.TempDir()
			spec := sample(t)
			spec.Compression, spec.LargeFiles, spec.Key = test.compression, test.large, test.key
			file, key := filepath.Join(dir, "x.rpm"), filepath.Join(dir, "key")
			if err := rpmwrite.WriteFile(file, spec); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(key, test.key.PublicKey(), 0o644); err != nil {
				t.Fatal(err)
			}
			root := filepath.Join(dir, "root")
			if err := os.Mkdir(root, 0o755); err != nil {
				t.Fatal(err)
			}
			const db = "/var/lib/rpm"
			rpmTool(t, db, "rpmkeys", "--root", root, "--import", key)
			rpmTool(t, db, "rpmkeys", "--root", root, "--define", "_pkgverify_level all", "-K", file)
			rpmTool(t, db, "rpm", "--root", root, "--define", "_pkgverify_level all", "--nodeps", "--noscripts", "--notriggers", "-i", file)
			rpmTool(t, db, "rpm", "--root", root, "--nodeps", "--noscripts", "-V", "sample")
			if got := rpmTool(t, db, "rpm", "--root", root, "-q", "sample"); got != "sample-2.0~rc1-3.x86_64\n" {
				t.Errorf("installed is %q", got)
			}
			checkInstalled(t, root)
		})
	}
}

func checkInstalled(t *testing.T, root string) {
	data, err := os.ReadFile(filepath.Join(root, "etc/sample.conf"))
	if err != nil || string(data) != "key = value\n" {
		t.Errorf("the configuration is %q, %v", data, err)
	}
	a, errA := os.Stat(filepath.Join(root, "usr/share/sample/a"))
	b, errB := os.Stat(filepath.Join(root, "usr/share/sample/b"))
	if errA != nil || errB != nil || !os.SameFile(a, b) || a.ModTime().Unix() != built-100 {
		t.Errorf("hard links: %v, %v", errA, errB)
	}
	if target, err := os.Readlink(filepath.Join(root, "usr/share/sample/link")); target != "../sample/a" {
		t.Errorf("the link goes to %q, %v", target, err)
	}
	if _, err := os.Lstat(filepath.Join(root, "var/log/sample.log")); err == nil {
		t.Error("the ghost was made")
	}
}

// TestScriptsRun has rpm run scripts and triggers of every kind.
func TestScriptsRun(t *testing.T) {
	oracle.Need(t, "rpm")
	if os.Geteuid() != 0 {
		oracle.Missing(t, "installing into a root needs root")
	}
	dir := t.TempDir()
	lua := func(kind rpm.ScriptKind, conditions ...string) rpm.Script {
		return rpm.Script{Kind: kind, Program: []string{"<lua>"}, Body: "print('" + kind.String() + "')",
			Conditions: deps(t, conditions...), Priority: rpm.DefaultPriority}
	}
	spec := rpmwrite.Spec{
		Name: "runs", EVR: rpm.EVR{Version: "1", Release: "1"}, Arch: "noarch",
		Files: []rpmwrite.File{rpmwrite.Text("/usr/lib/runs", "x")},
		Scripts: []rpm.Script{
			lua(rpm.ScriptPreTrans), lua(rpm.ScriptPre), lua(rpm.ScriptPost), lua(rpm.ScriptPreUn), lua(rpm.ScriptPostUn), lua(rpm.ScriptPostTrans),
			lua(rpm.ScriptTriggerIn, "runs"), lua(rpm.ScriptFileTriggerIn, "/usr/lib"), lua(rpm.ScriptTransFileTriggerIn, "/usr/lib"),
		},
	}
	file, root := filepath.Join(dir, "runs.rpm"), filepath.Join(dir, "root")
	if err := rpmwrite.WriteFile(file, spec); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(root, 0o755); err != nil {
		t.Fatal(err)
	}
	const db = "/var/lib/rpm"
	installed := strings.Fields(rpmTool(t, db, "rpm", "--root", root, "-i", file))
	// A file trigger of high priority comes before %post. The package's own
	// trigger is run twice: for its being installed, and for its being there.
	want := []string{"%pretrans", "%pre", "%filetriggerin", "%post", "%triggerin", "%posttrans", "%transfiletriggerin"}
	if diff := cmp.Diff(want, slices.Compact(installed)); diff != "" {
		t.Errorf("installing runs (-want +got):\n%s", diff)
	}
	removed := strings.Fields(rpmTool(t, db, "rpm", "--root", root, "-e", "runs"))
	if diff := cmp.Diff([]string{"%preun", "%postun"}, removed); diff != "" {
		t.Errorf("removing runs (-want +got):\n%s", diff)
	}
}
