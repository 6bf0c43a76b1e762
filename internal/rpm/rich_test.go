package rpm_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
)

// richTrees lists rich dependencies with their trees, in prefix notation.
var richTrees = []struct{ in, tree string }{
	{"(a)", "a"},
	{"(a or b)", "(or a b)"},
	{"(a and b and c)", "(and a (and b c))"},
	{"(a >= 1 and b < 2:1-1)", "(and [a >= 1] [b < 2:1-1])"},
	{"(a if b)", "(if a b)"},
	{"(a if b else c)", "(if a b c)"},
	{"(a unless b)", "(unless a b)"},
	{"(a unless b else (c or d))", "(unless a b (or c d))"},
	{"(a with b)", "(with a b)"},
	{"(a >= 1 with a < 2)", "(with [a >= 1] [a < 2])"},
	{"(a without b)", "(without a b)"},
	{"((a or b) and (c if d))", "(and (or a b) (if c d))"},
	{"(python3dist(x) >= 1 if (b or c))", "(if [python3dist(x) >= 1] (or b c))"},
	{"(a or /usr/bin/b)", "(or a /usr/bin/b)"},
	{"( a   or\tb )", "(or a b)"},
	{"(libx(y)(64bit) or b)", "(or libx(y)(64bit) b)"},
	{"((a))", "a"},
}

var richFaults = []string{
	"", "()", "(a", "a or b", "(a or)", "(or b)", "(a b)", "(a or b and c)", "(a if b if c)", "(a if b else c else d)",
	"(a without b without c)", "(a unless b unless c)", "(a or b))", "(a or b) c", "(a >= or b)", "(a or b else c)", "(a xor b)", "(a >= 1 2 or b)",
	"(a or ())",
}

func tree(r *rpm.Rich) string {
	if r.Op == rpm.RichDep {
		if s := r.Dep.String(); strings.Contains(s, " ") {
			return "[" + s + "]"
		}
		return r.Dep.String()
	}
	s := fmt.Sprintf("(%s %s %s", r.Op, tree(r.Left), tree(r.Right))
	if r.Else != nil {
		s += " " + tree(r.Else)
	}
	return s + ")"
}

func TestParseRich(t *testing.T) {
	for _, test := range richTrees {
		r, err := rpm.ParseRich(test.in)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := tree(r); got != test.tree {
			t.Errorf("%q is %s, want %s", test.in, got, test.tree)
		}
		if r.Op == rpm.RichDep {
			continue
		}
		again, err := rpm.ParseRich(r.String())
		if err != nil || tree(again) != test.tree {
			t.Errorf("%q prints as %q, which is %v", test.in, r, err)
		}
	}
	for _, in := range richFaults {
		if r, err := rpm.ParseRich(in); err == nil {
			t.Errorf("%q is %s, want an error", in, tree(r))
		}
	}
}

func TestParseRichBounds(t *testing.T) {
	for name, in := range map[string]string{
		"deep": strings.Repeat("(", 100000),
		"long": "(" + strings.Repeat("a or ", 10000) + "a)",
		"huge": "(" + strings.Repeat("a", 1<<20) + ")",
	} {
		if _, err := rpm.ParseRich(in); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := rpm.ParseRich("(" + strings.Repeat("a or ", 1000) + "a)"); err != nil {
		t.Error(err)
	}
}

// TestParseRichOracle asks rpm whether it, too, takes or refuses each.
func TestParseRichOracle(t *testing.T) {
	oracle.Need(t, "rpmspec")
	ask := func(in string) bool {
		spec := filepath.Join(t.TempDir(), "x.spec")
		tag := "Requires"
		if strings.Contains(in, "unless") { // rpm wants it in conflicts alone
			tag = "Conflicts"
		}
		text := "Name: x\nVersion: 1\nRelease: 1\nSummary: x\nLicense: x\n" + tag + ": " + in + "\n%description\nx\n"
		if err := os.WriteFile(spec, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return exec.Command("rpmspec", "-q", "--requires", spec).Run() == nil
	}
	for _, test := range richTrees {
		if !ask(test.in) {
			t.Errorf("rpm refuses %q", test.in)
		}
	}
	for _, in := range richFaults {
		// What does not start with a parenthesis, or goes on behind it, is
		// another dependency to a spec file.
		if strings.HasPrefix(in, "(") && in != "(a or b) c" && ask(in) {
			t.Errorf("rpm takes %q", in)
		}
	}
}

func FuzzParseRich(f *testing.F) {
	for _, test := range richTrees {
		f.Add(test.in)
	}
	for _, in := range richFaults {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := rpm.ParseRich(s)
		if err != nil || r.Op == rpm.RichDep {
			return
		}
		again, err := rpm.ParseRich(r.String())
		if err != nil || again.String() != r.String() {
			t.Errorf("%q prints as %q, which gives %v, %v", s, r, again, err)
		}
	})
}
