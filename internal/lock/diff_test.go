package lock

import (
	"slices"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	lockOf := func(target string, packages string) *Lock {
		l := &Lock{Targets: []Target{{Name: target}}}
		for _, p := range strings.Fields(packages) {
			name, sha, _ := strings.Cut(p, "@")
			l.Targets[0].Packages = append(l.Targets[0].Packages, Package{NEVRA: nevra(t, name), SHA256: sha})
		}
		return l
	}
	for _, c := range []struct{ name, a, b, want string }{
		{"same", "a-1-1.noarch", "a-1-1.noarch", ""},
		{"added", "a-1-1.noarch", "a-1-1.noarch b-1-1.noarch", "added b-1-1.noarch"},
		{"removed", "a-1-1.noarch b-1-1.noarch", "b-1-1.noarch", "removed a-1-1.noarch"},
		{"up", "a-1-1.noarch", "a-1.0-1.noarch", "upgraded a 1-1 -> 1.0-1"},
		{"epoch", "a-1:1-1.noarch", "a-2-1.noarch", "downgraded a 1:1-1 -> 2-1"},
		{"release", "a-1-10.noarch", "a-1-9.noarch", "downgraded a 1-10 -> 1-9"},
		{"arch", "a-1-1.noarch", "a-2-1.x86_64", "upgraded a 1-1.noarch -> 2-1.x86_64"},
		{"rebuilt", "a-1-1.noarch@x", "a-1-1.noarch@y", "rebuilt a-1-1.noarch"},
		{"two versions", "k-1-1.noarch k-2-1.noarch", "k-2-1.noarch k-3-1.noarch", "upgraded k 1-1 -> 3-1"},
		{"one fewer", "k-1-1.noarch k-2-1.noarch", "k-2-1.noarch", "removed k-1-1.noarch"},
		{"both", "a-1-1.noarch z-2-1.noarch", "b-1-1.noarch z-1-1.noarch",
			"removed a-1-1.noarch; added b-1-1.noarch; downgraded z 2-1 -> 1-1"},
	} {
		var got []string
		for _, change := range Diff(lockOf("t", c.a), lockOf("t", c.b)) {
			if change.Target != "t" {
				t.Errorf("%s: target %q", c.name, change.Target)
			}
			got = append(got, change.String())
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

func TestDiffTargets(t *testing.T) {
	one, two := example(t), example(t)
	two.Targets[0].Name = "other"
	var got []string
	for _, c := range Diff(one, two) {
		got = append(got, c.Target+" "+string(c.Kind)+" "+c.Name())
	}
	want := []string{
		"other added glibc", "other added python3-devel", "other added python3-flask",
		"universe removed glibc", "universe removed python3-devel", "universe removed python3-flask",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	if n := len(Diff(nil, one)); n != 3 {
		t.Errorf("from nothing: %d changes", n)
	}
	if n := len(Diff(one, nil)); n != 3 {
		t.Errorf("to nothing: %d changes", n)
	}
}

func TestMoves(t *testing.T) {
	one, two := example(t), example(t)
	if got := Moves(one, two); len(got) != 0 {
		t.Errorf("the same: %v", got)
	}
	two.Targets[0].Packages[0].Roots = []string{BuildRoot, "web"} // in another order only
	two.Targets[0].Packages[1].Roots = []string{"web"}
	two.Targets[0].Packages[2].SHA256 = sum("another file") // which is Diff's to tell
	two.Targets[0].Packages[2].Roots = []string{"web"}
	got := Moves(one, two)
	if len(got) != 1 || got[0].Kind != Moved || got[0].Target != "universe" || got[0].String() != "moved glibc-2.34-60.el9.x86_64" {
		t.Errorf("got %v", got)
	}
	if got := slices.Concat(Moves(nil, one), Moves(one, nil)); len(got) != 0 {
		t.Errorf("to and from nothing: %v", got)
	}
}
