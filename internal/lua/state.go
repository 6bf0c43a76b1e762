package lua

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
)

// Limits bound a program. A zero is the default.
type Limits struct {
	// Steps is how many statements, rounds of loops, and steps of pattern matching may be run.
	// The default is 100,000,000.
	Steps int64
	// Memory is how many bytes the Go heap may have, of which the program's values are the most.
	// The default is 1 GiB.
	Memory uint64
	// Depth is how deep calls may be nested. The default is 7,000.
	Depth int
}

const (
	defaultSteps  = 100_000_000
	defaultMemory = 1 << 30
	defaultDepth  = 7_000
	maxSource     = 4 << 20
	maxResults    = 1 << 20 // values of one call
	// unwindingSteps is how many steps a caught error counts as.
	unwindingSteps = 100
	entrySize      = 64 // about what one entry of a table takes, in bytes
)

// State is a program's world: its global variables and what limits it. It is used by one goroutine
// at a time.
type State struct {
	// Globals is the table of global variables, with the standard library but for os, io and
	// package.
	Globals *Table
	// Output is where print writes. Nil discards.
	Output io.Writer

	limits     Limits
	steps      int64
	depth      int
	used       uint64 // since memory was last looked at
	stack      []level
	stringMeta *Table
	registry   map[any]int
	random     [4]uint64
	current    *Coroutine
	main       *Coroutine
	alive      map[*Coroutine]bool
	closed     bool
}

// level is one call in progress: of the program's (frame) or of a native function.
type level struct {
	frame  *frame
	native *Function
}

// New gives a State with the standard library.
func New(limits Limits) *State {
	if limits.Steps == 0 {
		limits.Steps = defaultSteps
	}
	if limits.Memory == 0 {
		limits.Memory = defaultMemory
	}
	if limits.Depth == 0 {
		limits.Depth = defaultDepth
	}
	s := &State{Globals: &Table{}, limits: limits, registry: map[any]int{}, alive: map[*Coroutine]bool{}}
	s.openLibraries()
	return s
}

// Load compiles a chunk with the global environment. name is what positions in messages call it,
// as luaL_loadbuffer takes it: [string "name"]. The error is an *Error.
func (s *State) Load(source, name string) (*Function, error) {
	return s.load(source, name, s.Globals)
}

func (s *State) load(source, name string, env Value) (*Function, error) {
	if len(source) > maxSource {
		return nil, &Error{Value: fmt.Sprintf("%s: the chunk is longer than %d bytes", chunkID(name), maxSource)}
	}
	proto, err := parse(source, chunkID(name))
	if err != nil {
		return nil, err
	}
	return &Function{proto: proto, upvals: []*cell{{env}}}, nil
}

// chunkID is how messages name a chunk (luaO_chunkid).
func chunkID(name string) string {
	const limit = 60
	if strings.HasPrefix(name, "=") || strings.HasPrefix(name, "@") {
		name = name[1:]
		if len(name) >= limit {
			name = name[:limit-1]
		}
		return name
	}
	line, _, cut := strings.Cut(name, "\n")
	room := limit - len(`[string "..."]`) - 1
	if !cut && len(line) <= room {
		return `[string "` + line + `"]`
	}
	if len(line) > room {
		line = line[:room]
	}
	return `[string "` + line + `..."]`
}

// Call calls a function. The error is an *Error.
func (s *State) Call(fn Value, args ...Value) ([]Value, error) {
	results, err := s.protect(func() []Value { return s.call(fn, args, nil) })
	if err != nil {
		return nil, err
	}
	return results, nil
}

// Close ends what the program left suspended.
func (s *State) Close() {
	s.closed = true
	for co := range s.alive {
		co.kill()
	}
}

// protect runs f and gives the error that it threw.
func (s *State) protect(f func() []Value) (results []Value, err *Error) {
	return s.protectWith(nil, f)
}

// protectWith has handler see an error where it was thrown.
func (s *State) protectWith(handler func(*Error), f func() []Value) (results []Value, err *Error) {
	depth, levels := s.depth, len(s.stack)
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		e, ok := r.(*Error)
		if !ok {
			panic(r)
		}
		s.depth = depth
		s.steps += unwindingSteps
		if handler != nil {
			handler(e)
		}
		s.stack = s.stack[:levels]
		results, err = nil, e
	}()
	return f(), nil
}

// call calls any value; x is the expression, for messages.
func (s *State) call(fn Value, args []Value, x any) []Value {
	s.depth++
	if s.depth > s.limits.Depth {
		s.throw("stack overflow")
	}
	s.step()
	levels := len(s.stack)
	for {
		f, ok := fn.(*Function)
		if !ok {
			method := s.metamethod(fn, "__call")
			if method == nil {
				s.throw("attempt to call a %s value%s", s.typeName(fn), describe(x))
			}
			args = append([]Value{fn}, args...)
			fn = method
			continue
		}
		if f.Native != nil {
			s.stack = append(s.stack, level{native: f})
			site, _ := x.(*callExpr)
			results := f.Native(&Call{State: s, Args: args, fn: f, method: site != nil && site.method != ""})
			s.stack = s.stack[:levels]
			s.depth--
			return results
		}
		results, tail := s.enter(f, args, levels)
		if tail == nil {
			s.depth--
			return results
		}
		s.step()
		fn, args, x = tail.fn, tail.args, nil
	}
}

// enter runs a function of the program.
func (s *State) enter(f *Function, args []Value, levels int) ([]Value, *tailCall) {
	proto := f.proto
	fr := &frame{s: s, fn: f, regs: make([]Value, proto.slots), line: proto.line}
	for i, v := range proto.params {
		if i < len(args) {
			fr.declare(v, args[i])
		} else {
			fr.declare(v, nil)
		}
	}
	if proto.vararg && len(args) > len(proto.params) {
		fr.varargs = args[len(proto.params):]
	}
	s.use(128 + 16*uint64(len(fr.regs)))
	s.stack = append(s.stack, level{frame: fr})
	proto.body.run(fr)
	s.stack = s.stack[:levels]
	return fr.results, fr.tail
}

// step counts against the limit of steps.
func (s *State) step() {
	if s.steps++; s.steps > s.limits.Steps {
		panic(&Error{Value: fmt.Sprintf("the program was stopped after %d steps", s.limits.Steps), limit: true})
	}
}

// use counts memory, and looks at the heap from time to time.
func (s *State) use(bytes uint64) {
	if s.used += bytes; s.used < s.limits.Memory/16 {
		return
	}
	s.used = 0
	var m runtime.MemStats
	if runtime.ReadMemStats(&m); m.HeapAlloc < s.limits.Memory {
		return
	}
	runtime.GC()
	if runtime.ReadMemStats(&m); m.HeapAlloc >= s.limits.Memory {
		panic(&Error{Value: fmt.Sprintf("not enough memory (the limit is %d bytes)", s.limits.Memory), limit: true})
	}
}

// useString counts a string that is about to be made.
func (s *State) useString(n int) {
	if uint64(n) > s.limits.Memory/4 {
		s.throw("not enough memory")
	}
	s.steps += int64(n) / 64
	s.use(uint64(n))
}

// where is the position that a level is at: "chunk:line: ", or nothing for native functions. 1 is
// the innermost.
func (s *State) where(n int) string {
	if i := len(s.stack) - n; n > 0 && i >= 0 {
		if f := s.stack[i].frame; f != nil {
			return fmt.Sprintf("%s:%d: ", f.fn.proto.chunk, f.line)
		}
	}
	return ""
}

// errorf makes an error with the position of the function that is running.
func (s *State) errorf(format string, args ...any) *Error {
	return &Error{Value: s.where(1) + fmt.Sprintf(format, args...)}
}

func (s *State) throw(format string, args ...any) {
	panic(s.errorf(format, args...))
}

// traceback lists the calls in progress, from a level on.
func (s *State) traceback(from int) string {
	var b strings.Builder
	b.WriteString("stack traceback:")
	const most = 22
	for n := from; n <= len(s.stack); n++ {
		if n-from == most {
			b.WriteString("\n\t...")
			break
		}
		l := s.stack[len(s.stack)-n]
		switch {
		case l.native != nil:
			fmt.Fprintf(&b, "\n\t[C]: in function '%s'", l.native.Name)
		case l.frame.fn.proto.name == "main chunk":
			fmt.Fprintf(&b, "\n\t%s:%d: in main chunk", l.frame.fn.proto.chunk, l.frame.line)
		default:
			fmt.Fprintf(&b, "\n\t%s:%d: in function '%s'", l.frame.fn.proto.chunk, l.frame.line, l.frame.fn.proto.name)
		}
	}
	return b.String()
}

// ToString converts any value as the function tostring does.
func (s *State) ToString(v Value) string {
	if method := s.metamethod(v, "__tostring"); method != nil {
		out, ok := text(first(s.call(method, []Value{v}, nil)))
		if !ok {
			s.throw("'__tostring' must return a string")
		}
		return out
	}
	switch v := v.(type) {
	case nil:
		return "nil"
	case bool:
		return fmt.Sprint(v)
	}
	if t, ok := text(v); ok {
		return t
	}
	kind := s.typeName(v)
	if f, ok := v.(*Function); ok && f.Native != nil {
		kind = "function: builtin"
	}
	id, ok := s.registry[v]
	if !ok {
		id = len(s.registry) + 1
		s.registry[v] = id
	}
	return fmt.Sprintf("%s: 0x%014x", kind, id)
}

// AsError finds the *Error in an error of this package.
func AsError(err error) (*Error, bool) {
	var e *Error
	ok := errors.As(err, &e)
	return e, ok
}
