package macro

import (
	"errors"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// luaCode computes Lua code that only transforms strings, without running anything: assignments, print and return, of
// literals, macros (rpm.expand, macros.x), the functions of string, concatenation, sums and
// differences. There are no loops, conditions or functions in what is understood, so it ends; one word that is not, and
// nothing is computed (Lua 5.4 Reference Manual, sections 3 and 6.4).
type luaCode struct {
	engine    *Engine
	text      string
	variables map[string]string
	depth     int
	out       strings.Builder
}

var errLua = errors.New("not understood")

const (
	maxLuaCode  = 4096 // bytes of code
	maxLuaValue = 1 << 16
	maxLuaDepth = 32
)

// computeLua returns what the code would print. ok is false when that is not known.
func (e *Engine) computeLua(code string) (out string, ok bool) {
	if len(code) > maxLuaCode || strings.Contains(code, Unknown) {
		return "", false
	}
	l := &luaCode{engine: e, text: code, variables: map[string]string{}}
	for {
		for l.take(";") {
		}
		if l.peek() == 0 {
			return l.out.String(), true
		}
		last, err := l.statement()
		if err != nil {
			return "", false
		}
		if last {
			for l.take(";") {
			}
			return l.out.String(), l.peek() == 0
		}
	}
}

// peek passes blanks and comments, and returns the next byte; 0 at the end.
func (l *luaCode) peek() byte {
	for {
		l.text = strings.TrimLeft(l.text, " \t\r\n")
		if !strings.HasPrefix(l.text, "--") || strings.HasPrefix(l.text, "--[") {
			break
		}
		_, l.text, _ = strings.Cut(l.text, "\n")
	}
	if l.text == "" {
		return 0
	}
	return l.text[0]
}

// take takes a mark from the front, if it is there.
func (l *luaCode) take(mark string) bool {
	l.peek()
	rest, ok := strings.CutPrefix(l.text, mark)
	if ok {
		l.text = rest
	}
	return ok
}

// name takes an identifier; "" when there is none.
func (l *luaCode) name() string {
	l.peek()
	n := 0
	for n < len(l.text) && (isLuaLetter(l.text[n]) || n > 0 && isDigit(l.text[n])) {
		n++
	}
	name := l.text[:n]
	l.text = l.text[n:]
	return name
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLuaLetter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// statement computes one statement. last says that nothing may follow: it was a return.
func (l *luaCode) statement() (last bool, err error) {
	name := l.name()
	switch name {
	case "print":
		values, err := l.arguments()
		if err != nil {
			return false, err
		}
		return false, l.print(values)
	case "return":
		values, err := l.list()
		if err != nil {
			return false, err
		}
		return true, l.print(values)
	case "local":
		name = l.name()
	}
	names := []string{name}
	for l.take(",") {
		names = append(names, l.name())
	}
	if l.take("==") || !l.take("=") {
		return false, errLua
	}
	values, err := l.list()
	if err != nil || len(values) < len(names) {
		return false, errLua
	}
	for i, name := range names {
		if name == "" || luaWords[name] {
			return false, errLua
		}
		l.variables[name] = values[i]
	}
	return false, nil
}

// luaWords are names that no variable may have, or that mean something else.
var luaWords = map[string]bool{
	"and": true, "break": true, "do": true, "else": true, "elseif": true, "end": true, "false": true, "for": true, "function": true,
	"goto": true, "if": true, "in": true, "local": true, "nil": true, "not": true, "or": true, "repeat": true, "return": true,
	"then": true, "true": true, "until": true, "while": true, "rpm": true, "macros": true, "string": true, "print": true,
}

// print writes values as rpm's print does, with tabs between them.
func (l *luaCode) print(values []string) error {
	text := strings.Join(values, "\t")
	if strings.Contains(text, Unknown) || l.out.Len()+len(text) > maxLuaValue {
		return errLua
	}
	l.out.WriteString(text)
	return nil
}

// arguments reads "(a, b)".
func (l *luaCode) arguments() ([]string, error) {
	if !l.take("(") {
		return nil, errLua
	}
	if l.take(")") {
		return nil, nil
	}
	values, err := l.list()
	if err != nil || !l.take(")") {
		return nil, errLua
	}
	return values, nil
}

// list reads expressions separated by commas. The last may have several values.
func (l *luaCode) list() ([]string, error) {
	var values []string
	for {
		some, err := l.expression()
		if err != nil {
			return nil, err
		}
		if !l.take(",") {
			return append(values, some...), nil
		}
		values = append(values, some[0])
	}
}

// expression reads operands joined by .., + and -, which all bind to the left here: a mixture is not understood.
func (l *luaCode) expression() ([]string, error) {
	if l.depth++; l.depth > maxLuaDepth {
		return nil, errLua
	}
	defer func() { l.depth-- }()
	values, err := l.operand()
	if err != nil {
		return nil, err
	}
	first := ""
	for {
		op := ""
		for _, o := range []string{"..", "+", "-"} {
			if op == "" && l.take(o) {
				op = o
			}
		}
		if op == "" {
			if c := l.peek(); c != 0 && strings.IndexByte("*/%^&|~<>=", c) >= 0 || l.word() {
				return nil, errLua
			}
			return values, nil
		}
		if first != "" && (first == "..") != (op == "..") {
			return nil, errLua
		}
		first = op
		right, err := l.operand()
		if err != nil {
			return nil, err
		}
		joined, err := luaJoin(values[0], op, right[0])
		if err != nil {
			return nil, err
		}
		values = []string{joined}
	}
}

// word says whether an operator that is a word follows.
func (l *luaCode) word() bool {
	rest := *l
	word := rest.name()
	return word == "and" || word == "or" || word == "not"
}

func luaJoin(a, op, b string) (string, error) {
	if op == ".." {
		if len(a)+len(b) > maxLuaValue {
			return "", errLua
		}
		return a + b, nil
	}
	x, errX := strconv.ParseInt(a, 10, 32)
	y, errY := strconv.ParseInt(b, 10, 32)
	if errX != nil || errY != nil {
		return "", errLua
	}
	if op == "-" {
		y = -y
	}
	return strconv.FormatInt(x+y, 10), nil
}

// operand reads a value with the methods that are called on it.
func (l *luaCode) operand() ([]string, error) {
	values, err := l.primary()
	for err == nil && l.peek() == ':' {
		l.take(":")
		function := l.name()
		var args []string
		if args, err = l.arguments(); err == nil {
			values, err = luaCall(function, append([]string{values[0]}, args...))
		}
	}
	return values, err
}

func (l *luaCode) primary() ([]string, error) {
	switch c := l.peek(); {
	case c == '(':
		l.take("(")
		values, err := l.expression()
		if err != nil || !l.take(")") {
			return nil, errLua
		}
		return values[:1], nil
	case c == '"' || c == '\'':
		s, err := l.quoted(c)
		return []string{s}, err
	case c == '-' && len(l.text) > 1 && isDigit(l.text[1]):
		l.take("-")
		values, err := l.primary()
		if err != nil || values[0] == "0" {
			return nil, errLua
		}
		return []string{"-" + values[0]}, nil
	case isDigit(c):
		n := 0
		for n < len(l.text) && isDigit(l.text[n]) {
			n++
		}
		number := l.text[:n]
		l.text = l.text[n:]
		if n > 9 || number[0] == '0' && n > 1 || l.text != "" && (l.text[0] == '.' && !strings.HasPrefix(l.text, "..") || isLuaLetter(l.text[0])) {
			return nil, errLua
		}
		return []string{number}, nil
	}
	return l.named(l.name())
}

// named is the value of a variable, of a macro, or of a call.
func (l *luaCode) named(name string) ([]string, error) {
	switch name {
	case "macros":
		return l.macro()
	case "rpm", "string":
		if !l.take(".") {
			return nil, errLua
		}
		function := l.name()
		args, err := l.arguments()
		if err != nil {
			return nil, err
		}
		if name == "string" {
			return luaCall(function, args)
		}
		return l.rpm(function, args)
	case "tonumber", "tostring":
		args, err := l.arguments()
		if err != nil || len(args) != 1 {
			return nil, errLua
		}
		if name == "tonumber" {
			n, err := strconv.ParseInt(strings.TrimSpace(args[0]), 10, 32)
			return []string{strconv.FormatInt(n, 10)}, err
		}
		return args, nil
	}
	value, ok := l.variables[name]
	if !ok || l.peek() == '(' || l.peek() == '[' || l.peek() == '.' && !strings.HasPrefix(l.text, "..") {
		return nil, errLua
	}
	return []string{value}, nil
}

// macro is macros.name or macros["name"] of a macro that has a value and takes no arguments.
func (l *luaCode) macro() ([]string, error) {
	name := ""
	switch {
	case l.take("["):
		values, err := l.expression()
		if err != nil || !l.take("]") {
			return nil, errLua
		}
		name = values[0]
	case l.take("."):
		name = l.name()
	}
	if name == "" || strings.ContainsFunc(name, func(c rune) bool { return c > 0x7f || !isWord(byte(c)) }) || !l.engine.Defined(name) || l.peek() == '(' {
		return nil, errLua
	}
	value, ok := l.engine.known("%{" + name + "}")
	if !ok {
		return nil, errLua
	}
	return []string{value}, nil
}

func (l *luaCode) rpm(function string, args []string) ([]string, error) {
	switch {
	case function == "expand" && len(args) == 1:
		if value, ok := l.engine.known(args[0]); ok && len(value) <= maxLuaValue {
			return []string{value}, nil
		}
	case function == "vercmp" && len(args) == 2:
		return []string{strconv.Itoa(rpm.CompareVersion(args[0], args[1]))}, nil
	}
	return nil, errLua
}

// quoted reads a string literal.
func (l *luaCode) quoted(quote byte) (string, error) {
	var b strings.Builder
	for i := 1; i < len(l.text); i++ {
		switch c := l.text[i]; {
		case c == quote:
			l.text = l.text[i+1:]
			return b.String(), nil
		case c == '\n':
			return "", errLua
		case c == '\\':
			i++
			at := -1
			if i < len(l.text) {
				at = strings.IndexByte(`nt\"'`, l.text[i])
			}
			if at < 0 {
				return "", errLua
			}
			b.WriteByte("\n\t\\\"'"[at])
		default:
			b.WriteByte(c)
		}
	}
	return "", errLua
}

// luaCall computes a function of the library string.
func luaCall(function string, args []string) ([]string, error) {
	one := func(s string) ([]string, error) { return []string{s}, nil }
	switch n := len(args); {
	case function == "lower" && n == 1:
		return one(strings.ToLower(args[0]))
	case function == "upper" && n == 1:
		return one(strings.ToUpper(args[0]))
	case function == "reverse" && n == 1:
		b := []byte(args[0])
		for i, j := 0, len(b)-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
		return one(string(b))
	case function == "len" && n == 1:
		return one(strconv.Itoa(len(args[0])))
	case function == "sub" || function == "rep":
		s, err := luaStrings[function](args)
		return []string{s}, err
	case function == "gsub" && (n == 3 || n == 4):
		s, err := luaStrings[function](args)
		if err != nil || len(s) > maxLuaValue {
			return nil, errLua
		}
		// How often it replaced is known only by those who look: print would.
		return []string{s, Unknown}, nil
	}
	return nil, errLua
}
