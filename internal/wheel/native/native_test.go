package native

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/wheel/wheeltest"
)

const systemPython = "/usr/bin/python3"

const epoch = 1_700_000_000

// python runs the system's Python, with other backends where SLIPWAY_TEST_BACKENDS names folders of them.
func python(t testing.TB, stdin []byte, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(systemPython, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONHASHSEED=0", fmt.Sprintf("SOURCE_DATE_EPOCH=%d", epoch))
	if other := os.Getenv("SLIPWAY_TEST_BACKENDS"); other != "" {
		cmd.Env = append(cmd.Env, "PYTHONPATH="+other)
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("python3 %.40q: %v\n%s", args, err, stderr.Bytes())
	}
	return out
}

func environment(t testing.TB) Environment {
	t.Helper()
	if err := exec.Command(systemPython, "-c", "import setuptools, wheel").Run(); err != nil {
		oracle.Missing(t, systemPython+" has no setuptools (.ci/run installs it)")
	}
	e, err := ParseEnvironment(python(t, nil, "-c", Probe))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// projectOf reads the build system that a shape names.
func projectOf(t testing.TB, s wheeltest.Shape) Project {
	t.Helper()
	var file struct {
		System struct {
			Requires []string `toml:"requires"`
			Backend  string   `toml:"build-backend"`
			Path     []string `toml:"backend-path"`
		} `toml:"build-system"`
	}
	if f := s.Tree["pyproject.toml"]; f != nil {
		if err := toml.Unmarshal(f.Data, &file); err != nil {
			t.Fatal(err)
		}
	}
	if file.System.Backend == "" {
		file.System.Backend = "setuptools.build_meta:__legacy__"
	}
	return Project{Tree: s.Tree, Backend: file.System.Backend, BackendPath: file.System.Path, Requires: file.System.Requires, Name: s.Name, Version: s.Version}
}

// built is what a backend made of a project.
type built struct {
	wheel *Wheel
	err   string
}

// backends builds all shapes with their own backends.
func backends(t testing.TB, shapes []wheeltest.Shape) []built {
	t.Helper()
	orders := []map[string]any{}
	for _, s := range shapes {
		dir, out := filepath.Join(t.TempDir(), "src"), t.TempDir()
		if err := os.CopyFS(dir, s.Tree); err != nil {
			t.Fatal(err)
		}
		for name, f := range s.Tree { // CopyFS follows the umask
			if f.Mode.IsRegular() {
				if err := os.Chmod(filepath.Join(dir, name), f.Mode.Perm()); err != nil {
					t.Fatal(err)
				}
			}
		}
		script := "git init -q . && git add --all --force && git -c user.name=t -c user.email=t@example.com commit -q -m all"
		cmd := exec.Command("sh", "-c", script)
		cmd.Dir = dir
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git: %v\n%s", err, said)
		}
		p := projectOf(t, s)
		orders = append(orders, map[string]any{"source": dir, "output": out, "backend": p.Backend, "path": append([]string{}, p.BackendPath...), "version": s.Version})
	}
	order, err := json.Marshal(orders)
	if err != nil {
		t.Fatal(err)
	}
	var answers []struct{ Wheel, Error string }
	if err := json.Unmarshal(python(t, order, "testdata/backend.py"), &answers); err != nil {
		t.Fatal(err)
	}
	all := make([]built, len(answers))
	for i, a := range answers {
		all[i].err = a.Error
		if a.Error == "" {
			all[i].wheel = readWheel(t, a.Wheel)
		}
	}
	return all
}

func readWheel(t testing.TB, path string) *Wheel {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	w := &Wheel{Filename: filepath.Base(path)}
	for _, f := range z.File {
		if strings.HasSuffix(f.Name, "/RECORD") || strings.HasSuffix(f.Name, "/") {
			continue
		}
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		w.Files = append(w.Files, File{Name: f.Name, Exec: f.ExternalAttrs>>16&0o111 != 0, Content: content})
	}
	slices.SortFunc(w.Files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	return w
}

// TestAsTheBackends holds what is written here against what the backends themselves make of the same projects.
func TestAsTheBackends(t *testing.T) {
	oracle.Need(t, "git")
	env := environment(t)
	var shapes []wheeltest.Shape
	for _, s := range wheeltest.Shapes() {
		missing := false
		for _, module := range s.Needs {
			if exec.Command(systemPython, "-c", "import "+module).Run() != nil {
				missing = true
				oracle.Missing(t, systemPython+" has no module "+module+" (.ci/run installs it)")
			}
		}
		if !missing {
			shapes = append(shapes, s)
		}
	}
	native := 0
	for i, theirs := range backends(t, shapes) {
		s := shapes[i]
		t.Run(s.Name, func(t *testing.T) {
			ours, err := Write(projectOf(t, s), env)
			var reason *UnsupportedError
			switch {
			case errors.As(err, &reason):
				t.Logf("left to the backend: %s", reason.Reason)
				if os.Getenv("SLIPWAY_TEST_BACKENDS") == "" && (s.General == "" || !strings.Contains(reason.Reason, s.General)) {
					t.Errorf("left to the backend: %s", reason.Reason)
				}
				return
			case err != nil:
				t.Fatal(err)
			case theirs.err != "":
				t.Fatalf("the backend makes no wheel of it:\n%s", theirs.err)
			}
			if s.General != "" && os.Getenv("SLIPWAY_TEST_BACKENDS") == "" {
				t.Error("it is written here, though only the backend can know what it does")
			}
			native++
			compareWheels(t, ours, theirs.wheel)
		})
	}
	t.Logf("%d of %d are written natively, with setuptools %s", native, len(shapes), env.Dists["setuptools"])
}

func compareWheels(t *testing.T, ours, theirs *Wheel) {
	t.Helper()
	if ours.Filename != theirs.Filename {
		t.Errorf("it is called %s, and the backend's %s", ours.Filename, theirs.Filename)
	}
	files := map[string][2]*File{}
	for i, w := range []*Wheel{ours, theirs} {
		for j := range w.Files {
			pair := files[w.Files[j].Name]
			pair[i] = &w.Files[j]
			files[w.Files[j].Name] = pair
		}
	}
	for _, name := range sortedKeys(files) {
		switch a, b := files[name][0], files[name][1]; {
		case a == nil:
			t.Errorf("it lacks %s", name)
		case b == nil:
			t.Errorf("it has %s, which the backend's has not", name)
		case a.Exec != b.Exec:
			t.Errorf("%s is executable: %v, with the backend %v", name, a.Exec, b.Exec)
		case !bytes.Equal(a.Content, b.Content):
			t.Errorf("%s is\n%s\nwith the backend\n%s", name, a.Content, b.Content)
		}
	}
}
