package resolve_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// TestFileLists has a repository whose file lists are gone. That must be an error where they are
// needed, and no harm where they are not: they are large, and mostly not needed.
func TestFileLists(t *testing.T) {
	dir := t.TempDir()
	repos := writeMetadata(t, dir, repositories(t, "a-1-1.noarch\n requires: /usr/bin/tool, /opt/provided\n"+
		"b-1-1.noarch\n files: /usr/bin/tool\n provides: /opt/provided\n"+
		"c-1-1.noarch\n requires: /opt/listed\nd-1-1.noarch\n requires: /usr/bin/nothing"))
	repomd := filepath.Join(dir, repos[0].ID, "repodata", "repomd.xml")
	data, err := os.ReadFile(repomd)
	if err != nil {
		t.Fatal(err)
	}
	filelists := `<data type="filelists"><checksum type="sha256">` + strings.Repeat("0", 64) +
		`</checksum><location href="repodata/filelists.xml"/><size>10</size></data></repomd>`
	if err := os.WriteFile(repomd, []byte(strings.Replace(string(data), "</repomd>", filelists, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	files, err := cache.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	config := rpmrepo.DefaultConfig(repos[0].ID, strings.TrimPrefix(repos[0].URL, "file://"))
	r, err := (&rpmrepo.Client{Cache: files}).Load(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	p := resolve.Problem{Repositories: []*rpmrepo.Repository{r}, Arch: "x86_64", Requests: requests(t, "a")}
	expect(t, p, "a-1 b-1")
	p.Requests = requests(t, "d")
	expect(t, p, "")
	p.Requests = requests(t, "c")
	_, err = resolve.Resolve(context.Background(), p)
	if err == nil || !strings.Contains(err.Error(), "file lists") {
		t.Errorf("got %v", err)
	}
}
