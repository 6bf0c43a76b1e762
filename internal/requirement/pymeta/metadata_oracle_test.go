package pymeta

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/slipway-build/slipway/internal/oracle"
)

// summary is what both sides are compared by. Requirements of extras carry their marker.
type summary struct {
	Name, Version, RequiresPython string
	Requires, Extras              []string
}

func (s *summary) normalize(t *testing.T) {
	t.Helper()
	s.Name = NormalizeName(s.Name)
	if v, err := ParseVersion(s.Version); err == nil {
		s.Version = v.String()
	}
	if list, err := ParseSpecifiers(s.RequiresPython); err == nil {
		s.RequiresPython = list.String()
	}
	for i, text := range s.Requires {
		r, err := ParseRequirement(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		r.Name = NormalizeName(r.Name)
		s.Requires[i] = strings.NewReplacer("(", "", ")", "").Replace(r.String())
	}
	for i, extra := range s.Extras {
		s.Extras[i] = NormalizeName(extra)
	}
	slices.Sort(s.Requires)
	slices.Sort(s.Extras)
	s.Requires, s.Extras = slices.Compact(s.Requires), slices.Compact(s.Extras)
}

// summarize turns our metadata into the form that a wheel has.
func summarize(m *Metadata) summary {
	s := summary{Name: m.Name.Text, Version: m.Version.Text, RequiresPython: m.RequiresPython.Text, Extras: m.Extras}
	for _, d := range m.Requires {
		text := d.Requirement.String()
		if d.Extra != "" {
			text = withMarker(text, "extra == '"+d.Extra+"'")
		}
		s.Requires = append(s.Requires, text)
	}
	return s
}

// TestMetadataIsWhatTheBackendMakes reads projects and compares with what their backends say.
func TestMetadataIsWhatTheBackendMakes(t *testing.T) {
	oracle.Need(t, "/usr/bin/python3")
	archives, err := filepath.Glob("testdata/projects/*.txtar")
	if err != nil || len(archives) == 0 {
		t.Fatal("no projects", err)
	}
	script, err := filepath.Abs("testdata/metadata_oracle.py")
	if err != nil {
		t.Fatal(err)
	}
	for _, archive := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(archive), ".txtar"), func(t *testing.T) {
			dir := extract(t, archive)
			ours, err := Read(os.DirFS(dir))
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range ours.Diagnostics {
				t.Errorf("diagnostic: %s", d)
			}
			got := summarize(ours)
			got.normalize(t)
			want := askBackend(t, script, dir, ours.Backend)
			want.normalize(t)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-backend +ours:\n%s", diff)
			}
		})
	}
}

func extract(t *testing.T, archive string) string {
	t.Helper()
	a, err := txtar.ParseFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for _, f := range a.Files {
		if !fs.ValidPath(f.Name) {
			t.Fatalf("bad name %q", f.Name)
		}
		file := filepath.Join(dir, f.Name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, f.Data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func askBackend(t *testing.T, script, dir, backend string) summary {
	t.Helper()
	module, _, _ := strings.Cut(backend, ":")
	cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", script, module)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		if strings.Contains(stderr.String(), "ModuleNotFoundError") {
			oracle.Missing(t, "the backend "+backend+" is not installed for the system's Python (python3-hatchling, python3-poetry-core)")
		}
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var s summary
	if err := json.Unmarshal(out, &s); err != nil {
		t.Fatal(err)
	}
	return s
}
