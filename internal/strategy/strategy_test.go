package strategy

import (
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/image/inspect"
	"github.com/slipway-build/slipway/internal/rpm"
)

func TestReplaceFrom(t *testing.T) {
	for _, tt := range []struct{ name, text, want, fails string }{
		{"one stage", "FROM fedora:43\nRUN x\n", "FROM base\nRUN x\n", ""},
		{"comments, arguments and case", "# FROM x\nARG V\nfrom fedora:$V\n", "# FROM x\nARG V\nfrom base\n", ""},
		{"platform and name", "FROM --platform=linux/amd64 fedora AS web\n", "FROM --platform=linux/amd64 base AS web\n", ""},
		{"only the last stage", "FROM golang AS b\nRUN make\nFROM fedora\nCOPY --from=b /x /\n", "FROM golang AS b\nRUN make\nFROM base\nCOPY --from=b /x /\n", ""},
		{"through an earlier stage", "FROM fedora AS deps\nRUN x\nFROM deps\n", "FROM base AS deps\nRUN x\nFROM deps\n", ""},
		{"a stage that names itself", "FROM x AS x\n", "FROM base AS x\n", ""},
		{"a continued line is no instruction", "FROM fedora\nRUN echo \\\nFROM no\n", "FROM base\nRUN echo \\\nFROM no\n", ""},
		{"a comment between continued lines", "FROM fedora\nRUN echo \\\n# x\nFROM no\n", "FROM base\nRUN echo \\\n# x\nFROM no\n", ""},
		{"a here-document", "FROM fedora\nRUN <<EOF\nFROM no\nEOF\nRUN y\n", "FROM base\nRUN <<EOF\nFROM no\nEOF\nRUN y\n", ""},
		{"no end of line", "FROM fedora", "FROM base", ""},
		{"none", "RUN x\n", "", "it has no FROM"},
		{"empty", "FROM\n", "", "line 1: FROM names no image"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ReplaceFrom(tt.text, "base")
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Fatalf("error %v, want %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func FuzzReplaceFrom(f *testing.F) {
	f.Add("FROM a AS b\nFROM b\n")
	f.Add("FROM a\nRUN <<E\nFROM c\nE\n\\\nFROM d")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := ReplaceFrom(text, "base")
		if err != nil {
			return
		}
		if strings.Count(got, "\n") != strings.Count(text, "\n") {
			t.Errorf("lines came or went:\n%q\n%q", text, got)
		}
		if again, err := ReplaceFrom(got, "base"); err != nil || again != got {
			t.Errorf("a second time: %q, %v, after %q", again, err, got)
		}
	})
}

func TestCheck(t *testing.T) {
	nevra := func(s string) rpm.NEVRA {
		n, err := rpm.ParseNEVRA(s)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	want := Want{
		Packages: []rpm.NEVRA{nevra("bash-5.2-1.x86_64"), nevra("perl-4:5.38-2.x86_64")},
		Projects: map[string]Project{"my-lib": {Version: "1.0", Commit: "aaaa"}},
	}
	good := func() []inspect.Part {
		return []inspect.Part{
			{Kind: inspect.RPM, Name: "bash", Version: "5.2-1", Arch: "x86_64"},
			{Kind: inspect.RPM, Name: "perl", Version: nevra("perl-4:5.38-2.x86_64").EVR.String(), Arch: "x86_64"},
			{Kind: inspect.Python, Name: "My_Lib", Version: "1.0", Commit: "aaaa"},
			{Kind: inspect.Rest, Name: "files of no package"},
		}
	}
	for _, tt := range []struct {
		name     string
		change   func(c *inspect.Content)
		findings []string
		unproven []string
	}{
		{"what was wanted", func(*inspect.Content) {}, nil, nil},
		{"another version of a package", func(c *inspect.Content) { c.Parts[0].Version = "5.2-2" }, []string{"package bash-5.2-2.x86_64 is in it and not in the lock", "package bash-5.2-1.x86_64 of the lock is not in it"}, nil},
		{"a package more", func(c *inspect.Content) {
			c.Parts = append(c.Parts, inspect.Part{Kind: inspect.RPM, Name: "vim", Version: "9-1", Arch: "x86_64"})
		}, []string{"package vim-9-1.x86_64 is in it and not in the lock"}, nil},
		{"a package less", func(c *inspect.Content) { c.Parts = c.Parts[1:] }, []string{"package bash-5.2-1.x86_64 of the lock is not in it"}, nil},
		{"another commit", func(c *inspect.Content) { c.Parts[2].Commit = "bbbb" }, []string{"project My_Lib is of commit bbbb, not aaaa"}, nil},
		{"another version of a project", func(c *inspect.Content) { c.Parts[2].Version = "1.1" }, []string{"project My_Lib has version 1.1, not 1.0"}, nil},
		{"no commit", func(c *inspect.Content) { c.Parts[2].Commit = "" }, nil, []string{"my-lib"}},
		{"no project", func(c *inspect.Content) { c.Parts = c.Parts[:2] }, []string{"project my-lib 1.0 is not in it"}, nil},
		{"a project more", func(c *inspect.Content) {
			c.Parts = append(c.Parts, inspect.Part{Kind: inspect.Python, Name: "requests", Version: "2"})
		}, []string{"Python project requests 2 is in it and nothing asks for it"}, nil},
		{"no database", func(c *inspect.Content) { c.Problem = "there is no RPM database" }, []string{"there is no RPM database"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := &inspect.Content{Parts: good()}
			tt.change(c)
			unproven, err := Check("web", c, want)
			var m *MismatchError
			if errors.As(err, &m) != (tt.findings != nil) {
				t.Fatalf("error: %v", err)
			}
			if m != nil {
				if diff := cmp.Diff(tt.findings, m.Findings); diff != "" {
					t.Error(diff)
				}
			}
			if diff := cmp.Diff(tt.unproven, unproven); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// What strangers write in a configuration stays a word of the shell and a value of an instruction.
func TestContainerfileQuotes(t *testing.T) {
	r := Recipe{
		Base: "base", Builder: "builder", Python: "/usr/bin/python3",
		Projects: []RecipeProject{{Name: "lib", Version: "1.0'; touch /owned; '", URL: "file:///$(touch /owned)", Commit: "aaaa"}},
		Writable: []string{"/var/lib/it's"}, Env: map[string]string{"GREETING": `say "$HOME"`}, Labels: map[string]string{"a b": `c"d`},
		Copies: []Copy{{From: "files/0", To: "/etc/a b", Folder: true, UID: 7}}, Steps: [][]string{{"/bin/sh", "-e", "-c", `echo "x"`}},
	}
	text := r.Containerfile()
	for _, want := range []string{
		`SETUPTOOLS_SCM_PRETEND_VERSION='1.0'\''; touch /owned; '\'''`, `'file:///$(touch /owned)'`, `mkdir -p '/var/lib/it'\''s'`,
		`ENV GREETING="say \"\$HOME\""`, `LABEL "a b"="c\"d"`, `COPY --chown=7:0 ["files/0/","/etc/a b/"]`, `RUN ["/bin/sh","-e","-c","echo \"x\""]`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %s in:\n%s", want, text)
		}
	}
}

func TestEngines(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, c := range Engines(t.Context()) {
		if c.Problem != "it is not installed" {
			t.Errorf("%s: %q", c.Name, c.Problem)
		}
	}
	if _, err := FindEngine(t.Context()); !errors.Is(err, ErrNoEngine) {
		t.Errorf("error: %v", err)
	}
}

func TestEngineFails(t *testing.T) {
	path, err := exec.LookPath("false")
	if err != nil {
		t.Skip("there is no false")
	}
	e := Engine{Name: "buildah", Path: path}
	err = e.Run(t.Context(), Build{Bases: map[string]string{"base": "127.0.0.1:1/base"}})
	var failed *EngineError
	if !errors.As(err, &failed) || failed.Step != "pull" {
		t.Errorf("error: %v", err)
	}
}
