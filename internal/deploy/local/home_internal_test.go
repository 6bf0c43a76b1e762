package local

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestStateOfAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to give files away")
	}
	const other = 12345
	for _, test := range []struct {
		name    string
		prepare func(state string) error
		want    string // of the error; empty: none
	}{
		{"absent", func(state string) error { return os.Remove(state) }, ""},
		{"empty", func(string) error { return nil }, ""},
		{"like /tmp", func(state string) error { return os.Chmod(state, 0o777|os.ModeSticky) }, ""},
		{"open to all", func(state string) error { return os.Chmod(state, 0o777) }, "every user may write"},
		{"another's", func(state string) error { return os.Chown(state, other, other) }, "another user (id 12345)"},
		{"another's service", func(state string) error { return makeFor(other, state, "greeter") }, "another user (id 12345)"},
		{"another's environment", func(state string) error { return makeFor(other, state, "greeter", "stg") }, "another user (id 12345)"},
		{"link", func(state string) error { return os.Symlink("/etc", filepath.Join(state, "greeter")) }, "no directory"},
		{"open service", func(state string) error {
			dir := filepath.Join(state, "greeter")
			return firstError(os.Mkdir(dir, 0o700), os.Chmod(dir, 0o777|os.ModeSticky))
		}, "every user may write"},
	} {
		state := filepath.Join(t.TempDir(), "state")
		if err := firstError(os.Mkdir(state, 0o755), test.prepare(state)); err != nil {
			t.Fatal(err)
		}
		_, err := (&Target{State: state}).home("greeter", "stg")
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// makeFor makes directories, the last of which is the user's.
func makeFor(user int, names ...string) error {
	dir := filepath.Join(names...)
	return firstError(os.MkdirAll(dir, 0o700), os.Chown(dir, user, user))
}

// A supervisor that comes second must leave the first one's log alone.
func TestSecondSupervisorKeepsTheLog(t *testing.T) {
	target := &Target{State: t.TempDir()}
	h, err := target.home("greeter", "stg")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := h.startSupervisor(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	log := awaitLog(t, h, "supervising")
	if err := target.Down(t.Context(), "greeter", "stg"); err != nil {
		t.Fatal(err)
	}
	if after := awaitLog(t, h, "ended"); !strings.HasPrefix(after, log) {
		t.Errorf("first\n%s\nthen\n%s", log, after)
	}
}

func awaitLog(t *testing.T, h home, text string) string {
	t.Helper()
	var log []byte
	for range 200 {
		log, _ = os.ReadFile(h.supervisorLog())
		if strings.Contains(string(log), text) {
			return string(log)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("the log never has %q:\n%q", text, log)
	return ""
}

func TestUnreadableState(t *testing.T) {
	target := &Target{State: t.TempDir()}
	h, err := target.home("greeter", "stg")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(h.logsOf(7), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(h.path("state.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	// Logs that are there are not mixed up with new ones.
	if s := newSupervisor(h, target.logger()); s.serial != 7 {
		t.Errorf("serial %d", s.serial)
	}
	if err := target.Down(t.Context(), "greeter", "stg"); err != nil {
		t.Error(err)
	}
	if s, err := target.Status(t.Context(), "greeter", "stg"); err != nil || s.Running {
		t.Errorf("%+v %v", s, err)
	}
}
