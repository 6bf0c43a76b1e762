package resolve_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/resolve/dnf"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/internal/rpmrepo"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
)

// modularRepo is a repository with modules: packages as name-version or name-version/provide, a
// version that ends with "m" being that of a module; streams as
// "module:stream:version[:requirement,...] package...".
type modularRepo struct {
	packages []string
	streams  []string
	defaults []string // module:stream[:modified]
	extra    string   // further documents
	hotfixes bool
}

// write makes the repository.
func (m modularRepo) write(t *testing.T, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, text := range m.packages {
		nv, provide, _ := strings.Cut(text, "/")
		name, version, _ := strings.Cut(nv, "-")
		spec := rpmwrite.Spec{Name: name, EVR: rpm.EVR{Version: version, Release: "1"}, Arch: "noarch", License: "MIT", BuildTime: 1_700_000_000, Compression: "none"}
		if provide != "" {
			spec.Provides = []rpm.Dependency{{Name: provide, Sense: rpm.Equal, EVR: rpm.EVR{Version: "1"}}}
		}
		if err := rpmwrite.WriteFile(filepath.Join(dir, nv+"-1.noarch.rpm"), spec); err != nil {
			t.Fatal(err)
		}
	}
	if err := repowrite.Write(dir, repowrite.Options{Modules: []byte(m.yaml())}); err != nil {
		t.Fatal(err)
	}
}

func (m modularRepo) yaml() string {
	var b strings.Builder
	for _, text := range m.streams {
		fields := strings.Fields(text)
		parts := strings.SplitN(fields[0], ":", 4)
		fmt.Fprintf(&b, "---\ndocument: modulemd\nversion: 2\ndata:\n  name: %s\n  stream: %q\n  version: %s\n  context: c%d\n  arch: x86_64\n", parts[0], parts[1], parts[2], b.Len())
		b.WriteString("  summary: s\n  description: d\n  license: {module: [MIT]}\n  dependencies:\n  - requires:\n      platform: [el9]\n")
		if len(parts) > 3 {
			for _, r := range strings.Split(parts[3], ",") {
				module, streams, _ := strings.Cut(r, "=")
				fmt.Fprintf(&b, "      %s: [%s]\n", module, strings.ReplaceAll(streams, "|", ", "))
			}
		}
		if len(fields) > 1 {
			b.WriteString("  artifacts:\n    rpms:\n")
			for _, nv := range fields[1:] {
				name, version, _ := strings.Cut(nv, "-")
				fmt.Fprintf(&b, "    - %s-0:%s-1.noarch\n", name, version)
			}
		}
		b.WriteString("...\n")
	}
	for _, d := range m.defaults {
		parts := strings.Split(d+":0", ":")
		fmt.Fprintf(&b, "---\ndocument: modulemd-defaults\nversion: 1\ndata:\n  module: %s\n", parts[0])
		if parts[2] != "0" {
			fmt.Fprintf(&b, "  modified: %s\n", parts[2])
		}
		fmt.Fprintf(&b, "  stream: %q\n  profiles: {}\n...\n", parts[1])
	}
	return b.String() + m.extra
}

// modularWorld is what dnf and we are asked.
type modularWorld struct {
	repos   []modularRepo
	enabled []string
}

// setup writes a world and gives the question to dnf, and the repositories to us.
func (w modularWorld) setup(t *testing.T) (question map[string]any, repos []*rpmrepo.Repository) {
	t.Helper()
	dir := t.TempDir()
	store, err := cache.Open(filepath.Join(dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	var folders []string
	var hotfixes []int
	for i, r := range w.repos {
		folder := filepath.Join(dir, fmt.Sprint(i))
		r.write(t, folder)
		folders = append(folders, folder)
		if r.hotfixes {
			hotfixes = append(hotfixes, i)
		}
		config := rpmrepo.DefaultConfig(fmt.Sprint("r", i), folder)
		config.ModuleHotfixes = r.hotfixes
		repo, err := (&rpmrepo.Client{Cache: store}).Load(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		repos = append(repos, repo)
	}
	return map[string]any{"repos": folders, "hotfixes": hotfixes, "enabled": w.enabled, "platform": "el9"}, repos
}

// modularAnswer is what is seen, or why nothing could be enabled.
type modularAnswer struct {
	Error   string
	Visible []string
}

func (w modularWorld) ask(t *testing.T, repos []*rpmrepo.Repository) (a modularAnswer, active []string) {
	t.Helper()
	visible, active, err := resolve.Modular(t.Context(), repos, resolve.Modules{Enabled: w.enabled, Platform: "el9", Arch: "x86_64"})
	if err != nil {
		if _, ok := errors.AsType[*resolve.ModuleError](err); !ok {
			t.Fatal(err)
		}
		return modularAnswer{Error: err.Error()}, nil
	}
	for i, r := range visible {
		for _, p := range r.All() {
			a.Visible = append(a.Visible, fmt.Sprintf("r%d %s", i, p.NEVRA))
		}
	}
	slices.Sort(a.Visible)
	return a, active
}

// askModularDNF puts questions to dnf, in one process.
func askModularDNF(t *testing.T, questions []map[string]any) []modularAnswer {
	t.Helper()
	var in bytes.Buffer
	for _, q := range questions {
		if err := json.NewEncoder(&in).Encode(q); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(dnf.Python, filepath.Join("testdata", "modules.py"), t.TempDir())
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = &in, &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("asking dnf: %v\n%s", err, stderr.String())
	}
	var answers []modularAnswer
	for decoder := json.NewDecoder(bytes.NewReader(out)); decoder.More(); {
		var a modularAnswer
		if err := decoder.Decode(&a); err != nil {
			t.Fatal(err)
		}
		answers = append(answers, a)
	}
	if len(answers) != len(questions) {
		t.Fatalf("dnf gave %d answers to %d questions\n%s", len(answers), len(questions), stderr.String())
	}
	return answers
}

// modularCases are worlds, and what is to be said of each.
func modularCases() map[string]struct {
	modularWorld
	active  string // streams, or part of the error
	visible string
	fails   bool
} {
	node := modularRepo{
		packages: []string{"nodejs-16", "nodejs-18m", "nodejs-20m", "npm-8", "npm-10m", "bash-5", "yarn-1/npm"},
		streams:  []string{"nodejs:18:1 nodejs-18m", "nodejs:20:1 nodejs-20m npm-10m"},
	}
	with := func(change func(*modularRepo)) []modularRepo {
		m := node
		change(&m)
		return []modularRepo{m}
	}
	type c = struct {
		modularWorld
		active  string
		visible string
		fails   bool
	}
	return map[string]c{
		"nothing enabled": {modularWorld{repos: []modularRepo{node}}, "", "bash-5 nodejs-16 npm-8 yarn-1", false},
		"a stream masks what has its names": {modularWorld{repos: []modularRepo{node}, enabled: []string{"nodejs:20"}}, "nodejs:20",
			"bash-5 nodejs-20m npm-10m", false},
		"another stream": {modularWorld{repos: []modularRepo{node}, enabled: []string{"nodejs:18"}}, "nodejs:18",
			"bash-5 nodejs-18m npm-8 yarn-1", false},
		"a default stream": {modularWorld{repos: with(func(m *modularRepo) { m.defaults = []string{"nodejs:18"} })}, "nodejs:18",
			"bash-5 nodejs-18m npm-8 yarn-1", false},
		"enabled before default": {modularWorld{repos: with(func(m *modularRepo) { m.defaults = []string{"nodejs:18"} }), enabled: []string{"nodejs:20"}},
			"nodejs:20", "bash-5 nodejs-20m npm-10m", false},
		"a module by its default": {modularWorld{repos: with(func(m *modularRepo) { m.defaults = []string{"nodejs:18"} }), enabled: []string{"nodejs"}},
			"nodejs:18", "bash-5 nodejs-18m npm-8 yarn-1", false},
		"a newer default": {modularWorld{repos: append(with(func(m *modularRepo) { m.defaults = []string{"nodejs:18:1"} }), modularRepo{defaults: []string{"nodejs:20:2"}})},
			"nodejs:20", "bash-5 nodejs-20m npm-10m", false},
		"masks other repositories": {modularWorld{repos: []modularRepo{node, {packages: []string{"nodejs-99", "zsh-5"}}}, enabled: []string{"nodejs:20"}},
			"nodejs:20", "bash-5 nodejs-20m npm-10m zsh-5", false},
		"but not hotfixes": {modularWorld{repos: []modularRepo{node, {packages: []string{"nodejs-99", "zsh-5"}, hotfixes: true}}, enabled: []string{"nodejs:20"}},
			"nodejs:20", "bash-5 nodejs-20m nodejs-99 npm-10m zsh-5", false},
		"required streams": {modularWorld{repos: []modularRepo{{
			packages: []string{"app-1m", "perl-24m", "perl-26m", "perl-20"},
			streams:  []string{"app:1:1:perl=24|26 app-1m", "perl:24:1 perl-24m", "perl:26:1 perl-26m", "perl:30:1"},
			defaults: []string{"perl:24"}}}, enabled: []string{"app:1"}}, "app:1 perl:24", "app-1m perl-24m", false},
		"older builds of a stream are seen too": {modularWorld{repos: []modularRepo{{
			packages: []string{"a-1m", "a-2m"}, streams: []string{"a:x:1 a-1m", "a:x:2 a-2m"}}}, enabled: []string{"a:x"}}, "a:x", "a-1m a-2m", false},
		"a default that does not go": {modularWorld{repos: []modularRepo{{
			packages: []string{"a-1m", "b-1m", "a-9"}, streams: []string{"a:x:1:b=2 a-1m", "b:1:1 b-1m"}, defaults: []string{"a:x"}}}}, "", "a-9", false},
		"another release": {modularWorld{repos: []modularRepo{{
			packages: []string{"a-1m", "a-9"}, streams: []string{"a:x:1 a-1m"}, extra: ""}}}, "", "a-9", false},
		"no such module":        {modularWorld{repos: []modularRepo{node}, enabled: []string{"node:20"}}, `there is no module "node", there are nodejs`, "", true},
		"no such stream":        {modularWorld{repos: []modularRepo{node}, enabled: []string{"nodejs:22"}}, "there is no such stream, there are nodejs:18, nodejs:20", "", true},
		"no default":            {modularWorld{repos: []modularRepo{node}, enabled: []string{"nodejs"}}, "no default stream", "", true},
		"two streams":           {modularWorld{repos: []modularRepo{node}, enabled: []string{"nodejs:18", "nodejs:20"}}, "nodejs:18 is enabled too", "", true},
		"streams at odds":       {modularWorld{repos: []modularRepo{{packages: []string{"a-1m"}, streams: []string{"a:x:1:b=1 a-1m", "b:1:1", "b:2:1"}}}, enabled: []string{"a:x", "b:2"}}, "do not go together", "", true},
		"a requirement missing": {modularWorld{repos: []modularRepo{{packages: []string{"a-1m"}, streams: []string{"a:x:1:b=1 a-1m"}}}, enabled: []string{"a:x"}}, "nothing provides module(b:1)", "", true},
	}
}

func TestModular(t *testing.T) {
	for name, c := range modularCases() {
		t.Run(name, func(t *testing.T) {
			_, repos := c.setup(t)
			got, active := c.ask(t, repos)
			if c.fails {
				if !strings.Contains(got.Error, c.active) {
					t.Errorf("got %+v, not %q", got, c.active)
				}
				return
			}
			var visible []string
			for _, v := range got.Visible {
				_, nevra, _ := strings.Cut(v, " ")
				visible = append(visible, strings.TrimSuffix(nevra, "-1.noarch"))
			}
			slices.Sort(visible)
			if got.Error != "" || strings.Join(visible, " ") != c.visible || strings.Join(active, " ") != c.active {
				t.Errorf("%q, active %v, seen %v", got.Error, active, visible)
			}
		})
	}
	// Nothing modular: nothing is touched.
	_, repos := modularWorld{repos: []modularRepo{{packages: []string{"a-1"}}}}.setup(t)
	if got, active, err := resolve.Modular(t.Context(), repos, resolve.Modules{Arch: "x86_64"}); err != nil || len(active) > 0 || got[0] != repos[0] {
		t.Errorf("%v %v %v", got, active, err)
	}
	if _, _, err := resolve.Modular(t.Context(), repos, resolve.Modules{Arch: "x86_64", Enabled: []string{"a:1"}}); err == nil || !strings.Contains(err.Error(), "no repository of the target has modules") {
		t.Error(err)
	}
}

// TestModularReasons: an explanation tells what modules hide.
func TestModularReasons(t *testing.T) {
	_, repos := modularWorld{repos: []modularRepo{{packages: []string{"nodejs-16", "nodejs-18m", "nodejs-20m"}, streams: []string{"nodejs:18:1 nodejs-18m", "nodejs:20:1 nodejs-20m"}}}}.setup(t)
	visible, _, err := resolve.Modular(t.Context(), repos, resolve.Modules{Enabled: []string{"nodejs:18"}, Platform: "el9", Arch: "x86_64"})
	if err != nil {
		t.Fatal(err)
	}
	us := askUs(t, problemOf(t, visible, question{args: []string{"nodejs >= 20"}}))
	if !strings.Contains(us.Error, "belongs to module stream nodejs:20, which is not active") {
		t.Errorf("got %s", us.Error)
	}
	us = askUs(t, problemOf(t, visible, question{args: []string{"nodejs = 16"}}))
	if !strings.Contains(us.Error, "is hidden by module stream nodejs:18") {
		t.Errorf("got %s", us.Error)
	}
}

// TestModularAgainstDNF puts the cases and random worlds to dnf: it must see the same packages.
func TestModularAgainstDNF(t *testing.T) {
	needDNF(t)
	worlds := map[string]modularWorld{}
	for name, c := range modularCases() {
		worlds[name] = c.modularWorld
	}
	count := 20
	if os.Getenv("SLIPWAY_TEST_DEEP") != "" {
		count = 200
	}
	for i := range count {
		worlds[fmt.Sprintf("random %d", i)] = randomModular(rand.New(rand.NewPCG(*seed, uint64(i))))
	}
	var names []string
	var questions []map[string]any
	var ours []modularAnswer
	for name, w := range worlds {
		q, repos := w.setup(t)
		us, _ := w.ask(t, repos)
		names, questions, ours = append(names, name), append(questions, q), append(ours, us)
	}
	failed := 0
	for i, dnf := range askModularDNF(t, questions) {
		if dnf.Error != "" || ours[i].Error != "" {
			failed++
			if (dnf.Error == "") != (ours[i].Error == "") {
				t.Errorf("%s: %+v\nwe say %q\ndnf says %q", names[i], worlds[names[i]], ours[i].Error, dnf.Error)
			}
			continue
		}
		if diff := cmp.Diff(dnf.Visible, ours[i].Visible); diff != "" {
			t.Errorf("%s: %+v\n(-dnf +us):\n%s", names[i], worlds[names[i]], diff)
		}
	}
	t.Logf("seed %d: %d worlds, %d of them cannot be", *seed, len(names), failed)
}

// randomModular makes a world of three modules in one or two repositories.
func randomModular(r *rand.Rand) modularWorld {
	var w modularWorld
	modules, packages := []string{"a", "b", "c"}, []string{"p", "q", "r", "s", "t"}
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	for range 1 + r.IntN(2) {
		var m modularRepo
		seen := map[string]bool{}
		add := func(text string) {
			nv, _, _ := strings.Cut(text, "/")
			if !seen[nv] {
				seen[nv] = true
				m.packages = append(m.packages, text)
			}
		}
		for range 1 + r.IntN(4) {
			text := fmt.Sprintf("%s-%d", pick(packages), 1+r.IntN(9))
			if r.IntN(4) == 0 {
				text += "/" + pick(packages)
			}
			add(text)
		}
		for _, module := range modules {
			for stream := range r.IntN(3) {
				text := fmt.Sprintf("%s:%d:%d", module, stream, 1+r.IntN(3))
				if r.IntN(3) == 0 {
					other := pick(modules)
					if other != module {
						text += fmt.Sprintf(":%s=%s", other, pick([]string{"0", "1", "0|1", ""}))
					}
				}
				for range 1 + r.IntN(2) {
					nv := fmt.Sprintf("%s-%d.%dm", pick(packages), 1+r.IntN(9), stream)
					add(nv)
					text += " " + nv
				}
				m.streams = append(m.streams, text)
			}
			if r.IntN(3) == 0 {
				m.defaults = append(m.defaults, fmt.Sprintf("%s:%d:%d", module, r.IntN(2), 1+r.IntN(2)))
			}
		}
		m.hotfixes = r.IntN(5) == 0
		w.repos = append(w.repos, m)
	}
	for _, module := range modules {
		if r.IntN(3) == 0 {
			w.enabled = append(w.enabled, fmt.Sprintf("%s:%d", module, r.IntN(2)))
		}
	}
	return w
}
