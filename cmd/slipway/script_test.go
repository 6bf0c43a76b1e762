package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

type scriptCommand = func(ts *testscript.TestScript, neg bool, args []string)

// commands adds to the scripts' commands:
//
//	samedigests A B            two snapshots, as JSON, have the same images
//	sametree A B               two folders have the same files with the same content
//	replace FILE OLD NEW       in the text of a file
//	prepend FILE LINE, appendline FILE LINE
//	digestof IMAGE FILE VAR    the digest that a snapshot, as JSON, has of the image, in $VAR
//	copyuniverse DIR REPOFILE  a copy of the RPM universe in DIR, which REPOFILE then names
//	corrupt GLOB               a byte in the middle of each file is changed
//	otherkey DIR               the copy's public key becomes somebody else's
//	interrupt AFTER PROG ARGS  run, sent SIGINT after that time, must fail
//	killafter AFTER PROG ARGS  run, killed after that time
//	killrandom WITHIN PROG ARGS  run some times, each killed at a random moment within that time
//	nothingleft DIR            the cache DIR has no scratch of dead processes, and no process or mount uses it
//	tmpfs DIR SIZE             a file system of that size (k, m), on DIR
//	tinyrepo DIR NEVRA...      a repository of empty packages
//	mirror VAR DIR [FAULT [PART]]  a web server for the folder that misbehaves, its address in $VAR
//	held DIR                   the cache DIR is in use
//	flakyregistry VAR N        a registry that answers the first N writes with 500, its address in $VAR
func commands(more map[string]scriptCommand) map[string]scriptCommand {
	all := map[string]scriptCommand{
		"samedigests": sameDigests, "sametree": sameTree, "replace": replace, "prepend": prepend,
		"appendline": appendLine, "digestof": digestOf,
		"copyuniverse": copyUniverse, "corrupt": corrupt, "otherkey": otherKey, "interrupt": interrupt,
		"killafter": killAfter, "killrandom": killRandom, "nothingleft": nothingLeft, "tmpfs": tmpfs, "flakyregistry": flakyRegistry, "tinyrepo": tinyRepo, "mirror": mirror, "held": holdCache,
	}
	maps.Copy(all, more)
	return all
}

func need(ts *testscript.TestScript, args []string, n int) {
	if len(args) < n {
		ts.Fatalf("too few arguments: %q", args)
	}
}

func sameDigests(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2)
	var s [2]release.Snapshot
	for i := range s {
		ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[i])), &s[i]))
	}
	if len(s[0].Images) == 0 {
		ts.Fatalf("%s has no images", args[0])
	}
	if diff := cmp.Diff(s[0].Images, s[1].Images); diff != "" {
		ts.Fatalf("images differ:\n%s", diff)
	}
}

func sameTree(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2)
	var trees [2]map[string]string
	for i := range trees {
		trees[i] = map[string]string{}
		dir := ts.MkAbs(args[i])
		ts.Check(filepath.WalkDir(dir, func(p string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			data, err := os.ReadFile(p)
			rel, _ := filepath.Rel(dir, p)
			trees[i][rel] = fmt.Sprintf("%d bytes, sha256 %x", len(data), sha256.Sum256(data))
			return err
		}))
	}
	if len(trees[0]) == 0 {
		ts.Fatalf("%s is empty", args[0])
	}
	if diff := cmp.Diff(trees[0], trees[1]); diff != "" {
		ts.Fatalf("folders differ:\n%s", diff)
	}
}

func replace(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 3)
	text := ts.ReadFile(args[0])
	if !strings.Contains(text, args[1]) {
		ts.Fatalf("%s does not have %q", args[0], args[1])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.ReplaceAll(text, args[1], args[2])), 0o644))
}

func prepend(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(args[1]+"\n"+ts.ReadFile(args[0])), 0o644))
}

func appendLine(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(ts.ReadFile(args[0])+args[1]+"\n"), 0o644))
}

func digestOf(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 3)
	var s release.Snapshot
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &s))
	img, ok := s.Image(args[0])
	if !ok {
		ts.Fatalf("the snapshot has no image %s", args[0])
	}
	ts.Setenv(args[2], img.Digest)
}

func copyUniverse(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2)
	u, err := universe()
	ts.Check(err)
	dir := ts.MkAbs(args[0])
	ts.Check(os.CopyFS(dir, os.DirFS(u)))
	text, err := os.ReadFile(filepath.Join(u, "universe.repo"))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), bytes.ReplaceAll(text, []byte(u), []byte(dir)), 0o644))
}

func corrupt(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 1)
	files, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(files) == 0 {
		ts.Fatalf("no file is called %s", args[0])
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		ts.Check(err)
		data[len(data)/2] ^= 1
		ts.Check(os.WriteFile(f, data, 0o644))
	}
}

func otherKey(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 1)
	keys, err := filepath.Glob(filepath.Join(ts.MkAbs(args[0]), "RPM-GPG-KEY-*"))
	ts.Check(err)
	if len(keys) != 1 {
		ts.Fatalf("keys: %v", keys)
	}
	signer, err := rpmwrite.NewSigner("Somebody Else <else@example.com>", time.Unix(1_700_000_000, 0))
	ts.Check(err)
	ts.Check(os.WriteFile(keys[0], signer.PublicKey(), 0o644))
}

// start runs a command with the script's environment and gives what it prints.
func start(ts *testscript.TestScript, args []string) (*exec.Cmd, *bytes.Buffer) {
	// By the script's PATH: in ours the test itself is not called slipway.
	program := ""
	for dir := range strings.SplitSeq(ts.Getenv("PATH"), string(os.PathListSeparator)) {
		p := filepath.Join(dir, args[0])
		if _, err := os.Stat(p); err == nil {
			program = p
			break
		}
	}
	if program == "" {
		ts.Fatalf("%s is not in the PATH", args[0])
	}
	cmd := exec.Command(program, args[1:]...)
	cmd.Dir = ts.MkAbs(".")
	for _, name := range []string{"PATH", "HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "GIT_CONFIG_GLOBAL", "TMPDIR"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	msg := new(bytes.Buffer)
	cmd.Stdout, cmd.Stderr = msg, msg
	ts.Check(cmd.Start())
	return cmd, msg
}

func signalAfter(ts *testscript.TestScript, args []string, sig syscall.Signal) string {
	need(ts, args, 2)
	after, err := time.ParseDuration(args[0])
	ts.Check(err)
	cmd, msg := start(ts, args[1:])
	timer := time.AfterFunc(after, func() { _ = cmd.Process.Signal(sig) })
	defer timer.Stop()
	if err := cmd.Wait(); err == nil {
		ts.Fatalf("it ended before it was sent %v: the time is too long", sig)
	}
	return msg.String()
}

func interrupt(ts *testscript.TestScript, _ bool, args []string) {
	msg := signalAfter(ts, args, syscall.SIGINT)
	if !strings.Contains(msg, "interrupted: nothing was left half done") {
		ts.Fatalf("it said:\n%s", msg)
	}
}

func killAfter(ts *testscript.TestScript, _ bool, args []string) {
	signalAfter(ts, args, syscall.SIGKILL)
}

// killRandom runs a command some times, and kills it within a time, which may be after its end.
func killRandom(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2)
	within, err := time.ParseDuration(args[0])
	ts.Check(err)
	kills, seed := 3, rand.Uint64()
	if os.Getenv("SLIPWAY_TEST_DEEP") != "" {
		kills = 50
	}
	ts.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	for range kills {
		cmd, _ := start(ts, args[1:])
		timer := time.AfterFunc(time.Duration(random.Int64N(int64(within))), func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // however it ended
		timer.Stop()
	}
	time.Sleep(1100 * time.Millisecond) // the cache spares the scratch of what may just be beginning
}

func nothingLeft(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 1)
	dir := ts.MkAbs(args[0])
	if left, _ := filepath.Glob(filepath.Join(dir, "tmp", "*")); len(left) > 0 {
		ts.Fatalf("scratch is left: %v", left)
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	ts.Check(err)
	if bytes.Contains(mounts, []byte(dir)) {
		ts.Fatalf("a mount is left:\n%s", mounts)
	}
	procs, err := filepath.Glob("/proc/[0-9]*/mountinfo")
	ts.Check(err)
	for _, p := range procs {
		if m, err := os.ReadFile(p); err == nil && bytes.Contains(m, []byte(dir)) {
			ts.Fatalf("process %s still has a mount of it", filepath.Base(filepath.Dir(p)))
		}
	}
}

func tmpfs(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2)
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	// A mount over the last one: a larger disk.
	ts.Check(syscall.Mount("tmpfs", dir, "tmpfs", 0, "size="+args[1]))
	ts.Defer(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
}

func flakyRegistry(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2)
	n, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	e := &registry.Embedded{Root: ts.MkAbs("registry-" + args[0])}
	handler, err := e.Handler()
	ts.Check(err)
	var left atomic.Int64
	left.Store(n)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead && left.Add(-1) >= 0 {
			http.Error(w, "out of order", http.StatusInternalServerError)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	ts.Setenv(args[0], strings.TrimPrefix(server.URL, "http://"))
	ts.Defer(func() {
		server.Close()
		if err := e.Close(); err != nil && !errors.Is(err, context.Canceled) {
			ts.Logf("closing the registry: %v", err)
		}
		if left.Load() >= 0 {
			ts.Logf("the registry was never out of order")
		}
	})
}
