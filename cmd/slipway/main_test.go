package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/slipway-build/slipway/internal/deploy/local"
	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/sandbox"
)

func TestMain(m *testing.M) {
	sandbox.Main()
	local.Main()
	testscript.Main(m, map[string]func(){"slipway": func() { os.Exit(run()) }})
}

// root is the checkout.
const root = "../.."

// TestScripts runs the command line as people do. testdata/script/*.txtar are the scripts; beside
// the usual commands there are:
//
//	greeter DIR          the example service in DIR: repositories, slipway.yaml, the RPM universe
//	change DIR NAME      one of the example's prepared commits
//	answers URL TEXT     the URL answers 200 with TEXT in it
//	eventually TEXT PROG ARGS  the program prints TEXT, within twenty seconds
//
// and those of script_test.go.
func TestScripts(t *testing.T) {
	shared := t.TempDir() // caches are never wrong: scripts share one unless they want an empty one
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("XDG_CACHE_HOME", shared)
			env.Setenv("XDG_STATE_HOME", filepath.Join(env.WorkDir, "state"))
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("GIT_CONFIG_GLOBAL", "/dev/null")
			for _, id := range []string{"AUTHOR", "COMMITTER"} {
				env.Setenv("GIT_"+id+"_NAME", "Tester")
				env.Setenv("GIT_"+id+"_EMAIL", "tester@example.com")
			}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "root" {
				return os.Getuid() == 0, nil
			}
			// [without:TOOL] skip: an oracle that is missing on CI fails the script where it is called.
			if tool, ok := strings.CutPrefix(cond, "without:"); ok {
				_, err := exec.LookPath(tool)
				return err != nil && os.Getenv("CI") != "true", nil
			}
			return false, fmt.Errorf("unknown condition %s", cond)
		},
		Cmds: commands(map[string]func(*testscript.TestScript, bool, []string){
			"greeter":    func(ts *testscript.TestScript, _ bool, args []string) { greeter(t, ts, args) },
			"change":     change,
			"answers":    answers,
			"eventually": eventually,
		}),
	})
}

// universe makes the small RPM universe, or finds it made.
var universe = sync.OnceValues(func() (string, error) {
	cmd := exec.Command("go", "run", "./tools/universe", "--size", "small")
	cmd.Dir = root
	var msg strings.Builder
	cmd.Stderr = &msg
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("making the RPM universe: %w\n%s", err, msg.String())
	}
	return strings.TrimSpace(string(out)), nil
})

func greeter(t *testing.T, ts *testscript.TestScript, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: greeter DIR")
	}
	oracle.Need(t, "git", "apt-get", "dpkg-deb")
	u, err := universe()
	ts.Check(err)
	script, err := filepath.Abs(filepath.Join(root, "examples/greeter/make-repos"))
	ts.Check(err)
	ts.Check(ts.Exec(script, ts.MkAbs(args[0]), u))
	// Ports of the machine's own: scripts run side by side.
	config := ts.MkAbs(filepath.Join(args[0], "slipway.yaml"))
	text := ts.ReadFile(config)
	for name, address := range map[string]string{"STG": "127.0.0.1:8080", "PROD": "127.0.0.1:8081"} {
		free := freeLoopback(t)
		text = strings.ReplaceAll(text, address, free)
		ts.Setenv(name, "http://"+free)
	}
	ts.Check(os.WriteFile(config, []byte(text), 0o644))
	state := ts.Getenv("XDG_STATE_HOME")
	ts.Defer(func() {
		ts.Setenv("XDG_STATE_HOME", state)
		for _, env := range []string{"stg", "prod"} {
			cmd, msg := start(ts, []string{"slipway", "down", "--env", env, "-c", args[0]})
			if err := cmd.Wait(); err != nil {
				ts.Logf("taking %s down: %v\n%s", env, err, msg)
			}
		}
	})
}

func change(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: change DIR NAME")
	}
	script, err := filepath.Abs(filepath.Join(root, "examples/greeter/change"))
	ts.Check(err)
	ts.Check(ts.Exec(script, ts.MkAbs(args[0]), args[1]))
}

func freeLoopback(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func answers(ts *testscript.TestScript, neg bool, args []string) {
	need(ts, args, 2)
	body, err := get(args[0])
	if ok := err == nil && strings.Contains(body, args[1]); ok == neg {
		ts.Fatalf("%s answered %q (%v); expected %q: %v", args[0], body, err, args[1], !neg)
	}
}

func eventually(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(200 * time.Millisecond) {
		cmd, out := start(ts, args[1:])
		err := cmd.Wait()
		if err == nil && strings.Contains(out.String(), args[0]) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%q printed (%v):\n%s", args[1:], err, out)
		}
	}
}

func get(url string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("status %s", resp.Status)
	}
	return string(body), err
}
