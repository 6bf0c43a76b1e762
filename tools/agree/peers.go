package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/resolve/check"
	"github.com/slipway-build/slipway/internal/resolve/dnf"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// peers are the two that are asked: dnf and package resolve, with the same repositories.
type peers struct {
	options
	cache  *cache.Dir
	dnfDir string // where dnf keeps what it made of the metadata
	repos  []*rpmrepo.Repository
	named  map[string]resolve.Chosen // by NEVRA, made when first needed
}

func (p *peers) close() {
	_ = p.cache.Close()
	_ = os.RemoveAll(p.dnfDir)
}

func (p *peers) packages() int {
	n := 0
	for _, r := range p.repos {
		n += r.Len()
	}
	return n
}

// theirs asks dnf.
func (p *peers) theirs(ctx context.Context, requests [][]string) ([]dnf.Answer, error) {
	w := dnf.World{Arch: p.arch, Best: true, Weak: p.weak, Multilib: p.multilib, Platform: p.platform, Requests: requests}
	for _, r := range p.repos {
		c := r.Config
		w.Repos = append(w.Repos, dnf.Repo{
			ID: c.ID, URL: c.BaseURL[0], Priority: c.Priority, Cost: c.Cost, Exclude: c.Exclude, Include: c.Include,
			Modules: p.modules,
		})
	}
	return dnf.Ask(ctx, p.dnfDir, w)
}

// opinion is our answer to a request.
type opinion struct {
	dnf.Answer
	// wrong is what package check has against it.
	wrong error
}

// ours asks package resolve, and has its answer checked. The error is one that is no answer, such as
// a search that was given up.
func (p *peers) ours(ctx context.Context, request []string) (opinion, error) {
	problem, err := p.problem(request)
	if err != nil {
		return opinion{}, err
	}
	start := processorTime()
	solution, err := resolve.Resolve(ctx, problem)
	o := opinion{Answer: dnf.Answer{Seconds: (processorTime() - start).Seconds()}}
	var conflict *resolve.Conflict
	switch {
	case errors.As(err, &conflict):
		o.Error = conflict.Error()
		return o, nil
	case err != nil:
		return o, err
	}
	for _, c := range solution.Packages {
		o.Packages = append(o.Packages, c.Package.NEVRA.String())
	}
	slices.Sort(o.Packages)
	o.wrong = check.Solution(ctx, problem, solution)
	return o, nil
}

// processorTime is what this process has used so far; 0 where the system does not say.
func processorTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func (p *peers) problem(request []string) (resolve.Problem, error) {
	problem := resolve.Problem{Repositories: p.repos, Arch: p.arch, Weak: p.weak}
	for _, text := range request {
		d, err := rpm.ParseDependency(text)
		if err != nil {
			return problem, err
		}
		problem.Requests = append(problem.Requests, resolve.Request{Dependency: d})
	}
	return problem, nil
}

// examine has package check look at an answer of dnf's: what is wrong with it in our view?
func (p *peers) examine(ctx context.Context, request []string, answer dnf.Answer) error {
	problem, err := p.problem(request)
	if err != nil {
		return err
	}
	if p.named == nil {
		p.named = map[string]resolve.Chosen{}
		for _, r := range p.repos {
			for i, pkg := range r.All() {
				if name := pkg.NEVRA.String(); p.named[name].Package == nil && !pkg.IsSource() {
					p.named[name] = resolve.Chosen{Repository: r, Index: i, Package: pkg}
				}
			}
		}
	}
	solution := &resolve.Solution{}
	var unknown []string
	for _, nevra := range answer.Packages {
		c, ok := p.named[nevra]
		if !ok {
			unknown = append(unknown, nevra)
			continue
		}
		solution.Packages = append(solution.Packages, c)
	}
	if len(unknown) > 0 {
		return fmt.Errorf("packages that we do not see: %s", strings.Join(unknown, ", "))
	}
	return check.Valid(ctx, problem, solution)
}
