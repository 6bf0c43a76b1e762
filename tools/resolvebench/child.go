package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// childArg makes this program one that is measured: what a task says, in a new process.
const childArg = "measured-child"

// task is what a process that is measured does: it loads repositories and solves requests. peer.py
// reads the same.
type task struct {
	Repos    []string   `json:"repos"` // folders
	Cache    string     `json:"cache"` // folder
	Requests [][]string `json:"requests"`
	// Draw asks for so many requests, drawn by Seed, instead of solving any.
	Draw int    `json:"draw"`
	Seed uint64 `json:"seed"`
}

// outcome is what it says. Times are seconds.
type outcome struct {
	Wall     float64    `json:"wall"` // of loading
	CPU      float64    `json:"cpu"`
	Packages int        `json:"packages"`
	Solved   []solved   `json:"solved"`
	Requests [][]string `json:"requests"`
}

// solved is how a request went: how many packages the answer has, 0 for none.
type solved struct {
	CPU     float64 `json:"cpu"`
	Wall    float64 `json:"wall"`
	Install int     `json:"install"`
}

func child(ctx context.Context, text string, stdout io.Writer) error {
	var t task
	if err := json.Unmarshal([]byte(text), &t); err != nil {
		return err
	}
	dir, err := cache.Open(t.Cache)
	if err != nil {
		return err
	}
	defer dir.Close()
	client := &rpmrepo.Client{Cache: dir}
	repos := make([]*rpmrepo.Repository, len(t.Repos))
	w := startWatch()
	var g errgroup.Group
	for i, folder := range t.Repos {
		g.Go(func() (err error) {
			config := rpmrepo.DefaultConfig(fmt.Sprint("r", i), folder)
			config.GPGCheck = false
			repos[i], err = client.Load(ctx, config)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	var o outcome
	o.Wall, o.CPU = w.stop()
	for _, r := range repos {
		o.Packages += r.Len()
	}
	var memory resolve.Memory
	problem := resolve.Problem{Repositories: repos, Arch: "x86_64", Memory: &memory}
	if t.Draw > 0 {
		o.Requests, err = draw(ctx, problem, t.Draw, t.Seed)
	}
	for _, names := range t.Requests {
		problem.Requests = requestsOf(names)
		w := startWatch()
		solution, err := resolve.Resolve(ctx, problem)
		var s solved
		s.Wall, s.CPU = w.stop()
		if err == nil {
			s.Install = len(solution.Packages)
		} else if !isConflict(err) {
			return err
		}
		o.Solved = append(o.Solved, s)
	}
	return errors.Join(err, json.NewEncoder(stdout).Encode(o))
}

func isConflict(err error) bool {
	_, ok := errors.AsType[*resolve.Conflict](err)
	return ok
}

func requestsOf(names []string) []resolve.Request {
	requests := make([]resolve.Request, len(names))
	for n, name := range names {
		requests[n].Dependency = rpm.Dependency{Name: name}
	}
	return requests
}

// draw finds requests that have a solution: of 1 to 40 names, each of which has one alone.
func draw(ctx context.Context, p resolve.Problem, count int, seed uint64) ([][]string, error) {
	var names []string
	for _, r := range p.Repositories {
		names = slices.AppendSeq(names, r.Names())
	}
	slices.Sort(names)
	names = slices.Compact(names)
	random := rand.New(rand.NewPCG(seed, seed))
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	solvable := func(names []string) (bool, error) {
		p.Requests = requestsOf(names)
		_, err := resolve.Resolve(ctx, p)
		if err != nil && isConflict(err) {
			return false, nil
		}
		return err == nil, err
	}
	var good []string
	for _, name := range names {
		ok, err := solvable([]string{name})
		if err != nil {
			return nil, err
		}
		if ok {
			good = append(good, name)
		}
		if len(good) == 3*count {
			break
		}
	}
	if len(good) == 0 {
		return nil, errors.New("nothing in the repositories can be installed")
	}
	var requests [][]string
	for tries := 0; len(requests) < count && tries < 100*count; tries++ {
		var request []string
		for range 1 + len(requests)%40 {
			request = append(request, good[random.IntN(len(good))])
		}
		ok, err := solvable(request)
		if err != nil {
			return nil, err
		}
		if ok {
			requests = append(requests, request)
		}
	}
	return requests, nil
}

// watch takes the time, on the wall and of this process.
type watch struct {
	wall time.Time
	cpu  time.Duration
}

func startWatch() watch { return watch{time.Now(), processorTime(syscall.RUSAGE_SELF)} }

func (w watch) stop() (wall, cpu float64) {
	return time.Since(w.wall).Seconds(), (processorTime(syscall.RUSAGE_SELF) - w.cpu).Seconds()
}

// processorTime is what this process, or the children that have ended, spent on processors.
func processorTime(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		return 0 // it fails for no value that we give it
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
