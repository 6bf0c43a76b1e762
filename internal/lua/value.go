package lua

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Value is a value of Lua: nil, bool, int64, float64, string, *Table, *Function, *Userdata or
// *Coroutine.
type Value any

// Function is a function of the program, or a native one.
type Function struct {
	// Name is what messages call a native function, as "posix.mkdir".
	Name   string
	Native Native

	proto  *funcExpr
	upvals []*cell
}

// Native is a function given to the program by its host. It throws errors with the methods of Call.
type Native func(c *Call) []Value

// NewFunction gives a native function.
func NewFunction(name string, f Native) *Function { return &Function{Name: name, Native: f} }

// Userdata is a value of the host's that programs can only hand around, and use by its metatable.
type Userdata struct {
	Value any
	Meta  *Table
}

// cell is a local variable that a function inside refers to.
type cell struct{ v Value }

// TypeName is the value's type as the function type gives it.
func TypeName(v Value) string {
	switch v.(type) {
	case nil:
		return "nil"
	case bool:
		return "boolean"
	case int64, float64:
		return "number"
	case string:
		return "string"
	case *Table:
		return "table"
	case *Function:
		return "function"
	case *Coroutine:
		return "thread"
	}
	return "userdata"
}

// Truth says whether a value counts as true: all but nil and false do.
func Truth(v Value) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	}
	return true
}

func formatFloat(f float64) string {
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		if math.Signbit(f) {
			return "-nan"
		}
		return "nan"
	}
	text := strconv.FormatFloat(f, 'g', 14, 64)
	if !strings.ContainsAny(text, ".e") {
		text += ".0"
	}
	return text
}

// text converts strings and numbers to a string, as concatenation does.
func text(v Value) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case int64:
		return strconv.FormatInt(v, 10), true
	case float64:
		return formatFloat(v), true
	}
	return "", false
}

// toNumber converts numbers, and strings that are numerals (section 3.4.3).
func toNumber(v Value) (Value, bool) {
	switch v := v.(type) {
	case int64, float64:
		return v, true
	case string:
		return parseNumber(v)
	}
	return nil, false
}

// toFloat converts a number.
func toFloat(n Value) float64 {
	if i, ok := n.(int64); ok {
		return float64(i)
	}
	f, _ := n.(float64)
	return f
}

// toInteger converts numbers that have an integer's value, and strings that are such.
func toInteger(v Value) (int64, bool) {
	switch n, _ := toNumber(v); n := n.(type) {
	case int64:
		return n, true
	case float64:
		return floatToInteger(n)
	}
	return 0, false
}

func floatToInteger(f float64) (int64, bool) {
	if f >= -(1<<63) && f < 1<<63 && math.Floor(f) == f {
		return int64(f), true
	}
	return 0, false
}

const space = " \t\n\v\f\r"

// parseNumber reads a numeral (section 3.1) with white space around it and a sign.
func parseNumber(s string) (Value, bool) {
	s = strings.Trim(s, space)
	digits, negative := s, false
	if strings.HasPrefix(s, "-") || strings.HasPrefix(s, "+") {
		digits, negative = s[1:], s[0] == '-'
	}
	if len(digits) == 0 || strings.ContainsAny(digits, "_iInN+-") && !validExponentSign(digits) {
		return nil, false
	}
	if strings.HasPrefix(digits, "0x") || strings.HasPrefix(digits, "0X") {
		return parseHex(digits[2:], negative)
	}
	if strings.ContainsAny(digits, "xXpPbBoO_") {
		return nil, false
	}
	if !strings.ContainsAny(digits, ".eE") {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, true
		}
	}
	f, err := strconv.ParseFloat(digits, 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, false
	}
	if negative {
		f = -f
	}
	return f, true
}

// validExponentSign says whether each sign follows the letter of an exponent and no other foreign
// letter is there.
func validExponentSign(s string) bool {
	if strings.ContainsAny(s, "_iInN") {
		return false
	}
	for i := range len(s) {
		if (s[i] == '+' || s[i] == '-') && (i == 0 || !strings.ContainsRune("eEpP", rune(s[i-1]))) {
			return false
		}
	}
	return true
}

func parseHex(s string, negative bool) (Value, bool) {
	if s == "" || strings.ContainsAny(s, "xX_") {
		return nil, false
	}
	if !strings.ContainsAny(s, ".pP") {
		var n uint64
		for i := range len(s) {
			d, ok := hexDigit(s[i])
			if !ok {
				return nil, false
			}
			n = n<<4 | uint64(d) // wraps around (section 3.1)
		}
		if negative {
			n = -n
		}
		return int64(n), true
	}
	if !strings.ContainsAny(s, "pP") {
		s += "p0"
	}
	f, err := strconv.ParseFloat("0x"+s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, false
	}
	if negative {
		f = -f
	}
	return f, true
}

func hexDigit(c byte) (int, bool) {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0'), true
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10, true
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10, true
	}
	return 0, false
}

// Error is an error that the program did not catch.
type Error struct {
	// Value is what was thrown: mostly a string with the position in front.
	Value Value
	// limit: it is none of the program's own, and it cannot catch it.
	limit bool
}

func (e *Error) Error() string {
	if s, ok := text(e.Value); ok {
		return s
	}
	return fmt.Sprintf("(error object is a %s value)", TypeName(e.Value))
}

// Limit says whether the program was ended because it reached one of its limits.
func (e *Error) Limit() bool { return e.limit }
