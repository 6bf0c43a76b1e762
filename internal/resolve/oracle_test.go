package resolve_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

var (
	seed      = flag.Uint64("seed", 1, "seed of the questions that are put to dnf as well")
	questions = flag.Int("questions", 60, "how many of them")
	shrink    = flag.Bool("shrink", false, "make worlds on which dnf and we differ smaller")
)

// systemPython is the interpreter that has dnf's modules, whatever python3 is on the PATH.
const systemPython = "/usr/bin/python3"

// question is what is put to dnf and to us.
type question struct {
	kind string
	args []string
}

// answer is a set of packages, sorted, or why there is none.
type answer struct {
	Packages []string
	Error    string
	Seconds  float64
}

// oracleRepo is a repository as dnf is told of it.
type oracleRepo struct {
	ID       string `json:"id"`
	URL      string `json:"url"`
	Priority int    `json:"priority"`
	Cost     int    `json:"cost"`
}

// needDNF skips, or on CI fails, where dnf's modules are not to be had.
func needDNF(t testing.TB) {
	t.Helper()
	oracle.Need(t, "dnf")
	if err := exec.Command(systemPython, "-c", "import dnf, hawkey").Run(); err != nil {
		oracle.Missing(t, systemPython+" has no dnf module (Debian: python3-dnf)")
	}
}

// dnfSetup is a world that dnf is asked about.
type dnfSetup struct {
	Repos     []oracleRepo `json:"repos"`
	Arch      string       `json:"arch"`
	Best      bool         `json:"best"`
	Weak      bool         `json:"weak"`
	Questions [][]string   `json:"questions"`
}

// askDNF lets dnf answer, in one process: the answers to all questions in order.
func askDNF(t testing.TB, setups ...dnfSetup) []answer {
	t.Helper()
	var input, stderr strings.Builder
	count := 0
	for _, s := range setups {
		s.Arch = "x86_64"
		count += len(s.Questions)
		line, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		input.Write(line)
		input.WriteByte('\n')
	}
	cmd := exec.Command(systemPython, filepath.Join("testdata", "oracle.py"), t.TempDir())
	cmd.Stdin = strings.NewReader(input.String())
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("asking dnf: %v\n%s", err, stderr.String())
	}
	var answers []answer
	decoder := json.NewDecoder(bytes.NewReader(out))
	for decoder.More() {
		var a answer
		if err := decoder.Decode(&a); err != nil {
			t.Fatalf("reading dnf's answers: %v", err)
		}
		answers = append(answers, a)
	}
	if len(answers) != count {
		t.Fatalf("dnf gave %d answers to %d questions\n%s", len(answers), count, stderr.String())
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
func askUs(t testing.TB, p resolve.Problem) answer {
	t.Helper()
	start := processorTime(t)
	solution, err := resolve.Resolve(context.Background(), p)
	a := answer{Seconds: (processorTime(t) - start).Seconds()}
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

func (c *tally) add(us, dnf answer) {
	c.ours += us.Seconds
	c.theirs += dnf.Seconds
	if dnf.Error != "" {
		c.unsolvable++
		if us.Error != "" {
			c.sameUnsolvable++
		}
		return
	}
	c.solvable++
	if us.Error == "" && slices.Equal(us.Packages, dnf.Packages) {
		c.same++
	}
}

func (c *tally) String() string {
	return fmt.Sprintf("%-14s %4d solvable, %4d the same; %4d not, %4d agreed; %.2f s of processor, dnf %.2f s",
		c.kind, c.solvable, c.same, c.unsolvable, c.sameUnsolvable, c.ours, c.theirs)
}

// compare puts the questions to both and reports. It fails on a different verdict, on answers of
// ours that do not pass the check, and when less than share of the answers are the same.
func compare(t *testing.T, loaded []*rpmrepo.Repository, repos []oracleRepo, asked []question, share float64) {
	t.Helper()
	dnf := askDNF(t, dnfSetup{Repos: repos, Best: true, Questions: argsOf(asked)})
	all := tally{kind: "all"}
	byKind := map[string]*tally{}
	for i, q := range asked {
		p := problemOf(t, loaded, q)
		us := askUs(t, p)
		all.add(us, dnf[i])
		if byKind[q.kind] == nil {
			byKind[q.kind] = &tally{kind: q.kind}
		}
		byKind[q.kind].add(us, dnf[i])
		if (us.Error == "") != (dnf[i].Error == "") {
			t.Errorf("%q: different verdicts\nus:  %s\ndnf: %s", q.args, us.Error, dnf[i].Error)
		} else if !slices.Equal(us.Packages, dnf[i].Packages) {
			t.Logf("%q: we have %d packages, dnf %d\nours only: %q\ndnf only:  %q", q.args, len(us.Packages),
				len(dnf[i].Packages), without(us.Packages, dnf[i].Packages), without(dnf[i].Packages, us.Packages))
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
