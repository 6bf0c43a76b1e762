package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/resolve/dnf"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
)

var seed = flag.Uint64("seed", 1, "seed of the repository and of the requests")

// distribution writes a repository that is a distribution in small: libraries in layers with sonames
// and versions, programs with files and rich dependencies, alternatives, rivals, and things that are
// missing.
func distribution(t *testing.T, r *rand.Rand) string {
	t.Helper()
	dir := t.TempDir()
	deps := func(texts ...string) []rpm.Dependency {
		var all []rpm.Dependency
		for _, text := range texts {
			d, err := rpm.ParseDependency(text)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, d)
		}
		return all
	}
	write := func(s rpmwrite.Spec) {
		s.License, s.Summary = "CC0-1.0", "a package of a test"
		path := filepath.Join(dir, fmt.Sprintf("%s-%s.%s.rpm", s.Name, s.EVR.Version+"-"+s.EVR.Release, s.Arch))
		if err := rpmwrite.WriteFile(path, s); err != nil {
			t.Fatal(err)
		}
	}
	const libraries, programs = 24, 30
	for n := range libraries {
		for version := range 1 + r.IntN(2) {
			s := rpmwrite.Spec{Name: fmt.Sprintf("lib%d", n), EVR: rpm.EVR{Epoch: n % 5 / 4, Version: fmt.Sprintf("1.%d", version), Release: "1"}, Arch: "x86_64"}
			s.Provides = deps(fmt.Sprintf("lib%d.so.1()(64bit)", n), fmt.Sprintf("api(%d) = %d", n%7, 1+r.IntN(3)))
			for range r.IntN(3) {
				if n > 0 {
					s.Requires = append(s.Requires, deps(fmt.Sprintf("lib%d.so.1()(64bit)", r.IntN(n)))...)
				}
			}
			write(s)
		}
	}
	for n := range programs {
		lib := func() int { return r.IntN(libraries) }
		s := rpmwrite.Spec{Name: fmt.Sprintf("program%d", n), EVR: rpm.EVR{Version: "2", Release: fmt.Sprint(1 + r.IntN(3))}, Arch: "noarch"}
		s.Files = []rpmwrite.File{rpmwrite.Text(fmt.Sprintf("/usr/bin/program%d", n), "")}
		s.Requires = deps(fmt.Sprintf("lib%d >= 1.%d", lib(), r.IntN(2)), fmt.Sprintf("api(%d)", r.IntN(8)))
		switch n % 6 {
		case 0:
			s.Requires = append(s.Requires, deps(fmt.Sprintf("(lib%d if program%d)", lib(), r.IntN(programs)))...)
			s.Recommends = deps(fmt.Sprintf("lib%d", lib()))
		case 1:
			s.Requires = append(s.Requires, deps(fmt.Sprintf("(api(%d) >= 2 with api(%d) < 4)", r.IntN(7), n%7), fmt.Sprintf("/usr/bin/program%d", r.IntN(programs)))...)
		case 2:
			s.Conflicts = deps(fmt.Sprintf("program%d", r.IntN(programs)))
		case 3:
			s.Requires = append(s.Requires, deps(fmt.Sprintf("(lib%d or lib%d)", lib(), lib()))...)
			s.Supplements = deps(fmt.Sprintf("program%d", r.IntN(programs)))
		case 4:
			s.Obsoletes = deps(fmt.Sprintf("lib%d < 1.1", lib()))
		}
		write(s)
	}
	if err := repowrite.Write(dir, repowrite.Options{Compression: "gz"}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestAgree is the harness on a small scale: it has to find agreement, with requests of all kinds.
func TestAgree(t *testing.T) {
	oracle.Need(t, "dnf")
	if _, err := dnf.Version(t.Context()); err != nil {
		oracle.Missing(t, err.Error())
	}
	solvable, unsolvable := "140", "50"
	if os.Getenv("SLIPWAY_TEST_DEEP") == "1" {
		solvable, unsolvable = "1400", "500"
	}
	repo := distribution(t, rand.New(rand.NewPCG(*seed, 0)))
	var out bytes.Buffer
	err := run(t.Context(), []string{
		"--repo", "test=" + repo, "--seed", fmt.Sprint(*seed), "--solvable", solvable, "--unsolvable", unsolvable, "--cache", t.TempDir(),
	}, &out, &out)
	t.Logf("seed %d\n%s", *seed, &out)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{names, provides, paths, rich, builds, versions, patterns, "rivals", "unknown", "not alone"} {
		if !strings.Contains(out.String(), kind) {
			t.Errorf("no requests of the kind %q", kind)
		}
	}
}

// TestFinds gives the report answers that do not agree.
func TestFinds(t *testing.T) {
	yes := func(packages ...string) dnf.Answer { return dnf.Answer{Packages: packages} }
	no := dnf.Answer{Error: "no"}
	for name, c := range map[string]struct {
		us   opinion
		them dnf.Answer
		want string
	}{
		"the same":        {opinion{Answer: yes("a")}, yes("a"), ""},
		"both cannot":     {opinion{Answer: no}, no, ""},
		"another answer":  {opinion{Answer: yes("a")}, yes("b"), "only 0 of 1 answers are dnf's"},
		"only dnf can":    {opinion{Answer: no}, yes("b"), "1 verdicts differ\nonly 0 of 1 answers are dnf's"},
		"only we can":     {opinion{Answer: yes("a")}, no, "1 verdicts differ"},
		"ours is no good": {opinion{Answer: yes("a"), wrong: errors.New("a requires b")}, yes("a"), "1 answers of ours are not valid"},
	} {
		t.Run(name, func(t *testing.T) {
			r := report{options: options{same: 0.99}, byKind: map[string]*tally{}}
			r.count(request{"k", []string{"a"}}, c.us, c.them, nil)
			got := ""
			if err := r.verdict(); err != nil {
				got = err.Error()
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			var out bytes.Buffer
			if err := r.write(&out); err != nil || (c.want != "") != strings.Contains(out.String(), `k: ["a"]`) {
				t.Errorf("%v\n%s", err, &out)
			}
		})
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{}, {"--repo", "x"}, {"--repo", "x=a", "--repo", "x=b"}, {"--repo", "x=a", "bash"}} {
		var out bytes.Buffer
		if err := run(context.Background(), args, &out, &out); err == nil {
			t.Errorf("%q is taken", args)
		}
	}
}
