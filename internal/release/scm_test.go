package release_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"testing/fstest"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// systemPython is the interpreter that has Debian's packages of build tools.
const systemPython = "/usr/bin/python3"

// scmSettings are settings of pyproject.toml by which tools make a version of tags.
var scmSettings = map[string]string{
	"default":                  "[tool.setuptools_scm]\n",
	"no-guess-dev":             "[tool.setuptools_scm]\nversion_scheme = 'no-guess-dev'\n",
	"post-release":             "[tool.setuptools_scm]\nversion_scheme = 'post-release'\nlocal_scheme = 'no-local-version'\n",
	"semver":                   "[tool.setuptools_scm]\nversion_scheme = 'python-simplified-semver'\nlocal_scheme = 'dirty-tag'\n",
	"timestamp":                "[tool.setuptools_scm]\nlocal_scheme = 'node-and-timestamp'\n",
	"own tags":                 "[tool.setuptools_scm]\ntag_regex = '^(?:app-)?(?P<version>[0-9.]+(?:rc[0-9]+)?)$'\n",
	"fallback":                 "[tool.setuptools_scm]\nfallback_version = '9.9'\n",
	"hatch":                    "[tool.hatch.version]\nsource = 'vcs'\n",
	"hatch with raw options":   "[tool.hatch.version]\nsource = 'vcs'\nraw-options = {local_scheme = 'no-local-version', version_scheme = 'no-guess-dev'}\n",
	"hatch with a tag pattern": "[tool.hatch.version]\nsource = 'vcs'\ntag-pattern = '^(?:app-)?(?P<version>[0-9.]+(?:rc[0-9]+)?)$'\n",
}

// toolVersions asks the tools themselves, in a checkout: settings by name, as JSON, to versions.
const toolVersions = `
import json, sys, tomllib, warnings
warnings.simplefilter("ignore")
from setuptools_scm import Configuration, _get_version
from hatch_vcs.version_source import VCSVersionSource
versions = {}
for name, settings in json.load(sys.stdin).items():
    try:
        if "hatch" in name:
            config = tomllib.loads(settings)["tool"]["hatch"]["version"]
            versions[name] = VCSVersionSource(".", config).get_version_data()["version"]
        else:
            config = Configuration(root=".", **tomllib.loads(settings)["tool"]["setuptools_scm"])
            versions[name] = str(_get_version(config))
    except Exception:
        versions[name] = ""
json.dump(versions, sys.stdout)
`

// TestSCMVersions holds versions against setuptools-scm and hatch-vcs, at the same commits.
func TestSCMVersions(t *testing.T) {
	t.Parallel()
	oracle.Need(t, "git", systemPython)
	if exec.Command(systemPython, "-c", "import setuptools_scm, hatch_vcs, tomllib").Run() != nil {
		oracle.Missing(t, "python3-setuptools-scm or python3-hatch-vcs is not installed (.ci/run installs it)")
	}
	w := newWorld(t, plain)
	dir := filepath.Join(w.dir, "files")
	for i, tag := range []string{"", "v1.2.9", "", "app-2.0", "", "", "3.0rc1", "", "4.0.dev0", "", "v5.0.0+local", "", "release6", ""} {
		w.write("files/step", strconv.Itoa(i))
		w.commit("files")
		if tag != "" {
			w.git("files", "tag", tag)
		}
		mirror, err := w.p.Sources.Mirror(dir)
		w.ok(err)
		w.ok(mirror.Fetch(t.Context()))
		r, err := mirror.Branch(t.Context(), "main")
		w.ok(err)
		versions := w.toolVersions(dir)
		for name, settings := range scmSettings {
			tree := fstest.MapFS{"pyproject.toml": &fstest.MapFile{Data: []byte(settings)}}
			got, problem := pymeta.SCMVersion(tree, pymeta.Describe{Tag: r.Tag, Distance: r.Ahead, Node: r.Short()})
			want := node.ReplaceAllString(versions[name], "+g"+r.Short())
			if (problem == nil) != (want != "") || problem == nil && got != want {
				t.Errorf("%s, tag %q, %d commits later: %q (%v), the tool says %q", name, r.Tag, r.Ahead, got, problem, want)
			}
		}
	}
}

func (w *world) toolVersions(dir string) map[string]string {
	w.Helper()
	settings, err := json.Marshal(scmSettings)
	w.ok(err)
	cmd := exec.CommandContext(w.Context(), systemPython, "-c", toolVersions)
	cmd.Dir, cmd.Stdin = dir, bytes.NewReader(settings)
	out, err := cmd.Output()
	w.ok(err)
	var versions map[string]string
	w.ok(json.Unmarshal(out, &versions))
	return versions
}

// node is a commit in a version, as long as git thinks it has to be.
var node = regexp.MustCompile(`\+g[0-9a-f]+(\.d[0-9]+)?`)
