package wheel

import (
	"strings"
	"testing"
)

func TestParseClosure(t *testing.T) {
	t.Parallel()
	sum, other := strings.Repeat("a", 64), strings.Repeat("b", 64)
	list, err := ParseClosure([]byte("# made by hand\n\nrich @ https://host/rich-1-py3-none-any.whl \\\n    --hash=sha256:"+sum+"  # why\n"+
		"https://host/x/click-8-py3-none-any.whl#sha256="+other+"\r\n"), "r.txt")
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v, %v", list, err)
	}
	if list[0] != (Locked{"https://host/rich-1-py3-none-any.whl", sum, 3}) || list[1].Line != 5 || list[1].FileName() != "click-8-py3-none-any.whl" {
		t.Errorf("%+v", list)
	}
	for text, want := range map[string]string{
		"rich==1 --hash=sha256:" + sum:                              "r.txt:1: a wheel needs its whole address",
		"\nrich @ https://host/rich-1.whl":                          "r.txt:2: a wheel needs one hash",
		"rich @ https://host/rich-1.tar.gz --hash=sha256:" + sum:    "whole address",
		"rich @ https://me:pw@host/rich-1.whl --hash=sha256:" + sum: "login",
		"rich @ https://host/rich-1.whl --hash=md5:" + sum:          "is not sha256:",
		"-r other.txt": `the option "-r"`,
		"rich @ https://host/r-1.whl ; x --hash=sha256:" + sum:      "a wheel is NAME @ URL",
		strings.Repeat("https://h/a.whl#sha256="+sum+"\n", 2):       "r.txt:2: this wheel is there twice",
		"rich @ https://host/rich-1.whl --hash=sha256:" + sum[:62]:  "is not sha256:",
		"rich @ https://host/rich-1.whl --hash=sha256:A" + sum[:63]: "is not sha256:",
		strings.Repeat("\n", maxClosureLines+1):                     "more than",
		"rich @ https://host/rich-1.whl\xff --hash=sha256:" + sum:   "not UTF-8",
	} {
		if _, err := ParseClosure([]byte(text), "r.txt"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func FuzzParseClosure(f *testing.F) {
	f.Add([]byte("rich @ https://host/rich-1-py3-none-any.whl \\\n --hash=sha256:" + strings.Repeat("a", 64)))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := ParseClosure(data, "x")
		for _, l := range list {
			if err != nil || len(l.SHA256) != 64 || !strings.HasPrefix(l.URL, "http") || !strings.HasSuffix(l.FileName(), ".whl") || l.Line < 1 {
				t.Errorf("%+v, %v", l, err)
			}
		}
	})
}

func TestFits(t *testing.T) {
	t.Parallel()
	for tag, want := range map[string]bool{
		"py3-none-any": true, "py2-none-any": false, "py313-none-any": true, "py39-none-any": true, "py314-none-any": false,
		"cp313-cp313-manylinux_2_17_x86_64": true, "cp312-cp312-manylinux_2_17_x86_64": false, "cp313-cp313-win_amd64": false,
		"cp39-abi3-manylinux2014_x86_64": true, "cp314-abi3-linux_x86_64": false, "cp313-cp313-manylinux_2_17_aarch64": false,
		"cp313-cp313t-linux_x86_64": false, "py3-none-linux_x86_64": true, "nonsense": false,
	} {
		if got := (&Wheel{Tags: []string{tag}}).Fits("3.13", "x86_64"); got != want {
			t.Errorf("%s: %v", tag, got)
		}
	}
}
