package macro

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/oracle"
)

// evalCases are texts whose expansion must be what `rpm --eval` prints. Those that rpm refuses must be refused.
var evalCases = []string{
	// plain text and percent signs
	"%", "%%", "%%%%foo", "%%{foo}", "% foo", "%{}", "%.x", "%{a.b}", "%a.b", "%{ a}", "%{?}", "%?", "%!", "%{!?}",
	"%?}", "%@x", "%{@x}", "100%", "%\nx",
	// definitions
	"%global foo a%%b\n%foo", "%define ab 1", "%define 1ab 1\n%1ab", "%define foo a\\b\\\\c\n%foo",
	"%define foo() a\\\nb\n%foo", "%define foo\t{ a\nb } x\n[%foo]", "%define foo a %{expand:\nx} y\n[%foo]",
	"%define foo bar", "%define foo(bar", "%define foo(a:b)x\n%foo", "%define foo \\\n  x \\\n  y\n[%foo]",
	"%define foo(a) \\\n  x \\\n  y\n[%foo]", "%global foo a\\\\nb\n%foo", "%define foo a\\%{nil}\n%foo",
	"%define foo {a\\}b}\n[%foo]", "%define foo {a\\\nb}\n[%foo]", "%define foo bar\t \n[%foo]",
	// Lua that only transforms strings
	"%global v 1.2-3~b\n%{lua:t=string.gsub(rpm.expand(\"%{v} x\"), \"[%p%s]+\", \"_\"); print(t)}",
	"%global v 1.2^3\n%{lua:\n  local plain = (string.gsub(macros.v, '^(.*)[%^~].*$', '%1'))\n  print(plain)\n}",
	"%global v 7\n%{lua: return tonumber(macros['v']) + 1}", "%{lua:print(string.sub('abcdef', 2, -2)..'x'..1)}",
	"%{lua:print('a', 'b')}", "%{lua: v, _ = string.gsub('1.2.3', '(%d+)%.%d+%.%d+', '%1'); print(v)}",
	"%{lua:print((('a.b'):gsub('%.', '-')))}", "%{lua:print(('aB'):upper():lower())}[%{lua:x = 1 -- c\nprint(x - 3)}]",
	"%{lua:print(rpm.vercmp('1.2', '1.10'))}%{lua:print(rpm.vercmp('2', '1~'))}", "%{lua:print(string.rep('ab', 3, '-')) print(1)}",
	"%{lua:print(\"a\\tb\\\"\")}", "%{lua:print(string.reverse('abc'), string.len('abcd'))}",
	"%define foo %{foo}x\n%foo", "%{define foo bar}%foo", "%{define:foo bar}%foo", "%{global foo bar}%foo",
	"%global aaa 1\n%global bbb %{aaa}\n%global aaa 2\n%bbb%{aaa}%undefine aaa\n%aaa",
	"%{undefine foo}%{?foo}", "%define xyz*a 1", "%define foo bar \\\nbaz\n%foo",
	"%global foo %{expand:%%{bar}}\n%define bar 3\n%foo", "%define bar 3\n%global foo %%{bar}\n%define bar 4\n%foo",
	"%define foo 1\n%define foo 2\n%undefine foo\n%foo%undefine foo\n%foo", "%{?x:%define foo 1}%{!?x:%define foo 2}%foo",
	"%{?!foo:%global foo 3}%foo", "%dnl %define foo 1\n%{?foo}x", "%{dnl foo}x", "%{dnl:abc}x", "a %dnl b\nc",
	// existence
	"%global foo x\n%{?foo}%{?foo:y}%{!?foo:z}%{?bar}%{?bar:y}%{!?bar:z}", "%{?!foo:x}", "%{!!?foo:x}",
	"%{!foo}", "%!foo", "%!?xxx", "%global foo 1\n%?foo%{!foo}%{??foo:x}", "%{?foo a}", "%{?define:x}%{!?define:y}",
	"%{?foo:%{bar}}%{!?foo:%{basename:x/y}}", "%{nosuch:a}%{nosuch a}", "%{nosuch:%{basename:/a/b}}",
	"%{?foo:a\\}b}", "%{!?foo:a\\}b}", "%global foo 1\n%{foo", "%{?foo", "%{!?a:%{!?b:%{!?c:d}}}",
	// parametric macros
	"%define bar(ab:) [%*|%**|%#|%1|%{-a}|%{-b}|%{-b*}|%0]\n%bar -a -b x 1 2\n%{bar -b \"x y\" q}",
	"%define abc(-) %1,%2\n%abc -f b", "%define foo() [%1][%2][%#]\n%{foo:a b}%{foo:}%{foo}%{foo }%{foo a}",
	"%define foo() [%1]\nx%foo", "%define foo(x) [%1][%{-x:yes}%{!-x:no}]\n%foo a -x\n%foo -- -x\n%foo -x q",
	"%define foo(x) [%1]\n%foo -q", "%define foo(f:) %{-f:has}%{!-f:not}%{-f*}\n%foo -fx\n%foo\n%foo -f y",
	"%define foo(f:) %{-f}\n%foo -f", "%define foo(ab) %{-a}%{-b}%*\n%foo -ab c",
	"%define foo() %{?2}%{?1:one}%{?3:three}\n%foo a b", "%define foo() %**\n%foo  a   b",
	"%define foo() [%*]\n%foo  a   b", "%define foo() x%{?1:[%1]}%{!?1:none}\n%foo %foo a\n%foo a",
	"%define foo() {%1}\na %{foo b\nc} d", "%define foo() %define bazz %1\\\n<%bazz>\n%foo 3",
	"%define foo() %global bazz 1\n%foo\n%bazz", "%define foo() %define bazz 1\n%foo\n%bazz",
	"%define in(f) [%{-f}%2]\n%define out(f) %in a\n%out -f x y", "%define in() [%1][%2]\n%define out() %in %*\n%out %{quote:a b} c",
	"%define in() [%1][%2]\n%define out() %{in %1 %2}\n%out b c", "%-foo bar", "%--", "%{-}", "%{-f}", "%{-f*}", "%-f x",
	"%*", "%1", "%#", "%**", "%{*}", "%{#}", "%{1}", "%*x", "%define q1234() [%1][%2]\n%q1234 %{quote:a b} c",
	"%define q1234() [%1][%2]\n%{q1234 %{quote:} c}", "%define xfoo(n:) -%{-n*}-\n%xfoo -n %{quote:a b}",
	"%define foo() %{expand:%%define bar%1 %2}\n%foo 1 2\n%{?bar1}", "%define foo(-) [%{-f}][%1]\n%foo -f x",
	"%define foo() a\n%global bar %foo b\nx%{bar}y", "%define foo(+a) %{-a}[%*]\n%foo x -a\n%foo -a x",
	// built-ins
	"%{basename:/a/b}", "%basename /a/b", "%{basename}", "%{basename: a/b }|", "%dirname a/b c", "%{dirname a/b}",
	"%{basename a b/c}", "%{dirname:a}", "%{dirname:/}", "%{basename:/}", "%{basename:a/}", "%{suffix:a.b.c}",
	"%{suffix:abc}", "%{url2path:http://x/y}", "%{url2path:/x}", "%{url2path:http://x}", "%{u2p:http://x/y}",
	"%{shrink: a   b }", "%{shrink:a\n b}", "%{shrink a  b}", "%{shescape:a b}",
	"%{shescape:it's}", "%{expand:%%%%foo}", "%{expand:%%}", "%{basename:%%/%%}", "%{expand: a }|",
	"%{expand}", "%expand foo", "%{S:1}", "%S1", "%{P:2}", "%{S:}", "%global SOURCE1 foo\n%{S:1}%{SOURCE1}",
	"%global foo b\n%{macrobody:foo}", "%{macrobody:nosuch}", "%{macrobody:expand}", "%{exists:/nonexist}",
	"%{error:boo}", "%error foo", "%{warn:boo}", "%{expr:1+1}", "%expr 1 + 2", "%{expr:1\n+2}",
	"%{expr: \"a\" == \"a\"}", "%{verbose:x}", "%{dirname:%{basename:a}/b}", "%{?expand:a}",
	// expressions
	"%[1+2]", `%["a"=="b"?1:2]`, `%[v"1.0" < v"1.0~rc1"]`, `%["a"]`, "%[1]", "%[1 && 0]", "%[2 && 3]", "%[2||3]",
	`%["" || "b"]`, `%[0 || "b"]`, "%[!1]", `%[!"a"]`, "%[-3]", `%["a"+"b"]`, `%["a" < "b"]`, "%[1/0]", "%[abc]",
	`%[1 == "1"]`, "%[(1]", "%[]", "%[1 2]", `%[1 ? "a" : 2]`, "%[99999999999]", "%[2147483647+1]", `%[v"1:2-3"]`,
	`%[v"1" + v"2"]`, "%[0x10]", "%[1=1]", `%["a]`, `%[!v"1"]`, "%[1 < 2 < 3]", "%[1?2:3?4:5]",
	"%[0%{?foo}]", "%[%{?foo}1]", `%["a" && 3]`, `%[v"1" && 3]`, "%[1 - 2 - 3]", "%[7*3/2]", `%[v"1" ? 1 : 0]`,
	`%["\"x"]`, "%[1&&]", "%{expr:%%{_prefix}}", "%[010]", "%[ 1 | 2]", "%[v1]", "%[a == a]", "%[1 <= 2]", "%[1 =< 2]",
	"%[3 > 2 && 2 > 1]", "%[!!1]", "%[- 3]", "%[1 - -1]", "%[--1]", "%[ 1 ? ]", `%[v"1.0" >= v"1"]`, `%[v"1-1" == v"1"]`,
	`%[v"1:1-1" == v"1"]`, `%[v"1" == "1"]`, "%[1 && nosuch]", "%[0 && (1/0)]", "%[1 || (1/0)]", "%[1 ? 2 : (1/0)]",
	`%[1 || "a"]`, `%["%{expand:%%define zzz 1}" == ""]%{?zzz}`, `%["a"  "b"]`, "%[%%]", "%[%{nosuch}]", `%["%%"]`,
	`%["a%b"]`, "%[1?1:]", "%[!0 == 1]", "%[-1 + 2]", "%[2 * -1]", "%[1 && 1 == 0]", "%[1 || 0 && 0]", "%[(1 || 0) && 0]",
	`%["b" > "a" && 1]`, `%[""]x`, `%["" ? 1 : 2]`, `%[v"" == v""]`, `%[v"1~rc1" < v"1"]`, `%[v"1^x" > v"1"]`,
	`%["abc" * 2]`, `%["a" - "b"]`, "%[1)]", "%[0 ? 1 : 0 ? 2 : 3]", "%[-5 / 2]", "%[1+-2]", "%[!-1]", `%[v"1" v"2"]`,
	`%[v "1"]`, "%[1 ? (1 ? 3 : 4) : 5]", `%["\\"]`, "%[ \"a\nb\" ]", "%[1\n+2]", "%[8/2*2]", "%[10 - 3 * 2]",
	"%[1 < 2 == 1]", "%[1", "%global foo 3\n%[%{foo}*%foo]", "%global foo 1+1\n%[%foo]", `%global foo "a"` + "\n%[%foo]",
	"%global foo x\n%[\"%{foo}\" == \"x\" && 0%{?bar} == 0]", "%[%{?bar:1}%{!?bar:0} + 1]", "%[(((1))) + ((2))]",
}

// evalWithRPM is what rpm prints for text, or ok == false when it refuses.
func evalWithRPM(t *testing.T, text string) (out string, ok bool) {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "rpm", "--macros", "/dev/null", "--eval", text)
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin"}
	stdout, err := cmd.Output()
	return strings.TrimSuffix(string(stdout), "\n"), err == nil
}

func TestExpansionIsWhatRPMPrints(t *testing.T) {
	oracle.Need(t, "rpm")
	for _, text := range evalCases {
		want, ok := evalWithRPM(t, text)
		got, err := New(Limits{}).Expand(text)
		switch {
		case ok && err != nil:
			t.Errorf("%q: %v, rpm prints %q", text, err, want)
		case !ok && err == nil:
			t.Errorf("%q: got %q, rpm refuses", text, got)
		case ok && got != want:
			t.Errorf("%q: got %q, rpm prints %q", text, got, want)
		}
	}
}
