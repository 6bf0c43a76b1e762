package lua

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// stringFormat is string.format (section 6.4).
func stringFormat(c *Call) []Value {
	format := c.String(0)
	var b strings.Builder
	arg := 0
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		if i++; i < len(format) && format[i] == '%' {
			b.WriteByte('%')
			continue
		}
		begin := i
		for i < len(format) && strings.IndexByte("-+ #0123456789.", format[i]) >= 0 {
			i++
		}
		if i >= len(format) || i-begin > 20 {
			c.Throw("invalid conversion '%%%s' to 'format'", format[begin:min(i+1, len(format))])
		}
		if arg++; arg >= len(c.Args) {
			c.BadArgument(arg, "no value")
		}
		b.WriteString(c.conversion(format[begin:i], format[i], arg))
		c.State.useString(b.Len() / 16)
	}
	return []Value{b.String()}
}

// conversions says which flags a conversion takes, and whether a precision.
var conversions = map[byte]struct {
	flags     string
	precision bool
}{
	'c': {"-", false}, 'd': {"-+0 ", true}, 'i': {"-+0 ", true}, 'u': {"-0", true},
	'a': {"-+#0 ", true}, 'A': {"-+#0 ", true}, 'e': {"-+#0 ", true}, 'E': {"-+#0 ", true},
	'f': {"-+#0 ", true}, 'F': {"-+#0 ", true}, 'g': {"-+#0 ", true}, 'G': {"-+#0 ", true},
	'o': {"-#0", true}, 'x': {"-#0", true}, 'X': {"-#0", true}, 'p': {"-", false}, 'q': {"", false}, 's': {"-", true},
}

// spec is what stands between '%' and the letter.
type spec struct {
	flags            string
	width, precision int // -1 for none
}

func (c *Call) parseSpec(text string, verb byte) spec {
	kind, known := conversions[verb]
	bad := func() { c.Throw("invalid conversion '%%%s%c' to 'format'", text, verb) }
	if !known || verb == 'u' || verb == 'F' {
		bad()
	}
	s := spec{width: -1, precision: -1}
	n := 0
	for n < len(text) && strings.IndexByte(kind.flags, text[n]) >= 0 {
		n++
	}
	s.flags, text = text[:n], text[n:]
	width, precision, dot := strings.Cut(text, ".")
	if verb == 'q' && (len(s.flags) > 0 || len(text) > 0) {
		c.Throw("specifier '%%q' cannot have modifiers")
	}
	if len(width) > 2 || len(precision) > 2 || dot && !kind.precision || strings.ContainsAny(width+precision, "-+ #.") {
		bad()
	}
	if width != "" {
		if width[0] == '0' {
			bad()
		}
		s.width, _ = strconv.Atoi(width)
	}
	if dot {
		s.precision, _ = strconv.Atoi(precision)
	}
	return s
}

func (c *Call) conversion(text string, verb byte, arg int) string {
	s := c.parseSpec(text, verb)
	switch verb {
	case 'c':
		return s.pad(string([]byte{byte(c.Integer(arg))}))
	case 'd', 'i':
		return s.integer(c.Integer(arg))
	case 'o', 'x', 'X':
		return s.unsigned(uint64(c.Integer(arg)), verb)
	case 'a', 'A', 'e', 'E', 'f', 'g', 'G':
		return s.float(c.Float(arg), verb)
	case 'p':
		return s.pad(pointer(c.State, c.Any(arg)))
	case 'q':
		return c.quote(arg)
	}
	str := c.State.ToString(c.Any(arg))
	if text != "" && strings.Contains(str, "\x00") {
		c.BadArgument(arg, "string contains zeros")
	}
	if s.precision >= 0 && s.precision < len(str) {
		str = str[:s.precision]
	}
	return s.pad(str)
}

func pointer(s *State, v Value) string {
	switch v.(type) {
	case nil, bool, int64, float64:
		return "(null)"
	case string:
		return "0x00000000000001"
	}
	text := s.ToString(v)
	return text[strings.LastIndex(text, "0x"):]
}

func (s spec) has(flag string) bool { return strings.Contains(s.flags, flag) }

func (s spec) pad(text string) string {
	if n := s.width - len(text); n > 0 {
		if s.has("-") {
			return text + strings.Repeat(" ", n)
		}
		return strings.Repeat(" ", n) + text
	}
	return text
}

// number pads digits with their sign and prefix.
func (s spec) number(sign, digits string, zeros bool) string {
	if n := s.width - len(sign) - len(digits); zeros && n > 0 && s.has("0") && !s.has("-") {
		digits = strings.Repeat("0", n) + digits
	}
	return s.pad(sign + digits)
}

func (s spec) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case s.has("+"):
		return "+"
	case s.has(" "):
		return " "
	}
	return ""
}

func (s spec) atLeast(digits string) string {
	if s.precision == 0 && digits == "0" {
		return ""
	}
	if n := s.precision - len(digits); n > 0 {
		return strings.Repeat("0", n) + digits
	}
	return digits
}

func (s spec) integer(n int64) string {
	digits := strings.TrimPrefix(strconv.FormatInt(n, 10), "-")
	return s.number(s.sign(n < 0), s.atLeast(digits), s.precision < 0)
}

func (s spec) unsigned(n uint64, verb byte) string {
	base, prefix := 16, "0x"
	if verb == 'o' {
		base, prefix = 8, ""
	}
	digits := s.atLeast(strconv.FormatUint(n, base))
	if verb == 'o' && s.has("#") && !strings.HasPrefix(digits, "0") {
		digits = "0" + digits
	}
	if !s.has("#") || n == 0 {
		prefix = ""
	}
	out := s.number(prefix, digits, s.precision < 0)
	if verb == 'X' {
		out = strings.ToUpper(out)
	}
	return out
}

func (s spec) float(f float64, verb byte) string {
	sign := s.sign(math.Signbit(f))
	upper := verb >= 'A' && verb <= 'Z'
	f = math.Abs(f)
	var digits string
	switch {
	case math.IsInf(f, 0):
		digits = "inf"
	case math.IsNaN(f):
		digits = "nan"
	case verb|0x20 == 'a':
		digits = s.hexFloat(f)
		sign += "0x"
	default:
		digits = s.decimal(f, verb|0x20)
	}
	out := s.number(sign, digits, !math.IsInf(f, 0) && !math.IsNaN(f))
	if upper {
		out = strings.ToUpper(out)
	}
	return out
}

func (s spec) decimal(f float64, verb byte) string {
	precision := s.precision
	if precision < 0 {
		precision = 6
	}
	if verb != 'g' {
		digits := strconv.FormatFloat(f, verb, precision, 64)
		if s.has("#") && precision == 0 {
			if m, e, ok := strings.Cut(digits, "e"); ok {
				return m + ".e" + e
			}
			return digits + "."
		}
		return digits
	}
	if !s.has("#") {
		return strconv.FormatFloat(f, 'g', max(precision, 1), 64)
	}
	return strings.TrimSpace(fmt.Sprintf("%#.*g", max(precision, 1), f))
}

// hexFloat writes the digits of %a as the C library of this platform does.
func (s spec) hexFloat(f float64) string {
	digits := strings.TrimPrefix(strconv.FormatFloat(f, 'x', s.precision, 64), "0x")
	mantissa, exponent, _ := strings.Cut(digits, "p")
	sign := exponent[:1]
	exponent = strings.TrimLeft(exponent[1:], "0")
	if exponent == "" {
		exponent = "0"
	}
	if s.has("#") && !strings.Contains(mantissa, ".") {
		mantissa += "."
	}
	return mantissa + "p" + sign + exponent
}

// quote writes a value so that Lua reads it back (%q).
func (c *Call) quote(arg int) string {
	switch v := c.Any(arg).(type) {
	case nil:
		return "nil"
	case bool:
		return strconv.FormatBool(v)
	case int64:
		if v == math.MinInt64 {
			return "0x8000000000000000"
		}
		return strconv.FormatInt(v, 10)
	case float64:
		switch {
		case math.IsInf(v, 1):
			return "1e9999"
		case math.IsInf(v, -1):
			return "-1e9999"
		case math.IsNaN(v):
			return "(0/0)"
		}
		return spec{width: -1, precision: -1}.float(v, 'a')
	case string:
		return quoteString(v)
	}
	c.BadArgument(arg, "value has no literal form")
	return ""
}

func quoteString(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch ch := s[i]; {
		case ch == '"' || ch == '\\' || ch == '\n':
			b.WriteByte('\\')
			b.WriteByte(ch)
		case ch < ' ' || ch == 0x7f:
			if i+1 < len(s) && isDigit(s[i+1]) {
				fmt.Fprintf(&b, "\\%03d", ch)
			} else {
				fmt.Fprintf(&b, "\\%d", ch)
			}
		default:
			b.WriteByte(ch)
		}
	}
	b.WriteByte('"')
	return b.String()
}
