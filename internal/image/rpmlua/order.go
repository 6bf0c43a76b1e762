package rpmlua

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/lua"
	"github.com/slipway-build/slipway/internal/sandbox"
)

// Order is a script to run.
type Order struct {
	// Name is what messages call it, as "%post(glibc-2.42-1.x86_64)".
	Name string
	Body string
	// Args are what rpm passes: counts of packages. They are arg[2] and what follows, as numbers.
	Args []string
	// Paths are what rpm.next_file gives, one after the other.
	Paths []string `json:"-"`
	// Epoch is the time that os.time gives, in seconds since 1970.
	Epoch int64
}

const helperName = "slipway-rpmlua"

// Helper runs the Order that it reads from its standard input.
var Helper = sandbox.NewHelper(helperName, main)

// Marshal gives orders in the form that Helper reads, at least one of them. It runs one after the other
// and writes mark to its standard output after each but the last. It ends early, and well, behind one
// after which its process is not as it was before; it ends with an error behind one that fails.
func Marshal(mark string, orders ...Order) ([]byte, error) {
	data, err := (&child{Order: orders[0], Mark: mark, Next: orders[1:]}).marshal()
	if err != nil {
		return nil, fmt.Errorf("passing on a Lua script: %w", err)
	}
	return data, nil
}

// marshal writes an order as a line of JSON and, as there may be a hundred thousand, the paths of it and
// of each that follows behind that: each ended by a zero byte, and their list by another.
func (c *child) marshal() ([]byte, error) {
	data, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	data = append(data, '\n')
	for _, o := range append([]Order{c.Order}, c.Next...) {
		for _, p := range o.Paths {
			data = append(append(data, p...), 0)
		}
		data = append(data, 0)
	}
	return data, nil
}

func unmarshal(data []byte) (*child, error) {
	line, rest, _ := strings.Cut(string(data), "\n")
	c := new(child)
	if err := json.Unmarshal([]byte(line), c); err != nil {
		return nil, err
	}
	orders := []*Order{&c.Order}
	for i := range c.Next {
		orders = append(orders, &c.Next[i])
	}
	for _, o := range orders {
		for {
			var path string
			if path, rest, _ = strings.Cut(rest, "\x00"); path == "" {
				break
			}
			o.Paths = append(o.Paths, path)
		}
	}
	return c, nil
}

// child is an order, and for a forked process what its parent was told so far.
type child struct {
	Order
	Forked bool     `json:",omitempty"`
	Log    []record `json:",omitempty"`
	Files  []handle `json:",omitempty"`

	Mark string  `json:",omitempty"`
	Next []Order `json:",omitempty"`
}

// The limits of one script. Real ones need a thousandth of them; time is the sandbox's to limit.
var limits = lua.Limits{Memory: 512 << 20}

func main() int {
	source := os.NewFile(0, "order")
	if len(os.Args) > 1 { // a forked process
		fd, err := strconv.Atoi(os.Args[1])
		if err != nil {
			fmt.Fprintln(os.Stderr, "reading the order:", err)
			return 125
		}
		source = os.NewFile(uintptr(fd), "order")
	}
	data, err := io.ReadAll(source)
	var o *child
	if err == nil {
		o, err = unmarshal(data)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "reading the order:", err)
		return 125
	}
	if len(os.Args) == 1 { // programs that the script runs have nothing to read
		null, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = unix.Dup3(null, 0, 0)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "opening /dev/null:", err)
			return 125
		}
	} else {
		source.Close()
	}
	for {
		code, spent := run(o)
		if code != 0 || spent || len(o.Next) == 0 {
			return code
		}
		if _, err := os.Stdout.WriteString(o.Mark); err != nil {
			return 0
		}
		o = &child{Order: o.Next[0], Mark: o.Mark, Next: o.Next[1:]}
	}
}

// run runs a script to its end. The result is the process's exit code, and whether the process is no
// more what it was.
func run(o *child) (code int, spent bool) {
	s := lua.New(limits)
	defer s.Close()
	h := newHost(s, o)
	fn, err := s.Load("local opt, arg = ...;"+o.Body, o.Name)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error: invalid syntax in lua script:", err)
		return 1, h.spent
	}
	args := &lua.Table{}
	args.Append("<lua>")
	for _, a := range o.Args {
		if n, err := strconv.ParseInt(a, 10, 64); err == nil {
			args.Append(n)
		}
	}
	_, err = s.Call(fn, &lua.Table{}, args)
	if err != nil {
		fmt.Fprintln(os.Stderr, "error: lua script failed:", err)
	}
	if h.forked {
		fmt.Fprintln(os.Stderr, "warning: runaway fork() in Lua script")
		return 1, true
	}
	h.reap()
	h.spent = h.spent || len(h.handles()) > 0
	if err != nil {
		return 1, h.spent
	}
	return 0, h.spent
}
