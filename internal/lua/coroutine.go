package lua

import (
	"maps"
	"slices"
)

func sortedNames(m map[string]Native) []string { return slices.Sorted(maps.Keys(m)) }

// Coroutine is a coroutine. It runs on a goroutine of its own, which waits while it is suspended;
// State.Close ends it.
type Coroutine struct {
	fn      *Function
	status  string
	resumed chan []Value // what resume passes in; closed to end it
	yielded chan transfer
	outer   *Coroutine
	stack   []level
	depth   int
	started bool
}

type transfer struct {
	values []Value
	err    any
	done   bool
}

// killed unwinds a coroutine that is ended from outside.
type killed struct{}

const maxCoroutines = 10_000

func (s *State) openCoroutine() {
	t := &Table{}
	s.Register(t, "coroutine", map[string]Native{
		"create": func(c *Call) []Value { return []Value{c.State.newCoroutine(c.Function(0))} },
		"resume": coroutineResume, "yield": coroutineYield, "wrap": coroutineWrap, "close": coroutineClose,
		"status":      func(c *Call) []Value { return []Value{argCoroutine(c).status} },
		"isyieldable": func(c *Call) []Value { return []Value{c.State.current != nil} },
		"running": func(c *Call) []Value {
			if co := c.State.current; co != nil {
				return []Value{co, false}
			}
			return []Value{c.State.mainCoroutine(), true}
		},
	})
	s.Globals.Set("coroutine", t)
}

// mainCoroutine stands for the program itself.
func (s *State) mainCoroutine() *Coroutine {
	if s.main == nil {
		s.main = &Coroutine{status: "running"}
	}
	return s.main
}

func (s *State) newCoroutine(fn *Function) *Coroutine {
	s.use(8 << 10)
	return &Coroutine{fn: fn, status: "suspended", resumed: make(chan []Value), yielded: make(chan transfer)}
}

func argCoroutine(c *Call) *Coroutine {
	co, ok := c.Arg(0).(*Coroutine)
	if !ok {
		c.wrongType(0, "thread")
	}
	return co
}

// resume runs a coroutine until it yields, ends or throws.
func (s *State) resume(co *Coroutine, args []Value) (values []Value, err *Error) {
	if co.status != "suspended" {
		what := co.status
		if what != "dead" {
			what = "non-suspended"
		}
		return nil, &Error{Value: "cannot resume " + what + " coroutine"}
	}
	if len(s.alive) >= maxCoroutines {
		return nil, &Error{Value: "too many coroutines at once", limit: true}
	}
	if s.depth >= s.limits.Depth {
		return nil, &Error{Value: "C stack overflow"}
	}
	co.outer = s.current
	if co.outer != nil {
		co.outer.status = "normal"
	}
	stack, depth := s.stack, s.depth
	s.current, s.stack, s.depth = co, co.stack, depth+max(co.depth, 1)
	co.status = "running"
	s.alive[co] = true
	if !co.started {
		co.started = true
		go co.run(s, args)
	} else {
		co.resumed <- args
	}
	t := <-co.yielded
	co.stack, co.depth = s.stack, max(s.depth-depth, 0)
	s.current, s.stack, s.depth = co.outer, stack, depth
	if co.outer != nil {
		co.outer.status = "running"
	}
	co.status = "suspended"
	if t.done {
		co.status = "dead"
		delete(s.alive, co)
	}
	switch e := t.err.(type) {
	case nil:
		return t.values, nil
	case *Error:
		return nil, e
	default:
		panic(e)
	}
}

func (co *Coroutine) run(s *State, args []Value) {
	t := transfer{done: true}
	defer func() {
		t.err = recover()
		if _, ok := t.err.(killed); ok {
			t.err = nil
		}
		co.yielded <- t
	}()
	t.values = s.call(co.fn, args, nil)
}

// kill ends a suspended coroutine.
func (co *Coroutine) kill() {
	if co.started && co.status == "suspended" {
		close(co.resumed)
		<-co.yielded
	}
	co.status = "dead"
}

func coroutineYield(c *Call) []Value {
	co := c.State.current
	if co == nil {
		panic(&Error{Value: "attempt to yield from outside a coroutine"})
	}
	co.yielded <- transfer{values: c.Args}
	args, ok := <-co.resumed
	if !ok {
		panic(killed{})
	}
	return args
}

func coroutineResume(c *Call) []Value {
	values, err := c.State.resume(argCoroutine(c), c.Args[1:])
	if err != nil {
		return []Value{false, caught(err)}
	}
	return append([]Value{true}, values...)
}

func coroutineWrap(c *Call) []Value {
	co := c.State.newCoroutine(c.Function(0))
	return []Value{NewFunction("wrap", func(c *Call) []Value {
		values, err := c.State.resume(co, c.Args)
		if err != nil {
			if msg, ok := err.Value.(string); ok && !err.limit {
				err = &Error{Value: c.State.where(2) + msg}
			}
			panic(err)
		}
		return values
	})}
}

// coroutineClose ends a coroutine with its variables that are to be closed.
func coroutineClose(c *Call) []Value {
	co := argCoroutine(c)
	if co.status != "suspended" && co.status != "dead" {
		c.Throw("cannot close a %s coroutine", co.status)
	}
	if co.status == "suspended" {
		s := c.State
		stack, depth, current := s.stack, s.depth, s.current
		s.stack, s.current = co.stack, co
		co.kill()
		s.stack, s.depth, s.current = stack, depth, current
		delete(s.alive, co)
	}
	return []Value{true}
}
