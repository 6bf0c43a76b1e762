package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/resolve/dnf"
)

// maxRounds bounds the search for requests of which dnf says yes or no often enough.
const maxRounds = 400

// perRound is how many draws are put to dnf at once: each time it loads the repositories anew.
const perRound = 20

// report is what came of it.
type report struct {
	options
	dnf      string
	packages int
	progress io.Writer

	all         tally
	byKind      map[string]*tally
	differences []difference
	reasons     []string // for --explain
}

// tally counts how answers agree.
type tally struct {
	solvable, same     int
	unsolvable, agreed int
	invalid            int
	ours, theirs       float64 // seconds of the solvable ones
}

// difference is one request that was not answered in the same way.
type difference struct {
	request
	us   opinion
	them dnf.Answer
	// objection is what package check has against dnf's answer.
	objection error
}

// collect asks until there is enough of both verdicts.
func (r *report) collect(ctx context.Context, p *peers) error {
	d, err := newDrawer(ctx, p)
	if err != nil {
		return fmt.Errorf("drawing requests: %w", err)
	}
	for round := 0; round < maxRounds && !r.enough(); round += perRound {
		var asked []request
		for range perRound {
			if r.all.solvable < r.solvable {
				asked = append(asked, d.solvable()...)
			}
			if r.all.unsolvable < r.unsolvable {
				asked = append(asked, d.unsolvable()...)
			}
		}
		fmt.Fprintf(r.progress, "%d solvable and %d unsolvable requests so far; asking %d more\n", r.all.solvable, r.all.unsolvable, len(asked))
		answers, err := p.theirs(ctx, args(asked))
		if err != nil {
			return err
		}
		for i, q := range asked {
			if err := r.compare(ctx, p, q, answers[i]); err != nil {
				return fmt.Errorf("resolving %q: %w", q.args, err)
			}
		}
	}
	return nil
}

func (r *report) enough() bool {
	return r.all.solvable >= r.solvable && r.all.unsolvable >= r.unsolvable
}

func (r *report) compare(ctx context.Context, p *peers, q request, them dnf.Answer) error {
	us, err := p.ours(ctx, q.args)
	if err != nil {
		return err
	}
	var objection error
	if them.Error == "" && (us.Error != "" || !slices.Equal(us.Packages, them.Packages)) {
		objection = p.examine(ctx, q.args, them)
	}
	r.count(q, us, them, objection)
	return nil
}

// count adds a pair of answers to the report.
func (r *report) count(q request, us opinion, them dnf.Answer, objection error) {
	if r.byKind[q.kind] == nil {
		r.byKind[q.kind] = &tally{}
	}
	same := r.all.add(us, them)
	r.byKind[q.kind].add(us, them)
	if r.explain && us.Error != "" {
		r.reasons = append(r.reasons, fmt.Sprintf("%q\n%s", q.args, us.Error))
	}
	if !same || us.wrong != nil {
		r.differences = append(r.differences, difference{q, us, them, objection})
	}
}

// add counts an answer, and says whether it is dnf's.
func (t *tally) add(us opinion, them dnf.Answer) bool {
	if us.wrong != nil {
		t.invalid++
	}
	if them.Error != "" {
		t.unsolvable++
		if us.Error != "" {
			t.agreed++
		}
		return us.Error != ""
	}
	t.solvable++
	t.ours += us.Seconds
	t.theirs += them.Seconds
	same := us.Error == "" && slices.Equal(us.Packages, them.Packages)
	if same {
		t.same++
	}
	return same
}

// write prints the report.
func (r *report) write(w io.Writer) error {
	out := bufio.NewWriter(w)
	for _, c := range r.repos {
		fmt.Fprintf(out, "repository %s: %s\n", c.ID, strings.Join(c.BaseURL, " "))
	}
	fmt.Fprintf(out, "%d packages, %s; seed %d; best=1, install_weak_deps=%d; beside %s\n\n",
		r.packages, r.arch, r.seed, map[bool]int{true: 1}[r.weak], r.dnf)
	fmt.Fprintf(out, "%-20s %9s %9s %11s %9s\n", "kind of request", "solvable", "same set", "unsolvable", "agreed")
	for _, kind := range slices.Sorted(maps.Keys(r.byKind)) {
		r.byKind[kind].write(out, kind)
	}
	r.all.write(out, "all")
	fmt.Fprintf(out, "\nEvery answer of ours was verified; %d are not valid. Processor time of a solvable request: %.1f ms, dnf %.1f ms.\n",
		r.all.invalid, r.mean(r.all.ours), r.mean(r.all.theirs))
	for _, d := range r.differences {
		d.write(out)
	}
	for _, reason := range r.reasons {
		fmt.Fprintf(out, "\n%s\n", reason)
	}
	return out.Flush()
}

func (r *report) mean(seconds float64) float64 {
	return 1000 * seconds / float64(max(1, r.all.solvable))
}

func (t *tally) write(w io.Writer, kind string) {
	fmt.Fprintf(w, "%-20s %9d %9d %11d %9d\n", kind, t.solvable, t.same, t.unsolvable, t.agreed)
}

// write prints a difference, and what can be said of it.
func (d *difference) write(w io.Writer) {
	fmt.Fprintf(w, "\n%s: %q\n", d.kind, d.args)
	switch {
	case d.us.Error != "":
		fmt.Fprintf(w, "  only dnf has an answer, of %d packages\n  %s\n", len(d.them.Packages), strings.ReplaceAll(d.us.Error, "\n", "\n  "))
	case d.them.Error != "":
		fmt.Fprintf(w, "  only we have an answer, of %d packages; dnf: %s\n", len(d.us.Packages), d.them.Error)
	default:
		fmt.Fprintf(w, "  ours has %d packages, dnf's %d (ours is %s)\n  only ours: %s\n  only dnf's: %s\n", len(d.us.Packages), len(d.them.Packages),
			compared(len(d.us.Packages), len(d.them.Packages)), without(d.us.Packages, d.them.Packages), without(d.them.Packages, d.us.Packages))
	}
	if d.us.Error == "" {
		fmt.Fprintf(w, "  our answer: %s\n", judged(d.us.wrong))
	}
	if d.them.Error == "" {
		fmt.Fprintf(w, "  dnf's answer: %s\n", judged(d.objection))
	}
}

func judged(objection error) string {
	if objection == nil {
		return "valid"
	}
	return "NOT VALID: " + strings.ReplaceAll(objection.Error(), "\n", "; ")
}

func compared(a, b int) string {
	switch {
	case a < b:
		return "smaller"
	case a > b:
		return "LARGER"
	}
	return "no larger"
}

func without(a, b []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) }), " ")
}

// verdict is an error if the agreement is not what it should be.
func (r *report) verdict() error {
	t := r.all
	var wrong []error
	if !r.enough() {
		wrong = append(wrong, fmt.Errorf("only %d solvable and %d unsolvable requests could be drawn from these repositories", t.solvable, t.unsolvable))
	}
	if t.invalid > 0 {
		wrong = append(wrong, fmt.Errorf("%d answers of ours are not valid", t.invalid))
	}
	if n := r.verdicts(); n > 0 {
		wrong = append(wrong, fmt.Errorf("%d verdicts differ", n))
	}
	if float64(t.same) < r.same*float64(t.solvable) {
		wrong = append(wrong, fmt.Errorf("only %d of %d answers are dnf's", t.same, t.solvable))
	}
	return errors.Join(wrong...)
}

// verdicts counts the requests that one side can meet and the other cannot.
func (r *report) verdicts() int {
	n := 0
	for _, d := range r.differences {
		if (d.us.Error == "") != (d.them.Error == "") {
			n++
		}
	}
	return n
}
