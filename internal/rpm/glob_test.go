package rpm_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
)

var globs = []struct {
	pattern, text string
	want          bool
}{
	{"", "", true},
	{"", "a", false},
	{"a", "", false},
	{"*", "", true},
	{"*", "a/b", true},
	{"**", "x", true},
	{"a*c", "abcbc", true},
	{"a*c", "abcbd", false},
	{"*a*b*c", "xxaxxbxxbxxc", true},
	{"python3-*", "python3-flask", true},
	{"python3-*", "python3", false},
	{"fla?k", "flask", true},
	{"fla?k", "flak", false},
	{"[a-c]x", "bx", true},
	{"[!a-c]x", "bx", false},
	{"[^a-c]x", "dx", true},
	{"[]x]", "]", true},
	{"[!]x]", "]", false},
	{"[a-]", "-", true},
	{"[-a]", "-", true},
	{"[a", "[a", true},
	{"x[", "x[", true},
	{`[\]]`, "]", true},
	{`\*`, "*", true},
	{`\*`, "a", false},
	{`a\b`, "ab", true},
	{"?", "", false},
	{"g++", "g++", true},
	{"/usr/bin/*", "/usr/bin/x/y", true},
	{"*.x86_64", "a-1-1.x86_64", true},
}

func TestGlob(t *testing.T) {
	for _, tt := range globs {
		if got := rpm.Glob(tt.pattern, tt.text); got != tt.want {
			t.Errorf("Glob(%q, %q) is %t", tt.pattern, tt.text, got)
		}
	}
}

// TestGlobAgainstBash puts the table to bash, of which case matches as fnmatch does.
func TestGlobAgainstBash(t *testing.T) {
	oracle.Need(t, "bash")
	for _, tt := range globs {
		script := `LC_ALL=C; case "$2" in $1) exit 0 ;; *) exit 1 ;; esac`
		if got := exec.Command("bash", "-c", script, "bash", tt.pattern, tt.text).Run() == nil; got != tt.want {
			t.Errorf("bash says that %q matches %q: %t", tt.pattern, tt.text, got)
		}
	}
}

func FuzzGlob(f *testing.F) {
	for _, tt := range globs {
		f.Add(tt.pattern, tt.text)
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if rpm.Glob(pattern, text) && !rpm.Glob("*"+pattern, text) {
			t.Errorf("%q matches %q, and with a star before it does not", pattern, text)
		}
		if !rpm.Glob("*"+text+"*", text) && !strings.ContainsAny(text, `*?[\`) {
			t.Errorf("%q does not match what it is made of", text)
		}
		if !rpm.IsGlob(pattern) && !strings.Contains(pattern, `\`) && rpm.Glob(pattern, text) != (pattern == text) {
			t.Errorf("Glob(%q, %q), although there is nothing special in it", pattern, text)
		}
	})
}
