package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/store"
	"github.com/slipway-build/slipway/internal/store/storetest"
)

func TestRecords(t *testing.T) {
	storetest.Test(t, func(t *testing.T) storetest.Opener {
		path := filepath.Join(t.TempDir(), "a b?c#d%41", "records.db")
		return func() (storetest.Records, error) { return store.Open(t.Context(), path) }
	})
}

func open(t *testing.T, path string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// TestFirstOpenedByMany makes the database from many sides at once.
func TestFirstOpenedByMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	errs := make(chan error)
	const n = 8
	for range n {
		go func() {
			s, err := store.Open(t.Context(), path)
			if err == nil {
				err = s.Close()
			}
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
}

// TestKilled begins a promotion in another process and kills it.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "STORE_TEST_PATH="+path)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(out, make([]byte, len("begun"))); err != nil {
		t.Fatal(err)
	}
	s := open(t, path)
	state := func() release.State {
		list, err := s.Promotions(t.Context(), "greeter", "stg", 1)
		if err != nil || len(list) != 1 {
			t.Fatalf("promotions: %v, %v", list, err)
		}
		return list[0].State
	}
	if got := state(); got != release.Running {
		t.Errorf("while it runs: %s", got)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if got := state(); got != release.Aborted {
		t.Errorf("after it was killed: %s", got)
	}
	p := &release.Promotion{Service: "greeter", Environment: "stg", Snapshot: storetest.Snapshot("greeter", "aaaa").ID, Began: time.Unix(1, 0)}
	if err := s.Begin(t.Context(), p); err != nil {
		t.Error(err)
	}
}

func TestMain(m *testing.M) {
	if path := os.Getenv("STORE_TEST_PATH"); path != "" {
		beginAndStay(path)
	}
	os.Exit(m.Run())
}

func beginAndStay(path string) {
	ctx, n := context.Background(), storetest.Snapshot("greeter", "aaaa")
	s, err := store.Open(ctx, path)
	if err == nil {
		err = s.AddSnapshot(ctx, n)
	}
	if err == nil {
		err = s.Begin(ctx, &release.Promotion{Service: "greeter", Environment: "stg", Snapshot: n.ID, Began: time.Unix(0, 0)})
	}
	if err != nil {
		panic(err)
	}
	fmt.Fprint(os.Stdout, "begun")
	select {}
}

func TestNewerDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "records.db")
	open(t, path).Close()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (4711, 1)`); err != nil {
		t.Fatal(err)
	}
	_, err = store.Open(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), path+": they were written by a newer slipway (schema 4711; this one knows ") {
		t.Errorf("error: %v", err)
	}
}

func TestDamagedDatabase(t *testing.T) {
	for name, damage := range map[string]func(data []byte) []byte{
		"not a database": func([]byte) []byte { return bytes.Repeat([]byte("slipway "), 2000) },
		"garbled":        func(data []byte) []byte { return append(data[:100:100], bytes.Repeat([]byte{0xa5}, len(data)-100)...) },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "records.db")
			open(t, path).Close()
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, damage(data), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err = store.Open(t.Context(), path)
			if err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "the file is damaged: put a copy of it back") {
				t.Errorf("error: %v", err)
			}
		})
	}
}

// small mounts a file system of so many bytes, for as long as the test runs.
func small(t *testing.T, options string) string {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mounting a tmpfs needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("no tmpfs can be mounted here: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

func TestReadOnly(t *testing.T) {
	t.Run("folder", func(t *testing.T) {
		dir := small(t, "size=1m,mode=0755")
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT|syscall.MS_RDONLY, ""); err != nil {
			t.Fatal(err)
		}
		_, err := store.Open(t.Context(), filepath.Join(dir, "records.db"))
		if err == nil || !strings.Contains(err.Error(), "read-only file system") {
			t.Errorf("error: %v", err)
		}
	})
	t.Run("path", func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := store.Open(t.Context(), filepath.Join(file, "records.db"))
		if err == nil || !strings.Contains(err.Error(), "not a directory") {
			t.Errorf("error: %v", err)
		}
	})
	t.Run("a folder in its place", func(t *testing.T) {
		_, err := store.Open(t.Context(), t.TempDir())
		if err == nil || !strings.Contains(err.Error(), "must be writable for you") {
			t.Errorf("error: %v", err)
		}
	})
}

// TestFullDisk fills the disk with records: what was recorded stays, and it goes on when there is room.
func TestFullDisk(t *testing.T) {
	dir := small(t, "size=512k,mode=0755")
	s := open(t, filepath.Join(dir, "records.db"))
	var err error
	n := 0
	for ; err == nil && n < 1000; n++ {
		snap := storetest.Snapshot("greeter", fmt.Sprintf("%04d", n))
		snap.Projects[0].Subject = strings.Repeat("long ", 2000)
		err = s.AddSnapshot(t.Context(), snap)
	}
	if err == nil || !strings.Contains(err.Error(), "make room there") {
		t.Fatalf("after %d snapshots: %v", n, err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=8m"); err != nil {
		t.Fatal(err)
	}
	for i := range n - 1 {
		if _, err := s.Snapshot(t.Context(), "greeter", fmt.Sprintf("%04d", i)); err != nil {
			t.Errorf("snapshot %d: %v", i, err)
		}
	}
	if err := s.AddSnapshot(t.Context(), storetest.Snapshot("greeter", "ffff")); err != nil {
		t.Error(err)
	}
}
