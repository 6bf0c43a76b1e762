package sandbox_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/sandbox"
	"github.com/slipway-build/slipway/internal/sandbox/sandboxtest"
)

func TestManyLayers(t *testing.T) {
	for _, layers := range []int{2, 64, 130, 499} {
		s := spec(t)
		top := filepath.Join(t.TempDir(), strings.Repeat("a-rather-long-name-", 10))
		var lower []string
		for i := range layers - 1 {
			dir := filepath.Join(top, fmt.Sprint("layer-", i))
			sandboxtest.Write(t, filepath.Join(dir, "layers", fmt.Sprint(i)), "", 0o644)
			sandboxtest.Write(t, filepath.Join(dir, "etc/motd"), fmt.Sprintln("layer", i), 0o644)
			lower = append(lower, dir)
		}
		s.Lower = append(lower, s.Lower...)
		s.Args = []string{"/bin/helper", "cat", "/etc/motd", ",", "ls", "/layers"}
		out := mustRun(t, s)
		if !strings.HasPrefix(out, "layer 0\n") || strings.Count(out, "\n") != layers {
			t.Errorf("%d layers: got %.100q", layers, out)
		}
	}
}

func TestWhiteoutAndOpaque(t *testing.T) {
	s := spec(t, "try", "cat", "/etc/motd", ",", "ls", "/etc/dir", ",", "cat", "/etc/passwd")
	layer := t.TempDir()
	if err := os.Chmod(layer, 0o755); err != nil {
		t.Fatal(err)
	}
	sandboxtest.Write(t, filepath.Join(layer, "etc/dir/c"), "c", 0o644)
	if err := sandbox.Whiteout(filepath.Join(layer, "etc/motd")); err != nil {
		t.Fatal(err)
	}
	if err := sandbox.Opaque(filepath.Join(layer, "etc/dir")); err != nil {
		t.Fatal(err)
	}
	s.Lower = append([]string{layer}, s.Lower...)
	if out := mustRun(t, s); !strings.HasPrefix(out, "refused: open /etc/motd: no such file or directory\nc\nroot:") {
		t.Errorf("got %q", out)
	}
	if got := changes(t, layer); !slices.Equal(got, []string{"0 etc", "2 etc/dir", "0 etc/dir/c", "1 etc/motd"}) {
		t.Errorf("changes: %q", got)
	}
}

func TestUpperIsKeptBetweenRuns(t *testing.T) {
	s := spec(t, "write", "/var/lib/one", "1", ",", "rm", "/etc/motd")
	s.Upper = filepath.Join(t.TempDir(), "upper")
	mustRun(t, s)
	s.Args = []string{"/bin/helper", "cat", "/var/lib/one", ",", "try", "cat", "/etc/motd", ",", "write", "/etc/motd", "2"}
	mustRun(t, s)
	if got := changes(t, s.Upper); !slices.Equal(got, []string{"0 etc", "0 etc/motd", "0 var", "0 var/lib", "0 var/lib/one"}) {
		t.Errorf("changes: %q", got)
	}
	if _, err := os.Stat(s.Upper + ".work"); !os.IsNotExist(err) {
		t.Errorf("the work directory is left: %v", err)
	}
}

func TestMountsAreNoChanges(t *testing.T) {
	s := spec(t, "cat", "/etc/hosts", ",", "cat", "/opt/app/data", ",", "ls", "/var/empty/cache")
	source := t.TempDir()
	sandboxtest.Write(t, filepath.Join(source, "data"), "mounted\n", 0o644)
	s.Mounts = []sandbox.Mount{{Source: source, Target: "/opt/app", ReadOnly: true}, {Target: "/var/empty/cache"}}
	s.Files = []sandbox.File{{Path: "/etc/hosts", Content: []byte("hosts\n")}}
	s.Upper = filepath.Join(t.TempDir(), "upper")
	if out := mustRun(t, s); out != "hosts\nmounted\n" {
		t.Errorf("got %q", out)
	}
	if got := changes(t, s.Upper); len(got) != 0 {
		t.Errorf("changes: %q", got)
	}
}

func TestMounts(t *testing.T) {
	source := t.TempDir()
	sandboxtest.Write(t, filepath.Join(source, "file"), "from outside\n", 0o644)
	s := spec(t, "cat", "/rw/file", ",", "write", "/rw/new", "from inside", ",",
		"try", "write", "/ro/new", "x", ",", "cat", "/single", ",", "stat", "/conf")
	s.Mounts = []sandbox.Mount{
		{Source: source, Target: "/rw"},
		{Source: source, Target: "/ro", ReadOnly: true},
		{Source: filepath.Join(source, "file"), Target: "/single", ReadOnly: true},
	}
	s.Files = []sandbox.File{{Path: "/conf", Content: []byte("secret"), Mode: 0o600}}
	out := mustRun(t, s)
	if out != "from outside\nrefused: open /ro/new: read-only file system\nfrom outside\n100600 0 0\n" {
		t.Errorf("got %q", out)
	}
	if data, err := os.ReadFile(filepath.Join(source, "new")); err != nil || string(data) != "from inside\n" {
		t.Errorf("outside: %q %v", data, err)
	}
}

// A target's symbolic links are the image's to choose; they are followed in the
// root alone.
func TestMountTargetsStayInside(t *testing.T) {
	source, outside := t.TempDir(), t.TempDir()
	sandboxtest.Write(t, filepath.Join(source, "file"), "mounted\n", 0o644)
	s := spec(t, "cat", "/run/app/file")
	for link, target := range map[string]string{"var/run": "/run", "escape": outside, "up": "../../../../.."} {
		if err := os.Symlink(target, filepath.Join(s.Lower[0], link)); err != nil {
			t.Fatal(err)
		}
	}
	s.Mounts = []sandbox.Mount{{Source: source, Target: "/var/run/app"}}
	if out := mustRun(t, s); out != "mounted\n" {
		t.Errorf("got %q", out)
	}
	s.Mounts = []sandbox.Mount{{Source: source, Target: "/up/app"}}
	s.Args = []string{"/bin/helper", "cat", "/app/file"}
	if out := mustRun(t, s); out != "mounted\n" {
		t.Errorf("got %q", out)
	}
	s.Mounts = []sandbox.Mount{{Source: source, Target: "/escape"}}
	if out, err := run(t, s); err == nil || !strings.Contains(err.Error(), "symbolic link to nothing") {
		t.Errorf("got %v %s", err, out)
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) != 0 {
		t.Errorf("outside: %v %v", entries, err)
	}
}

// Images have links to what a service makes when it runs, such as resolv.conf.
func TestFileOverLinkToNothing(t *testing.T) {
	s := spec(t, "cat", "/etc/resolv.conf", ",", "ls", "/run")
	if err := os.Symlink("../run/resolve/stub.conf", filepath.Join(s.Lower[0], "etc/resolv.conf")); err != nil {
		t.Fatal(err)
	}
	s.Files = []sandbox.File{{Path: "/etc/resolv.conf", Content: []byte("placed\n")}}
	s.Upper = filepath.Join(t.TempDir(), "upper")
	if out := mustRun(t, s); out != "placed\n" {
		t.Errorf("got %q", out)
	}
	if got := changes(t, s.Upper); len(got) != 0 {
		t.Errorf("changes: %q", got)
	}
}

func TestReadOnly(t *testing.T) {
	s := spec(t, "try", "write", "/etc/motd", "x", ",", "try", "mkdir", "/x", ",",
		"write", "/tmp/x", "x", ",", "write", "/cache/x", "x")
	s.ReadOnly = true
	s.Mounts = []sandbox.Mount{{Target: "/cache"}}
	mustRun(t, s)
}

func TestUsers(t *testing.T) {
	for _, test := range []struct {
		set  func(*sandbox.Spec)
		want string
	}{
		{func(*sandbox.Spec) {}, "0 0 [] /root"},
		{func(s *sandbox.Spec) { s.UID, s.GID, s.Groups = 1001, 100, []int{7, 8} }, "1001 100 [7 8] /srv"},
		{func(s *sandbox.Spec) { s.User = "web" }, "1001 1001 [50] /srv"},
		{func(s *sandbox.Spec) { s.User = "1001" }, "1001 1001 [50] /srv"},
		{func(s *sandbox.Spec) { s.User = "web:staff" }, "1001 50 [] /srv"},
		{func(s *sandbox.Spec) { s.User = "4000" }, "4000 0 [] /"},
		{func(s *sandbox.Spec) { s.User = "4000:4001" }, "4000 4001 [] /"},
		{func(s *sandbox.Spec) { s.User = "root" }, "0 0 [] /root"},
	} {
		s := spec(t, "id", ",", "env")
		test.set(&s)
		out := mustRun(t, s)
		id, env, _ := strings.Cut(out, "\n")
		home := "none"
		for _, e := range strings.Split(env, "\n") {
			if value, ok := strings.CutPrefix(e, "HOME="); ok {
				home = value
			}
		}
		if got := id + " " + home; got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}

// The image decides what its /etc/passwd is.
func TestHostilePasswd(t *testing.T) {
	for name, prepare := range map[string]func(file string) error{
		"fifo":      func(file string) error { return unix.Mkfifo(file, 0o666) },
		"device":    func(file string) error { return os.Symlink("/dev/zero", file) },
		"host":      func(file string) error { return os.Symlink("/../../proc/1/environ", file) },
		"large":     func(file string) error { return os.WriteFile(file, make([]byte, 2<<20), 0o644) },
		"directory": func(file string) error { return os.Mkdir(file, 0o755) },
		"no number": func(file string) error { return os.WriteFile(file, []byte("web:x:a:b::/:\n"), 0o644) },
	} {
		s := spec(t, "echo", "ran")
		s.User = "web"
		file := filepath.Join(s.Lower[0], "etc/passwd")
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		if err := prepare(file); err != nil {
			t.Fatal(err)
		}
		if out, err := run(t, s); err == nil {
			t.Errorf("%s: %s", name, out)
		} else {
			t.Logf("%s: %v", name, err)
		}
	}
}

// What scripts of packages do as root works, and is on disk as they did it.
func TestInstallingFiles(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, or ids of its own")
	}
	s := spec(t, "write", "/bin/tool", "x", ",", "chown", "/bin/tool", "1001", "50", ",", "setcap", "/bin/tool", ",",
		"getcap", "/bin/tool", ",", "mkdir", "/var/spool", ",", "chown", "/var/spool", "65535", "0", ",",
		"try", "mv", "/etc/dir", "/etc/moved", ",", "mv", "/etc/motd", "/etc/moved", ",", "link", "moved", "/etc/motd", ",",
		"setuid", "1001", ",", "id")
	s.Upper = filepath.Join(t.TempDir(), "upper")
	if out := mustRun(t, s); !strings.Contains(out, "1001 0 [") {
		t.Errorf("got %q", out)
	}
	var st unix.Stat_t
	tool := filepath.Join(s.Upper, "bin/tool")
	if err := unix.Lstat(tool, &st); err != nil || st.Uid != 1001 || st.Gid != 50 {
		t.Errorf("%d:%d %v", st.Uid, st.Gid, err)
	}
	value := make([]byte, 64)
	n, err := unix.Lgetxattr(tool, "security.capability", value)
	if err != nil || fmt.Sprintf("%x", value[:n]) != "0100000200040000000000000000000000000000" {
		t.Errorf("capability %x: %v", value[:n], err)
	}
	want := []string{"0 bin", "0 bin/tool", "0 etc", "0 etc/motd", "0 etc/moved", "0 var", "0 var/spool"}
	if got := changes(t, s.Upper); !slices.Equal(got, want) {
		t.Errorf("changes: %q", got)
	}
}

func TestForwards(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	// Outside, somebody answers "outside" on a socket that is made later.
	s := spec(t, "serve", "8080", "inside")
	in, out := filepath.Join(dir, "in.sock"), filepath.Join(dir, "out.sock")
	s.Forwards = []sandbox.Forward{
		{Direction: sandbox.Inward, Socket: in, Port: 8080},
		{Direction: sandbox.Outward, Socket: out, Port: 8080, Address: "10.63.0.7"},
	}
	s.Files = []sandbox.File{{Path: "/etc/hosts", Content: []byte("10.63.0.7 outside\n")}}
	ready := make(chan struct{}, 1)
	s.Stdout = writerFunc(func([]byte) { ready <- struct{}{} })
	p, err := sandbox.Start(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	<-ready
	listener, err := through(dir, func(dir string) (net.Listener, error) { return net.Listen("unix", dir+"/out.sock") })
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 4096))
			fmt.Fprint(conn, "HTTP/1.0 200 OK\r\n\r\noutside")
			conn.Close()
		}
	}()
	for request, want := range map[string]string{"/": "inside", "/get?url=http://outside:8080/": "outside"} {
		var got string
		for range 100 { // until it listens
			if got = ask(t, dir, request); got != "" {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
		if !strings.HasSuffix(got, "\r\n\r\n"+want) {
			t.Errorf("%s: %q", request, got)
		}
	}
	if err := p.Kill(); err != nil {
		t.Error(err)
	}
	_, _ = p.Wait()
	if _, err := os.Lstat(in); !os.IsNotExist(err) {
		t.Errorf("the socket is left: %v", err)
	}
}

// through calls f with a short name of dir, as paths of sockets are limited.
func through[T any](dir string, f func(string) (T, error)) (T, error) {
	d, err := os.Open(dir)
	if err != nil {
		var none T
		return none, err
	}
	defer d.Close()
	return f(fmt.Sprintf("/proc/self/fd/%d", d.Fd()))
}

func ask(t *testing.T, dir, path string) string {
	t.Helper()
	conn, err := through(dir, func(dir string) (net.Conn, error) { return net.Dial("unix", dir+"/in.sock") })
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET %s HTTP/1.0\r\n\r\n", path)
	answer, _ := io.ReadAll(conn)
	return string(answer)
}
