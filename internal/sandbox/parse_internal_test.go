package sandbox

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func FuzzParseUser(f *testing.F) {
	f.Add("web:staff", "web:x:1001:1001::/srv:/bin/sh", "staff:x:50:web")
	f.Add("1001", "web:x:1001:1001", "staff:x:50:web,web")
	f.Add("-1:-1", "::::", ":::")
	f.Fuzz(func(t *testing.T, user, passwd, group string) {
		split := func(text string) (entries [][]string) {
			for line := range strings.Lines(text) {
				entries = append(entries, strings.Split(line, ":"))
			}
			return entries
		}
		who, err := parseUser(user, split(passwd), split(group))
		if err == nil && user != "" && strings.Trim(user, "0123456789:") == "" && who.uid < 0 {
			t.Errorf("%q is %+v", user, who)
		}
	})
}

func FuzzFindHierarchy(f *testing.F) {
	f.Add("30 23 0:27 / /nowhere rw - cgroup cgroup rw,memory\n", "5:memory:/own\n")
	f.Add("29 23 0:26 /../.. /nowhere rw,nosuid - cgroup2 cgroup2 rw\n", "0::/../../etc\n")
	f.Fuzz(func(t *testing.T, mounts, own string) {
		h := findHierarchy([]byte(mounts), []byte(own), "memory")
		if h != nil && h.version != 1 && h.version != 2 {
			t.Errorf("got %+v", h)
		}
	})
}

func TestSubordinate(t *testing.T) {
	file := filepath.Join(t.TempDir(), "subuid")
	if err := os.WriteFile(file, []byte("# comment\nother:1:2\nme:100000:65536\nme:900000:1\n1234:200000:10\nbad:x:y\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name        string
		uid         int
		start, size int
	}{{"me", 1000, 100000, 65535}, {"somebody", 1234, 200000, 10}, {"nobody", 99, 0, 0}} {
		got, err := subordinate(file, test.name, test.uid)
		if err != nil || got.HostID != test.start || got.Size != test.size {
			t.Errorf("%s: %+v %v", test.name, got, err)
		}
	}
	if _, err := subordinate(file, "bad", 99); err == nil {
		t.Error("a bad line is no error")
	}
	if got, err := subordinate(file+".absent", "me", 1); err != nil || got.Size != 0 {
		t.Errorf("absent: %+v %v", got, err)
	}
}

func TestByteSize(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 1000: "1000 bytes", 1024: "1 KiB", 512 << 20: "512 MiB", 3 << 30: "3 GiB", 1<<20 + 1: "1048577 bytes"} {
		if got := byteSize(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}
