package rpmlua

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/lua"
)

// openPosix is rpm's library posix (rpmio/lposix.c).
func (h *host) openPosix() {
	t := &lua.Table{}
	h.s.Register(t, "posix", map[string]lua.Native{
		"access": h.access, "chdir": h.spending(h.onPath(unix.Chdir)), "chmod": h.chmod, "chown": h.chown, "dir": h.dir, "errno": h.posixErrno,
		"exec": h.exec, "files": h.filesOf, "fork": h.spending(h.posixFork),
		"getcwd": h.getcwd, "getenv": h.posixGetenv, "getgroup": h.getgroup, "getpasswd": h.getpasswd, "getprocessid": h.getprocessid,
		"kill": h.spending(h.kill), "link": h.onPaths(unix.Link), "mkdir": h.onPath(func(p string) error { return unix.Mkdir(p, 0o777) }),
		"mkfifo": h.onPath(func(p string) error { return unix.Mkfifo(p, 0o777) }), "mkstemp": h.mkstemp, "putenv": h.spending(h.putenv),
		"readlink": h.readlink, "redirect2null": h.redirect2null, "rmdir": h.onPath(unix.Rmdir), "setenv": h.spending(h.setenv),
		"setgid": h.spending(h.setid(h.gid, syscall.Setgid)), "setuid": h.spending(h.setid(h.uid, syscall.Setuid)), "sleep": h.sleep, "stat": h.stat,
		"symlink": h.onPaths(unix.Symlink), "umask": h.spending(h.umask), "uname": h.uname, "unlink": h.onPath(unix.Unlink),
		"unsetenv": h.spending(h.unsetenv), "utime": h.utime, "wait": h.wait,
	})
	t.Set("version", "posix library for Lua 5.4 / Nov 2003")
	h.s.Globals.Set("posix", t)
}

// onPath is a function of one path.
func (h *host) onPath(f func(string) error) lua.Native {
	return func(c *lua.Call) []lua.Value {
		name := c.String(0)
		return h.ask(func() []lua.Value { return h.result(0, f(name), name) })
	}
}

// onPaths is a function of two.
func (h *host) onPaths(f func(from, to string) error) lua.Native {
	return func(c *lua.Call) []lua.Value {
		from, to := c.String(0), c.String(1)
		return h.ask(func() []lua.Value { return h.result(0, f(from, to), "") })
	}
}

func (h *host) posixErrno(*lua.Call) []lua.Value {
	return h.ask(func() []lua.Value { return []lua.Value{message(h.errno), float64(h.errno)} })
}

func (h *host) access(c *lua.Call) []lua.Value {
	name := c.String(0)
	mode := uint32(unix.F_OK)
	for _, letter := range c.StringOr(1, "f") {
		switch letter {
		case ' ', 'f':
		case 'r':
			mode |= unix.R_OK
		case 'w':
			mode |= unix.W_OK
		case 'x':
			mode |= unix.X_OK
		default:
			c.BadArgument(1, "unknown mode option `%c'", letter)
		}
	}
	return h.ask(func() []lua.Value { return h.result(0, unix.Access(name, mode), name) })
}

func (h *host) chmod(c *lua.Call) []lua.Value {
	name, text := c.String(0), c.String(1)
	if _, ok := parseMode(text, 0, 0); !ok {
		c.BadArgument(1, "bad mode")
	}
	return h.ask(func() []lua.Value {
		var st unix.Stat_t
		if err := unix.Stat(name, &st); err != nil {
			return h.posixFailure(err, name)
		}
		mode, _ := parseMode(text, st.Mode, currentUmask())
		return h.result(0, unix.Chmod(name, mode&0o7777), name)
	})
}

func currentUmask() uint32 {
	mask := unix.Umask(0)
	unix.Umask(mask)
	return uint32(mask)
}

func (h *host) umask(c *lua.Call) []lua.Value {
	text, given := "", c.Has(0)
	if given {
		text = c.String(0)
	}
	return h.ask(func() []lua.Value {
		mode := ^currentUmask() & 0o777
		if given {
			changed, ok := parseMode(text, mode, 0)
			if !ok {
				return []lua.Value{nil}
			}
			mode = changed & 0o777
			unix.Umask(int(^mode & 0o777))
		}
		return []lua.Value{showMode(mode)}
	})
}

func (h *host) chown(c *lua.Call) []lua.Value {
	name := c.String(0)
	uid, gid := h.ownerArg(c, 1), h.ownerArg(c, 2)
	return h.ask(func() []lua.Value { return h.result(0, unix.Chown(name, h.uid(uid), h.gid(gid)), name) })
}

// ownerArg is a name or number of a user or group; nil for none.
func (h *host) ownerArg(c *lua.Call, i int) lua.Value {
	switch v := c.Arg(i).(type) {
	case nil:
		if c.Has(i) {
			c.BadArgument(i, "string or number expected, got nil")
		}
		return nil
	case int64, string:
		return v
	case float64:
		return int64(v)
	}
	c.BadArgument(i, "string or number expected, got %s", lua.TypeName(c.Arg(i)))
	return nil
}

func (h *host) names(path string) []lua.Value {
	return h.ask(func() []lua.Value {
		entries, err := os.ReadDir(path) // sorted, unlike readdir(3)
		if err != nil {
			return h.posixFailure(err, path)
		}
		t := &lua.Table{}
		t.Append(".")
		t.Append("..")
		for _, e := range entries {
			t.Append(e.Name())
		}
		return []lua.Value{t}
	})
}

func (h *host) dir(c *lua.Call) []lua.Value { return h.names(c.StringOr(0, ".")) }

func (h *host) filesOf(c *lua.Call) []lua.Value {
	got := h.names(c.StringOr(0, "."))
	t, ok := got[0].(*lua.Table)
	if !ok {
		return got
	}
	i := int64(0)
	return []lua.Value{lua.NewFunction("files", func(c *lua.Call) []lua.Value {
		if i++; i > t.Len()+1 {
			c.Throw("attempt to use closed dir")
		}
		return []lua.Value{t.Get(i)}
	})}
}

func (h *host) getcwd(*lua.Call) []lua.Value {
	return h.ask(func() []lua.Value {
		dir, err := unix.Getwd()
		if err != nil {
			return h.posixFailure(err, ".")
		}
		return []lua.Value{dir}
	})
}

func (h *host) readlink(c *lua.Call) []lua.Value {
	name := c.String(0)
	return h.ask(func() []lua.Value {
		target, err := os.Readlink(name)
		if err != nil {
			return h.posixFailure(err, name)
		}
		return []lua.Value{target}
	})
}

func (h *host) mkstemp(c *lua.Call) []lua.Value {
	template := c.String(0)
	return h.ask(func() []lua.Value {
		fd, name, err := makeTemp(template)
		if err != nil {
			return h.posixFailure(err, template)
		}
		return []lua.Value{h.newFile(fd), name}
	})
}

// exec replaces the process of a fork by a program.
func (h *host) exec(c *lua.Call) []lua.Value {
	args := []string{c.String(0)}
	for i := 1; i < len(c.Args); i++ {
		args = append(args, c.String(i))
	}
	if !h.forked {
		c.Throw("exec not permitted in this context")
	}
	return h.ask(func() []lua.Value {
		program, err := find(args[0])
		if err == nil {
			err = syscall.Exec(program, args, os.Environ())
		}
		return h.posixFailure(err, args[0])
	})
}

func (h *host) posixFork(*lua.Call) []lua.Value {
	got := h.ask(h.fork)
	h.forked = h.forked || got[0] == 0.0
	return got
}

func (h *host) wait(c *lua.Call) []lua.Value {
	pid := int(c.IntegerOr(0, -1))
	return h.ask(func() []lua.Value {
		var status syscall.WaitStatus
		got, err := syscall.Wait4(pid, &status, 0, nil)
		for err == syscall.EINTR {
			got, err = syscall.Wait4(pid, &status, 0, nil)
		}
		delete(h.children, got)
		return h.result(got, err, "")
	})
}

func (h *host) kill(c *lua.Call) []lua.Value {
	pid, signal := int(c.Integer(0)), syscall.Signal(c.IntegerOr(1, int64(unix.SIGTERM)))
	return h.ask(func() []lua.Value { return h.result(0, syscall.Kill(pid, signal), "") })
}

func (h *host) sleep(c *lua.Call) []lua.Value {
	n := c.Integer(0)
	return h.ask(func() []lua.Value {
		time.Sleep(time.Duration(min(max(n, 0), 1<<20)) * time.Second)
		return []lua.Value{0.0}
	})
}

func (h *host) redirect2null(c *lua.Call) []lua.Value {
	fd := int(c.Integer(0))
	if !h.forked {
		c.Throw("redirect2null not permitted in this context")
	}
	return h.ask(func() []lua.Value {
		null, err := unix.Open(os.DevNull, unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			return h.posixFailure(err, "")
		}
		defer unix.Close(null)
		return h.result(fd, unix.Dup3(null, fd, 0), "")
	})
}

func (h *host) setid(number func(lua.Value) int, set func(int) error) lua.Native {
	return func(c *lua.Call) []lua.Value {
		id := h.ownerArg(c, 0)
		return h.ask(func() []lua.Value { return h.result(0, set(number(id)), "") })
	}
}

func (h *host) putenv(c *lua.Call) []lua.Value {
	name, value, ok := strings.Cut(c.String(0), "=")
	return h.ask(func() []lua.Value {
		if !ok {
			return h.result(0, os.Unsetenv(name), name)
		}
		return h.result(0, os.Setenv(name, value), name)
	})
}

func (h *host) setenv(c *lua.Call) []lua.Value {
	name, value, over := c.String(0), c.String(1), !c.Given(2) || lua.Truth(c.Arg(2))
	return h.ask(func() []lua.Value {
		if _, have := os.LookupEnv(name); have && !over {
			return []lua.Value{0.0}
		}
		return h.result(0, os.Setenv(name, value), name)
	})
}

func (h *host) unsetenv(c *lua.Call) []lua.Value {
	name := c.String(0)
	h.ask(func() []lua.Value { return h.result(0, os.Unsetenv(name), name) })
	return nil
}

func (h *host) posixGetenv(c *lua.Call) []lua.Value {
	if c.Has(0) {
		return h.getenv(c)
	}
	return h.ask(func() []lua.Value {
		t := &lua.Table{}
		for _, e := range os.Environ() {
			name, value, _ := strings.Cut(e, "=")
			t.Set(name, value)
		}
		return []lua.Value{t}
	})
}

// selected gives what a selector names, or all in a table.
func (h *host) selected(c *lua.Call, i int, names []string, ask func() ([]lua.Value, []lua.Value)) []lua.Value {
	which := -1
	if c.Has(i) {
		which = c.Option(i, "", names...)
	}
	return h.ask(func() []lua.Value {
		values, failure := ask()
		if failure != nil {
			return failure
		}
		if which >= 0 {
			return values[which : which+1]
		}
		t := &lua.Table{}
		for i, name := range names {
			t.Set(name, values[i])
		}
		return []lua.Value{t}
	})
}

func (h *host) getprocessid(c *lua.Call) []lua.Value {
	return h.selected(c, 0, []string{"egid", "euid", "gid", "uid", "pgrp", "pid", "ppid"}, func() ([]lua.Value, []lua.Value) {
		var out []lua.Value
		for _, id := range []int{os.Getegid(), os.Geteuid(), os.Getgid(), os.Getuid(), unix.Getpgrp(), os.Getpid(), os.Getppid()} {
			out = append(out, float64(id))
		}
		return out, nil
	})
}

var fileTypes = map[uint32]string{
	unix.S_IFREG: "regular", unix.S_IFLNK: "link", unix.S_IFDIR: "directory", unix.S_IFCHR: "character device",
	unix.S_IFBLK: "block device", unix.S_IFIFO: "fifo", unix.S_IFSOCK: "socket",
}

func (h *host) stat(c *lua.Call) []lua.Value {
	name := c.String(0)
	names := []string{"mode", "ino", "dev", "nlink", "uid", "gid", "size", "atime", "mtime", "ctime", "type", "_mode"}
	return h.selected(c, 1, names, func() ([]lua.Value, []lua.Value) {
		var st unix.Stat_t
		if err := unix.Lstat(name, &st); err != nil {
			return nil, h.posixFailure(err, name)
		}
		return []lua.Value{
			showMode(st.Mode), float64(st.Ino), float64(st.Dev), float64(st.Nlink), float64(st.Uid), float64(st.Gid), float64(st.Size),
			float64(st.Atim.Sec), float64(st.Mtim.Sec), float64(st.Ctim.Sec), fileTypes[st.Mode&unix.S_IFMT], float64(st.Mode),
		}, nil
	})
}

func (h *host) uname(c *lua.Call) []lua.Value {
	format := c.StringOr(0, "%s %n %r %v %m")
	return h.ask(func() []lua.Value {
		var u unix.Utsname
		if err := unix.Uname(&u); err != nil {
			return h.posixFailure(err, "")
		}
		return []lua.Value{strings.NewReplacer("%%", "%",
			"%m", unix.ByteSliceToString(u.Machine[:]), "%n", unix.ByteSliceToString(u.Nodename[:]),
			"%r", unix.ByteSliceToString(u.Release[:]), "%s", unix.ByteSliceToString(u.Sysname[:]),
			"%v", unix.ByteSliceToString(u.Version[:])).Replace(format)}
	})
}

func (h *host) utime(c *lua.Call) []lua.Value {
	name, modified, accessed := c.String(0), c.IntegerOr(1, h.order.Epoch), c.IntegerOr(2, h.order.Epoch)
	return h.ask(func() []lua.Value {
		return h.result(0, unix.Utimes(name, []unix.Timeval{{Sec: accessed}, {Sec: modified}}), name)
	})
}

// showMode writes permissions as ls does.
func showMode(mode uint32) string {
	out := []byte("rwxrwxrwx")
	for i := range out {
		if mode&(0o400>>i) == 0 {
			out[i] = '-'
		}
	}
	for i, special := range []struct {
		bit      uint32
		on, only byte
	}{{unix.S_ISUID, 's', 'S'}, {unix.S_ISGID, 's', 'S'}} {
		if at := 2 + 3*i; mode&special.bit != 0 {
			if out[at] == 'x' {
				out[at] = special.on
			} else {
				out[at] = special.only
			}
		}
	}
	return string(out)
}

// parseMode reads octal digits, nine letters as showMode writes them, or a change as of chmod(1).
func parseMode(text string, mode, umask uint32) (uint32, bool) {
	if text == "" {
		return 0, false
	}
	if text[0] >= '0' && text[0] <= '7' {
		var n uint32
		if _, err := fmt.Sscanf(text, "%o", &n); err != nil || strings.Trim(text, "01234567") != "" || n > 0o7777 {
			return 0, false
		}
		return mode&^0o7777 | n, true
	}
	if len(text) == 9 && strings.Trim(text, "rwxsS-") == "" {
		return plainMode(text, mode)
	}
	for _, change := range strings.Split(text, ",") {
		var ok bool
		if mode, ok = changeMode(change, mode, umask); !ok {
			return 0, false
		}
	}
	return mode, true
}

func plainMode(text string, mode uint32) (uint32, bool) {
	mode &^= 0o7777
	for i := range len(text) {
		bit := uint32(0o400) >> i
		switch ch := text[i]; {
		case ch == "rwx"[i%3]:
			mode |= bit
		case (ch == 's' || ch == 'S') && (i == 2 || i == 5):
			mode |= unix.S_ISUID >> (i / 3) // set-user, set-group
			if ch == 's' {
				mode |= bit
			}
		case ch != '-':
			return 0, false
		}
	}
	return mode, true
}

// changeMode applies one change, as "go-w" or "u=rwx".
func changeMode(change string, mode, umask uint32) (uint32, bool) {
	at := strings.IndexAny(change, "+-=")
	if at < 0 {
		return 0, false
	}
	var who uint32
	for _, letter := range change[:at] {
		switch letter {
		case 'u':
			who |= 0o4700
		case 'g':
			who |= 0o2070
		case 'o':
			who |= 0o1007
		case 'a':
			who |= 0o7777
		default:
			return 0, false
		}
	}
	if who == 0 {
		who = 0o7777 &^ umask
	}
	var what uint32
	for _, letter := range change[at+1:] {
		switch letter {
		case 'r':
			what |= 0o444
		case 'w':
			what |= 0o222
		case 'x':
			what |= 0o111
		case 'X':
			if mode&unix.S_IFMT == unix.S_IFDIR || mode&0o111 != 0 {
				what |= 0o111
			}
		case 's':
			what |= 0o6000
		default:
			return 0, false
		}
	}
	what &= who
	switch change[at] {
	case '+':
		return mode | what, true
	case '-':
		return mode &^ what, true
	}
	return mode&^who | what, true
}
