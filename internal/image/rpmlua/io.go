package rpmlua

import (
	"fmt"
	"io"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/lua"
)

// openIO is the library io (Lua manual, section 6.8). open are files that a parent had open.
func (h *host) openIO(open []handle) {
	h.fileMeta = &lua.Table{}
	methods := &lua.Table{}
	h.s.Register(methods, "file", map[string]lua.Native{
		"close": h.fileClose, "flush": func(c *lua.Call) []lua.Value { return []lua.Value{h.userdata(c)} }, "lines": h.fileLines,
		"read":    func(c *lua.Call) []lua.Value { return h.read(c, h.userdata(c), c.Args[1:], 1) },
		"seek":    h.fileSeek,
		"setvbuf": func(c *lua.Call) []lua.Value { h.userdata(c); return []lua.Value{true} },
		"write":   func(c *lua.Call) []lua.Value { return h.write(c, h.userdata(c), 1) },
	})
	h.fileMeta.Set("__index", methods)
	h.fileMeta.Set("__name", "FILE*")
	h.s.Register(h.fileMeta, "file", map[string]lua.Native{"__tostring": h.fileToString, "__close": func(c *lua.Call) []lua.Value {
		if u, _ := c.Arg(0).(*lua.Userdata); fileOf(u) != nil && !fileOf(u).std {
			h.closeRead(u)
		}
		return nil
	}})
	for fd, std := range []**lua.Userdata{&h.stdin, &h.stdout, &h.stderr} {
		*std = h.newFile(fd)
		(*std).Value.(*file).std = true
	}
	h.input, h.output = h.stdin, h.stdout
	for _, o := range open {
		*h.fileByID(o.ID).Value.(*file) = file{id: o.ID, fd: o.FD, buf: o.Buf, ended: o.Ended}
		unix.CloseOnExec(o.FD)
	}
	t := &lua.Table{}
	h.s.Register(t, "io", map[string]lua.Native{
		"close": func(c *lua.Call) []lua.Value {
			if len(c.Args) == 0 {
				c.Args = []lua.Value{h.output}
			}
			return h.fileClose(c)
		},
		"flush": func(*lua.Call) []lua.Value { return []lua.Value{h.output} },
		"input": h.redirect(&h.input, "r"), "lines": h.ioLines, "open": h.ioOpen, "output": h.redirect(&h.output, "w"), "popen": h.spending(h.ioPopen),
		"read":    func(c *lua.Call) []lua.Value { return h.read(c, h.input, c.Args, 0) },
		"tmpfile": h.ioTmpfile, "type": h.ioType,
		"write": func(c *lua.Call) []lua.Value { return h.write(c, h.output, 0) },
	})
	t.Set("stdin", h.stdin)
	t.Set("stdout", h.stdout)
	t.Set("stderr", h.stderr)
	h.s.Globals.Set("io", t)
}

// userdata is the first argument, an open file.
func (h *host) userdata(c *lua.Call) *lua.Userdata {
	u, _ := c.Arg(0).(*lua.Userdata)
	f := fileOf(u)
	if f == nil {
		c.BadArgument(0, "FILE* expected, got %s", lua.TypeName(c.Arg(0)))
	}
	if f.closed {
		c.Throw("attempt to use a closed file")
	}
	return u
}

// fileOf is nil for what is no file.
func fileOf(u *lua.Userdata) *file {
	if u == nil {
		return nil
	}
	f, _ := u.Value.(*file)
	return f
}

func (h *host) ioType(c *lua.Call) []lua.Value {
	u, _ := c.Any(0).(*lua.Userdata)
	f := fileOf(u)
	if f == nil {
		return []lua.Value{nil}
	}
	if f.closed {
		return []lua.Value{"closed file"}
	}
	return []lua.Value{"file"}
}

func (h *host) fileToString(c *lua.Call) []lua.Value {
	u, _ := c.Arg(0).(*lua.Userdata)
	if f := fileOf(u); f != nil && !f.closed {
		return []lua.Value{fmt.Sprintf("file (0x%014x)", f.id+1)}
	}
	return []lua.Value{"file (closed)"}
}

// openFile opens a file by name and mode.
func (h *host) openFile(name, mode string) []lua.Value {
	return h.ask(func() []lua.Value {
		flags, _ := openFlags(mode)
		fd, err := unix.Open(name, flags|unix.O_CLOEXEC, 0o666)
		if err != nil {
			return h.failure(err, name)
		}
		return []lua.Value{h.newFile(fd)}
	})
}

func (h *host) ioOpen(c *lua.Call) []lua.Value {
	name, mode := c.String(0), c.StringOr(1, "r")
	if _, ok := openFlags(mode); !ok {
		c.BadArgument(1, "invalid mode")
	}
	return h.openFile(name, mode)
}

// redirect is io.input or io.output.
func (h *host) redirect(which **lua.Userdata, mode string) lua.Native {
	return func(c *lua.Call) []lua.Value {
		switch c.Arg(0).(type) {
		case nil:
		case string:
			got := h.openFile(c.String(0), mode)
			f, ok := got[0].(*lua.Userdata)
			if !ok {
				c.Throw("cannot open file '%s' (%s)", c.String(0), message(syscall.Errno(got[2].(int64))))
			}
			*which = f
		default:
			*which = h.userdata(c)
		}
		return []lua.Value{*which}
	}
}

func (h *host) fileClose(c *lua.Call) []lua.Value {
	u := h.userdata(c)
	f := fileOf(u)
	if f.std {
		return []lua.Value{nil, "cannot close standard file", int64(-1)}
	}
	f.closed = true
	return h.ask(func() []lua.Value {
		status, err := f.close()
		switch {
		case err != nil:
			return h.failure(err, "")
		case f.pid > 0:
			return exitResult(status)
		}
		return []lua.Value{true}
	})
}

// exitResult is how Lua gives a program's end.
func exitResult(status syscall.WaitStatus) []lua.Value {
	switch {
	case status.Signaled():
		return []lua.Value{nil, "signal", int64(status.Signal())}
	case status.ExitStatus() != 0:
		return []lua.Value{nil, "exit", int64(status.ExitStatus())}
	}
	return []lua.Value{true, "exit", int64(0)}
}

func (h *host) read(c *lua.Call, u *lua.Userdata, formats []lua.Value, first int) []lua.Value {
	f := fileOf(u)
	if len(formats) == 0 {
		formats = []lua.Value{"l"}
	}
	for i, format := range formats {
		if name, ok := format.(string); ok {
			if kind := formatKind(name); kind == 0 {
				c.BadArgument(first+i, "invalid format")
			}
		} else if n, ok := format.(int64); !ok || n < 0 {
			c.BadArgument(first+i, "invalid format")
		}
	}
	return h.ask(func() []lua.Value {
		var out []lua.Value
		for _, format := range formats {
			v, err := f.format(format)
			if err != nil {
				return h.failure(err, "")
			}
			if out = append(out, v); v == nil {
				break
			}
		}
		return out
	})
}

// formatKind is the letter of a format of reading, 0 for none.
func formatKind(name string) byte {
	if len(name) > 1 && name[0] == '*' {
		name = name[1:]
	}
	if name != "" {
		switch name[0] {
		case 'l', 'L', 'a', 'n':
			return name[0]
		}
	}
	return 0
}

func (f *file) format(format lua.Value) (lua.Value, error) {
	if n, ok := format.(int64); ok {
		return f.count(n)
	}
	switch formatKind(format.(string)) {
	case 'a':
		return f.all()
	case 'n':
		return f.numeral()
	case 'L':
		return f.line(true)
	}
	return f.line(false)
}

func (h *host) write(c *lua.Call, u *lua.Userdata, first int) []lua.Value {
	f := fileOf(u)
	var texts []string
	for i := first; i < len(c.Args); i++ {
		texts = append(texts, c.String(i))
	}
	return h.ask(func() []lua.Value {
		for _, t := range texts {
			if err := f.write(t); err != nil {
				return h.failure(err, "")
			}
		}
		return []lua.Value{u}
	})
}

func (h *host) fileSeek(c *lua.Call) []lua.Value {
	u := h.userdata(c)
	whence := c.Option(1, "cur", "set", "cur", "end")
	offset := c.IntegerOr(2, 0)
	return h.ask(func() []lua.Value {
		at, err := fileOf(u).seek(offset, []int{io.SeekStart, io.SeekCurrent, io.SeekEnd}[whence])
		if err != nil {
			return h.failure(err, "")
		}
		return []lua.Value{at}
	})
}

func (h *host) fileLines(c *lua.Call) []lua.Value {
	u := h.userdata(c)
	formats := c.Args[1:]
	return []lua.Value{lua.NewFunction("lines", func(c *lua.Call) []lua.Value { return h.read(c, u, formats, 1) })}
}

// ioLines closes its file at the end.
func (h *host) ioLines(c *lua.Call) []lua.Value {
	if !c.Given(0) {
		c.Args = []lua.Value{h.input}
		return h.fileLines(c)
	}
	name, formats := c.String(0), c.Args[1:]
	got := h.openFile(name, "r")
	u, ok := got[0].(*lua.Userdata)
	if !ok {
		c.Throw("%v", got[1])
	}
	next := lua.NewFunction("lines", func(c *lua.Call) []lua.Value {
		if fileOf(u).closed {
			c.Throw("file is already closed")
		}
		values := h.read(c, u, formats, 1)
		if len(values) > 0 && values[0] == nil {
			h.closeRead(u)
		}
		return values
	})
	return []lua.Value{next, nil, nil, u}
}

// closeRead closes a file that was only read, unless it is closed.
func (h *host) closeRead(u *lua.Userdata) {
	f := fileOf(u)
	if f.closed {
		return
	}
	f.closed = true
	h.ask(func() []lua.Value {
		_, _ = f.close()
		return nil
	})
}

func (h *host) ioTmpfile(*lua.Call) []lua.Value {
	return h.ask(func() []lua.Value {
		fd, err := unix.MemfdCreate("tmpfile", unix.MFD_CLOEXEC)
		if err != nil {
			return h.failure(err, "")
		}
		return []lua.Value{h.newFile(fd)}
	})
}

func (h *host) ioPopen(c *lua.Call) []lua.Value {
	command, mode := c.String(0), c.StringOr(1, "r")
	if mode != "r" && mode != "w" {
		c.BadArgument(1, "invalid mode")
	}
	return h.ask(func() []lua.Value {
		var pipe [2]int
		if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
			return h.failure(err, command)
		}
		mine, theirs := pipe[0], pipe[1]
		files := []uintptr{0, uintptr(theirs), 2}
		if mode == "w" {
			mine, theirs = theirs, mine
			files = []uintptr{uintptr(theirs), 1, 2}
		}
		pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", command}, &syscall.ProcAttr{Env: syscall.Environ(), Files: files})
		unix.Close(theirs)
		if err != nil {
			unix.Close(mine)
			return h.failure(err, command)
		}
		u := h.newFile(mine)
		u.Value.(*file).pid = pid
		return []lua.Value{u}
	})
}
