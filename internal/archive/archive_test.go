package archive

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// testPackage makes a package on this machine.
func testPackage(t *testing.T, repository, location, summary string) Package {
	t.Helper()
	file := filepath.Join(t.TempDir(), "x.rpm")
	spec := rpmwrite.Spec{Name: "tool", EVR: rpm.EVR{Version: "1", Release: "1"}, Arch: "noarch", Summary: summary, BuildTime: 1_700_000_000}
	if err := rpmwrite.WriteFile(file, spec); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return Package{Repository: repository, Location: location, SHA256: fmt.Sprintf("%x", sha256.Sum256(data)), Size: int64(len(data)), Path: file}
}

// TestFolder holds where packages lie, whatever their repositories and paths are called.
func TestFolder(t *testing.T) {
	t.Parallel()
	f := &Folder{Root: t.TempDir()}
	packages := []Package{
		testPackage(t, "copr:me:proj", "Packages/t/tool.rpm", "one"),
		testPackage(t, "copr:me:proj", "Packages/t/tool.rpm", "of the same name"),
		testPackage(t, "../up", "../../tool.rpm", "two"),
		testPackage(t, ".", "https://host/elsewhere/tool.rpm", "three"),
	}
	added, err := f.Add(t.Context(), "t", packages)
	if err != nil || added.Packages != 4 || added.Total != 4 {
		t.Fatalf("%+v, %v", added, err)
	}
	var found []string
	err = filepath.WalkDir(f.Root, func(p string, e os.DirEntry, err error) error {
		if rel, _ := filepath.Rel(f.Root, p); err == nil && strings.HasSuffix(rel, ".rpm") {
			found = append(found, rel)
		}
		return err
	})
	want := []string{"t/_./tool.rpm", "t/_.._up/tool.rpm", "t/copr_me_proj/Packages/t/tool.rpm", "t/copr_me_proj/" + packages[1].SHA256[:16] + "/tool.rpm"}
	if err != nil || !slices.Equal(found, want) {
		t.Errorf("%q, %v; want %q", found, err, want)
	}
	for _, p := range packages {
		ok := slices.ContainsFunc(f.Places("t", p), func(place string) bool { sum, err := sumOf(place); return err == nil && sum == p.SHA256 })
		if !ok {
			t.Errorf("%s is at none of its places %q", p.Location, f.Places("t", p))
		}
	}
	folders, err := f.Repositories(t.Context(), "t")
	if err != nil || len(folders) != 3 || folders["copr_me_proj"] == "" {
		t.Errorf("%v, %v", folders, err)
	}
	if none, err := f.Repositories(t.Context(), "other"); err != nil || len(none) != 0 {
		t.Errorf("another target: %v, %v", none, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Add(ctx, "t", packages); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// TestRegistry holds that each lock has a tag that stays, and that the target's is the last one.
func TestRegistry(t *testing.T) {
	t.Parallel()
	dir, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	e := &registry.Embedded{Root: t.TempDir()}
	address, err := e.Start(context.WithoutCancel(t.Context()), "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(e.Close(), dir.Close()); err != nil {
			t.Error(err)
		}
	})
	r := &Registry{Repository: address + "/rpms", Blobs: &registry.Blobs{}, Cache: dir}
	if none, err := r.Repositories(t.Context(), "t"); err != nil || len(none) != 0 {
		t.Errorf("before: %v, %v", none, err)
	}
	one, two := testPackage(t, "base", "tool.rpm", "one"), testPackage(t, "base", "tool.rpm", "two")
	first, err := r.Add(t.Context(), "t", []Package{one})
	if err != nil {
		t.Fatal(err)
	}
	second, err := r.Add(t.Context(), "t", []Package{one, two, one})
	if err != nil || second.Packages != 1 || second.Bytes != two.Size || second.Reference == first.Reference {
		t.Fatalf("%+v, %v", second, err)
	}
	for _, ref := range []string{first.Reference, second.Reference} {
		if _, _, err := registry.PullFiles(t.Context(), ref, registry.Options{}); err != nil {
			t.Errorf("%s: %v", ref, err)
		}
	}
	folders, err := r.Repositories(t.Context(), "t")
	if err != nil || len(folders) != 1 {
		t.Fatalf("%v, %v", folders, err)
	}
	if _, err := os.Stat(filepath.Join(folders["base"], "repodata", "repomd.xml")); err != nil {
		t.Error(err)
	}
}
