package lock_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/slipway-build/slipway/internal/lock"
)

// TestGuard holds that of two who change a lock one waits for the other, and that nothing is left.
func TestGuard(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), lock.FileName)
	first, err := lock.Guard(t.Context(), path, func() { t.Error("the first one waits") })
	if err != nil {
		t.Fatal(err)
	}
	waiting, second := make(chan struct{}), make(chan error)
	go func() {
		release, err := lock.Guard(t.Context(), path, func() { close(waiting) })
		if err == nil {
			release()
		}
		second <- err
	}()
	<-waiting
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone home")
	if _, err := lock.Guard(ctx, path, func() { cancel(gone) }); !errors.Is(err, gone) {
		t.Errorf("one who does not wait any more: %v", err)
	}
	first()
	if err := <-second; err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) > 0 {
		t.Errorf("left: %v", left)
	}
	if _, err := lock.Guard(t.Context(), filepath.Join(path, "no", "folder"), nil); err == nil {
		t.Error("no error where there is no folder")
	}
}
