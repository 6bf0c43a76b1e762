package modulemd_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"

	"github.com/slipway-build/slipway/internal/rpmrepo/modulemd"
)

const sample = `---
document: modulemd-defaults
version: 1
data:
  module: nodejs
  modified: 202001010000
  stream: 10
  profiles:
    10: [common]
...
---
# a build
document: modulemd
version: 2
data:
  name: nodejs
  stream: "10"
  version: 820190101
  context: 9edba152
  arch: x86_64
  summary: Javascript
  description: |-
    Text with
    --- dashes
  dependencies:
  - buildrequires:
      platform: [el8]
    requires:
      platform: [el8]
      libuv: []
      perl: [5.24, 5.10, "-5.30"]
  artifacts:
    rpms:
    - nodejs-1:10.16.3-2.module_el8.0.0+186+542b25fc.x86_64
    - nodejs-1:10.16.3-2.module_el8.0.0+186+542b25fc.src
  demodularized: {rpms: [npm]}
---
document: modulemd-translations
version: 1
data: {module: nodejs, stream: 10, modified: 1, translations: {ja: {summary: x}}}
---
document: modulemd-defaults
version: 1
data: {module: empty}
`

func parsed() *modulemd.Index {
	return &modulemd.Index{
		Streams: []modulemd.Stream{{
			Module: "nodejs", Stream: "10", Version: 820190101, Context: "9edba152", Arch: "x86_64",
			Requires: []modulemd.Requirement{
				{Module: "libuv"}, {Module: "perl", Streams: []string{"5.24", "5.10", "-5.30"}}, {Module: "platform", Streams: []string{"el8"}},
			},
			Artifacts: []string{
				"nodejs-1:10.16.3-2.module_el8.0.0+186+542b25fc.x86_64", "nodejs-1:10.16.3-2.module_el8.0.0+186+542b25fc.src",
			},
			Demodularized: []string{"npm"},
		}},
		Defaults: []modulemd.Default{{Module: "nodejs", Stream: "10", Modified: 202001010000}, {Module: "empty"}},
	}
}

func TestParse(t *testing.T) {
	got, err := modulemd.Parse(strings.NewReader(sample))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(parsed(), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if s := got.Streams[0]; s.NameStream() != "nodejs:10" || s.Requires[0].String() != "libuv" || s.Requires[1].String() != "perl:[5.24,5.10,-5.30]" {
		t.Errorf("%v %v", s.NameStream(), s.Requires)
	}
	for _, text := range []string{"", "---\n", "\n\n...\n---\n# nothing\n"} {
		if got, err := modulemd.Parse(strings.NewReader(text)); err != nil || len(got.Streams)+len(got.Defaults) > 0 {
			t.Errorf("%q gives %v, %v", text, got, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	head := "---\ndocument: modulemd\nversion: 2\ndata:\n"
	for name, tt := range map[string]struct {
		text, want string
		line       int
	}{
		"no name":          {head + "  stream: a\n", "name is", 2},
		"no stream":        {head + "  name: a\n", "stream is", 2},
		"name of several":  {head + "  name: a:b\n  stream: c\n", "no name", 5},
		"name as list":     {head + "  name: [a]\n  stream: c\n", "plain text", 5},
		"version":          {head + "  name: a\n  stream: c\n  version: x\n", "no number", 7},
		"artifacts":        {head + "  name: a\n  stream: c\n  artifacts: [x]\n", "keys and values", 7},
		"rpms":             {head + "  name: a\n  stream: c\n  artifacts: {rpms: x}\n", "a list", 7},
		"not a mapping":    {"- a\n- b\n", "keys and values", 1},
		"not YAML":         {head + "  name: [a\n", "", 2},
		"second document":  {sample + head + "  name: a\n", "stream is", 46},
		"brackets":         {strings.Repeat("[", 5000), "nest", 1},
		"an endless line":  {"a: " + strings.Repeat("x", 2<<20), "too long", 0},
		"a large document": {strings.Repeat("a: "+strings.Repeat("x", 1000)+"\n", 5000), "larger than", 1},
	} {
		_, err := modulemd.Parse(strings.NewReader(tt.text))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if e, ok := errors.AsType[*modulemd.Error](err); tt.line > 0 && (!ok || e.Line != tt.line) {
			t.Errorf("%s: not line %d: %v", name, tt.line, err)
		}
	}
	if _, err := modulemd.Parse(strings.NewReader(strings.Repeat("a: b\n---\n", 20_001))); err == nil || !strings.Contains(err.Error(), "documents") {
		t.Errorf("got %v", err)
	}
}

// TestStream9 reads the metadata of CentOS Stream 9 that SLIPWAY_TESTDATA_CS9 names.
func TestStream9(t *testing.T) {
	found, _ := filepath.Glob(filepath.Join(os.Getenv("SLIPWAY_TESTDATA_CS9"), "appstream", "repodata", "*-modules.yaml.xz"))
	if len(found) != 1 {
		t.Skip("SLIPWAY_TESTDATA_CS9 does not name a folder with CentOS Stream 9 metadata")
	}
	data, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	r, err := xz.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	index, err := modulemd.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	artifacts := 0
	for _, s := range index.Streams {
		artifacts += len(s.Artifacts)
	}
	if len(index.Streams) < 20 || artifacts < 1000 || len(index.Defaults) < 5 {
		t.Errorf("%d streams of %d packages, %d defaults", len(index.Streams), artifacts, len(index.Defaults))
	}
	t.Logf("%d streams of %d packages, %d defaults", len(index.Streams), artifacts, len(index.Defaults))
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("---\n- &a [*a]\n...\n%YAML 1.2\n---\n{a: b}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		index, err := modulemd.Parse(bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, s := range index.Streams {
			if s.Module == "" || s.Stream == "" || strings.ContainsAny(s.NameStream(), "() \n") {
				t.Errorf("a stream is called %q", s.NameStream())
			}
		}
	})
}
