package rpmlua

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/lua"
)

// openOS is the library os (Lua manual, section 6.9). Its time stands still.
func (h *host) openOS() {
	t := &lua.Table{}
	h.s.Register(t, "os", map[string]lua.Native{
		"clock": func(*lua.Call) []lua.Value { return []lua.Value{0.0} },
		"date":  h.osDate,
		"difftime": func(c *lua.Call) []lua.Value {
			return []lua.Value{c.Float(0) - c.Float(1)}
		},
		"execute": h.spending(h.osExecute), "exit": h.osExit, "getenv": h.getenv, "remove": h.osRemove, "rename": h.osRename,
		"setlocale": func(c *lua.Call) []lua.Value {
			if l := c.StringOr(0, "C"); l != "C" && l != "" && l != "POSIX" {
				return []lua.Value{nil}
			}
			return []lua.Value{"C"}
		},
		"time": h.osTime, "tmpname": h.osTmpname,
	})
	h.s.Globals.Set("os", t)
}

func (h *host) getenv(c *lua.Call) []lua.Value {
	name := c.String(0)
	return h.ask(func() []lua.Value {
		if v, ok := os.LookupEnv(name); ok {
			return []lua.Value{v}
		}
		return []lua.Value{nil}
	})
}

// fileResult is how Lua gives the outcome of an operation on a file.
func (h *host) fileResult(err error, name string) []lua.Value {
	if err != nil {
		return h.failure(err, name)
	}
	return []lua.Value{true}
}

func (h *host) osRemove(c *lua.Call) []lua.Value {
	name := c.String(0)
	return h.ask(func() []lua.Value {
		err := unix.Unlink(name)
		if errors.Is(err, unix.EISDIR) || errors.Is(err, unix.EPERM) {
			err = unix.Rmdir(name)
		}
		return h.fileResult(err, name)
	})
}

func (h *host) osRename(c *lua.Call) []lua.Value {
	from, to := c.String(0), c.String(1)
	return h.ask(func() []lua.Value {
		err := unix.Rename(from, to)
		if errors.Is(err, unix.EXDEV) {
			err = move(from, to)
		}
		return h.fileResult(err, "")
	})
}

// move moves a folder that the kernel would not, because it is one of the layers below (see
// sandbox.Spec.Upper). To the script it is one file system.
func move(from, to string) error {
	if info, err := os.Lstat(to); err == nil {
		if !info.IsDir() {
			return unix.ENOTDIR
		}
		if err := unix.Rmdir(to); err != nil {
			return err
		}
	}
	err := filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return moveEntry(name, to+strings.TrimPrefix(name, from), d)
	})
	if err != nil {
		return err
	}
	return os.RemoveAll(from)
}

// moveEntry moves one entry, or makes a folder like it.
func moveEntry(name, to string, d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil {
		return err
	}
	if !d.IsDir() {
		return os.Rename(name, to)
	}
	st := info.Sys().(*syscall.Stat_t)
	if err := os.Mkdir(to, 0o700); err != nil {
		return err
	}
	if err := os.Lchown(to, int(st.Uid), int(st.Gid)); err != nil {
		return err
	}
	return unix.Chmod(to, st.Mode&0o7777)
}

// osExecute runs a command of the shell; without one it says whether there is a shell.
func (h *host) osExecute(c *lua.Call) []lua.Value {
	command, given := "", c.Given(0)
	if given {
		command = c.String(0)
	}
	return h.ask(func() []lua.Value {
		if !given {
			return []lua.Value{unix.Access("/bin/sh", unix.X_OK) == nil}
		}
		status, err := spawn([]string{"/bin/sh", "-c", command}, []uintptr{0, 1, 2})
		if err != nil {
			return []lua.Value{nil, "exit", int64(127)} // as system(3) has it
		}
		return exitResult(status)
	})
}

// osExit ends the process of a fork; a script itself ends at its end.
func (h *host) osExit(c *lua.Call) []lua.Value {
	if !h.forked {
		c.Throw("exit not permitted in this context")
	}
	code := int64(0)
	switch v := c.Arg(0).(type) {
	case nil:
	case bool:
		if !v {
			code = 1
		}
	default:
		code = c.Integer(0)
	}
	return h.ask(func() []lua.Value {
		os.Exit(int(code)) //nolint:forbidigo // the script's own end
		return nil
	})
}

func (h *host) osTmpname(c *lua.Call) []lua.Value {
	got := h.ask(func() []lua.Value {
		fd, name, err := makeTemp("/tmp/lua_XXXXXX")
		if err != nil {
			return []lua.Value{nil}
		}
		unix.Close(fd)
		return []lua.Value{name}
	})
	if got[0] == nil {
		c.Throw("unable to generate a unique filename")
	}
	return got
}

// makeTemp makes a file whose name ends in a number in place of XXXXXX: the first that is free.
func makeTemp(template string) (fd int, name string, err error) {
	stem, ok := strings.CutSuffix(template, "XXXXXX")
	if !ok {
		return -1, "", unix.EINVAL
	}
	for n := range 1_000_000 {
		digits := strconv.Itoa(n)
		name = stem + strings.Repeat("0", 6-len(digits)) + digits
		fd, err = unix.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL|unix.O_CLOEXEC, 0o600)
		if !errors.Is(err, unix.EEXIST) {
			return fd, name, err
		}
	}
	return -1, "", unix.EEXIST
}

func (h *host) osTime(c *lua.Call) []lua.Value {
	if !c.Given(0) {
		return []lua.Value{h.order.Epoch}
	}
	t := c.Table(0)
	field := func(name string, or int64) int {
		v := t.Get(name)
		if v == nil {
			if or < 0 {
				c.Throw("field '%s' missing in date table", name)
			}
			return int(or)
		}
		n, ok := v.(int64)
		if !ok || n < -1<<31 || n > 1<<31 {
			c.Throw("field '%s' is not an integer", name)
		}
		return int(n)
	}
	at := time.Date(field("year", -1), time.Month(field("month", -1)), field("day", -1), field("hour", 12), field("min", 0), field("sec", 0), 0, time.UTC)
	return []lua.Value{at.Unix()}
}

// dateLayouts are the conversions of strftime(3) in time.Time's form.
var dateLayouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'c': "Mon Jan _2 15:04:05 2006", 'd': "02", 'D': "01/02/06", 'e': "_2",
	'F': "2006-01-02", 'h': "Jan", 'H': "15", 'I': "03", 'j': "002", 'm': "01", 'M': "04", 'n': "\n", 'p': "PM", 'r': "03:04:05 PM",
	'R': "15:04", 'S': "05", 't': "\t", 'T': "15:04:05", 'x': "01/02/06", 'X': "15:04:05", 'y': "06", 'Y': "2006", 'z': "-0700", 'Z': "MST", '%': "%",
}

func (h *host) osDate(c *lua.Call) []lua.Value {
	format := strings.TrimPrefix(c.StringOr(0, "%c"), "!")
	at := time.Unix(c.IntegerOr(1, h.order.Epoch), 0).UTC()
	if strings.HasPrefix(format, "*t") {
		t := &lua.Table{}
		for name, n := range map[string]int{
			"year": at.Year(), "month": int(at.Month()), "day": at.Day(), "hour": at.Hour(), "min": at.Minute(), "sec": at.Second(),
			"wday": int(at.Weekday()) + 1, "yday": at.YearDay(),
		} {
			t.Set(name, int64(n))
		}
		t.Set("isdst", false)
		return []lua.Value{t}
	}
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		i++
		if i < len(format) && format[i] == 's' {
			b.WriteString(strconv.FormatInt(at.Unix(), 10))
			continue
		}
		layout, ok := "", false
		if i < len(format) {
			layout, ok = dateLayouts[format[i]]
		}
		if !ok {
			c.BadArgument(0, "invalid conversion specifier '%%%s'", format[i:min(i+1, len(format))])
		}
		b.WriteString(at.Format(layout))
	}
	return []lua.Value{b.String()}
}
