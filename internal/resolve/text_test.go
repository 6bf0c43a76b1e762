package resolve_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/resolve"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// repositories reads repositories from a text:
//
//	repo extra priority=10 cost=5 exclude=a*,b
//	flask-2.0-1.noarch
//	  requires: jinja2 >= 3, (a or b)
//	  files: /usr/bin/flask
//
// The keys are the names of dependency lists. Packages before the first repo line are in "main".
func repositories(t testing.TB, text string) []*rpmrepo.Repository {
	t.Helper()
	type made struct {
		config   rpmrepo.Config
		packages []rpmrepo.Package
	}
	all := []made{{config: rpmrepo.DefaultConfig("main")}}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		current := &all[len(all)-1]
		switch words := strings.Fields(line); {
		case len(words) == 0:
		case words[0] == "repo":
			config := rpmrepo.DefaultConfig(words[1])
			for _, option := range words[2:] {
				key, value, _ := strings.Cut(option, "=")
				switch key {
				case "exclude":
					config.Exclude = strings.Split(value, ",")
					continue
				case "include":
					config.Include = strings.Split(value, ",")
					continue
				}
				n, err := strconv.Atoi(value)
				if err != nil {
					t.Fatal(err)
				}
				*map[string]*int{"priority": &config.Priority, "cost": &config.Cost}[key] = n
			}
			all = append(all, made{config: config})
		case line[0] == ' ' || line[0] == '\t':
			addDependencies(t, &current.packages[len(current.packages)-1], line)
		default:
			nevra, err := rpm.ParseNEVRA(words[0])
			if err != nil {
				t.Fatal(err)
			}
			current.packages = append(current.packages, rpmrepo.Package{
				NEVRA: nevra, Location: words[0] + ".rpm", Size: 1,
				SHA256: fmt.Sprintf("%064x", len(all)<<32|len(current.packages)),
			})
		}
	}
	if len(all[0].packages) == 0 && len(all) > 1 {
		all = all[1:]
	}
	var repos []*rpmrepo.Repository
	for _, m := range all {
		r, err := rpmrepo.New(m.config, m.packages)
		if err != nil {
			t.Fatal(err)
		}
		repos = append(repos, r)
	}
	return repos
}

// packagesOf reads the packages of one repository.
func packagesOf(t testing.TB, text string) []rpmrepo.Package {
	t.Helper()
	var packages []rpmrepo.Package
	for _, p := range repositories(t, text)[0].All() {
		packages = append(packages, *p)
	}
	return packages
}

func addDependencies(t testing.TB, p *rpmrepo.Package, line string) {
	t.Helper()
	key, list, found := strings.Cut(strings.TrimSpace(line), ":")
	if !found {
		t.Fatalf("no list in %q", line)
	}
	if key == "files" {
		p.Files = append(p.Files, strings.Fields(list)...)
		return
	}
	to, ok := map[string]*[]rpm.Dependency{
		"provides": &p.Provides, "requires": &p.Requires, "conflicts": &p.Conflicts, "obsoletes": &p.Obsoletes,
		"recommends": &p.Recommends, "suggests": &p.Suggests, "supplements": &p.Supplements, "enhances": &p.Enhances,
	}[key]
	if !ok {
		t.Fatalf("no list is called %q", key)
	}
	*to = append(*to, dependencies(t, list)...)
}

// dependencies reads a list, separated by commas.
func dependencies(t testing.TB, list string) []rpm.Dependency {
	t.Helper()
	var deps []rpm.Dependency
	for text := range strings.SplitSeq(list, ",") {
		d, err := rpm.ParseDependency(text)
		if err != nil {
			t.Fatal(err)
		}
		deps = append(deps, d)
	}
	return deps
}

// requests makes requests of a list.
func requests(t testing.TB, list string) []resolve.Request {
	t.Helper()
	var all []resolve.Request
	for i, d := range dependencies(t, list) {
		all = append(all, resolve.Request{Dependency: d, Origin: fmt.Sprintf("setup.cfg:%d", i+10)})
	}
	return all
}

// names gives the packages of a solution in a line, without release and architecture where they are
// "1" and "noarch".
func names(s *resolve.Solution) string {
	var all []string
	for _, c := range s.Packages {
		all = append(all, strings.TrimSuffix(strings.TrimSuffix(c.Package.NEVRA.String(), ".noarch"), "-1"))
	}
	return strings.Join(all, " ")
}

func splitOptions(want string) func(yield func(string) bool) {
	return strings.SplitSeq(want, " | ")
}

// virtuals reads virtual packages, one a line: a name, a version, and what it provides.
func virtuals(t testing.TB, text string) []resolve.Virtual {
	t.Helper()
	var all []resolve.Virtual
	for line := range strings.Lines(text) {
		words := strings.SplitN(strings.TrimSpace(line), " ", 3)
		v := resolve.Virtual{Name: words[0], Label: "project " + words[0] + " at 1a2b3c4"}
		var err error
		if v.EVR, err = rpm.ParseEVR(words[1]); err != nil {
			t.Fatal(err)
		}
		if len(words) > 2 {
			v.Provides = dependencies(t, words[2])
		}
		all = append(all, v)
	}
	return all
}
