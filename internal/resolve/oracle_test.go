package resolve_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/resolve/dnf"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

var (
	seed      = flag.Uint64("seed", 1, "seed of the questions that are put to dnf as well")
	questions = flag.Int("questions", 60, "how many of them")
	shrink    = flag.Bool("shrink", false, "make worlds on which dnf and we differ smaller")
)

// question is what is put to dnf and to us.
type question struct {
	kind string
	args []string
}

// needDNF skips, or on CI fails, where dnf's modules are not to be had.
func needDNF(t testing.TB) {
	t.Helper()
	oracle.Need(t, "dnf")
	if _, err := dnf.Version(context.Background()); err != nil {
		oracle.Missing(t, err.Error())
	}
}

// askDNF lets dnf answer: the answers to all requests in order.
func askDNF(t testing.TB, worlds ...dnf.World) []dnf.Answer {
	t.Helper()
	for i := range worlds {
		worlds[i].Arch = "x86_64"
	}
	answers, err := dnf.Ask(context.Background(), t.TempDir(), worlds...)
	if err != nil {
		t.Fatal(err)
	}
	return answers
}

func argsOf(asked []question) [][]string {
	var args [][]string
	for _, q := range asked {
		args = append(args, q.args)
	}
	return args
}

// processorTime is what this process has used so far.
func processorTime(t testing.TB) time.Duration {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// problemOf is the question as a problem.
func problemOf(t testing.TB, repos []*rpmrepo.Repository, q question) resolve.Problem {
	t.Helper()
	p := resolve.Problem{Repositories: repos, Arch: "x86_64"}
	for _, arg := range q.args {
		d, err := rpm.ParseDependency(arg)
		if err != nil {
			t.Fatal(err)
		}
		p.Requests = append(p.Requests, resolve.Request{Dependency: d})
	}
	return p
}

// askUs answers.
func askUs(t testing.TB, p resolve.Problem) dnf.Answer {
	t.Helper()
	start := processorTime(t)
	solution, err := resolve.Resolve(context.Background(), p)
	a := dnf.Answer{Seconds: (processorTime(t) - start).Seconds()}
	var conflict *resolve.Conflict
	switch {
	case errors.As(err, &conflict):
		a.Error = conflict.Error()
	case err != nil:
		t.Fatal(err)
	default:
		for _, c := range solution.Packages {
			a.Packages = append(a.Packages, c.Package.NEVRA.String())
		}
		slices.Sort(a.Packages)
	}
	return a
}

// tally counts how answers agree.
type tally struct {
	kind                       string
	solvable, same             int
	unsolvable, sameUnsolvable int
	ours, theirs               float64
}

func (c *tally) add(us, them dnf.Answer) {
	c.ours += us.Seconds
	c.theirs += them.Seconds
	if them.Error != "" {
		c.unsolvable++
		if us.Error != "" {
			c.sameUnsolvable++
		}
		return
	}
	c.solvable++
	if us.Error == "" && slices.Equal(us.Packages, them.Packages) {
		c.same++
	}
}

func (c *tally) String() string {
	return fmt.Sprintf("%-14s %4d solvable, %4d the same; %4d not, %4d agreed; %.2f s of processor, dnf %.2f s",
		c.kind, c.solvable, c.same, c.unsolvable, c.sameUnsolvable, c.ours, c.theirs)
}

// compare puts the questions to both and reports. It fails on a different verdict, on answers of
// ours that do not pass the check, and when less than share of the answers are the same.
func compare(t *testing.T, loaded []*rpmrepo.Repository, repos []dnf.Repo, asked []question, share float64) {
	t.Helper()
	theirs := askDNF(t, dnf.World{Repos: repos, Best: true, Requests: argsOf(asked)})
	all := tally{kind: "all"}
	byKind := map[string]*tally{}
	for i, q := range asked {
		p := problemOf(t, loaded, q)
		us := askUs(t, p)
		all.add(us, theirs[i])
		if byKind[q.kind] == nil {
			byKind[q.kind] = &tally{kind: q.kind}
		}
		byKind[q.kind].add(us, theirs[i])
		if (us.Error == "") != (theirs[i].Error == "") {
			t.Errorf("%q: different verdicts\nus:  %s\ndnf: %s", q.args, us.Error, theirs[i].Error)
		} else if !slices.Equal(us.Packages, theirs[i].Packages) {
			t.Logf("%q: we have %d packages, dnf %d\nours only: %q\ndnf only:  %q", q.args, len(us.Packages),
				len(theirs[i].Packages), without(us.Packages, theirs[i].Packages), without(theirs[i].Packages, us.Packages))
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(byKind)) {
		t.Log(byKind[kind])
	}
	t.Log(&all)
	if all.same < int(share*float64(all.solvable)) {
		t.Errorf("only %d of %d answers are dnf's", all.same, all.solvable)
	}
}

func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}
