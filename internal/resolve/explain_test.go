package resolve_test

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/slipway-build/slipway/internal/resolve"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestExplain holds explanations against golden files: a world, requests, and what is said when they
// cannot be met.
func TestExplain(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "explain", "*.txtar"))
	if err != nil || len(files) == 0 {
		t.Fatal("no golden files")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			p := resolve.Problem{Arch: "x86_64"}
			want := -1
			for i, f := range archive.Files {
				text := string(f.Data)
				switch f.Name {
				case "repositories":
					p.Repositories = repositories(t, text)
				case "requests":
					p.Requests = requests(t, strings.TrimSpace(text))
				case "virtuals":
					p.Virtuals = virtuals(t, text)
				case "want":
					want = i
				}
			}
			_, err = resolve.Resolve(context.Background(), p)
			var conflict *resolve.Conflict
			if !errors.As(err, &conflict) {
				t.Fatalf("got %v, not a conflict", err)
			}
			got := conflict.Error() + "\n"
			if *update {
				archive.Files[want].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(archive.Files[want].Data), got); diff != "" {
				t.Errorf("another explanation (go test -update accepts it):\n%s", diff)
			}
			if len(conflict.Requests) == 0 {
				t.Error("nobody asked for it")
			}
		})
	}
}
