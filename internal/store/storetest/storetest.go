// Package storetest holds records to what release.Records promises: any database that keeps them
// passes Test.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/release"
)

// Records are open records.
type Records interface {
	release.Records
	Close() error
}

// Opener opens the same records each time it is called, as further processes would. It must be safe
// for concurrent use.
type Opener func() (Records, error)

// Test runs the suite. fresh gives a way to open records that are empty.
func Test(t *testing.T, fresh func(t *testing.T) Opener) {
	for _, tt := range []struct {
		name string
		test func(*suite)
	}{
		{"snapshots are found by each of their names", (*suite).names},
		{"a snapshot stays as it was first recorded", (*suite).first},
		{"the newest snapshot of a candidate is found", (*suite).newest},
		{"services do not see each other", (*suite).services},
		{"a promotion runs and ends once", (*suite).lifecycle},
		{"promotions are listed newest first", (*suite).order},
		{"an environment has one promotion at a time", (*suite).busy},
		{"what was left running is aborted", (*suite).left},
		{"what is not recorded can't be promoted", (*suite).unrecorded},
		{"an ended context ends the call", (*suite).context},
		{"many handles at once", (*suite).many},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &suite{T: t, opener: fresh(t)}
			s.r = s.open()
			tt.test(s)
		})
	}
}

type suite struct {
	*testing.T
	opener Opener
	r      Records
}

// open opens the records once more, until the test ends.
func (s *suite) open() Records {
	s.Helper()
	r, err := s.opener()
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(func() { _ = r.Close() })
	return r
}

func (s *suite) ok(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// day is when the tests take place; a place in it that no time zone of a machine changes.
var day = time.Date(2026, 1, 2, 3, 4, 5, 678_901_234, time.UTC)

// id is a snapshot's ID that begins with s.
func id(s string) string { return s + strings.Repeat("0", 64-len(s)) }

// Snapshot is a made-up snapshot with every field set.
func Snapshot(service, name string) *release.Snapshot {
	return &release.Snapshot{
		ID: id(name), Alias: "calm-otter-" + name, Service: service, Branch: "main", Config: id("c"), Dirty: true, Lock: "sha256:" + id("d"),
		Projects: []release.Project{{
			Name: "lib", URL: "https://git.example.com/lib.git", Branch: "main", Commit: "1234567890", Version: "1.2",
			Author: "Jörg \u202e", Subject: `a 'quoted' "subject"; DROP TABLE snapshot`, Time: day,
		}},
		Images:    []release.Image{{Name: "web", Digest: "sha256:" + id("e"), Base: "sha256:" + id("f"), Size: 1 << 40, Layers: 3}},
		Candidate: "candidate-" + name, Created: day,
	}
}

func (s *suite) add(service, name string) *release.Snapshot {
	s.Helper()
	n := Snapshot(service, name)
	s.ok(s.r.AddSnapshot(s.Context(), n))
	return n
}

func (s *suite) begin(r Records, env string, n *release.Snapshot) *release.Promotion {
	s.Helper()
	p := promotion(env, n)
	s.ok(r.Begin(s.Context(), p))
	return p
}

func promotion(env string, n *release.Snapshot) *release.Promotion {
	return &release.Promotion{Service: n.Service, Environment: env, Snapshot: n.ID, Actor: "jo", Reason: "why not", Began: day}
}

// newestOf is greeter's newest promotion to env, as another handle sees it.
func (s *suite) newestOf(env string) release.Promotion {
	s.Helper()
	list, err := s.open().Promotions(s.Context(), "greeter", env, 1)
	s.ok(err)
	if len(list) != 1 {
		s.Fatalf("promotions: %v", list)
	}
	return list[0]
}

func (s *suite) names() {
	a, b := s.add("greeter", "aaaa1"), s.add("greeter", "aaaa2")
	for name, want := range map[string]*release.Snapshot{
		a.ID: a, b.ID: b, a.Alias: a, b.Alias: b, "aaaa1": a, "aaaa20": b, "aaaa": nil, "aaa": nil, "": nil, "%": nil, "aaaa_": nil, "AAAA1": nil, "otter": nil,
	} {
		got, err := s.open().Snapshot(s.Context(), "greeter", name)
		switch {
		case want != nil:
			s.ok(err)
			if diff := cmp.Diff(want, got); diff != "" {
				s.Errorf("%q (-want +got):\n%s", name, diff)
			}
		case err == nil:
			s.Errorf("%q gives %s", name, got.Alias)
		case name == "aaaa":
			if !strings.Contains(err.Error(), "more than one") || errors.Is(err, release.ErrNoRecord) {
				s.Errorf("%q: %v", name, err)
			}
		case !errors.Is(err, release.ErrNoRecord):
			s.Errorf("%q: %v", name, err)
		}
	}
}

func (s *suite) first() {
	a := s.add("greeter", "aaaa")
	later := *a
	later.Created, later.Branch = day.Add(time.Hour), "stable"
	s.ok(s.r.AddSnapshot(s.Context(), &later))
	got, err := s.r.Snapshot(s.Context(), "greeter", a.ID)
	s.ok(err)
	if diff := cmp.Diff(a, got); diff != "" {
		s.Errorf("(-want +got):\n%s", diff)
	}
}

func (s *suite) newest() {
	for i, name := range []string{"aaaa", "cccc", "bbbb"} {
		n := Snapshot("greeter", name)
		n.Candidate, n.Created = "the same", day.Add([]time.Duration{0, time.Nanosecond, -time.Hour}[i])
		s.ok(s.r.AddSnapshot(s.Context(), n))
	}
	got, err := s.r.SnapshotOf(s.Context(), "greeter", "the same")
	s.ok(err)
	if got.ID != id("cccc") {
		s.Errorf("found %s", got.ID)
	}
	if _, err := s.r.SnapshotOf(s.Context(), "greeter", "another"); !errors.Is(err, release.ErrNoRecord) {
		s.Errorf("error: %v", err)
	}
}

func (s *suite) services() {
	a, b := s.add("one", "aaaa"), s.add("two", "aaaa")
	got, err := s.r.Snapshot(s.Context(), "two", a.ID)
	s.ok(err)
	if got.Service != "two" {
		s.Errorf("found the snapshot of %s", got.Service)
	}
	s.begin(s.r, "stg", a)
	s.begin(s.r, "stg", b)
	s.begin(s.r, "prod", b)
	if _, err := s.r.SnapshotOf(s.Context(), "three", a.Candidate); !errors.Is(err, release.ErrNoRecord) {
		s.Errorf("error: %v", err)
	}
	if list, err := s.r.Promotions(s.Context(), "three", "stg", 10); err != nil || len(list) > 0 {
		s.Errorf("promotions: %v, %v", list, err)
	}
}

func (s *suite) lifecycle() {
	a := s.add("greeter", "aaaa")
	for _, end := range []release.State{release.Succeeded, release.Failed, release.Errored, release.Aborted} {
		p := s.begin(s.r, "stg", a)
		if diff := cmp.Diff(*p, s.newestOf("stg")); diff != "" || p.State != release.Running || p.Number == 0 {
			s.Errorf("running: %+v\n%s", p, diff)
		}
		if err := s.r.End(s.Context(), p.Number, release.Running, "", day); err == nil {
			s.Error("running is no end")
		}
		s.ok(s.r.End(s.Context(), p.Number, end, "it's\nso", day.Add(time.Minute)))
		if err := s.r.End(s.Context(), p.Number, release.Succeeded, "", day); err == nil || !strings.Contains(err.Error(), "not running") {
			s.Errorf("ending it twice: %v", err)
		}
		p.State, p.Message, p.Ended = end, "it's\nso", day.Add(time.Minute)
		if diff := cmp.Diff(*p, s.newestOf("stg")); diff != "" {
			s.Errorf("%s (-want +got):\n%s", end, diff)
		}
	}
	if err := s.r.End(s.Context(), 4711, release.Failed, "", day); err == nil {
		s.Error("a promotion that never was has ended")
	}
}

func (s *suite) order() {
	a := s.add("greeter", "aaaa")
	var numbers []int64
	for range 5 {
		p := s.begin(s.r, "stg", a)
		s.ok(s.r.End(s.Context(), p.Number, release.Failed, "", day))
		numbers = append(numbers, p.Number)
	}
	for limit, want := range map[int]int{0: 0, -1: 0, 1: 1, 3: 3, 10: 5} {
		list, err := s.r.Promotions(s.Context(), "greeter", "stg", limit)
		s.ok(err)
		if len(list) != want {
			s.Errorf("limit %d gives %d", limit, len(list))
		}
		for i, p := range list {
			if p.Number != numbers[len(numbers)-1-i] {
				s.Errorf("limit %d: number %d at %d", limit, p.Number, i)
			}
		}
	}
}

func (s *suite) busy() {
	a := s.add("greeter", "aaaa")
	first := s.begin(s.r, "stg", a)
	for _, r := range []Records{s.r, s.open()} {
		err := r.Begin(s.Context(), promotion("stg", a))
		var busy *release.BusyError
		if !errors.As(err, &busy) || busy.Running == nil || busy.Running.Number != first.Number {
			s.Fatalf("error: %v", err)
		}
		if !strings.Contains(err.Error(), fmt.Sprintf("promotion %d to stg is under way (snapshot %s, by jo", first.Number, a.ID[:12])) {
			s.Errorf("error: %v", err)
		}
	}
	s.ok(s.r.End(s.Context(), first.Number, release.Succeeded, "", day))
	s.begin(s.open(), "stg", a)
	s.begin(s.open(), "prod", a)
}

func (s *suite) left() {
	a := s.add("greeter", "aaaa")
	gone := s.open()
	p := s.begin(gone, "stg", a)
	other := s.begin(s.r, "prod", a)
	s.ok(gone.Close())
	got := s.newestOf("stg")
	if got.State != release.Aborted || got.Message == "" || !got.Ended.IsZero() {
		s.Errorf("left behind: %+v", got)
	}
	next := promotion("stg", a)
	next.Began = day.Add(time.Hour)
	s.ok(s.r.Begin(s.Context(), next))
	list, err := s.r.Promotions(s.Context(), "greeter", "stg", 10)
	s.ok(err)
	if len(list) != 2 || list[0].State != release.Running || list[1].State != release.Aborted || list[1].Number != p.Number || !list[1].Ended.Equal(next.Began) {
		s.Errorf("after the next one began: %+v", list)
	}
	if got := s.newestOf("prod"); got.State != release.Running || got.Number != other.Number {
		s.Errorf("another environment's: %+v", got)
	}
	if err := s.r.End(s.Context(), p.Number, release.Succeeded, "", day); err == nil {
		s.Error("an aborted promotion succeeded")
	}
}

func (s *suite) unrecorded() {
	a := s.add("greeter", "aaaa")
	b := Snapshot("greeter", "bbbb")
	if err := s.r.Begin(s.Context(), promotion("stg", b)); !errors.Is(err, release.ErrNoRecord) {
		s.Errorf("error: %v", err)
	}
	s.begin(s.r, "stg", a) // that held nothing up
}

func (s *suite) context() {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	a := Snapshot("greeter", "aaaa")
	if err := s.r.AddSnapshot(ctx, a); !errors.Is(err, context.Canceled) {
		s.Errorf("adding: %v", err)
	}
	if _, err := s.r.Snapshot(ctx, "greeter", a.ID); !errors.Is(err, context.Canceled) {
		s.Errorf("looking: %v", err)
	}
	s.add("greeter", "aaaa")
	if err := s.r.Begin(ctx, promotion("stg", a)); !errors.Is(err, context.Canceled) {
		s.Errorf("beginning: %v", err)
	}
	s.begin(s.r, "stg", a) // that held nothing up
}

// many opens the records from several sides at once, the first time among them.
func (s *suite) many() {
	const handles = 6
	a := Snapshot("greeter", "aaaa")
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range handles {
		wg.Go(func() {
			r, err := s.opener()
			if err != nil {
				s.Error(err)
				return
			}
			defer r.Close()
			if err := errors.Join(r.AddSnapshot(s.Context(), a), r.AddSnapshot(s.Context(), Snapshot("greeter", fmt.Sprintf("bbbb%d", i)))); err != nil {
				s.Error(err)
				return
			}
			p := promotion("stg", a)
			var busy *release.BusyError
			if err := r.Begin(s.Context(), p); errors.As(err, &busy) {
				return
			} else if err != nil {
				s.Error(err)
				return
			}
			mu.Lock()
			won++
			mu.Unlock()
			if err := r.End(s.Context(), p.Number, release.Succeeded, "", day); err != nil {
				s.Error(err)
			}
		})
	}
	wg.Wait()
	list, err := s.r.Promotions(s.Context(), "greeter", "stg", 2*handles)
	s.ok(err)
	if won == 0 || len(list) != won {
		s.Errorf("%d promotions are recorded, %d began", len(list), won)
	}
	for _, p := range list {
		if p.State != release.Succeeded {
			s.Errorf("promotion %d %s", p.Number, p.State)
		}
	}
}
