package wheel

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestProbeScheme asks pip itself where it would install.
func TestProbeScheme(t *testing.T) {
	needModules(t, "pip")
	root, c := hostRoot(t), openCache(t)
	got, err := ProbeScheme(t.Context(), root, c)
	if err != nil {
		t.Fatal(err)
	}
	out := python(t, nil, "-c", `
import json, sys
from pip._internal.locations import get_scheme
s = get_scheme("greet")
print(json.dumps({k: getattr(s, k) for k in ("purelib", "platlib", "scripts", "data", "headers")} | {"python": sys.executable}))`)
	var want Scheme
	if err := json.Unmarshal([]byte(out), &want); err != nil {
		t.Fatal(err)
	}
	want.Headers = strings.TrimSuffix(want.Headers, "/greet")
	if got != want {
		t.Errorf("scheme %+v, pip's is %+v", got, want)
	}

	// A second time nothing is run: a root that is not there does not matter.
	root.Lowers = []string{"/nonexistent"}
	if again, err := ProbeScheme(t.Context(), root, c); err != nil || again != got {
		t.Errorf("from the cache: %+v, %v", again, err)
	}
	root.Key = "other"
	if _, err := ProbeScheme(t.Context(), root, c); err == nil {
		t.Error("a root that is not there was asked")
	}
}

// TestProbeByDistutils tries the way for Pythons before 3.10 on this one, as far as it still has distutils.
func TestProbeByDistutils(t *testing.T) {
	needModules(t, "distutils.command.install")
	old := strings.Replace(probe, `hasattr(sysconfig, "get_preferred_scheme")`, "False", 1)
	if old == probe {
		t.Fatal("the probe has changed")
	}
	s, err := parseScheme([]byte(python(t, []string{"PYTHONWARNINGS=ignore"}, "-c", old)))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(s.Purelib, "-packages") || strings.Contains(s.Headers, "slipway") {
		t.Errorf("scheme %+v", s)
	}
}

func TestParseSchemeRefuses(t *testing.T) {
	good := debianScheme
	for name, change := range map[string]func(s *Scheme){
		"relative": func(s *Scheme) { s.Purelib = "lib" },
		"empty":    func(s *Scheme) { s.Scripts = "" },
		"the root": func(s *Scheme) { s.Data = "/.." },
		"control":  func(s *Scheme) { s.Python = "/usr/bin/python\n3" },
	} {
		s := good
		change(&s)
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parseScheme(data); err == nil {
			t.Errorf("%s: accepted %s", name, data)
		}
	}
}
