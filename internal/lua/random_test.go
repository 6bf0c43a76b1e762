package lua_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/lua"
	"github.com/slipway-build/slipway/internal/oracle"
)

// writer writes random chunks that both implementations must agree on.
type writer struct {
	r     *rand.Rand
	depth int
}

func (w *writer) pick(options ...string) string { return options[w.r.IntN(len(options))] }

func (w *writer) number() string {
	return w.pick("0", "1", "2", "3", "-1", "7", "10", "255", "1.5", "-2.5", "0.1", "1e3", "1e15", "1e100", "-0.0", "3.0", "0x10",
		"math.maxinteger", "math.mininteger", "2^53", "2^63", "(0/0)", "math.huge", "-math.huge", fmt.Sprint(w.r.IntN(1000)-500),
		fmt.Sprintf("%g", w.r.NormFloat64()*1000), fmt.Sprint(w.r.Int64()))
}

func (w *writer) text() string {
	return w.pick(`""`, `"a"`, `"abc"`, `"hello world"`, `"10"`, `"0x1p4"`, `" 5 "`, `"1e2"`, `"a.b-c"`, `"x=1, y=22"`, `"\0z"`, `"äö"`,
		`("ab"):rep(3)`, `"%d"`, `"[x]"`, `"f(a(b)c)"`)
}

func (w *writer) pattern() string {
	var b strings.Builder
	for range 1 + w.r.IntN(3) {
		b.WriteString(w.pick("a", ".", "%a", "%d", "%s", "%w", "[a-c]", "[^%s]", "%p", "x", "(%a+)", "(.)", "()", "%b()", "%f[%w]", "%.", "l"))
		b.WriteString(w.pick("", "", "+", "*", "-", "?"))
	}
	return `"` + w.pick("", "", "^") + b.String() + w.pick("", "", "$") + `"`
}

func (w *writer) expr() string {
	w.depth++
	defer func() { w.depth-- }()
	if w.depth > 4 {
		return w.pick(w.number(), w.text(), "true", "nil")
	}
	switch w.r.IntN(16) {
	case 0, 1:
		return w.number()
	case 2:
		return w.text()
	case 3, 4, 5, 6:
		return "(" + w.expr() + w.pick("+", "-", "*", "/", "//", "%", "..") + w.expr() + ")"
	case 7:
		return "(" + w.expr() + w.pick("<", "<=", "==", "~=", ">", ">=") + w.expr() + ")"
	case 8:
		return "(" + w.number() + w.pick("&", "|", "~", "<<", ">>") + w.number() + ")"
	case 9:
		return "(" + w.expr() + w.pick(" and ", " or ") + w.expr() + ")"
	case 10:
		return w.pick("-"+w.expr(), "not "+w.expr(), "#"+w.text(), "~"+w.number())
	case 11:
		return "tostring(" + w.expr() + ")"
	case 12:
		return fmt.Sprintf("math.%s(%s)", w.pick("floor", "ceil", "abs", "type", "tointeger", "sqrt"), w.number())
	case 13:
		return fmt.Sprintf("(%s):%s", w.text(), w.pick("upper()", "len()", "reverse()", fmt.Sprintf("sub(%d,%d)", w.r.IntN(9)-4, w.r.IntN(9)-4),
			"byte(1)", fmt.Sprintf("find(%s)", w.pattern()), fmt.Sprintf("match(%s)", w.pattern()),
			fmt.Sprintf("gsub(%s,%s)", w.pattern(), w.pick(`"<%0>"`, `"%1"`, `"-"`, "string.upper"))))
	case 14:
		return fmt.Sprintf("string.format(%q,%s)", "%"+w.pick("", "-", "0", "+", " ", "#", "5", "-8", "05", "10.3", ".2", ".0", "+.1")+w.pick("d", "s", "x", "g", "f", "e", "c", "i", "X", "o", "q"), w.expr())
	default:
		return "tonumber(" + w.pick(w.text(), w.number()) + ")"
	}
}

// TestRandom compares random chunks with the reference implementation.
func TestRandom(t *testing.T) {
	oracle.Need(t, "lua5.4")
	n := 1500
	seed := uint64(time.Now().UnixNano())
	if os.Getenv("SLIPWAY_TEST_DEEP") != "" {
		n = 60000
	}
	w := &writer{r: rand.New(rand.NewPCG(seed, 0))}
	for done := 0; done < n; done += 1500 {
		var chunks []string
		for range 1500 {
			chunks = append(chunks, "return "+w.expr())
		}
		source := program(chunks)
		got, err := ours(t, source, lua.Limits{})
		if err != nil {
			t.Fatal(err)
		}
		g, want := strings.Split(got, "\n"), strings.Split(theirs(t, source), "\n")
		for i := range min(len(g), len(want)) {
			if g[i] != want[i] && !alike(g[i], want[i]) {
				t.Errorf("seed %d, %s\n%s", seed, find(chunks, g[i]), cmp.Diff(want[i], g[i]))
			}
		}
	}
}

// find gives the chunk that a line of the output is of.
func find(chunks []string, line string) string {
	var n int
	if _, err := fmt.Sscan(line, &n); err != nil || n < 1 || n > len(chunks) {
		return "?"
	}
	return chunks[n-1]
}

// alike allows for messages, as which operand is named depends on registers, and for the sign of
// what is no number, which C's library and Go's give differently.
func alike(a, b string) bool {
	_, x, _ := strings.Cut(a, "\t")
	_, y, _ := strings.Cut(b, "\t")
	return strings.HasPrefix(x, `false`) && strings.HasPrefix(y, `false`) || strings.ReplaceAll(x, "-nan", "nan") == strings.ReplaceAll(y, "-nan", "nan")
}

func FuzzProgram(f *testing.F) {
	data, err := os.ReadFile("testdata/language.txt")
	if err != nil {
		f.Fatal(err)
	}
	for _, c := range strings.Split(string(data), "\n----\n") {
		f.Add(c)
	}
	f.Fuzz(func(t *testing.T, source string) {
		first, err := ours(t, source, lua.Limits{Steps: 20000, Memory: 256 << 20, Depth: 300})
		again, err2 := ours(t, source, lua.Limits{Steps: 20000, Memory: 256 << 20, Depth: 300})
		if first != again || fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Errorf("runs differ: %q %v, %q %v", first, err, again, err2)
		}
	})
}
