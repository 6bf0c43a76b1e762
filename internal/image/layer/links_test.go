package layer

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	links := Links{
		"/lib": "usr/lib", "/bin": "/usr/bin", "/usr/sbin": "bin", "/up": "../../..", "/a/b": "../c/./d", "/c": "/lib/x", "/self": "self", "/p": "q", "/q": "p",
	}
	for _, c := range []struct{ in, want string }{
		{"/lib/libc.so", "/usr/lib/libc.so"},
		{"/bin/sh", "/usr/bin/sh"},
		{"/usr/sbin/x", "/usr/bin/x"},
		{"/lib", "/lib"},
		{"/up/etc/x", "/etc/x"},
		{"/a/b/f", "/usr/lib/x/d/f"},
		{"/x", "/x"},
		{"/nothing/here", "/nothing/here"},
		{"/self/x", ""},
		{"/p/x", ""},
	} {
		got, err := links.resolve(c.in)
		if (err != nil) != (c.want == "") || got != c.want {
			t.Errorf("%s: got %q, %v, want %q", c.in, got, err, c.want)
		}
	}
}

func TestSettle(t *testing.T) {
	got, err := Links{"/lib": "usr/lib", "/lib/x": "y", "/usr/lib/y": "z", "/lib/x/k": "v"}.settle()
	if err != nil {
		t.Fatal(err)
	}
	want := Links{"/lib": "usr/lib", "/usr/lib/x": "y", "/usr/lib/y": "z", "/usr/lib/z/k": "v"}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if _, err := (Links{"/a": "a", "/a/b": "c"}).settle(); err == nil {
		t.Error("a link through itself settles")
	}
}

func FuzzResolve(f *testing.F) {
	f.Add("/a/b", "/a", "b/../c", "/c", "/")
	f.Fuzz(func(t *testing.T, name, link1, target1, link2, target2 string) {
		links := Links{path.Clean("/" + link1): target1, path.Clean("/" + link2): target2}
		at, err := links.resolve(path.Clean("/" + name))
		if err == nil && (!strings.HasPrefix(at, "/") || slices.Contains(strings.Split(at, "/"), "..")) {
			t.Errorf("%q resolves to %q", name, at)
		}
		// What remembers folders says the same.
		known := newResolver(links)
		for _, p := range []string{name, name + "/x", link1, target1 + "/" + link2, name} {
			p = path.Clean("/" + p)
			want, wantErr := links.resolve(p)
			if got, err := known.file(p); got != want || (err == nil) != (wantErr == nil) {
				t.Errorf("%q is resolved to %q, %v and to %q, %v", p, want, wantErr, got, err)
			}
			want, wantErr = links.follow(p)
			if got, err := known.folder(p); got != want || (err == nil) != (wantErr == nil) {
				t.Errorf("folder %q is resolved to %q, %v and to %q, %v", p, want, wantErr, got, err)
			}
		}
	})
}
