package resolve_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/resolve/check"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// TestAgainstRPM has rpm itself say whether it would install answers, rich dependencies included, and
// whether it would with one package left out: then it must object if package check does. Rich
// conflicts are left out: rpm has a package conflict with what it provides itself there, where
// libsolv, and therefore dnf and we, do not.
func TestAgainstRPM(t *testing.T) {
	oracle.Need(t, "rpm")
	worlds := 40
	if os.Getenv("SLIPWAY_TEST_DEEP") != "" {
		worlds = 400
	}
	solved, refused := 0, 0
	for round := 0; solved < worlds; round++ {
		w := randomWorld(rand.New(rand.NewPCG(*seed, uint64(round))), limits{
			names: 10, versions: 2, requests: 4, rich: true, repos: true,
		})
		p := w.problem(t)
		s, err := resolve.Resolve(context.Background(), p)
		var conflict *resolve.Conflict
		if errors.As(err, &conflict) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		solved++
		files := writeRPMs(t, s)
		if objections := testInstall(t, files); objections != "" {
			t.Fatalf("seed %d, round %d: rpm does not install %s:\n%s\n%s", *seed, round, names(s), objections, w)
		}
		left := round % len(s.Packages)
		less := &resolve.Solution{Packages: slices.Delete(slices.Clone(s.Packages), left, left+1)}
		p.Requests = nil
		wrong := check.Valid(context.Background(), p, less)
		objections := testInstall(t, slices.Delete(slices.Clone(files), left, left+1))
		if (wrong != nil) != (objections != "") {
			t.Fatalf("seed %d, round %d, %s: package check says %v, rpm %q\n%s", *seed, round, names(less), wrong, objections, w)
		}
		if wrong != nil {
			refused++
		}
	}
	if refused < worlds/10 {
		t.Errorf("rpm refused only %d of %d, so it says little", refused, worlds)
	}
}

// writeRPMs writes the packages of a solution, in its order.
func writeRPMs(t *testing.T, s *resolve.Solution) []string {
	t.Helper()
	dir := t.TempDir()
	var files []string
	for n, c := range s.Packages {
		pkg := c.Package
		spec := rpmwrite.Spec{
			Name: pkg.Name, EVR: pkg.EVR, Arch: pkg.Arch, Summary: "A package", License: "MIT", Compression: "none",
			Provides: pkg.Provides, Requires: pkg.Requires, Conflicts: pkg.Conflicts, Obsoletes: pkg.Obsoletes,
		}
		file := filepath.Join(dir, fmt.Sprintf("%d.rpm", n))
		if err := rpmwrite.WriteFile(file, spec); err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// testInstall says what rpm has against installing the files into an empty root.
func testInstall(t *testing.T, files []string) string {
	t.Helper()
	if len(files) == 0 {
		return ""
	}
	args := append([]string{
		"--dbpath", t.TempDir(), "-i", "--test", "--nosignature", "--ignorearch", "--ignoresize",
	}, files...)
	cmd := exec.Command("rpm", args...)
	cmd.Env = append(os.Environ(), "LC_ALL=C")
	out, err := cmd.CombinedOutput()
	if err == nil {
		return ""
	}
	if !strings.Contains(string(out), "Failed dependencies") {
		t.Fatalf("rpm -i --test: %v\n%s", err, out)
	}
	return string(out)
}
