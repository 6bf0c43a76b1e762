package rpmlua

import (
	"fmt"
	"math"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/lua"
	"github.com/slipway-build/slipway/internal/requirement/specfile/macro"
)

// host is the world outside of one script.
type host struct {
	s     *lua.State
	order Order
	// log are the answers so far; those before replayed were the parent's.
	log      []record
	replayed int
	// pending: the next question is the fork that made this process.
	pending bool
	forked  bool // the script has returned from a fork as the child
	// spent: the script did what may have changed the process, or left another one running.
	spent bool
	errno syscall.Errno

	files    map[int]*lua.Userdata
	fileMeta *lua.Table
	verMeta  *lua.Table
	stdin    *lua.Userdata
	stdout   *lua.Userdata
	stderr   *lua.Userdata
	input    *lua.Userdata
	output   *lua.Userdata
	nextFile int // among the order's paths
	macros   *macro.Engine
	children map[int]bool
}

func newHost(s *lua.State, o *child) *host {
	h := &host{
		s: s, order: o.Order, log: o.Log, pending: o.Forked,
		files: map[int]*lua.Userdata{}, children: map[int]bool{},
	}
	s.Output = output{h}
	h.openIO(o.Files)
	h.openOS()
	h.openPosix()
	h.openRPM()
	h.openPackage()
	return h
}

// output is where print writes: nowhere while what a parent printed is repeated.
type output struct{ h *host }

func (o output) Write(p []byte) (int, error) {
	if o.h.replaying() {
		return len(p), nil
	}
	return os.Stdout.Write(p)
}

// replaying says whether the script is still where its parent was.
func (h *host) replaying() bool { return h.replayed < len(h.log) || h.pending }

// record is one answer from outside.
type record struct{ Values []packed }

// packed is a value that can be written down.
type packed struct {
	Kind   byte   `json:",omitempty"` // 'b', 'i', 'f', 's', 't', 'u'; 0 is nil
	Number int64  `json:",omitempty"`
	Text   []byte `json:",omitempty"`
	Pairs  []packed
}

func pack(v lua.Value) packed {
	switch v := v.(type) {
	case bool:
		p := packed{Kind: 'b'}
		if v {
			p.Number = 1
		}
		return p
	case int64:
		return packed{Kind: 'i', Number: v}
	case float64:
		return packed{Kind: 'f', Number: int64(math.Float64bits(v))}
	case string:
		return packed{Kind: 's', Text: []byte(v)}
	case *lua.Table:
		p := packed{Kind: 't'}
		for key, value, _ := v.Next(nil); key != nil; key, value, _ = v.Next(key) {
			p.Pairs = append(p.Pairs, pack(key), pack(value))
		}
		return p
	case *lua.Userdata:
		return packed{Kind: 'u', Number: int64(v.Value.(*file).id)}
	}
	return packed{}
}

func (h *host) unpack(p packed) lua.Value {
	switch p.Kind {
	case 'b':
		return p.Number != 0
	case 'i':
		return p.Number
	case 'f':
		return math.Float64frombits(uint64(p.Number))
	case 's':
		return string(p.Text)
	case 't':
		t := &lua.Table{}
		for i := 0; i+1 < len(p.Pairs); i += 2 {
			t.Set(h.unpack(p.Pairs[i]), h.unpack(p.Pairs[i+1]))
		}
		return t
	case 'u':
		return h.fileByID(int(p.Number))
	}
	return nil
}

// ask has f ask or change the world outside, which a process that repeats its parent's part does
// not do again. f calls nothing of the script's and throws nothing.
func (h *host) ask(f func() []lua.Value) []lua.Value {
	if h.replayed < len(h.log) {
		r := h.log[h.replayed]
		h.replayed++
		out := make([]lua.Value, len(r.Values))
		for i, p := range r.Values {
			out[i] = h.unpack(p)
		}
		return out
	}
	if h.pending { // this is the fork; here it was the child that returned
		h.pending = false
		h.record([]lua.Value{0.0})
		return []lua.Value{0.0}
	}
	values := f()
	h.record(values)
	return values
}

func (h *host) record(values []lua.Value) {
	r := record{Values: make([]packed, len(values))}
	for i, v := range values {
		r.Values[i] = pack(v)
	}
	h.log = append(h.log, r)
	h.replayed = len(h.log)
}

// result is what rpm's libraries give: a number, or nil, a message and the error's number.
func (h *host) result(n int, err error, about string) []lua.Value {
	if err == nil {
		return []lua.Value{float64(n)} // lua_pushnumber: always a float
	}
	return h.posixFailure(err, about)
}

func (h *host) failure(err error, about string) []lua.Value {
	h.errno = number(err)
	msg := message(h.errno)
	if about != "" {
		msg = about + ": " + msg
	}
	return []lua.Value{nil, msg, int64(h.errno)}
}

// posixFailure is failure as the library posix gives it, whose numbers are floats.
func (h *host) posixFailure(err error, about string) []lua.Value {
	out := h.failure(err, about)
	out[2] = float64(h.errno)
	return out
}

// number finds the system's number of an error.
func number(err error) syscall.Errno {
	for err != nil {
		if e, ok := err.(syscall.Errno); ok { //nolint:errorlint // unwrapped step by step
			return e
		}
		u, ok := err.(interface{ Unwrap() error })
		if !ok {
			break
		}
		err = u.Unwrap()
	}
	return syscall.EIO
}

// message is the C library's text of an error, which begins with a capital letter.
func message(e syscall.Errno) string {
	if e == 0 {
		return "Success"
	}
	text := e.Error()
	return strings.ToUpper(text[:1]) + text[1:]
}

// fork starts a process that runs the script to this point by its parent's answers.
func (h *host) fork() []lua.Value {
	data, err := (&child{Order: h.order, Forked: true, Log: h.log, Files: h.handles()}).marshal()
	if err != nil {
		return h.failure(syscall.EINVAL, "")
	}
	fd, err := unix.MemfdCreate("order", unix.MFD_CLOEXEC)
	if err != nil {
		return h.failure(err, "")
	}
	order := os.NewFile(uintptr(fd), "order")
	defer order.Close()
	if _, err := order.Write(data); err != nil {
		return h.failure(err, "")
	}
	if _, err := order.Seek(0, 0); err != nil {
		return h.failure(err, "")
	}
	files := []uintptr{0, 1, 2}
	for _, f := range h.handles() {
		files = append(files, uintptr(h.fileByID(f.ID).Value.(*file).fd))
	}
	files = append(files, order.Fd())
	pid, err := syscall.ForkExec("/proc/self/exe", []string{helperName, fmt.Sprint(len(files) - 1)},
		&syscall.ProcAttr{Env: os.Environ(), Files: files})
	if err != nil {
		return h.failure(err, "")
	}
	h.children[pid] = true
	return []lua.Value{float64(pid)}
}

// spending is a function after which the process is not what it was.
func (h *host) spending(f lua.Native) lua.Native {
	return func(c *lua.Call) []lua.Value {
		h.spent = true
		return f(c)
	}
}

// reap waits for the children that the script did not wait for: with the script, all ends.
func (h *host) reap() {
	for pid := range h.children {
		_, _ = wait(pid)
	}
}

// wait waits for a process and gives its status.
func wait(pid int) (status syscall.WaitStatus, err error) {
	for {
		_, err = syscall.Wait4(pid, &status, 0, nil)
		if err != syscall.EINTR {
			return status, err
		}
	}
}

// find looks a program up in PATH, as execvp(3) does.
func find(name string) (string, error) {
	if strings.Contains(name, "/") {
		return name, nil
	}
	found := error(syscall.ENOENT)
	for _, dir := range strings.Split(os.Getenv("PATH"), ":") {
		at := dir + "/" + name
		if dir == "" {
			at = name
		}
		info, err := os.Stat(at)
		switch {
		case err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0:
			return at, nil
		case err == nil:
			found = syscall.EACCES
		}
	}
	return "", found
}

// spawn runs a program to its end. err says that it could not be run.
func spawn(args []string, files []uintptr) (status syscall.WaitStatus, err error) {
	program, err := find(args[0])
	if err != nil {
		return 0, err
	}
	pid, err := syscall.ForkExec(program, args, &syscall.ProcAttr{Env: os.Environ(), Files: files})
	if err != nil {
		return 0, err
	}
	return wait(pid)
}
