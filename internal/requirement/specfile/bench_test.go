package specfile_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/requirement/specfile"
	"github.com/slipway-build/slipway/internal/requirement/specfile/macroset"
)

// makeSpec writes a spec of the size and the shapes that those of distributions have: conditionals, parametric macros,
// sub-packages, scriptlets, generated requirements, a long changelog.
func makeSpec(r *rand.Rand, n int) []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("%%global srcname project%d\n%%global commit %040x\n%%global shortcommit %%(c=%%{commit}; echo ${c:0:7})", n, r.Uint64())
	line("%%bcond_without tests\n%%bcond docs %%[0%%{?fedora} > 40]\n%%global _description %%{expand:\nProject %d does things.\nMany of them.}", n)
	line("Name: python-%%{srcname}\nVersion: %d.%d.%d\nRelease: %%autorelease\nSummary: Things\nLicense: MIT", r.IntN(9), r.IntN(30), r.IntN(9))
	line("URL: https://example.com/%%{srcname}\nSource0: %%{url}/archive/v%%{version}/%%{srcname}-%%{version}.tar.gz")
	for i := range r.IntN(12) {
		line("Patch%d: 000%d-fix.patch", i, i)
	}
	if r.IntN(2) == 0 {
		line("BuildArch: noarch")
	}
	line("BuildRequires: python%%{python3_pkgversion}-devel >= 3.9\nBuildRequires: %%{py3_dist setuptools Foo.Bar[Extra]}, gcc")
	for i := range 5 + r.IntN(40) {
		line("BuildRequires: pkgconfig(lib%d) >= %d.%d", i, r.IntN(5), r.IntN(20))
	}
	line("%%if %%{with tests} && (0%%{?fedora} >= 39 || 0%%{?rhel} > 8)\nBuildRequires: python3dist(pytest)\n%%else\nBuildRequires: old\n%%endif")
	line("%%description %%_description")
	for i := range 1 + r.IntN(8) {
		line("%%package -n python3-%%{srcname}-%d\nSummary: %%{summary}\nRequires: %%{name}%%{?_isa} = %%{?epoch:%%{epoch}:}%%{version}-%%{release}", i)
		line("%%{?python_provide:%%python_provide python3-%%{srcname}-%d}\nRequires: (a%d >= 1 with a%d < 2)\nRecommends: (b if c)", i, i, i)
		line("%%ifarch %%{ix86} x86_64\nRequires: only-here\n%%endif\n%%description -n python3-%%{srcname}-%d %%_description", i)
	}
	line("%%prep\n%%autosetup -p1 -n %%{srcname}-%%{version}\n%%generate_buildrequires\n%%pyproject_buildrequires -x test")
	line("%%build\n%%pyproject_wheel")
	for i := range 20 + r.IntN(60) {
		line("./configure --with-%d=%%{_libdir}/x%d --prefix=%%{_prefix} %%{?with_docs:--docs}", i, i)
	}
	line("%%install\n%%pyproject_install\n%%pyproject_save_files %%{srcname}\n%%check\n%%{?with_tests:%%pytest}\n%%post\n%%systemd_post x.service")
	line("%%files\n%%license LICENSE\n%%{_bindir}/%%{srcname}\n%%{_datadir}/%%{name}")
	line("%%changelog")
	for i := range 30 + r.IntN(200) {
		line("* Mon Jan 01 2024 A B <a@example.com> - 1.0-%d\n- Update to version %d (#%d)\n", i, i, r.IntN(1e6))
	}
	return []byte(b.String())
}

// BenchmarkThousandSpecs reads a thousand specs an iteration, on one core.
func BenchmarkThousandSpecs(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	specs := make([][]byte, 1000)
	size := 0
	for i := range specs {
		specs[i] = makeSpec(r, i)
		size += len(specs[i])
	}
	macros := macroset.Engine(macroset.Target{Release: "fedora-43"}, nil)
	b.SetBytes(int64(size))
	for b.Loop() {
		for _, data := range specs {
			s, err := specfile.Parse("x.spec", data, specfile.Options{Macros: macros})
			if err != nil || len(s.Diagnostics) > 0 || len(s.BuildRequires) < 8 {
				b.Fatal(err, s.Diagnostics, len(s.BuildRequires))
			}
		}
	}
}
