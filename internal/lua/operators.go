package lua

import (
	"math"
	"strings"
)

var events = map[string]string{
	"+": "__add", "-": "__sub", "*": "__mul", "/": "__div", "%": "__mod", "^": "__pow", "//": "__idiv",
	"&": "__band", "|": "__bor", "~": "__bxor", "<<": "__shl", ">>": "__shr", "..": "__concat",
}

// binary applies an operator; x is the expression, for messages.
func (s *State) binary(op string, l, r Value, x *binaryExpr) Value {
	switch op {
	case "==":
		return s.equal(l, r)
	case "~=":
		return !s.equal(l, r)
	case "<":
		return s.less(l, r)
	case ">":
		return s.less(r, l)
	case "<=":
		return s.lessEqual(l, r)
	case ">=":
		return s.lessEqual(r, l)
	case "..":
		return s.concat(l, r, x)
	case "&", "|", "~", "<<", ">>":
		return s.bitwise(op, l, r, x)
	}
	return s.arithmetic(op, l, r, x)
}

func (s *State) arithmetic(op string, l, r Value, x *binaryExpr) Value {
	if a, ok := l.(int64); ok {
		if b, ok := r.(int64); ok {
			if v, ok := s.integers(op, a, b); ok {
				return v
			}
			return floats(op, float64(a), float64(b))
		}
	}
	_, textL := l.(string)
	_, textR := r.(string)
	if textL || textR { // the string library's metamethods convert strings last
		if v, ok := s.tryMeta(events[op], l, r); ok {
			return v
		}
	}
	a, ok1 := toNumber(l)
	b, ok2 := toNumber(r)
	if !ok1 || !ok2 {
		if v, ok := s.tryMeta(events[op], l, r); ok {
			return v
		}
		if textL || textR {
			s.throw("attempt to %s a '%s' with a '%s'", events[op][2:], TypeName(l), TypeName(r))
		}
		s.operandError("perform arithmetic on", l, r, x, isNumber)
	}
	m, isInt := a.(int64)
	n, isInt2 := b.(int64)
	if isInt && isInt2 {
		if v, ok := s.integers(op, m, n); ok {
			return v
		}
	}
	return floats(op, toFloat(a), toFloat(b))
}

// integers applies an operator that gives integers for integers; the others are not ok.
func (s *State) integers(op string, a, b int64) (Value, bool) {
	switch op {
	case "+":
		return a + b, true
	case "-":
		return a - b, true
	case "*":
		return a * b, true
	case "//":
		if b == 0 {
			s.throw("attempt to divide by zero")
		}
		q := a / b
		if a%b != 0 && (a%b < 0) != (b < 0) {
			q--
		}
		return q, true
	case "%":
		if b == 0 {
			s.throw("attempt to perform 'n%%0'")
		}
		m := a % b
		if m != 0 && (m < 0) != (b < 0) {
			m += b
		}
		return m, true
	}
	return nil, false
}

func floats(op string, a, b float64) Value {
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		return a / b
	case "^":
		return math.Pow(a, b)
	case "//":
		return math.Floor(a / b)
	default:
		return floatMod(a, b)
	}
}

func floatMod(a, b float64) float64 {
	m := math.Mod(a, b)
	if m != 0 && (m < 0) != (b < 0) {
		m += b
	}
	return m
}

func (s *State) bitwise(op string, l, r Value, x *binaryExpr) Value {
	a, ok1 := toInteger(l)
	b, ok2 := toInteger(r)
	_, textL := l.(string)
	_, textR := r.(string)
	if !ok1 || !ok2 || textL || textR {
		if v, ok := s.tryMeta(events[op], l, r); ok {
			return v
		}
	}
	if !ok1 || !ok2 {
		s.bitwiseError(l, r, x)
	}
	switch op {
	case "&":
		return a & b
	case "|":
		return a | b
	case "~":
		return a ^ b
	case "<<":
		return shift(a, b)
	default:
		if b == math.MinInt64 {
			return int64(0)
		}
		return shift(a, -b)
	}
}

func (s *State) bitwiseError(l, r Value, x *binaryExpr) {
	isNumber := func(v Value) bool { _, ok := toNumber(v); return ok }
	if isNumber(l) && isNumber(r) {
		s.throw("number%s has no integer representation", badOperand(l, x, func(v Value) bool { _, ok := toInteger(v); return ok }))
	}
	s.operandError("perform bitwise operation on", l, r, x, isNumber)
}

func shift(a, by int64) int64 {
	switch {
	case by <= -64 || by >= 64:
		return 0
	case by >= 0:
		return int64(uint64(a) << uint(by))
	}
	return int64(uint64(a) >> uint(-by))
}

func (s *State) concat(l, r Value, x *binaryExpr) Value {
	a, ok1 := text(l)
	b, ok2 := text(r)
	if ok1 && ok2 {
		s.useString(len(a) + len(b))
		return a + b
	}
	if v, ok := s.tryMeta("__concat", l, r); ok {
		return v
	}
	s.operandError("concatenate", l, r, x, func(v Value) bool { _, ok := text(v); return ok })
	return nil
}

// badOperand describes the operand that is at fault: the second only if the first is fine.
func badOperand(l Value, x *binaryExpr, fine func(Value) bool) string {
	if x == nil {
		return ""
	}
	if fine(l) {
		return describe(x.r)
	}
	return describe(x.l)
}

func (s *State) operandError(what string, l, r Value, x *binaryExpr, fine func(Value) bool) {
	bad := l
	if fine(l) {
		bad = r
	}
	s.throw("attempt to %s a %s value%s", what, s.typeName(bad), badOperand(l, x, fine))
}

func (s *State) unary(op string, v Value, x *unaryExpr) Value {
	switch op {
	case "not":
		return !Truth(v)
	case "#":
		if str, ok := v.(string); ok {
			return int64(len(str))
		}
		return s.length(v, x)
	case "-":
		switch n := v.(type) {
		case int64:
			return -n
		case float64:
			return -n
		}
		if r, ok := s.tryMeta("__unm", v, v); ok {
			return r
		}
		n, ok := toNumber(v)
		if _, isText := v.(string); isText && !ok {
			s.throw("attempt to unm a 'string' with a 'string'")
		}
		if !ok {
			s.throw("attempt to perform arithmetic on a %s value%s", s.typeName(v), describe(x.x))
		}
		return s.unary("-", n, x)
	}
	n, ok := toInteger(v)
	if _, isText := v.(string); !ok || isText {
		if r, ok := s.tryMeta("__bnot", v, v); ok {
			return r
		}
	}
	if !ok {
		if _, isNumber := toNumber(v); isNumber {
			s.throw("number%s has no integer representation", describe(x.x))
		}
		s.throw("attempt to perform bitwise operation on a %s value%s", s.typeName(v), describe(x.x))
	}
	return ^n
}

// length is the operator # for what is no string.
func (s *State) length(v Value, x *unaryExpr) Value {
	if method := s.metamethod(v, "__len"); method != nil {
		return first(s.call(method, []Value{v}, nil))
	}
	t, ok := v.(*Table)
	if !ok {
		what := ""
		if x != nil {
			what = describe(x.x)
		}
		s.throw("attempt to get length of a %s value%s", s.typeName(v), what)
	}
	return t.Len()
}

// RawEqual compares without metamethods.
func RawEqual(l, r Value) bool {
	switch a := l.(type) {
	case int64:
		if b, ok := r.(float64); ok {
			n, ok := floatToInteger(b)
			return ok && n == a
		}
	case float64:
		if b, ok := r.(int64); ok {
			n, ok := floatToInteger(a)
			return ok && n == b
		}
	}
	return l == r
}

func (s *State) equal(l, r Value) bool {
	if RawEqual(l, r) {
		return true
	}
	_, tables := l.(*Table)
	_, tables2 := r.(*Table)
	_, data := l.(*Userdata)
	_, data2 := r.(*Userdata)
	if !(tables && tables2 || data && data2) {
		return false
	}
	v, ok := s.tryMeta("__eq", l, r)
	return ok && Truth(v)
}

func (s *State) less(l, r Value) bool {
	if a, ok := l.(string); ok {
		if b, ok := r.(string); ok {
			return a < b
		}
	}
	if isNumber(l) && isNumber(r) {
		return lessNumber(l, r)
	}
	if v, ok := s.tryMeta("__lt", l, r); ok {
		return Truth(v)
	}
	s.compareError(l, r)
	return false
}

func (s *State) lessEqual(l, r Value) bool {
	if a, ok := l.(string); ok {
		if b, ok := r.(string); ok {
			return a <= b
		}
	}
	if isNumber(l) && isNumber(r) {
		a, isFloat := l.(float64)
		b, isFloat2 := r.(float64)
		if isFloat && a != a || isFloat2 && b != b {
			return false
		}
		return !lessNumber(r, l)
	}
	if v, ok := s.tryMeta("__le", l, r); ok {
		return Truth(v)
	}
	s.compareError(l, r)
	return false
}

func (s *State) compareError(l, r Value) {
	a, b := s.typeName(l), s.typeName(r)
	if a == b {
		s.throw("attempt to compare two %s values", a)
	}
	s.throw("attempt to compare %s with %s", a, b)
}

func isNumber(v Value) bool {
	switch v.(type) {
	case int64, float64:
		return true
	}
	return false
}

// lessNumber compares exactly, also an integer with a float.
func lessNumber(l, r Value) bool {
	switch a := l.(type) {
	case int64:
		switch b := r.(type) {
		case int64:
			return a < b
		case float64:
			switch {
			case b != b:
				return false
			case b >= 1<<63:
				return true
			case b < -(1 << 63):
				return false
			}
			return a < int64(math.Ceil(b)) // Ceil(b) may be 2^63 for none of these
		}
	case float64:
		switch b := r.(type) {
		case float64:
			return a < b
		case int64:
			switch {
			case a != a || a >= 1<<63:
				return false
			case a < -(1 << 63):
				return true
			}
			return int64(math.Floor(a)) < b
		}
	}
	return false
}

// typeName is what messages call a value's type: __name of its metatable, or TypeName.
func (s *State) typeName(v Value) string {
	if name, ok := s.metamethod(v, "__name").(string); ok {
		return name
	}
	return TypeName(v)
}

// metatable is nil for none.
func (s *State) metatable(v Value) *Table {
	switch v := v.(type) {
	case *Table:
		return v.meta
	case *Userdata:
		return v.Meta
	case string:
		return s.stringMeta
	}
	return nil
}

func (s *State) metamethod(v Value, event string) Value {
	if meta := s.metatable(v); meta != nil {
		return meta.Get(event)
	}
	return nil
}

func (s *State) tryMeta(event string, l, r Value) (Value, bool) {
	method := s.metamethod(l, event)
	if method == nil {
		method = s.metamethod(r, event)
	}
	if method == nil {
		return nil, false
	}
	return first(s.call(method, []Value{l, r}, nil)), true
}

const maxMetaChain = 2000

// index gives object[key]; x names it in messages.
func (s *State) index(object, key Value, x any) Value {
	for range maxMetaChain {
		var method Value
		if t, ok := object.(*Table); ok {
			if v := t.Get(key); v != nil || t.meta == nil {
				return v
			}
			if method = t.meta.Get("__index"); method == nil {
				return nil
			}
		} else if method = s.metamethod(object, "__index"); method == nil {
			s.throw("attempt to index a %s value%s", s.typeName(object), indexed(x, key))
		}
		if fn, ok := method.(*Function); ok {
			return first(s.call(fn, []Value{object, key}, nil))
		}
		object = method
	}
	s.throw("'__index' chain too long; possible loop")
	return nil
}

// indexed describes what was indexed in vain.
func indexed(x any, key Value) string {
	switch x := x.(type) {
	case *indexExpr:
		if d := describe(x.object); d != "" {
			if _, isConst := x.object.(*constExpr); !isConst {
				return d
			}
		}
	case *callExpr:
		return describe(x.fn)
	}
	if name, ok := key.(string); ok {
		return " (field '" + strings.ToValidUTF8(name, "?") + "')"
	}
	return ""
}

func (s *State) checkKey(key Value) {
	if key == nil {
		s.throw("table index is nil")
	}
	if f, ok := key.(float64); ok && f != f {
		s.throw("table index is NaN")
	}
}

func (s *State) setIndex(object, key, value Value, x any) {
	for range maxMetaChain {
		var method Value
		if t, ok := object.(*Table); ok {
			if t.meta != nil {
				method = t.meta.Get("__newindex")
			}
			if method == nil || t.Get(key) != nil {
				s.checkKey(key)
				s.use(entrySize)
				t.Set(key, value)
				return
			}
		} else if method = s.metamethod(object, "__newindex"); method == nil {
			s.throw("attempt to index a %s value%s", s.typeName(object), indexed(x, key))
		}
		if fn, ok := method.(*Function); ok {
			s.call(fn, []Value{object, key, value}, nil)
			return
		}
		object = method
	}
	s.throw("'__newindex' chain too long; possible loop")
}
