package convert

import (
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/tools/universe/internal/debtest"
)

// TestRich converts some of the packages that a rich universe adds things to.
func TestRich(t *testing.T) {
	debs := []debtest.Package{
		{Control: "Package: curl\nVersion: 7.88\n"},
		{Control: "Package: libcurl4\nVersion: 7.88\n"},
		{Control: "Package: cron\nVersion: 3\n", Files: map[string]string{"/etc/cron.d/x": ""}},
		{Control: "Package: tzdata\nVersion: 2025\n"},
		{Control: "Package: nano\nVersion: 7\n"},
		{Control: "Package: git\nVersion: 2\n"},
		{Control: "Package: locales\nVersion: 2\n"},
	}
	plain, rich := specs(t, Options{}, debs...), specs(t, Options{Rich: true}, debs...)
	if n := len(plain["cron"].Scripts) + len(plain["curl"].Requires) + len(plain["nano"].Conflicts); n != 1 { // filesystem
		t.Errorf("%d of these are in a plain universe", n-1)
	}
	if got := texts(rich["curl"].Requires); !slices.Contains(got, "(libcurl4 without libcurl-minimal)") {
		t.Errorf("curl requires %q", got)
	}
	if got := texts(rich["git"].Requires); slices.ContainsFunc(got, func(s string) bool { return strings.Contains(s, "openssh") }) {
		t.Errorf("git requires %q, which the universe does not hold", got)
	}
	if got := texts(rich["git"].Recommends); !slices.Contains(got, "(less if bash else nano)") {
		t.Errorf("git recommends %q", got)
	}
	if got := texts(rich["nano"].Conflicts); !slices.Equal(got, []string{"(vim-tiny unless vim)"}) {
		t.Errorf("nano conflicts with %q", got)
	}
	if got := texts(rich["locales"].Supplements); !slices.Equal(got, []string{"libc6"}) {
		t.Errorf("locales supplements %q", got)
	}
	if got := texts(rich["curl-minimal"].Conflicts); !slices.Equal(got, []string{"curl"}) {
		t.Errorf("curl-minimal conflicts with %q", got)
	}
	for name, kinds := range map[string][]rpm.ScriptKind{
		"cron": {rpm.ScriptPreUn, rpm.ScriptPostUn, rpm.ScriptFileTriggerIn}, "tzdata": {rpm.ScriptPostTrans},
	} {
		for _, kind := range kinds {
			if !slices.ContainsFunc(rich[name].Scripts, func(s rpm.Script) bool { return s.Kind == kind }) {
				t.Errorf("%s has no %s", name, kind)
			}
		}
	}
}
