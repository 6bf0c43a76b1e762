package wheel

import (
	"bufio"
	"fmt"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

func TestReadAnswer(t *testing.T) {
	full := `{"environment": {"python_full_version": "3.11.2"}, "installed": {"setuptools>=61": "66.1.1", "gone": null}}
{"installed": {"wheel": "0.38"}}
{"wheel": "a-1-py3-none-any.whl", "size": 3}
PK!`
	r := bufio.NewReader(strings.NewReader(full))
	a, err := readAnswer(r)
	if err != nil || a.Wheel != "a-1-py3-none-any.whl" || a.Size != 3 || *a.Static["setuptools>=61"] != "66.1.1" || a.Static["gone"] != nil || *a.Dynamic["wheel"] != "0.38" {
		t.Errorf("read %+v, %v", a, err)
	}
	if rest, _ := r.ReadString(0); rest != "PK!" {
		t.Errorf("left %q", rest)
	}
	for _, cut := range []string{"", full[:20], strings.SplitAfter(full, "\n")[0]} {
		if a, err := readAnswer(bufio.NewReader(strings.NewReader(cut))); err != nil || a.Wheel != "" {
			t.Errorf("a hook that ended after %q: %+v, %v", cut, a, err)
		}
	}
	var many strings.Builder
	for i := range maxRequirements + 1 {
		fmt.Fprintf(&many, `, "a%d": null`, i)
	}
	for _, bad := range []string{`{"installed": {` + many.String()[2:] + "}}\n", "x\n", "[]\n", `{"installed": 3}` + "\n", strings.Repeat("x", maxLine+1)} {
		if _, err := readAnswer(bufio.NewReader(strings.NewReader(bad))); err == nil {
			t.Errorf("accepted %.40q", bad)
		}
	}
}

func FuzzReadAnswer(f *testing.F) {
	f.Add("{\"environment\": {}, \"installed\": {\"a>1\": \"2\"}}\n{}\n{\"wheel\": \"x\", \"size\": 1}\nx")
	f.Fuzz(func(t *testing.T, data string) {
		a, err := readAnswer(bufio.NewReader(strings.NewReader(data)))
		if err != nil {
			return
		}
		for _, m := range a.missing("here") {
			if printable(m.String()) == "" || strings.ContainsAny(m.String(), "\n\x1b") {
				t.Errorf("%q", m.String())
			}
		}
	})
}

func TestUnmet(t *testing.T) {
	version := func(s string) *string { return &s }
	got := unmet(map[string]*string{
		"setuptools>=61":                        version("66.1.1+dfsg"),
		"setuptools_scm[toml]>=6.2,<8":          version("8.0.1"),
		"Not.There":                             nil,
		"only-windows; sys_platform == 'win32'": nil,
		"old-python; python_version < '3.9'":    nil,
		"pre>=1":                                version("2.0rc1"),
		"odd>=1":                                version("unknown"),
		"not a requirement":                     nil,
	}, pymeta.LinuxEnvironment("3.11.2", "x86_64"), "here")
	var text []string
	for _, m := range got {
		text = append(text, m.String())
	}
	want := "Not.There (here) is not installed; add python3dist(not-there) to what the build root is made of\n" +
		"setuptools_scm[toml]>=6.2,<8 (here) is not met by 8.0.1, which is installed as python3dist(setuptools-scm)"
	if strings.Join(text, "\n") != want {
		t.Errorf("unmet:\n%s\nwant:\n%s", strings.Join(text, "\n"), want)
	}
}

func TestTail(t *testing.T) {
	out := &tail{}
	for i := range 100 {
		if n, err := out.Write([]byte(strings.Repeat("x", i) + "\r\n\n")); err != nil || n != i+3 {
			t.Fatal(n, err)
		}
	}
	_, _ = out.Write([]byte("\x1b[31mred\x1b[0m\x07 \u202etxt"))
	_, _ = out.Write([]byte("\tend"))
	lines := out.last()
	if len(lines) != tailLines || lines[tailLines-1] != "red txt end" || lines[0] != strings.Repeat("x", 81) {
		t.Errorf("kept %d lines, %q to %q", len(lines), lines[0], lines[len(lines)-1])
	}
	if got := printable(strings.Repeat("ž", 1000)); len(got) > lineLength+len("…") || !strings.HasSuffix(got, "ž…") {
		t.Errorf("long line became %q", got)
	}
}
