package lua_test

import (
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/lua"
)

// TestLimits: whatever a program does, it ends, and cannot catch that it was ended.
func TestLimits(t *testing.T) {
	limits := lua.Limits{Steps: 300_000, Memory: 256 << 20, Depth: 500}
	for name, source := range map[string]string{
		"loop":        "while true do end",
		"goto":        "::a:: goto a",
		"caught loop": "while true do pcall(function() while true do end end) end",
		"tail calls":  "local function f() return f() end f()",
		"pattern":     "local s = ('a'):rep(5000) while true do s:find(('a*'):rep(20) .. 'b') end",
		"metamethod":  "local t = setmetatable({}, {}) getmetatable(t).__index = function(_, k) return t[k + 1] end while true do pcall(function() return t[1] end) end",
		"coroutines":  "local all = {} while true do local co = coroutine.create(function() coroutine.yield() end) coroutine.resume(co) all[#all + 1] = co end",
		"strings":     "local s = 'x' while true do s = s .. s end",
		"caught":      "local s = 'x' while true do pcall(function() s = s .. s .. s end) end",
		"closing":     "local x <close> = setmetatable({}, {__close = function() while true do end end}) error('x')",
		"sort":        "local t = {} for i = 1, 1000 do t[i] = i end while true do table.sort(t, function() return true end) end",
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ours(t, source, limits)
			e, ok := lua.AsError(err)
			if !ok || !e.Limit() && name != "strings" {
				t.Errorf("ended with %v", err)
			}
		})
	}
}

func TestMemory(t *testing.T) {
	_, err := ours(t, "local t = {} for i = 1, 1e9 do t[i] = {i, i} end", lua.Limits{Memory: 64 << 20})
	if err == nil || !strings.Contains(err.Error(), "not enough memory") {
		t.Errorf("ended with %v", err)
	}
}

func TestDeepSource(t *testing.T) {
	for _, source := range []string{
		"return " + strings.Repeat("(", 10000), "return " + strings.Repeat("- ", 10000) + "1", "local x = " + strings.Repeat("{", 10000),
		strings.Repeat("do ", 10000), "return " + strings.Repeat("1 .. ", 10000) + "1", strings.Repeat("a.b, ", 10000) + "c = 1",
	} {
		s := lua.New(lua.Limits{})
		if _, err := s.Load(source, "=x"); err == nil || !strings.Contains(err.Error(), "too many") {
			t.Errorf("%.20s…: %v", source, err)
		}
	}
	// Operators that associate to the left nest without limit, as in Lua.
	if out, err := ours(t, "print(1"+strings.Repeat("+1", 100000)+")", lua.Limits{}); err != nil || out != "100001\n" {
		t.Errorf("%q, %v", out, err)
	}
}

// TestReproducible: what Lua leaves to chance is the same each time.
func TestReproducible(t *testing.T) {
	const source = `
local t = {}
for _, k in ipairs{"zeta", "alpha", 10, 2.5, true, "mid"} do t[k] = k end
t.alpha = nil t.alpha = "again"
for k, v in pairs(t) do print(k, v) end
print(math.random(1000), tostring({}), tostring(print), string.format("%p", t))`
	first, err := ours(t, source, lua.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := ours(t, source, lua.Limits{}); again != first {
		t.Errorf("%s\n%s", first, again)
	}
	if !strings.HasPrefix(first, "zeta\tzeta\nalpha\tagain\n10\t10\n2.5\t2.5\ntrue\ttrue\nmid\tmid\n") {
		t.Errorf("the order is not that of the insertions:\n%s", first)
	}
}
