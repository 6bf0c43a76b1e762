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
		{macroset.Target{}, "%global version 1\n%global release 2\n%py_provides python3-x", "Provides: python3-x = 1-2\nProvides: python-x = 1-2\nProvides: python3.14-x = 1-2\n"},
		{macroset.Target{}, "%global version 1.0~rc1\n%{pypi_source foo}", "foo-1.0rc1.tar.gz"},
	} {
		got, err := macroset.Engine(tt.target, nil).Expand(tt.text)
		if err != nil || got != tt.want {
			t.Errorf("%+v: %q is %q (%v), want %q", tt.target, tt.text, got, err, tt.want)
		}
	}
}

func TestOverrides(t *testing.T) {
	e := macroset.Engine(macroset.Target{Release: "fedora-43"}, map[string]string{"dist": ".mine", "own": "%{dist}1"})
	if got, err := e.Expand("%{dist} %{own}"); err != nil || got != ".mine .mine1" {
		t.Errorf("got %q, %v", got, err)
	}
}

func BenchmarkEngine(b *testing.B) {
	for b.Loop() {
		macroset.Engine(macroset.Target{Release: "fedora-43"}, nil)
	}
}
