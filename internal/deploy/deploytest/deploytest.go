// Package deploytest holds every deploy.Target to the promises of that
// interface. A target's own tests call Run with a Harness that knows how to make
// workloads for it.
package deploytest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/deploy"
)

// Harness makes a target and what runs on it.
type Harness struct {
	// Target makes a target with nothing on it; it cleans up after the test.
	Target func(t *testing.T) deploy.Target
	// Serves is a workload that answers GET / with text and GET /healthz with
	// status, and writes "serving <text>" when it starts. Its address is one
	// that the test can reach; each call may choose the same one.
	Serves func(t *testing.T, text string, status int) deploy.Workload
	// Ends is a workload that writes text and ends with exit code 1.
	Ends func(t *testing.T, text string) deploy.Workload
}

const (
	service     = "greeter"
	environment = "stg"
)

// Run runs the suite.
func Run(t *testing.T, h Harness) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, h Harness, target deploy.Target)
	}{
		{"NothingDeployed", nothingDeployed},
		{"ApplyAndDown", applyAndDown},
		{"SameAgain", sameAgain},
		{"NewVersion", newVersion},
		{"UnhealthyVersionIsReturned", unhealthyVersion},
		{"EndingVersionIsReturned", endingVersion},
		{"OneFailingWorkloadMovesNone", oneFailing},
		{"FirstReleaseFails", firstFails},
		{"Unproven", unproven},
		{"Logs", logs},
		{"Interrupted", interruptedApply},
		{"Concurrent", concurrent},
		{"BadRelease", badRelease},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, h, h.Target(t)) })
	}
}

func release(snapshot string, workloads ...deploy.Workload) deploy.Release {
	return deploy.Release{
		Service: service, Environment: environment, Snapshot: snapshot, Alias: "alias-" + snapshot,
		Commits: map[string]string{"lib": "c0ffee"}, Workloads: workloads,
	}
}

func named(name string, w deploy.Workload) deploy.Workload {
	w.Name = name
	return w
}

func apply(t *testing.T, target deploy.Target, r deploy.Release) deploy.Result {
	t.Helper()
	result, err := target.Apply(t.Context(), r)
	if err != nil {
		t.Fatalf("applying %s: %v", r.Snapshot, err)
	}
	return result
}

func status(t *testing.T, target deploy.Target) deploy.Status {
	t.Helper()
	s, err := target.Status(t.Context(), service, environment)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// web is the status of the workload of that name.
func web(t *testing.T, s deploy.Status) deploy.WorkloadStatus {
	t.Helper()
	for _, w := range s.Workloads {
		if w.Name == "web" {
			return w
		}
	}
	t.Fatalf("no workload web in %+v", s)
	return deploy.WorkloadStatus{}
}

// answers asks the workload web until it gives the text: addresses change over at
// once, but a target may need a moment to tell all who forward to it.
func answers(t *testing.T, target deploy.Target, text string) {
	t.Helper()
	w := web(t, status(t, target))
	var got string
	for range 50 {
		var err error
		if got, err = get("http://" + w.Address + "/"); err == nil && got == text {
			return
		} else if err != nil {
			got = err.Error()
		}
		time.Sleep(100 * time.Millisecond)
	}
	t.Fatalf("it answers %q, not %q", got, text)
}

func get(url string) (string, error) {
	response, err := http.Get(url) //nolint:noctx // the test's end is its end
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return string(body), err
}

func rolloutError(t *testing.T, err error) *deploy.RolloutError {
	t.Helper()
	var rollout *deploy.RolloutError
	if !errors.As(err, &rollout) {
		t.Fatalf("error is %T, not a RolloutError: %v", err, err)
	}
	return rollout
}

func nothingDeployed(t *testing.T, _ Harness, target deploy.Target) {
	if s := status(t, target); s.Running || s.Problem != "" || s.Service != service || len(s.Workloads) != 0 {
		t.Errorf("status: %+v", s)
	}
	if err := target.Down(t.Context(), service, environment); err != nil {
		t.Errorf("down: %v", err)
	}
	if err := target.Logs(t.Context(), deploy.LogRequest{Service: service, Environment: environment}, io.Discard); err == nil {
		t.Error("logs of nothing are no error")
	}
}

func applyAndDown(t *testing.T, h Harness, target deploy.Target) {
	before := time.Now()
	result := apply(t, target, release("s1", named("web", h.Serves(t, "one", 200))))
	if result.Unchanged || result.Previous != "" || !result.Status.Running {
		t.Errorf("result: %+v", result)
	}
	answers(t, target, "one")
	s := status(t, target)
	if !s.Running || s.Snapshot != "s1" || s.Alias != "alias-s1" || s.Commits["lib"] != "c0ffee" || s.Since.Before(before.Truncate(time.Second)) {
		t.Errorf("status: %+v", s)
	}
	if w := web(t, s); w.State != deploy.Healthy || w.Ready != 1 || w.Replicas != 1 || w.Digest == "" || w.Address == "" || w.Restarts != 0 {
		t.Errorf("workload: %+v", w)
	}
	address := web(t, s).Address
	for range 2 {
		if err := target.Down(t.Context(), service, environment); err != nil {
			t.Fatalf("down: %v", err)
		}
		if s := status(t, target); s.Running || s.Problem != "" {
			t.Errorf("status after down: %+v", s)
		}
	}
	if text, err := get("http://" + address + "/"); err == nil {
		t.Errorf("still answers %q", text)
	}
}

func sameAgain(t *testing.T, h Harness, target deploy.Target) {
	r := release("s1", named("web", h.Serves(t, "one", 200)))
	apply(t, target, r)
	since := status(t, target).Since
	if result := apply(t, target, r); !result.Unchanged || result.Status.Snapshot != "s1" {
		t.Errorf("result: %+v", result)
	}
	if got := status(t, target).Since; !got.Equal(since) {
		t.Errorf("runs since %v, not %v", got, since)
	}
	// The same snapshot with another setting is not the same release.
	r.Workloads[0].Env = map[string]string{"COLOUR": "red"}
	if result := apply(t, target, r); result.Unchanged {
		t.Error("another environment variable changed nothing")
	}
}

func newVersion(t *testing.T, h Harness, target deploy.Target) {
	apply(t, target, release("s1", named("web", h.Serves(t, "one", 200))))
	result := apply(t, target, release("s2", named("web", h.Serves(t, "two", 200))))
	if result.Previous != "s1" || result.Status.Snapshot != "s2" {
		t.Errorf("result: %+v", result)
	}
	answers(t, target, "two")
}

func unhealthyVersion(t *testing.T, h Harness, target deploy.Target) {
	apply(t, target, release("s1", named("web", h.Serves(t, "one", 200))))
	bad := named("web", h.Serves(t, "two", 500))
	bad.Health.Timeout = time.Second
	_, err := target.Apply(t.Context(), release("s2", bad))
	rollout := rolloutError(t, err)
	if rollout.Workload != "web" || rollout.State != deploy.TimedOut || rollout.Kept != "s1" || !strings.Contains(rollout.Reason, "500") {
		t.Errorf("error: %+v", rollout)
	}
	if tail := strings.Join(rollout.LogTail, "\n"); !strings.Contains(tail, "serving two") {
		t.Errorf("log tail: %q", tail)
	}
	answers(t, target, "one")
	s := status(t, target)
	if s.Snapshot != "s1" || s.Failed == nil || s.Failed.Snapshot != "s2" || s.Failed.State != deploy.Returned || s.Failed.Workload != "web" {
		t.Errorf("status: %+v, failed %+v", s, s.Failed)
	}
	apply(t, target, release("s3", named("web", h.Serves(t, "three", 200))))
	if s := status(t, target); s.Failed != nil {
		t.Errorf("the failure outlived a success: %+v", s.Failed)
	}
}

func endingVersion(t *testing.T, h Harness, target deploy.Target) {
	apply(t, target, release("s1", named("web", h.Serves(t, "one", 200))))
	bad := named("web", h.Ends(t, "cannot import greeting"))
	bad.Health.Timeout = 20 * time.Second
	begun := time.Now()
	_, err := target.Apply(t.Context(), release("s2", bad))
	rollout := rolloutError(t, err)
	if rollout.Workload != "web" || !strings.Contains(strings.Join(rollout.LogTail, "\n"), "cannot import greeting") {
		t.Errorf("error: %+v", rollout)
	}
	if time.Since(begun) > 15*time.Second {
		t.Error("what ends at once was waited for to the timeout")
	}
	answers(t, target, "one")
}

func oneFailing(t *testing.T, h Harness, target deploy.Target) {
	apply(t, target, release("s1", named("web", h.Serves(t, "one", 200))))
	bad := named("worker", h.Ends(t, "no"))
	bad.Listen = ""
	_, err := target.Apply(t.Context(), release("s2", named("web", h.Serves(t, "two", 200)), bad))
	if rollout := rolloutError(t, err); rollout.Workload != "worker" {
		t.Errorf("error: %+v", rollout)
	}
	answers(t, target, "one")
	if s := status(t, target); len(s.Workloads) != 1 || s.Snapshot != "s1" {
		t.Errorf("status: %+v", s)
	}
}

func firstFails(t *testing.T, h Harness, target deploy.Target) {
	_, err := target.Apply(t.Context(), release("s1", named("web", h.Ends(t, "no"))))
	if rollout := rolloutError(t, err); rollout.Kept != "" {
		t.Errorf("error: %+v", rollout)
	}
	s := status(t, target)
	if s.Running || s.Failed == nil || s.Failed.Snapshot != "s1" || s.Failed.State == deploy.Returned {
		t.Errorf("status: %+v, failed %+v", s, s.Failed)
	}
	apply(t, target, release("s2", named("web", h.Serves(t, "two", 200))))
	answers(t, target, "two")
}

func unproven(t *testing.T, h Harness, target deploy.Target) {
	w := named("web", h.Serves(t, "one", 500))
	w.Health = deploy.Health{Settle: 300 * time.Millisecond}
	apply(t, target, release("s1", w))
	answers(t, target, "one")
	if w := web(t, status(t, target)); w.State != deploy.Unproven {
		t.Errorf("workload: %+v", w)
	}
}

func logs(t *testing.T, h Harness, target deploy.Target) {
	apply(t, target, release("s1", named("web", h.Serves(t, "one", 200)), named("worker", quiet(h.Serves(t, "two", 200)))))
	read := func(request deploy.LogRequest) string {
		t.Helper()
		request.Service, request.Environment = service, environment
		var b strings.Builder
		if err := target.Logs(t.Context(), request, &b); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	if got := read(deploy.LogRequest{Workload: "web", Tail: -1}); !strings.HasPrefix(got, "serving one") {
		t.Errorf("web: %q", got)
	}
	all := read(deploy.LogRequest{Tail: 10})
	if !strings.Contains(all, "web | serving one") || !strings.Contains(all, "worker | serving two") {
		t.Errorf("all: %q", all)
	}
	if got := read(deploy.LogRequest{Tail: 0}); got != "" {
		t.Errorf("no lines: %q", got)
	}
	request := deploy.LogRequest{Service: service, Environment: environment, Workload: "nobody"}
	if err := target.Logs(t.Context(), request, io.Discard); err == nil || !strings.Contains(err.Error(), "worker") {
		t.Errorf("unknown workload: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	request = deploy.LogRequest{Service: service, Environment: environment, Follow: true, Tail: -1}
	if err := target.Logs(ctx, request, io.Discard); err != nil {
		t.Errorf("following: %v", err)
	}
}

// quiet is a workload that nobody outside can reach.
func quiet(w deploy.Workload) deploy.Workload {
	w.Listen = ""
	return w
}

func interruptedApply(t *testing.T, h Harness, target deploy.Target) {
	apply(t, target, release("s1", named("web", h.Serves(t, "one", 200))))
	slow := named("web", h.Serves(t, "two", 500))
	slow.Health.Timeout = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	if _, err := target.Apply(ctx, release("s2", slow)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error: %v", err)
	}
	answers(t, target, "one")
	// The place is free again, after a moment.
	var err error
	for range 100 {
		var busy *deploy.BusyError
		_, err = target.Apply(t.Context(), release("s3", named("web", h.Serves(t, "three", 200))))
		if !errors.As(err, &busy) {
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err != nil {
		t.Fatal(err)
	}
	answers(t, target, "three")
}

func concurrent(t *testing.T, h Harness, target deploy.Target) {
	errs := make(chan error)
	for _, snapshot := range []string{"s1", "s2", "s3"} {
		go func() {
			_, err := target.Apply(t.Context(), release(snapshot, named("web", h.Serves(t, snapshot, 200))))
			errs <- err
		}()
	}
	applied := 0
	for range 3 {
		err := <-errs
		var busy *deploy.BusyError
		if err == nil {
			applied++
		} else if !errors.As(err, &busy) {
			t.Errorf("error: %v", err)
		}
	}
	if applied == 0 {
		t.Error("all were refused")
	}
	answers(t, target, status(t, target).Snapshot)
}

func badRelease(t *testing.T, h Harness, target deploy.Target) {
	good := named("web", h.Serves(t, "one", 200))
	for name, r := range map[string]deploy.Release{
		"no workloads":   release("s1"),
		"no snapshot":    release("", good),
		"bad name":       release("s1", named("../web", good)),
		"twice the same": release("s1", good, quiet(good)),
		"same address":   release("s1", good, named("other", good)),
		"bad service":    {Service: "a/b", Environment: environment, Snapshot: "s1", Workloads: []deploy.Workload{good}},
	} {
		if good.Listen == "" && name == "same address" {
			continue
		}
		if _, err := target.Apply(t.Context(), r); err == nil {
			t.Errorf("%s: applied", name)
		}
	}
	if s := status(t, target); s.Running {
		t.Errorf("status: %+v", s)
	}
}
