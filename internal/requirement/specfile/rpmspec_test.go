package specfile_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/requirement/specfile/macroset"
)

// snippets are preambles whose meaning must be what rpmspec makes of them; it refuses some. None of them runs
// anything.
var snippets = []string{
	"Requires: a>=1", "Requires: a >= ", "Requires: a => 1, b =< 2, c == 3", "Requires: d <> 4", "Requires: a >=1",
	"Requires: /bin/sh >= 1", "Requires: -a", "Requires: (a or b), (c and (d or e)) f", "Requires: (a or b) >= 2",
	"Requires: a = 1-2-3", "Requires: a = 1:2:3", "Requires: a = x:3", "Requires: a = %{nosuch}", "Requires: %{nosuch}",
	"Requires: foo%{nosuch}", "Requires:", "Requires: a,,b", "Requires: a = 0:1", "Requires: a(b c)", "Requires: a(b,c)",
	"Requires: perl(Foo::Bar) >= 1.0, pkgconfig(x)", "Requires(bogus): x", "Requires(pre): x", "Requires (pre): x",
	"requires: x", "Foo: x", "PreReq: x", "BuildPreReq: x", "BuildRequires(x): y", "Requires: a ; b",
	"Requires: a # comment", "# Requires: a", "Requires: a\\\n b", "Requires: a %{expand: b\n c}", "%if(1)\nRequires: a\n%endif",
	"%if 1 # x\nRequires: a\n%endif # b", "%if \"a\" == \"a\"\nRequires: a\n%endif # b", "%if a == a\nRequires: a\n%endif",
	"%if\nRequires: a\n%endif", "%ifarch x86_64 ppc\nRequires: a\n%endif", "%ifarch %{ix86} x86_64\nRequires: a\n%else\nRequires: c\n%endif",
	"%ifnarch x86_64\nRequires: a\n%endif", "%ifos linux\nRequires: a\n%endif", "%ifnos linux\nRequires: a\n%endif",
	"  %if 1\nRequires: a\n  %endif", "%if 0\n%if 1\nRequires: a\n%else\nRequires: b\n%endif\n%elif 1\nRequires: c\n%else\nRequires: d\n%endif",
	"%if 0\n%define x %{\n%endif\nRequires: a", "Requires: libfoo.so.1()(64bit)", "Requires: a = 1~rc1^git", "Requires: a = 1_2+3",
	"Requires: a = 1@2", "Requires: a@b", "Requires: a < 1 > 0", "Requires: ( a or b )", "Requires: (a or b",
	"Requires: (a >= 1 if b < 2 else c)", "Requires: (a  with   b)", "Requires: ((a and b))", "Requires: (a)", "Requires: (a b)",
	"Requires: (a or b and c)", "Requires: (a or b or c)", "Requires: x = 1, (a or b), y", "Requires: config(foo) = 1",
	"Requires: a = 1.0-", "Requires: a= 1", "Requires: a b = 3 c", "BuildRequires: a\nBuildRequires: a\nRequires: a\nRequires: a >= 1",
	"Requires: a\tb", "Requires: \"a\"", "Requires: _a", "Requires: .a", "Requires: a > = 1", "Requires: a = 1 = 2", "Requires: =  1",
	"Requires(pre,postun): a", "Requires(meta): a", "Requires(interp): a", "Provides(x): a", "OrderWithRequires: a",
	"BuildRequires: (a if b)", "%post\n", "%triggerin -- foo, bar > 1\necho", "%filetriggerin -- /usr\necho", "%verifyscript\necho",
	"%post -p \"/bin/bash\"\n", "%post -p /bin/true\n", "%post -p \"/bin/sh -x\"\necho", "%package x\nSummary: y\nRequires: inner\n%description x\n",
	"%{?nosuch}", "Requires: %{?nosuch}", "Requires: a,%{?nosuch}", "%bcond_with x\n%if %{with x}\nRequires: a\n%endif",
	"%bcond_without x\n%{?with_x:Requires: b}\n%if %{with x}\nRequires: a\n%endif", "%bcond x 1\n%if %{with x}\nRequires: a\n%endif",
	"%bcond y 0\n%bcond x %{with y}\n%if %{without x}\nRequires: a\n%endif", "%global x 1\n%{?x}", "%if 0%{nosuch}\n%endif",
	"%if \"%{?x}\"\nRequires: a\n%endif", "%else", "%if 0\n%else\n%else\n%endif", "%if 0\n%else\n%elif 1\n%endif", "%if 1", "%endif",
	"BuildArch: noarch\n%ifarch noarch\nRequires: a\n%endif", "%ifarch x86_64\n%global y 1\n%endif\nBuildArch: noarch\nRequires: a%{?y}%{?_isa}",
	"BuildArch: noarch\n%global dist .x%{?dist}\nRequires: a%{dist}",
	"%package -n foo\nSummary: x\n%description -n foo", "Summary(de): x", "Requires:a", "Requires :a", "Requires a",
	"Epoch: x", "Epoch: 4\nRequires: a = %{epoch}:%{version}-%{release}", "Prefix: /usr", "AutoReqProv: no",
	"%define x() Requires: %1\n%x a\n%{x b}", "%sourcelist\nhttp://x/y\n%patchlist\na.patch",
	"Source: a\nSource5: b\nSource: c\nRequires: %{basename:%{SOURCE6}} %{basename:%{S:5}}", "Patch 4: p\nSource 3: q\nRequires: %{basename:%{PATCH0}} %{basename:%{SOURCE0}}", "Patch: p\nPatch7: q\nPatch: r\nRequires: %{basename:%{PATCH8}}",
	"%if %{undefined nosuch} && ! 0%{?rhel}\nRequires: a\n%endif", "%if v\"1.2\" < v\"1.10\"\nRequires: a\n%endif",
	"%if %[ 0%{?fedora} > 30 ? 1 : 0 ]\nRequires: a\n%endif", "%dnl Requires: b\nRequires: a", "%global req() Requires: %{1}%{?2: >= %{2}}\n%req a\n%req b 2",
	"%package sub\nSummary: x\nVersion: 9\nProvides: p = %{version}\nRequires: q = %{version}\n%description sub\n%files sub",
	"%package -n lib%{name}1\nSummary: x\n%description -n lib%{name}1\n%post -n lib%{name}1\necho\n%files -n lib%{name}1",
	"%description\n%global late 1\n%package z\nSummary: z\nRequires: a%{?late}\n%description z\n%files z",
	"%{!?foo: %global foo bar}\nRequires: %{foo}", "%{?foo}%{!?foo:Requires: a}", "Requires: %{shrink: a   b }",
	"%undefine _prefix\nRequires: a%{?_prefix}", "Requires: foo = %{?epoch:%{epoch}:}%{version}-%{release}",
}

const tail = "\n%description\n%files\n"

// askRPMSpec returns what rpmspec reads, one "package: dependency" a line, sorted; ok is false when it refuses.
func askRPMSpec(t *testing.T, file, macros string) (lines []string, ok bool) {
	t.Helper()
	query := func(args ...string) (string, bool) {
		cmd := exec.CommandContext(t.Context(), "rpmspec", append([]string{"-q", "--macros", macros}, append(args, file)...)...)
		cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "HOME=" + t.TempDir()}
		out, err := cmd.Output()
		return string(out), err == nil
	}
	out, ok := query("--qf", `[%{=NAME}: %{REQUIRENEVRS}\n]`)
	if !ok {
		return nil, false
	}
	build, ok := query("--srpm", "--qf", `[build: %{REQUIRENEVRS}\n]`)
	for _, line := range strings.Split(out+build, "\n") {
		if line != "" && !strings.HasPrefix(line, "build: rpmlib(") {
			lines = append(lines, line)
		}
	}
	slices.Sort(lines)
	return lines, ok
}

func TestSnippetsMeanWhatRPMSpecSays(t *testing.T) {
	oracle.Need(t, "rpmspec")
	dir := t.TempDir()
	macros := filepath.Join(dir, "macros")
	if err := os.WriteFile(macros, []byte(macroset.Text(macroset.Target{Release: "fedora-43"})), 0o644); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "x.spec")
	for _, snippet := range snippets {
		text := head + snippet + tail
		if strings.Contains(snippet, "%description\n") {
			text = head + snippet + "\n"
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		want, accepted := askRPMSpec(t, file, macros)
		s := parse(t, text, "fedora-43")
		var got []string
		fatal := ""
		for _, pkg := range s.Packages {
			for _, d := range pkg.Requires {
				got = append(got, pkg.Name+": "+d.Text)
			}
		}
		for _, d := range s.BuildRequires {
			got = append(got, "build: "+d.Text)
		}
		for _, d := range s.Diagnostics {
			if d.Fatal {
				fatal = d.String()
			}
		}
		slices.Sort(got)
		got = slices.Compact(got)
		switch {
		case accepted && fatal != "":
			t.Errorf("%q: rpmspec accepts it, we say %s", snippet, fatal)
		case !accepted && fatal == "":
			t.Errorf("%q: rpmspec refuses it, we read %q", snippet, got)
		case accepted:
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%q (-rpmspec +ours):\n%s", snippet, diff)
			}
		}
	}
}
