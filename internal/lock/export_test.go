package lock

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/goccy/go-yaml"
)

func TestExportRPMs(t *testing.T) {
	url := func(_ *Target, p *Package) (string, error) { return "https://example.org/a b/" + p.Path, nil }
	l := example(t)
	got, err := ExportRPMs([]*Target{&l.Targets[0]}, url)
	if err != nil {
		t.Fatal(err)
	}
	golden := filepath.Join("testdata", "rpms.lock.yaml")
	if *update {
		if err := os.WriteFile(golden, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("got\n%s", got)
	}
	var parsed struct {
		Arches []struct {
			Packages []struct{ Name, EVR, URL string }
		}
	}
	if err := yaml.Unmarshal(got, &parsed); err != nil {
		t.Fatal(err)
	}
	if p := parsed.Arches[0].Packages[2]; p.Name != "python3-flask" || p.EVR != "2:2.2~rc1-1.el9" {
		t.Errorf("read back: %+v", parsed)
	}
}

func TestExportRPMsErrors(t *testing.T) {
	l := example(t)
	_, err := ExportRPMs([]*Target{&l.Targets[0], &l.Targets[1]}, func(*Target, *Package) (string, error) { return "u", nil })
	var same *SameArchError
	if !errors.As(err, &same) || same.Arch != "x86_64" || len(same.Targets) != 2 {
		t.Errorf("two of one architecture: %v", err)
	}
	away := errors.New("away")
	if _, err := ExportRPMs([]*Target{&l.Targets[0]}, func(*Target, *Package) (string, error) { return "", away }); !errors.Is(err, away) {
		t.Errorf("no place: %v", err)
	}
	l.Targets[1].Arch = "aarch64"
	got, err := ExportRPMs([]*Target{&l.Targets[0], &l.Targets[1]}, func(_ *Target, p *Package) (string, error) { return p.Path, nil })
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := ExportRPMs([]*Target{&l.Targets[1], &l.Targets[0]}, func(_ *Target, p *Package) (string, error) { return p.Path, nil }); string(again) != string(got) {
		t.Error("the order of targets matters")
	}
	if got, err := ExportRPMs(nil, nil); err != nil || string(got) != "---\nlockfileVersion: 1\nlockfileVendor: redhat\narches: []\n" {
		t.Errorf("none: %q, %v", got, err)
	}
}
