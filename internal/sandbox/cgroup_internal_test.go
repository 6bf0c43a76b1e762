package sandbox

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A command is started right in its control group, so that nothing it does can
// come before its limits.
func TestCgroupVersion2(t *testing.T) {
	mount := unifiedMount(t)
	dir := filepath.Join(mount, cgroupName())
	err := os.Mkdir(dir, 0o755)
	if err != nil {
		t.Skipf("control groups cannot be made here: %v", err)
	}
	g := &cgroup{version: 2, dirs: []string{dir}}
	defer g.remove()

	var out bytes.Buffer
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	p := &Process{
		spec: Spec{Lower: []string{root}, Args: []string{"/bin/cat", "/proc/self/cgroup"}, Stdout: &out, Stderr: &out},
		done: make(chan struct{}),
	}
	for _, host := range []string{"/bin", "/lib", "/lib64", "/usr"} {
		if _, err := os.Stat(host); err == nil {
			p.spec.Mounts = append(p.spec.Mounts, Mount{Source: host, Target: host, ReadOnly: true})
		}
	}
	o, err := p.spec.order()
	if err != nil {
		t.Fatal(err)
	}
	p.newGroup = func(Limits) (*cgroup, error) { return g, nil }
	if err := p.start(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	go p.watch(t.Context())
	if _, err := p.Wait(); err != nil {
		t.Fatalf("%v: %s", err, out.String())
	}
	if want := "0::/" + filepath.Base(dir) + "\n"; !strings.Contains(out.String(), want) {
		t.Errorf("runs in\n%swant %s", out.String(), want)
	}
}

func unifiedMount(t *testing.T) string {
	t.Helper()
	for _, dir := range []string{"/sys/fs/cgroup/unified", "/sys/fs/cgroup"} {
		if _, err := os.Stat(filepath.Join(dir, "cgroup.subtree_control")); err == nil {
			return dir
		}
	}
	t.Skip("no version 2 control groups here")
	return ""
}

func TestFindHierarchy(t *testing.T) {
	// A version 2 hierarchy: the program's own group has processes and hands
	// nothing on, the slice above it does.
	top := t.TempDir()
	slice := filepath.Join(top, "user.slice/user-0.slice")
	own := filepath.Join(slice, "session-1.scope")
	if err := os.MkdirAll(own, 0o755); err != nil {
		t.Fatal(err)
	}
	for dir, controllers := range map[string]string{top: "cpu memory pids", filepath.Dir(slice): "memory pids", slice: "memory pids", own: ""} {
		if err := os.WriteFile(filepath.Join(dir, "cgroup.subtree_control"), []byte(controllers+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	v2 := "29 23 0:26 / " + top + " rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
	v1 := "30 23 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" +
		"31 23 0:28 /docker/abc /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
	for _, test := range []struct {
		name, mounts, own, controller string
		want                          *hierarchy
	}{
		{"version 2", v2, "0::/user.slice/user-0.slice/session-1.scope\n", "memory", &hierarchy{2, slice}},
		{"version 2, not handed on", v2, "0::/user.slice/user-0.slice/session-1.scope\n", "cpu", &hierarchy{2, top}},
		{"version 2, not there", v2, "0::/user.slice\n", "io", nil},
		{"version 1", v1, "5:memory:/own\n4:pids:/docker/abc\n", "memory", &hierarchy{1, "/sys/fs/cgroup/memory/own"}},
		{"version 1 in a container", v1, "5:memory:/own\n4:pids:/docker/abc\n", "pids", &hierarchy{1, "/sys/fs/cgroup/pids"}},
		{"hybrid", v2 + v1, "5:memory:/own\n0::/elsewhere\n", "memory", &hierarchy{2, top}},
		{"none", "23 1 0:1 / / rw - ext4 /dev/sda rw\n", "", "memory", nil},
	} {
		got := findHierarchy([]byte(test.mounts), []byte(test.own), test.controller)
		if (got == nil) != (test.want == nil) || got != nil && *got != *test.want {
			t.Errorf("%s: %+v, want %+v", test.name, got, test.want)
		}
	}
}
