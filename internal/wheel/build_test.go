package wheel

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

const epoch = 1_700_000_000

// project makes a tree out of paths and contents; a path that ends with "*" is executable, a content "-> x" is a link.
func project(files map[string]string) fstest.MapFS {
	tree := fstest.MapFS{}
	for name, content := range files {
		mode := os.FileMode(0o644)
		if strings.HasSuffix(name, "*") {
			name, mode = strings.TrimSuffix(name, "*"), 0o755
		}
		if target, ok := strings.CutPrefix(content, "-> "); ok {
			content, mode = target, os.ModeSymlink|0o777
		}
		tree[name] = &fstest.MapFile{Data: []byte(content), Mode: mode}
	}
	return tree
}

func request(root Root, files map[string]string) Request {
	return Request{Project: "greet", Tree: project(files), Epoch: epoch, Root: root}
}

// plain is a project in the older way, without pyproject.toml.
var plain = map[string]string{
	"setup.py":          "from setuptools import setup\nsetup()\n",
	"setup.cfg":         "[metadata]\nname = greet\nversion = 1.2\n[options]\npackages = find:\n[options.entry_points]\nconsole_scripts =\n  greet = greet:main\n",
	"greet/__init__.py": "def main():\n    print('hello')\n",
}

func with(files map[string]string, more map[string]string) map[string]string {
	all := map[string]string{}
	for k, v := range files {
		all[k] = v
	}
	for k, v := range more {
		all[k] = v
	}
	return all
}

func TestBuild(t *testing.T) {
	root, c := hostRoot(t), openCache(t)
	w, err := Build(t.Context(), request(root, plain), c)
	if err != nil {
		t.Fatal(err)
	}
	if w.Name != "greet" || w.Version != "1.2" || filepath.Base(w.Path) != "greet-1.2-py3-none-any.whl" || !w.Purelib {
		t.Errorf("built %+v", w)
	}
	start := time.Now()
	again, err := Build(t.Context(), request(root, plain), c)
	if err != nil || again.SHA256 != w.SHA256 {
		t.Fatalf("again: %+v, %v", again, err)
	}
	t.Logf("from the cache in %v", time.Since(start))

	elsewhere, err := Build(t.Context(), request(root, plain), openCache(t))
	if err != nil || elsewhere.SHA256 != w.SHA256 {
		t.Errorf("built in another cache: %s, want %s (%v)", elsewhere.SHA256, w.SHA256, err)
	}
}
