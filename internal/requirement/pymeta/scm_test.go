package pymeta

import (
	"strings"
	"testing"
	"testing/fstest"
)

func pyproject(text string) fstest.MapFS {
	return fstest.MapFS{pyprojectName: &fstest.MapFile{Data: []byte(text)}}
}

// TestVersioningit has the cases of versioningit's documentation, "Configuration".
func TestVersioningit(t *testing.T) {
	for _, tt := range []struct{ settings, tag, want string }{
		{"", "v1.2.3", "1.2.3.post4+gabc1234"},
		{"format = {distance = '{next_version}.dev{distance}+{vcs}{rev}'}", "1.2.3", "1.3.0.dev4+gabc1234"},
		{"format = {distance = '{next_version}.dev{distance}'}", "1!2", "1!2.1.0.dev4"},
		{"format = {distance = '{base_version}+d{committer_date:%Y%m%d}'}", "v0.1", "0.1+d20260304"},
		{"default-version = '0.0.0'", "", "0.0.0"},
		{"", "", "needs a tag"},
		{"format = {distance = '{branch}'}", "v1", "{branch} of versioningit's format is not known"},
		{"next-version = 'smallest'", "v1", "next-version of versioningit is not known"},
	} {
		d := Describe{Tag: tt.tag, Distance: 4, Node: "abc1234", Date: "20260304050607"}
		got, err := SCMVersion(pyproject("[tool.versioningit]\n"+tt.settings+"\n"), d)
		if err != nil {
			got = err.Error()
		}
		if got != tt.want && (err == nil || !strings.Contains(got, tt.want)) {
			t.Errorf("%q at %q: %q, want %q", tt.settings, tt.tag, got, tt.want)
		}
	}
	if got, err := SCMVersion(pyproject("[tool.versioningit]\n"), Describe{Tag: "v1.2"}); got != "1.2" || err != nil {
		t.Errorf("at the tag: %q, %v", got, err)
	}
}

func TestUnknownSCMSettings(t *testing.T) {
	for settings, want := range map[string]string{
		"version_scheme = 'own:scheme'":        "pyproject.toml:2: version_scheme \"own:scheme\" of setuptools-scm is not known",
		"local_scheme = 'own'":                 "pyproject.toml:2: local_scheme \"own\"",
		"git_describe_command = ['rm', '-rf']": "the setting git_describe_command of setuptools-scm is not known",
		"tag_regex = '('":                      "tag_regex is not understood",
	} {
		_, err := SCMVersion(pyproject("[tool.setuptools_scm]\n"+settings+"\n"), Describe{Tag: "v1.2", Distance: 3, Node: "abc"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", settings, err)
		}
	}
	if got := PlainVersion(Describe{Tag: "v1.2", Distance: 3, Node: "abc"}); got != "1.3.dev3+gabc" {
		t.Errorf("by default: %q", got)
	}
}

func FuzzSCMVersion(f *testing.F) {
	f.Add("[tool.setuptools_scm]\nversion_scheme = 'no-guess-dev'\n", "v1.0rc1", 3)
	f.Add("[tool.versioningit]\nformat = {distance = '{next_version}'}\n", "1!2", 0)
	f.Add("[tool.hatch.version]\nsource = 'vcs'\nraw-options = {local_scheme = 'no-local-version'}\n", "app-2.0.dev0", 1)
	f.Fuzz(func(t *testing.T, text, tag string, distance int) {
		v, err := SCMVersion(pyproject(text), Describe{Tag: tag, Distance: distance & 0xffff, Node: "abc1234"})
		if err == nil && v == "" {
			t.Error("neither a version nor an error")
		}
	})
}
