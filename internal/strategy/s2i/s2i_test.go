package s2i

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestIgnore(t *testing.T) {
	list, err := parseIgnore("# notes\n*.txt\nbuild\n!build/keep.txt\ndocs/*.md\n\n/top\n")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"a.txt": true, "sub/a.txt": false, "build": true, "build/x/y": true, "build/keep.txt": false,
		"docs/a.md": true, "docs/sub/a.md": false, "top": true, "topmost": false, "src": false,
	} {
		if got := list.match(name); got != want {
			t.Errorf("%s: ignored %v, want %v", name, got, want)
		}
	}
	if _, err := parseIgnore("a\n[\n"); err == nil || err.Error() != `.s2iignore:2: "[" is no pattern` {
		t.Errorf("error: %v", err)
	}
}

func FuzzIgnore(f *testing.F) {
	f.Add("*.txt\n!a.txt\nb/c", "b/c/d")
	f.Fuzz(func(t *testing.T, text, name string) {
		list, err := parseIgnore(text)
		if err != nil || name == "" || name[0] == '/' {
			return
		}
		if list.match(name) && !slices.ContainsFunc(list, func(p pattern) bool { return !p.keep }) {
			t.Error("nothing is to be ignored, and something is")
		}
	})
}

func TestEnvironment(t *testing.T) {
	got, err := parseEnvironment("# x\nA=1\r\nB=two = three\n\nC=\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"A=1", "B=two = three", "C="}, got); diff != "" {
		t.Error(diff)
	}
	for _, text := range []string{"A", "=x", "A B=1"} {
		if _, err := parseEnvironment(text); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func FuzzEnvironment(f *testing.F) {
	f.Add("A=1\n# b\nB==")
	f.Fuzz(func(t *testing.T, text string) {
		list, err := parseEnvironment(text)
		if err != nil {
			return
		}
		if merged := mergeEnv(list, list); len(merged) > len(list) {
			t.Errorf("%q became %q", list, merged)
		}
	})
}

func TestMergeEnv(t *testing.T) {
	got := mergeEnv([]string{"PATH=/bin", "A=1"}, []string{"A=2", "B=3"}, []string{"B=4"})
	if diff := cmp.Diff([]string{"PATH=/bin", "A=2", "B=4"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestRoot(t *testing.T) {
	for user, want := range map[string]bool{"": true, "0": true, "00": true, "root": true, "root:web": true, "0:0": true, "1001": false, "web": false, "1001:0": false} {
		if isRoot(user) != want {
			t.Errorf("%q: root %v", user, !want)
		}
	}
}

func TestContract(t *testing.T) {
	for _, tt := range []struct {
		name   string
		labels map[string]string
		want   contract
		fails  bool
	}{
		{"nothing", nil, contract{destination: "/tmp", user: "1001"}, false},
		{"all", map[string]string{labelScripts: "image:///s", labelDestination: "/opt/x", labelUser: "7"}, contract{"image:///s", "/opt/x", "7"}, false},
		{"the old name", map[string]string{labelOldScripts: "image:///o"}, contract{"image:///o", "/tmp", "1001"}, false},
		{"the new name wins", map[string]string{labelScripts: "image:///n", labelOldScripts: "image:///o"}, contract{"image:///n", "/tmp", "1001"}, false},
		{"a destination that is none", map[string]string{labelDestination: "../x"}, contract{}, true},
		{"a destination that is all", map[string]string{labelDestination: "/"}, contract{}, true},
	} {
		got, err := readContract(v1.Config{User: "1001", Labels: tt.labels})
		if (err != nil) != tt.fails || err == nil && got != tt.want {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}
