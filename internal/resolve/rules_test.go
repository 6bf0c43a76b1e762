package resolve_test

import (
	"context"
	"testing"

	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/resolve/check"
	"github.com/slipway-build/slipway/internal/rpm"
)

// ruleCase is a small world, a request and what comes of it; want "" is a conflict.
type ruleCase struct {
	name, repos, request, want string
}

var ruleCases = []ruleCase{
	// What requests mean.
	{"newest", "a-1-1.noarch\na-2-1.noarch\na-1.5-1.noarch", "a", "a-2"},
	{"epoch", "a-1:1-1.noarch\na-2-1.noarch", "a", "a-1:1"},
	{"range", "a-1-1.noarch\na-2-1.noarch", "a < 2", "a-1"},
	{"range without release", "a-2-7.noarch", "a = 2", "a-2-7.noarch"[:5]},
	{"nothing newer", "a-1-1.noarch", "a >= 2", ""},
	{"unknown", "a-1-1.noarch", "b", ""},
	{"name before provider", "a-1-1.noarch\nb-2-1.noarch\n provides: a = 9", "a", "a-1"},
	{"provider", "b-2-1.noarch\n provides: a = 9", "a", "b-2"},
	{"provider in range", "a-1-1.noarch\nb-2-1.noarch\n provides: a = 9", "a >= 3", "b-2"},
	{"provide without version", "b-2-1.noarch\n provides: a", "a >= 3", "b-2"},
	{"name and arch", "a-1-1.noarch\na-2-1.x86_64", "a.noarch", "a-1"},
	{"name and version", "a-1-1.noarch\na-2-1.noarch", "a-1", "a-1"},
	{"name, version, release", "a-1-1.noarch\na-1-2.noarch", "a-1-1", "a-1"},
	{"nevra", "a-1-1.noarch\na-1-2.noarch", "a-1-1.noarch", "a-1"},
	{"name with hyphens and digits", "a-1-2-1.noarch\na-1-1.noarch", "a-1", "a-1-2"},
	{"file", "a-1-1.noarch\n files: /usr/bin/x", "/usr/bin/x", "a-1"},
	{"file provided", "a-1-1.noarch\n provides: /usr/bin/x", "/usr/bin/x", "a-1"},
	{"rich request", "a-1-1.noarch\nb-1-1.noarch", "(a and b)", "a-1 b-1"},
	{"obsoleter of a requested name", "a-1-1.noarch\nb-1-1.noarch\n obsoletes: a < 2", "a", "b-1"},
	{"obsoleter of older versions only", "a-3-1.noarch\na-1-1.noarch\nb-1-1.noarch\n obsoletes: a < 2", "a", "a-3 | b-1"},
	{"two requests", "a-1-1.noarch\nb-1-1.noarch", "a, b", "a-1 b-1"},
	{"requests that contradict", "a-1-1.noarch\na-2-1.noarch", "a = 1, a = 2", ""},
	{"requests that agree", "a-1-1.noarch\na-2-1.noarch\na-3-1.noarch", "a < 3, a >= 2", ""}, // the best for the second is no candidate for the first

	// Patterns, and in which order a text is read.
	{"pattern", "a1-1-1.noarch\na2-1-1.noarch\nb-1-1.noarch", "a*", "a1-1 a2-1"},
	{"pattern, one of which cannot be installed", "a1-1-1.noarch\na2-1-1.noarch\n requires: x", "a*", ""},
	{"pattern, one of which is obsoleted", "a1-1-1.noarch\na2-1-1.noarch\nb-1-1.noarch\n obsoletes: a1", "a*", "a2-1 b-1"},
	{"pattern, one of which conflicts with another", "a1-1-1.noarch\na2-1-1.noarch\n conflicts: a1", "a*", ""},
	{"pattern and architecture", "a-1-1.noarch\nb-1-1.x86_64", "*.noarch", "a-1"},
	{"pattern of architectures", "a-1-1.noarch\na-2-1.x86_64", "a.*", ""},
	{"pattern of versions", "a-1.1-1.noarch\na-1.2-1.noarch\na-2-1.noarch", "a-1.*", "a-1.2"},
	{"pattern of releases", "a-1-1.noarch\na-1-2.noarch\nb-1-2.noarch", "?-1-2", "a-1-2 b-1-2"},
	{"pattern of provides", "a-1-1.noarch\n provides: x(1)\nb-1-1.noarch\n provides: x(2)", "x(*)", "a-1 b-1"},
	{"pattern of provides in a range", "a-1-1.noarch\n provides: x(1) = 1\nb-1-1.noarch\n provides: x(2) = 2", "x(*) >= 2", "b-1"},
	{"pattern of names in a range", "a1-1-1.noarch\na2-1-1.noarch\na2-2-1.noarch", "a* < 2", "a1-1 a2-1"},
	{"pattern of paths", "a-1-1.noarch\n files: /usr/bin/x1\nb-1-1.noarch\n files: /usr/bin/x2", "/usr/bin/x*", "a-1"},
	{"pattern of paths, of which one is required", "a-1-1.noarch\n files: /usr/bin/x1\nb-1-1.noarch\n files: /usr/bin/x2\nc-1-1.noarch\n requires: /usr/bin/x2",
		"/usr/bin/x*", "b-1"},
	{"pattern that nothing fits", "a-1-1.noarch", "b*", ""},
	{"path that is a file here and provided there", "a-1-1.noarch\n files: /usr/bin/x\nb-1-1.noarch\n provides: /usr/bin/x", "/usr/bin/x", "b-1"},
	{"such a path, required", "a-1-1.noarch\n files: /usr/bin/x\nb-1-1.noarch\n provides: /usr/bin/x\nc-1-1.noarch\n requires: /usr/bin/x", "/usr/bin/x", "a-1"},
	{"name.arch before a name", "a.noarch-1-1.x86_64\na-1-1.noarch", "a.noarch", "a-1"},
	{"name before name-version", "a-1-2-1.noarch\na-1-1.noarch", "a-1", "a-1-2"},
	{"epoch before the version", "a-2:1-1.noarch\na-1-1.noarch", "a-2:1-1", "a-2:1"},
	{"epoch in a nevra", "a-2:1-1.noarch\na-1-1.noarch", "a-0:1-1.noarch", "a-1"},
	{"version of any epoch", "a-2:1-1.noarch\na-1-1.noarch", "a-1-1", "a-2:1"},

	// What packages require.
	{"chain", "a-1-1.noarch\n requires: b\nb-1-1.noarch\n requires: c\nc-1-1.noarch\nd-1-1.noarch", "a", "a-1 b-1 c-1"},
	{"circle", "a-1-1.noarch\n requires: b\nb-1-1.noarch\n requires: a", "a", "a-1 b-1"},
	{"itself", "a-1-1.noarch\n requires: x\n provides: x\nx-1-1.noarch", "a", "a-1"},
	{"missing", "a-1-1.noarch\n requires: x", "a", ""},
	{"feature", "a-1-1.noarch\n requires: rpmlib(CompressedFileNames) <= 3.0.4-1", "a", "a-1"},
	{"config", "a-1-1.noarch\n requires: config(a) = 1-1\n provides: config(a) = 1-1", "a", "a-1"},
	{"file", "a-1-1.noarch\n requires: /bin/sh\nb-1-1.noarch\n files: /bin/sh", "a", "a-1 b-1"},
	{"file that nobody has", "a-1-1.noarch\n requires: /opt/sh", "a", ""},
	{"broken best version", "a-1-1.noarch\na-2-1.noarch\n requires: x", "a", ""},
	{"broken version of a requirement", "a-1-1.noarch\n requires: b\nb-1-1.noarch\nb-2-1.noarch\n requires: x", "a", "a-1 b-1"},
	{"other architecture", "a-1-1.i686", "a", ""},
	{"source", "a-1-1.src", "a", ""},
	{"one architecture", "a-1-1.i686\na-1-1.x86_64", "a", "a-1-1.x86_64"},

	// What keeps packages apart.
	{"same name", "a-1-1.noarch\n requires: c = 1\nb-1-1.noarch\n requires: c = 2\nc-1-1.noarch\nc-2-1.noarch", "a, b", ""},
	{"kernels", "a-1-1.noarch\n requires: kernel = 1\nb-1-1.noarch\n requires: kernel = 2\nkernel-1-1.noarch\nkernel-2-1.noarch",
		"a, b", "a-1 b-1 kernel-1 kernel-2"},
	{"conflict", "a-1-1.noarch\n conflicts: b\nb-1-1.noarch", "a, b", ""},
	{"conflict with itself", "a-1-1.noarch\n conflicts: x\n provides: x", "a", "a-1"},
	{"conflict of some versions", "a-1-1.noarch\n requires: b\n conflicts: b < 2\nb-1-1.noarch\nb-2-1.noarch", "a", "a-1 b-2"},
	{"conflict avoided", "a-1-1.noarch\n requires: x\nb-1-1.noarch\n conflicts: p\np-1-1.noarch\n provides: x\nq-1-1.noarch\n provides: x",
		"a, b", "a-1 b-1 q-1"},
	{"rich conflict", "a-1-1.noarch\n conflicts: (b and c)\nb-1-1.noarch\nc-1-1.noarch", "a, b, c", ""},
	{"rich conflict not met", "a-1-1.noarch\n conflicts: (b and c)\nb-1-1.noarch\nc-1-1.noarch", "a, b", "a-1 b-1"},
	{"conflict unless", "a-1-1.noarch\n conflicts: (b unless c)\nb-1-1.noarch\nc-1-1.noarch", "a, b, c", "a-1 b-1 c-1"},
	{"conflict unless, which pulls", "a-1-1.noarch\n conflicts: (b unless c)\nb-1-1.noarch\nc-1-1.noarch", "a, b", "a-1 b-1 c-1"},
	{"a kernel obsoletes", "kernel-1-1.noarch\n obsoletes: b\nb-1-1.noarch", "kernel, b = 1", ""},
	{"a kernel obsoletes its older self", "kernel-2-1.noarch\n obsoletes: kernel < 2\nkernel-1-1.noarch", "kernel = 1, kernel = 2", ""},
	{"obsoletes its older self", "a-2-1.noarch\n obsoletes: a < 2\na-1-1.noarch", "a < 2", "a-1"},
	{"obsoletes", "a-1-1.noarch\n obsoletes: b\nb-1-1.noarch", "a, b = 1", ""},
	{"obsoletes what is requested by name", "a-1-1.noarch\n obsoletes: b\nb-1-1.noarch", "a, b", "a-1"},
	{"obsoletes another version", "a-1-1.noarch\n obsoletes: b < 1\nb-1-1.noarch", "a, b", "a-1 b-1"},
	{"obsoletes names, not provides", "a-1-1.noarch\n obsoletes: x\nb-1-1.noarch\n provides: x", "a, b", "a-1 b-1"},

	// Rich requirements.
	{"or", "a-1-1.noarch\n requires: (b or c)\nc-1-1.noarch", "a", "a-1 c-1"},
	{"and", "a-1-1.noarch\n requires: (b and c)\nb-1-1.noarch\nc-1-1.noarch", "a", "a-1 b-1 c-1"},
	{"if", "a-1-1.noarch\n requires: (b if c)\nb-1-1.noarch\nc-1-1.noarch", "a", "a-1"},
	{"if met", "a-1-1.noarch\n requires: (b if c)\nb-1-1.noarch\nc-1-1.noarch", "a, c", "a-1 b-1 c-1"},
	{"if else", "a-1-1.noarch\n requires: (b if c else d)\nb-1-1.noarch\nc-1-1.noarch\nd-1-1.noarch", "a", "a-1 b-1 c-1"}, // c before d, then b
	{"if else met", "a-1-1.noarch\n requires: (b if c else d)\nb-1-1.noarch\nc-1-1.noarch\nd-1-1.noarch", "a, c", "a-1 b-1 c-1"},
	{"unless", "a-1-1.noarch\n requires: (b unless c)\nb-1-1.noarch\nc-1-1.noarch", "a", "a-1 b-1"},
	{"unless met", "a-1-1.noarch\n requires: (b unless c)\nb-1-1.noarch\nc-1-1.noarch", "a, c", ""},
	{"unless else", "a-1-1.noarch\n requires: (b unless c else d)\nb-1-1.noarch\nc-1-1.noarch\nd-1-1.noarch", "a, c", "a-1 c-1 d-1"},
	{"with", "a-1-1.noarch\n requires: (b >= 2 with b < 3)\nb-1-1.noarch\nb-2-1.noarch\nb-3-1.noarch", "a", "a-1 b-2"},
	{"with is one package", "a-1-1.noarch\n requires: (x with y)\nb-1-1.noarch\n provides: x\nc-1-1.noarch\n provides: y", "a", ""},
	{"without", "a-1-1.noarch\n requires: (x without y)\nb-1-1.noarch\n provides: x, y\nc-1-1.noarch\n provides: x", "a", "a-1 c-1"},
	{"nested", "a-1-1.noarch\n requires: ((b and c) or (d if e))\nb-1-1.noarch\ne-1-1.noarch", "a, e", ""},
	{"nested met", "a-1-1.noarch\n requires: ((b and c) or (d if e))\nb-1-1.noarch\nc-1-1.noarch\ne-1-1.noarch", "a, e", "a-1 b-1 c-1 e-1"},
	{"not well-formed", "a-1-1.noarch\nb-1-1.noarch", "a", "a-1"},

	// Which of several is chosen: the rules of the package documentation, by number.
	{"2 priority", "repo x priority=20\na-2-1.noarch\nrepo y priority=10\na-1-1.noarch", "a", "a-1"},
	{"2 priority among providers", "repo x priority=20\na-1-1.noarch\n provides: x\nrepo y priority=10\nb-1-1.noarch\n provides: x", "x", "b-1"},
	{"3 newest by name", "a-1-1.noarch\n requires: x\nb-1-1.noarch\n provides: x\nb-2-1.noarch\n provides: x", "a", "a-1 b-2"},
	{"3 order of names", "a-1-1.noarch\n requires: x\nc-1-1.noarch\n provides: x\nb-1-1.noarch\n provides: x", "a", "a-1 b-1"},
	{"4 obsoleted candidate", "a-1-1.noarch\n requires: x\nb-1-1.noarch\n provides: x\nc-1-1.noarch\n provides: x\n obsoletes: b", "a", "a-1 c-1"},
	{"4 circle", "a-1-1.noarch\n requires: x\nb-1-1.noarch\n provides: x\n obsoletes: c\nc-1-1.noarch\n provides: x\n obsoletes: b", "a", "a-1 b-1"},
	{"5 recommended", "a-1-1.noarch\n requires: x\n recommends: c\nb-1-1.noarch\n provides: x\nc-1-1.noarch\n provides: x", "a", "a-1 c-1"},
	{"5 supplements", "a-1-1.noarch\n requires: x\nb-1-1.noarch\n provides: x\nc-1-1.noarch\n provides: x\n supplements: a", "a", "a-1 c-1"},
	{"5 rich recommendation", "a-1-1.noarch\n requires: x\n recommends: (c if a)\nb-1-1.noarch\n provides: x\nc-1-1.noarch\n provides: x", "a", "a-1 c-1"},
	{"5 rich supplement", "a-1-1.noarch\n requires: x\nb-1-1.noarch\n provides: x\nc-1-1.noarch\n provides: x\n supplements: (a and d)", "a", "a-1 b-1"},
	{"6 old version", "a-1-1.noarch\n requires: x\nb-1-1.noarch\n provides: x\nb-2-1.noarch\nc-1-1.noarch\n provides: x", "a", "a-1 c-1"},
	{"6 old version because of an excluded one", "repo x exclude=b-2\na-1-1.noarch\n requires: x\nb-1-1.noarch\n provides: x\nb-2-1.noarch\nc-1-1.noarch\n provides: x", "a", "a-1 c-1"},
	{"7 version of the provide", "a-1-1.noarch\n requires: x\nb-1-1.noarch\n provides: x = 1\nc-1-1.noarch\n provides: x = 2", "a", "a-1 c-1"},
	{"8 suggested", "a-1-1.noarch\n requires: x\n suggests: c\nb-1-1.noarch\n provides: x\nc-1-1.noarch\n provides: x", "a", "a-1 c-1"},
	{"8 enhances", "a-1-1.noarch\n requires: x\nb-1-1.noarch\n provides: x\nc-1-1.noarch\n provides: x\n enhances: a", "a", "a-1 c-1"},
	{"weak ones are not installed", "a-1-1.noarch\n recommends: b\n suggests: c\nb-1-1.noarch\nc-1-1.noarch\nd-1-1.noarch\n supplements: a", "a", "a-1"},
	{"a choice that comes for free", "a-1-1.noarch\n requires: x, c\nb-1-1.noarch\n provides: x\nc-1-1.noarch\n provides: x", "a", "a-1 c-1"},
	{"a choice that comes for free later", "a-1-1.noarch\n requires: x\n requires: y\nb-1-1.noarch\n provides: x\nc-1-1.noarch\n provides: x\n" +
		"d-1-1.noarch\n provides: y\n requires: c\ne-1-1.noarch\n provides: y\n requires: c", "a", "a-1 c-1 d-1"},
	{"cost", "repo x cost=20\na-1-1.noarch\nrepo y cost=10\na-1-1.noarch", "a", "a-1"},
}

func TestRules(t *testing.T) {
	for _, c := range ruleCases {
		t.Run(c.name, func(t *testing.T) {
			p := resolve.Problem{Repositories: repositories(t, c.repos), Arch: "x86_64", Requests: requests(t, c.request)}
			expect(t, p, c.want)
		})
	}
}

// expect resolves and compares. want is "" for a conflict; several allowed answers are separated by
// " | ".
func expect(t *testing.T, p resolve.Problem, want string) *resolve.Solution {
	t.Helper()
	s, err := resolve.Resolve(context.Background(), p)
	if err != nil {
		if want != "" {
			t.Fatalf("no solution: %v", err)
		}
		t.Log(err)
		return nil
	}
	if err := check.Solution(context.Background(), p, s); err != nil {
		t.Errorf("the solution %s is not one:\n%v", names(s), err)
	}
	for option := range splitOptions(want) {
		if option == names(s) {
			return s
		}
	}
	t.Errorf("got %s, want %s", names(s), want)
	return s
}

func dep(t testing.TB, s string) rpm.Dependency {
	t.Helper()
	return dependencies(t, s)[0]
}
