package lua

import "fmt"

// Call is one call of a native function: its arguments, and how it throws errors. Its methods throw
// what Lua's own library would.
type Call struct {
	State *State
	Args  []Value
	fn    *Function
	// method: it was called as object:method(), so that the object is no argument to messages.
	method bool
}

// Throw throws an error with the position of the function that called this one.
func (c *Call) Throw(format string, args ...any) {
	panic(&Error{Value: c.State.where(2) + fmt.Sprintf(format, args...)})
}

// BadArgument throws an error about argument i, counted from 0.
func (c *Call) BadArgument(i int, format string, args ...any) {
	if c.method {
		if i--; i < 0 {
			c.Throw("calling '%s' on bad self (%s)", c.shortName(), fmt.Sprintf(format, args...))
		}
	}
	c.Throw("bad argument #%d to '%s' (%s)", i+1, c.shortName(), fmt.Sprintf(format, args...))
}

func (c *Call) shortName() string {
	name := c.fn.Name
	for i := len(name) - 1; i >= 0; i-- {
		if name[i] == '.' || name[i] == ':' {
			return name[i+1:]
		}
	}
	return name
}

// Arg is argument i, nil when it was not given.
func (c *Call) Arg(i int) Value {
	if i < len(c.Args) {
		return c.Args[i]
	}
	return nil
}

// Has says whether argument i was given, be it nil.
func (c *Call) Has(i int) bool { return i < len(c.Args) }

// Given says whether argument i is there and not nil.
func (c *Call) Given(i int) bool { return c.Arg(i) != nil }

func (c *Call) wrongType(i int, want string) {
	got := "no value"
	if i < len(c.Args) {
		got = c.State.typeName(c.Args[i])
	}
	c.BadArgument(i, "%s expected, got %s", want, got)
}

// Any throws unless argument i was given.
func (c *Call) Any(i int) Value {
	if i >= len(c.Args) {
		c.BadArgument(i, "value expected")
	}
	return c.Args[i]
}

// String is argument i, a string or a number.
func (c *Call) String(i int) string {
	t, ok := text(c.Arg(i))
	if !ok {
		c.wrongType(i, "string")
	}
	return t
}

// StringOr is argument i, or a default where it was not given or is nil.
func (c *Call) StringOr(i int, or string) string {
	if !c.Given(i) {
		return or
	}
	return c.String(i)
}

// Integer is argument i, a number with an integer's value or a string of one.
func (c *Call) Integer(i int) int64 {
	n, ok := toInteger(c.Arg(i))
	if !ok {
		if _, isNumber := toNumber(c.Arg(i)); isNumber {
			c.BadArgument(i, "number has no integer representation")
		}
		c.wrongType(i, "number")
	}
	return n
}

// IntegerOr is Integer with a default.
func (c *Call) IntegerOr(i int, or int64) int64 {
	if !c.Given(i) {
		return or
	}
	return c.Integer(i)
}

// Number is argument i as an int64 or float64.
func (c *Call) Number(i int) Value {
	n, ok := toNumber(c.Arg(i))
	if !ok {
		c.wrongType(i, "number")
	}
	return n
}

// Float is argument i as a float.
func (c *Call) Float(i int) float64 { return toFloat(c.Number(i)) }

// Table is argument i, a table.
func (c *Call) Table(i int) *Table {
	t, ok := c.Arg(i).(*Table)
	if !ok {
		c.wrongType(i, "table")
	}
	return t
}

// Function is argument i, a function.
func (c *Call) Function(i int) *Function {
	f, ok := c.Arg(i).(*Function)
	if !ok {
		c.wrongType(i, "function")
	}
	return f
}

// Option is the place of argument i, a string, among options; or where it was not given.
func (c *Call) Option(i int, or string, options ...string) int {
	name := c.StringOr(i, or)
	if !c.Given(i) && or == "" {
		c.String(i)
	}
	for n, o := range options {
		if o == name {
			return n
		}
	}
	c.BadArgument(i, "invalid option '%s'", name)
	return -1
}
