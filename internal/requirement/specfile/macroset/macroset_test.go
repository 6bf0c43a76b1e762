package macroset_test

import (
	"testing"

	"github.com/slipway-build/slipway/internal/requirement/specfile/macroset"
)

func TestReleases(t *testing.T) {
	for _, tt := range []struct {
		target macroset.Target
		text   string
		want   string
	}{
		{macroset.Target{Release: "fedora-43"}, "%{?dist} %{?fedora} %{?rhel} %{python3_version} %{?fc43}", ".fc43 43  3.14 1"},
		{macroset.Target{Release: "fedora-41"}, "%{?dist} %{python3_version_nodots} %{python3_sitelib}", ".fc41 313 /usr/lib/python3.13/site-packages"},
		{macroset.Target{Release: "fedora-rawhide"}, "%[0%{?fedora} > 43]", "1"},
		{macroset.Target{Release: "centos-stream-9"}, "%{?dist} %{?rhel} %{?centos} %{?el9} %{python3_version}", ".el9 9 9 1 3.9"},
		{macroset.Target{Release: "epel-10"}, "%{?dist} %{?epel} %{python3_version}", ".el10 10 3.12"},
		{macroset.Target{Release: "rhel-9.4"}, "%{?dist}|%{?centos}", ".el9|"},
		{macroset.Target{Release: "universe-12", Python: "3.11"}, "[%{?dist}%{?fedora}%{?rhel}] %{python3_version}", "[] 3.11"},
		{macroset.Target{Arch: "aarch64"}, "%{?_isa} %{_libdir} %{_target_cpu}", "(aarch-64) /usr/lib64 aarch64"},
		{macroset.Target{Arch: "noarch"}, "[%{?_isa}]", "[]"},
		{macroset.Target{}, "%{?_isa}%{nil}%{?nil} %{_bindir} %{_defaultdocdir}", "(x86-64) /usr/bin /usr/share/doc"},
		{macroset.Target{}, "%bcond a 1\n%bcond b 0\n%bcond_with c\n%bcond_without d\n%{with a}%{with b}%{with c}%{with d}%{without b}", "\n\n\n\n10011"},
		{macroset.Target{Release: "fedora-43"}, "%{py3_dist Foo.Bar baz[Qux]}", "python3dist(foo-bar) python3dist(baz[qux])"},
		{macroset.Target{Release: "fedora-43"}, "%global version 1\n%global release 2\n%py_provides python3-x", "Provides: python3-x = 1-2\nProvides: python-x = 1-2\nProvides: python3.14-x = 1-2\n"},
		{macroset.Target{Release: "fedora-41"}, "%{_sbindir} %sbin_merge_compat /x", "/usr/sbin "},
		{macroset.Target{Release: "fedora-42"}, "%{_sbindir} %sbin_merge_compat /x", "/usr/bin Provides: /x"},
		{macroset.Target{Release: "fedora-43"}, "%global version 5.112.3\n%majmin_ver_kf5 %maj_ver_kf6", "5.112 5"},
		{macroset.Target{}, "%global version 1.0~rc1\n%{pypi_source foo}", "foo-1.0rc1.tar.gz"},
	} {
		got, err := macroset.Engine(tt.target, nil).Expand(tt.text)
		if err != nil || got != tt.want {
			t.Errorf("%+v: %q is %q (%v), want %q", tt.target, tt.text, got, err, tt.want)
		}
	}
}

func TestDefaultPython(t *testing.T) {
	for release, want := range map[string]string{
		"fedora-39": "3.12", "fedora-40": "3.12", "fedora-41": "3.13", "fedora-42": "3.13", "fedora-43": "3.14", "fedora-44": "3.14",
		"fedora-45": "3.15", "fedora-rawhide": "3.15", "epel-8": "3.6", "epel-9": "3.9", "epel-10": "3.12", "rhel-9.4": "3.9",
		"centos-stream-9": "3.9", "centos-stream-10": "3.12", "almalinux-8": "3.6",
	} {
		if got := macroset.DefaultPython(release); got != want {
			t.Errorf("%s: %s, want %s", release, got, want)
		}
	}
}

func TestOverrides(t *testing.T) {
	e := macroset.Engine(macroset.Target{Release: "fedora-43"}, map[string]string{"dist": ".mine", "own": "%{dist}1"})
	if got, err := e.Expand("%{dist} %{own}"); err != nil || got != ".mine .mine1" {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestLoadKeepsWhatIsComputed has macro files in which the distributions write these macros in Lua.
func TestLoadKeepsWhatIsComputed(t *testing.T) {
	e, problems := macroset.Load("%py_dist_name() %{lua: x}\n%py3_dist() %{lua:\n y\n}\n%pypi_source() plain\n", nil)
	if got, err := e.Expand("%{py_dist_name A.B} %{py3_dist C} %{pypi_source}"); err != nil || got != "a-b python3dist(c) plain" || len(problems) > 0 {
		t.Errorf("got %q, %v, %v", got, err, problems)
	}
}

func BenchmarkEngine(b *testing.B) {
	for b.Loop() {
		macroset.Engine(macroset.Target{Release: "fedora-43"}, nil)
	}
}
