package lua

import (
	"math"
	"math/bits"
)

func (s *State) openMath() {
	t := &Table{}
	f := func(fn func(float64) float64) Native {
		return func(c *Call) []Value { return []Value{fn(c.Float(0))} }
	}
	s.Register(t, "math", map[string]Native{
		"abs": mathAbs, "acos": f(math.Acos), "asin": f(math.Asin), "atan": mathAtan, "ceil": mathRound(math.Ceil),
		"cos": f(math.Cos), "deg": func(c *Call) []Value { return []Value{c.Float(0) * (180 / math.Pi)} },
		"exp": f(math.Exp), "floor": mathRound(math.Floor), "fmod": mathFmod, "log": mathLog, "max": mathExtreme(false),
		"min": mathExtreme(true), "modf": mathModf, "rad": func(c *Call) []Value { return []Value{c.Float(0) * (math.Pi / 180)} },
		"random": mathRandom, "randomseed": mathSeed, "sin": f(math.Sin), "sqrt": f(math.Sqrt), "tan": f(math.Tan),
		"tointeger": mathToInteger, "type": mathType,
		"ult": func(c *Call) []Value { return []Value{uint64(c.Integer(0)) < uint64(c.Integer(1))} },
	})
	t.Set("pi", math.Pi)
	t.Set("huge", math.Inf(1))
	t.Set("maxinteger", int64(math.MaxInt64))
	t.Set("mininteger", int64(math.MinInt64))
	s.Globals.Set("math", t)
	s.seed(0, 0)
}

func mathAbs(c *Call) []Value {
	switch n := c.Number(0).(type) {
	case int64:
		if n < 0 {
			n = -n
		}
		return []Value{n}
	default:
		return []Value{math.Abs(c.Float(0))}
	}
}

func mathAtan(c *Call) []Value {
	x := 1.0
	if c.Given(1) {
		x = c.Float(1)
	}
	return []Value{math.Atan2(c.Float(0), x)}
}

// mathRound gives an integer where one has the value.
func mathRound(round func(float64) float64) Native {
	return func(c *Call) []Value {
		n := c.Number(0)
		f, ok := n.(float64)
		if !ok {
			return []Value{n}
		}
		f = round(f)
		if i, ok := floatToInteger(f); ok {
			return []Value{i}
		}
		return []Value{f}
	}
}

func mathFmod(c *Call) []Value {
	a, ok1 := c.Number(0).(int64)
	b, ok2 := c.Number(1).(int64)
	if ok1 && ok2 {
		if b == 0 {
			c.BadArgument(1, "zero")
		}
		return []Value{a % b}
	}
	return []Value{math.Mod(c.Float(0), c.Float(1))}
}

func mathLog(c *Call) []Value {
	x := c.Float(0)
	if !c.Given(1) {
		return []Value{math.Log(x)}
	}
	switch base := c.Float(1); base {
	case 2:
		return []Value{math.Log2(x)}
	case 10:
		return []Value{math.Log10(x)}
	default:
		return []Value{math.Log(x) / math.Log(base)}
	}
}

func mathExtreme(least bool) Native {
	return func(c *Call) []Value {
		if len(c.Args) == 0 {
			c.BadArgument(0, "value expected")
		}
		best := c.Number(0)
		for i := 1; i < len(c.Args); i++ {
			n := c.Number(i)
			if least && lessNumber(n, best) || !least && lessNumber(best, n) {
				best = n
			}
		}
		return []Value{best}
	}
}

func mathModf(c *Call) []Value {
	f := c.Float(0)
	if math.IsInf(f, 0) {
		return []Value{f, 0.0}
	}
	whole := math.Trunc(f)
	if i, ok := floatToInteger(whole); ok {
		return []Value{i, f - whole}
	}
	return []Value{whole, f - whole}
}

func mathToInteger(c *Call) []Value {
	if n, ok := toInteger(c.Any(0)); ok {
		return []Value{n}
	}
	return []Value{nil}
}

func mathType(c *Call) []Value {
	switch c.Any(0).(type) {
	case int64:
		return []Value{"integer"}
	case float64:
		return []Value{"float"}
	}
	return []Value{nil}
}

// seed starts the generator xoshiro256**, as Lua's own does.
func (s *State) seed(a, b uint64) {
	s.random = [4]uint64{a, 0xff, b, 0}
	for range 16 {
		s.nextRandom()
	}
}

func (s *State) nextRandom() uint64 {
	r := &s.random
	out := bits.RotateLeft64(r[1]*5, 7) * 9
	t := r[1] << 17
	r[2] ^= r[0]
	r[3] ^= r[1]
	r[1] ^= r[2]
	r[0] ^= r[3]
	r[2] ^= t
	r[3] = bits.RotateLeft64(r[3], 45)
	return out
}

func mathSeed(c *Call) []Value {
	var a, b uint64
	switch n := c.Arg(0).(type) {
	case nil:
	case int64:
		a = uint64(n)
	default:
		f := c.Float(0)
		if i, ok := floatToInteger(f); ok {
			a = uint64(i)
		} else {
			a = math.Float64bits(f)
		}
	}
	b = uint64(c.IntegerOr(1, 0))
	c.State.seed(a, b)
	return []Value{int64(a), int64(b)}
}

func mathRandom(c *Call) []Value {
	r := c.State.nextRandom()
	var low, high int64
	switch len(c.Args) {
	case 0:
		return []Value{float64(r>>11) * 0x1p-53}
	case 1:
		low, high = 1, c.Integer(0)
		if high == 0 {
			return []Value{int64(r)}
		}
	case 2:
		low, high = c.Integer(0), c.Integer(1)
	default:
		c.Throw("wrong number of arguments")
	}
	if low > high {
		c.BadArgument(len(c.Args)-1, "interval is empty")
	}
	span := uint64(high) - uint64(low)
	if span&(span+1) == 0 {
		return []Value{int64(r&span + uint64(low))}
	}
	mask := uint64(1)<<bits.Len64(span) - 1
	for r &= mask; r > span; r = c.State.nextRandom() & mask {
	}
	return []Value{int64(r + uint64(low))}
}
