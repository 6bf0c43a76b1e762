package debian

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/oracle"
)

// small is a package of a few hundred KB that needs no other.
const small = "ncurses-base"

func TestDownload(t *testing.T) {
	oracle.Need(t, "apt-get")
	apt := Apt{Dir: t.TempDir()}
	archives, err := apt.Closure(t.Context(), []string{small})
	if err != nil {
		t.Fatal(err)
	}
	if len(archives) != 1 || !strings.HasPrefix(archives[0].File, small+"_") {
		t.Fatalf("the closure of %s is %v", small, archives)
	}
	download := func() string {
		t.Helper()
		paths, err := apt.Download(t.Context(), []string{small}, archives)
		if err != nil {
			t.Fatal(err)
		}
		if err := archives[0].check(paths[0]); err != nil {
			t.Error(err)
		}
		return paths[0]
	}
	path := download()

	// A file of the right size is what apt itself would take.
	if err := os.WriteFile(path, make([]byte, archives[0].Size), 0o600); err != nil {
		t.Fatal(err)
	}
	download()

	archives[0].SHA256 = strings.Repeat("0", 64)
	if _, err := apt.Download(t.Context(), []string{small}, archives); err == nil || !strings.Contains(err.Error(), "is not what the package list promises") {
		t.Errorf("a wrong hash gives %v", err)
	}
}

func TestClosureWithoutPackageLists(t *testing.T) {
	oracle.Need(t, "apt-get")
	lists := t.TempDir()
	settings := filepath.Join(t.TempDir(), "apt.conf")
	if err := os.WriteFile(settings, []byte("Dir::State::lists \""+lists+"\";\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("APT_CONFIG", settings)
	_, err := Apt{Dir: t.TempDir()}.Closure(t.Context(), []string{small})
	if err == nil || !strings.Contains(err.Error(), "apt-get update") {
		t.Errorf("it says %v, which does not tell what to do", err)
	}
}

func TestLockWaits(t *testing.T) {
	apt := Apt{Dir: t.TempDir()}
	unlock, err := apt.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := apt.lock(ctx); err == nil {
		t.Error("two hold the lock")
	}
	unlock()
	again, err := apt.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	again()
}
