package local_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/deploy"
	"github.com/slipway-build/slipway/internal/deploy/local"
)

func release(snapshot string, workloads ...deploy.Workload) deploy.Release {
	return deploy.Release{Service: "greeter", Environment: "stg", Snapshot: snapshot, Workloads: workloads}
}

func named(name string, w deploy.Workload) deploy.Workload {
	w.Name = name
	return w
}

func apply(t *testing.T, target *local.Target, r deploy.Release) deploy.Status {
	t.Helper()
	result, err := target.Apply(t.Context(), r)
	if err != nil {
		t.Fatalf("applying %s: %v", r.Snapshot, err)
	}
	return result.Status
}

func status(t *testing.T, target *local.Target) deploy.Status {
	t.Helper()
	s, err := target.Status(t.Context(), "greeter", "stg")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// await waits for a status of the first workload.
func await(t *testing.T, target *local.Target, what string, ok func(deploy.Status) bool) deploy.Status {
	t.Helper()
	var s deploy.Status
	for range 200 {
		if s = status(t, target); ok(s) {
			return s
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatalf("never %s: %+v", what, s)
	return s
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// eventually waits for an answer: what has no health path counts as running
// before it listens.
func eventually(t *testing.T, url, want string) {
	t.Helper()
	var got string
	for range 200 {
		response, err := http.Get(url)
		if err == nil {
			body, _ := io.ReadAll(response.Body)
			response.Body.Close()
			if got = string(body); got == want {
				return
			}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("never answered %q, but %q", want, got)
}

// supervisorPid is the process of the supervisor that wrote the state last.
func supervisorPid(t *testing.T, target *local.Target) int {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(target.State, "greeter/stg/state.json"))
	if err != nil {
		t.Fatal(err)
	}
	var state struct{ Pid int }
	if err := json.Unmarshal(data, &state); err != nil {
		t.Fatal(err)
	}
	return state.Pid
}

// gone waits for the end of a process.
func gone(t *testing.T, pid int) {
	t.Helper()
	for range 200 {
		if err := syscall.Kill(pid, 0); errors.Is(err, syscall.ESRCH) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("process %d lives", pid)
}

func TestWorkloadsReachEachOther(t *testing.T) {
	target := newTarget(t)
	api := serves("api one", 200)
	api.Listen = ""
	web := serves("web", 200)
	s := apply(t, target, release("s1", named("web", web), named("api", api)))
	url := "http://" + s.Workloads[1].Address + "/get?url=http://api:8080/"
	if got := get(t, url); got != "api one" {
		t.Errorf("got %q", got)
	}
	if got := get(t, "http://"+s.Workloads[1].Address+"/get?url=http://web:8080/"); got != "web" {
		t.Errorf("itself: got %q", got)
	}
	// Each generation speaks to its own.
	api.Args[2] = "api two"
	apply(t, target, release("s2", named("web", web), named("api", api)))
	if got := get(t, url); got != "api two" {
		t.Errorf("got %q", got)
	}
	if got := get(t, "http://"+s.Workloads[1].Address+"/get?url=http://192.0.2.1/"); !strings.Contains(got, "unreachable") {
		t.Errorf("the world: got %q", got)
	}
}

func TestEnvironmentAndUser(t *testing.T) {
	target := newTarget(t)
	w := serves("web", 200)
	w.Env = map[string]string{"COLOUR": "red"}
	s := apply(t, target, release("s1", named("web", w)))
	url := "http://" + s.Workloads[0].Address
	env := get(t, url+"/env")
	for _, want := range []string{"FROM=image", "COLOUR=red", "HOME=/srv"} {
		if !strings.Contains(env, want) {
			t.Errorf("no %s in\n%s", want, env)
		}
	}
	if got := get(t, url+"/id"); got != "1001" {
		t.Errorf("runs as %s", got)
	}
}

func TestReplicas(t *testing.T) {
	target := newTarget(t)
	w := serves("web", 200)
	w.Replicas = 3
	s := apply(t, target, release("s1", named("web", w)))
	if got := s.Workloads[0]; got.Ready != 3 || len(got.Pids) != 3 {
		t.Errorf("got %+v", got)
	}
	for range 6 {
		if got := get(t, "http://"+s.Workloads[0].Address); got != "web" {
			t.Errorf("got %q", got)
		}
	}
}

// A request that is under way ends at the old version, and the connection it
// came on reaches the new one afterwards.
func TestRequestsDrain(t *testing.T) {
	target := newTarget(t)
	w := serves("one", 200)
	s := apply(t, target, release("s1", named("web", w)))
	conn, err := net.Dial("tcp", s.Workloads[0].Address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	reader := bufio.NewReader(conn)
	ask := func(path string) func() string {
		fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: greeter\r\n\r\n", path)
		return func() string {
			response, err := http.ReadResponse(reader, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			body, err := io.ReadAll(response.Body)
			if err != nil {
				t.Fatal(err)
			}
			return string(body)
		}
	}
	answer := ask("/slow")
	w.Args[2] = "two"
	apply(t, target, release("s2", named("web", w)))
	if got := answer(); got != "one" {
		t.Errorf("under way: got %q", got)
	}
	if got := ask("/")(); got != "two" {
		t.Errorf("afterwards: got %q", got)
	}
}

// Without a health path whole connections are forwarded, and those that are
// under way stay with the old version.
func TestConnectionsDrain(t *testing.T) {
	target := newTarget(t)
	w := serves("one", 200)
	w.Health = deploy.Health{Settle: 100 * time.Millisecond}
	s := apply(t, target, release("s1", named("web", w)))
	url := "http://" + s.Workloads[0].Address
	eventually(t, url, "one")
	slow := make(chan string)
	go func() { slow <- get(t, url+"/slow") }()
	eventually(t, url, "one") // the connection is there when another one is answered
	w.Args[2] = "two"
	apply(t, target, release("s2", named("web", w)))
	http.DefaultClient.CloseIdleConnections()
	eventually(t, url, "two")
	if got := <-slow; got != "one" {
		t.Errorf("under way: got %q", got)
	}
}

func TestAddressInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	target := newTarget(t)
	w := serves("one", 200)
	w.Listen = l.Addr().String()
	_, err = target.Apply(t.Context(), release("s1", named("web", w)))
	if err == nil || !strings.Contains(err.Error(), w.Listen+" is in use by another program") {
		t.Errorf("error: %v", err)
	}
	if _, err := os.Stat(filepath.Join(target.State, "greeter/stg/logs")); err == nil {
		t.Error("something was started")
	}
	w.Listen = "192.0.2.1:80"
	_, err = target.Apply(t.Context(), release("s1", named("web", w)))
	if err == nil || !strings.Contains(err.Error(), "no address of this machine") {
		t.Errorf("error: %v", err)
	}
}

func TestImpossibleWorkloads(t *testing.T) {
	target := newTarget(t)
	missing := serves("one", 200)
	missing.Image = "missing"
	if _, err := target.Apply(t.Context(), release("s1", named("web", missing))); err == nil || !strings.Contains(err.Error(), "image missing: not found") {
		t.Errorf("missing image: %v", err)
	}
	program := serves("one", 200)
	program.Args = []string{"unknown-step"}
	_, err := target.Apply(t.Context(), release("s1", named("web", program)))
	var rollout *deploy.RolloutError
	if !errors.As(err, &rollout) || !strings.Contains(rollout.Reason, "ended 3 times, the last time with exit code 1") {
		t.Errorf("unknown program: %v", err)
	}
}

func TestWorkloadIsRestarted(t *testing.T) {
	target := newTarget(t)
	s := apply(t, target, release("s1", named("web", serves("one", 200))))
	address := s.Workloads[0].Address
	// It ends in the middle of an answer.
	if got := get(t, "http://"+address+"/exit"); !strings.Contains(got, "does not answer") {
		t.Errorf("got %q", got)
	}
	s = await(t, target, "degraded", func(s deploy.Status) bool { return s.Workloads[0].State == deploy.Degraded })
	if w := s.Workloads[0]; w.Ready != 0 || !strings.Contains(w.LastError, "exit code 3") {
		t.Errorf("got %+v", w)
	}
	s = await(t, target, "healthy", func(s deploy.Status) bool { return s.Workloads[0].State == deploy.Healthy })
	if w := s.Workloads[0]; w.Restarts != 1 || w.Ready != 1 {
		t.Errorf("got %+v", w)
	}
	if got := get(t, "http://"+address); got != "one" {
		t.Errorf("got %q", got)
	}
}

func TestKilledSupervisor(t *testing.T) {
	target := newTarget(t)
	w := serves("one", 200)
	w.Listen = freeAddress(t)
	s := apply(t, target, release("s1", named("web", w)))
	if err := syscall.Kill(supervisorPid(t, target), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	gone(t, s.Workloads[0].Pids[0])
	s = status(t, target)
	if s.Running || !strings.Contains(s.Problem, "is gone") || s.Snapshot != "s1" || s.Workloads[0].State != deploy.Degraded {
		t.Errorf("status: %+v", s)
	}
	var log strings.Builder
	if err := target.Logs(t.Context(), deploy.LogRequest{Service: "greeter", Environment: "stg", Tail: -1}, &log); err != nil || !strings.Contains(log.String(), "serving one") {
		t.Errorf("logs: %q %v", log.String(), err)
	}
	apply(t, target, release("s1", named("web", w)))
	if got := get(t, "http://"+w.Listen); got != "one" {
		t.Errorf("got %q", got)
	}
	if err := syscall.Kill(supervisorPid(t, target), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := target.Down(t.Context(), "greeter", "stg"); err != nil {
		t.Error(err)
	}
	if s := status(t, target); s.Running || s.Problem != "" {
		t.Errorf("status: %+v", s)
	}
}

// The program is replaced while a supervisor of it runs, as an upgrade does.
func TestReplacedProgram(t *testing.T) {
	const variable = "LOCAL_TEST_STATE"
	if state := os.Getenv(variable); state != "" {
		target := &local.Target{State: state, Images: images{os.Getenv("LOCAL_TEST_ROOT")}}
		apply(t, target, release("s1", named("web", serves("one", 200))))
		return
	}
	target := newTarget(t)
	data, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "slipway")
	if err := os.WriteFile(program, data, 0o755); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-test.run=^TestReplacedProgram$")
	root, err := target.Images.Root(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	cmd.Env = append(os.Environ(), variable+"="+target.State, "LOCAL_TEST_ROOT="+root.Lower[0])
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.Remove(program); err != nil {
		t.Fatal(err)
	}
	// The command has ended; what it deployed serves, and is started again.
	address := status(t, target).Workloads[0].Address
	get(t, "http://"+address+"/exit")
	await(t, target, "degraded", func(s deploy.Status) bool { return s.Workloads[0].State == deploy.Degraded })
	await(t, target, "healthy", func(s deploy.Status) bool { return s.Workloads[0].State == deploy.Healthy })
	if got := get(t, "http://"+address); got != "one" {
		t.Errorf("got %q", got)
	}
}

func TestDownLeavesNothing(t *testing.T) {
	target := newTarget(t)
	s := apply(t, target, release("s1", named("web", serves("one", 200))))
	pid := supervisorPid(t, target)
	if err := target.Down(t.Context(), "greeter", "stg"); err != nil {
		t.Fatal(err)
	}
	gone(t, pid)
	gone(t, s.Workloads[0].Pids[0])
	entries, err := os.ReadDir(filepath.Join(target.State, "greeter/stg"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	if got := strings.Join(names, " "); got != "lock logs state.json supervisor.log" {
		t.Errorf("left: %s", got)
	}
}

func TestDownInterruptsRollout(t *testing.T) {
	target := newTarget(t)
	apply(t, target, release("s1", named("web", serves("one", 200))))
	applied := make(chan error)
	go func() {
		_, err := target.Apply(context.Background(), release("s2", named("web", serves("two", 500))))
		applied <- err
	}()
	for {
		var busy *deploy.BusyError
		_, err := target.Apply(t.Context(), release("s1", named("web", serves("one", 200))))
		if errors.As(err, &busy) && busy.Snapshot == "s2" {
			break
		}
	}
	if err := target.Down(t.Context(), "greeter", "stg"); err != nil {
		t.Fatal(err)
	}
	if err := <-applied; err == nil || !strings.Contains(err.Error(), "taken down") {
		t.Errorf("error: %v", err)
	}
}

func TestSupervisorEndsOnSignal(t *testing.T) {
	target := newTarget(t)
	s := apply(t, target, release("s1", named("web", serves("one", 200))))
	pid := supervisorPid(t, target)
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	gone(t, pid)
	gone(t, s.Workloads[0].Pids[0])
	if s := status(t, target); s.Running || s.Problem != "" {
		t.Errorf("status: %+v", s)
	}
}

func TestFollowingGoesOnToTheNextVersion(t *testing.T) {
	target := newTarget(t)
	w := serves("one", 200)
	apply(t, target, release("s1", named("web", w)))
	r, pipe := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		err := target.Logs(ctx, deploy.LogRequest{Service: "greeter", Environment: "stg", Workload: "web", Tail: -1, Follow: true}, pipe)
		pipe.Close()
		done <- err
	}()
	lines := bufio.NewScanner(r)
	if !lines.Scan() || lines.Text() != "serving one on 8080" {
		t.Errorf("got %q", lines.Text())
	}
	w.Args[2] = "two"
	apply(t, target, release("s2", named("web", w)))
	for lines.Scan() && lines.Text() != "serving two on 8080" {
	}
	if lines.Text() != "serving two on 8080" {
		t.Errorf("got %q", lines.Text())
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
