package config_test

import (
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/config"
)

// TestExceptionMistakes holds that mistakes in exceptions, archives and places are told at their lines.
func TestExceptionMistakes(t *testing.T) {
	t.Parallel()
	const sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	text := func(more string) string {
		return "service: s\nprojects: {p: {git: ./p}}\ntargets:\n  t: {release: fedora-43, repositories: [{file: x.repo}]}\nimages: {web: {projects: [p]}}\n" + more
	}
	entry := func(what string) string {
		return text("exceptions:\n  - {name: x, reason: r, expires: 2027-01-31, " + what + "}\n")
	}
	for in, want := range map[string]string{
		entry("images: [web]"):                                                                                                                     "x.yaml:7:6: exceptions[0]: say what it allows",
		entry("images: [web], repository: r"):                                                                                                      "a repository is for all images",
		entry(`file: {url: "https://h/x", sha256: ` + sum + `, to: /x}`):                                                                           "images is missing",
		entry(`images: [wep], file: {url: "https://h/x", sha256: ` + sum + `, to: /x}`):                                                            `there is no image "wep"`,
		entry(`images: [web], file: {url: "https://h/x", sha256: ABC, to: /x}`):                                                                    "exceptions[0].file.sha256: \"ABC\" is not",
		entry(`images: [web], file: {url: "https://me:secret@h/x", sha256: ` + sum + `, to: /x}`):                                                  "a URL with a login would end in the image",
		entry(`images: [web], file: {url: "ftp://h/x", sha256: ` + sum + `, to: /x}`):                                                              "not an http or https URL",
		entry(`images: [web], file: {url: "https://h/x", sha256: ` + sum + `, to: ../x}`):                                                          "not a clean absolute path",
		entry(`images: [web], file: {url: "https://h/x", sha256: ` + sum + `, to: /x, mode: "9"}`):                                                 "not an octal mode",
		entry(`images: [web], file: {url: "https://h/x", sha256: ` + sum + `}`):                                                                    "to is missing",
		entry(`images: [web], archive: {url: "https://h/x", sha256: ` + sum + `, to: /x, only: [../y]}`):                                           "archive.only[0]",
		entry(`images: [web], archive: {url: "https://h/x", sha256: ` + sum + `, to: /x, strip: -1}`):                                              "archive.strip",
		entry(`images: [web], wheel: {url: "https://h/x.tar.gz", sha256: ` + sum + `}`):                                                            "name of a wheel",
		entry(`images: [web], wheel: {url: "https://h/x-1-py3-none-any.whl", sha256: ` + sum + `, requirements: /etc/x}`):                          "leaves its folder",
		text("exceptions: [{name: x, expires: 2027-01-31, repository: r}]\n"):                                                                      "reason is missing",
		text("exceptions: [{name: x, reason: r, repository: r}]\n"):                                                                                "expires is missing",
		text("exceptions: [{name: x, reason: r, expires: 2027-02-31, repository: r}]\n"):                                                           `"2027-02-31" is not a day`,
		text("exceptions: [{name: x, reason: r, expires: 2027-01-31, repository: r}, {name: x, reason: r, expires: 2027-01-31, repository: s}]\n"): "there are two exceptions called",
		text("exceptions: [{name: X, reason: r, expires: 2027-01-31, repository: r}]\n"):                                                           "is not a name",
		text("archive: {folder: a, registry: h.example/b}\n"):                                                                                      "x.yaml:6:11: archive: has both folder and registry",
		text("archive: {}\n"):                                  "folder is missing",
		text("archive: {registry: h.example}\n"):               "has no path",
		text("archive: {registry: \"https://h.example/x\"}\n"): "archive.registry: write HOST",
		strings.Replace(text(""), "fedora-43,", `fedora-43, places: ["https://h/{nama}.rpm"],`, 1): "targets.t.places[0]: there is no placeholder {nama}; did you mean \"name\"?",
		strings.Replace(text(""), "fedora-43,", `fedora-43, places: ["https://h/x.rpm"],`, 1):      "it has no placeholder",
		strings.Replace(text(""), "fedora-43,", `fedora-43, places: ["ftp://h/{name}"],`, 1):       "a place is an https, http or file URL",
		strings.Replace(text(""), "fedora-43,", `fedora-43, places: ["https://h/{name"],`, 1):      "not a URL with placeholders",
	} {
		_, err := config.Parse([]byte(in), "x.yaml")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s\nerror: %v\nwant: %s", in, err, want)
		}
	}
}

func TestExpandPlace(t *testing.T) {
	t.Parallel()
	values := map[string]string{"name": "libstdc++", "version": "1~rc1^x", "path": "Packages/l/a b.rpm"}
	for place, want := range map[string]string{
		"https://h/{name}/{version}": "https://h/libstdc++/1~rc1%5Ex",
		"https://h/{path}":           "https://h/Packages/l/a%20b.rpm",
		"https://h/{name}/{key}":     "",
	} {
		if got := config.ExpandPlace(place, values); got != want {
			t.Errorf("%s: %q", place, got)
		}
	}
}

func TestProjectFromMistakes(t *testing.T) {
	t.Parallel()
	for project, want := range map[string]string{
		"{from: rpm}": "x.yaml:2:16: projects.p: rpm is missing",
		"{from: rpm, git: ./p, rpm: {package: p, repositories: {main: r}}}": "are of projects from git",
		"{from: copr}": `projects.p.from: "copr" is not where projects are from`,
		"{git: ./p, rpm: {package: p, repositories: {main: r}}}": "it goes with from: rpm",
		"{from: rpm, rpm: {repositories: {main: r}}}":            "package is missing",
		"{from: rpm, rpm: {package: p}}":                         "repositories is missing",
		"{branches: {a: b}}":                                     "git is missing",
	} {
		text := "service: s\nprojects: {p: " + project + "}\ntargets:\n  t: {release: fedora-43, repositories: [{file: x.repo}]}\nimages: {web: {projects: [p]}}\n"
		if _, err := config.Parse([]byte(text), "x.yaml"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\nerror: %v\nwant: %s", project, err, want)
		}
	}
	text := "service: s\nprojects: {p: {from: rpm, rpm: {package: p, repositories: {main: r}}}}\ntargets:\n  t: {release: fedora-43, repositories: [{file: x.repo}]}\nimages: {web: {projects: [p], files: [{from: \"p:x\", to: /x}]}}\n"
	if _, err := config.Parse([]byte(text), "x.yaml"); err == nil || !strings.Contains(err.Error(), "has no files here") {
		t.Errorf("files: %v", err)
	}
	c, err := config.Parse([]byte(strings.Replace(text, ", files: [{from: \"p:x\", to: /x}]", "", 1)), "x.yaml")
	if err != nil || len(c.Images["web"].Projects) != 0 || len(c.Images["web"].RPMProjects) != 1 || len(c.ProjectsOf([]string{"web"})) != 0 {
		t.Errorf("%+v, %v", c, err)
	}
}
