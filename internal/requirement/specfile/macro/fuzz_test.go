package macro

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func FuzzExpand(f *testing.F) {
	for _, text := range evalCases {
		f.Add(text)
	}
	f.Add("%(echo %{?x} | sed 's/\\(a\\)/b\\1/g' | cut -d. -f1-2)%(c=abc; echo ${c:0:2})")
	f.Add("%{gsub:a b c}%{gsub %{x} %%.(.) %%1}%{rep x 9}%{sub abcdef 2 -2}%{lua:print(rpm.expand('x'))}")
	f.Fuzz(func(t *testing.T, text string) {
		e := New(Limits{Work: 4 << 20, Output: 1 << 20})
		e.Set("name", "foo")
		out, err := e.Expand(text)
		if err == nil && len(out) > 2<<20 {
			t.Errorf("%d bytes came of %d", len(out), len(text))
		}
		var known *Error
		var limit *LimitError
		var unknown *UnknownError
		if err != nil && !errors.As(err, &known) && !errors.As(err, &limit) && !errors.As(err, &unknown) {
			t.Errorf("an error of the type %T", err)
		}
	})
}

func TestHostileTextIsRefusedSoon(t *testing.T) {
	laughs := "%global a0 ha\n"
	for i := range 40 {
		laughs += strings.ReplaceAll(strings.ReplaceAll("%define aN %{aM}%{aM}%{aM}%{aM}\n", "N", string(rune('b'+i%24))+strings.Repeat("x", i/24)), "M", map[bool]string{true: "0", false: string(rune('b'+(i-1)%24)) + strings.Repeat("x", (i-1)/24)}[i == 0])
	}
	for name, text := range map[string]string{
		"recursion":            "%define a %{a}\n%{a}",
		"mutual recursion":     "%define a() %{b %*}\n%define b() %{a x %*}\n%{a}",
		"billion laughs":       laughs + "%{ap}",
		"deep braces":          strings.Repeat("%{?x:", 100_000) + strings.Repeat("}", 100_000),
		"open braces":          strings.Repeat("%{a", 1_000_000),
		"unknown in unknown":   strings.Repeat("%{nosuch:", 20_000) + strings.Repeat("}", 20_000),
		"deep expression":      "%[" + strings.Repeat("(", 100_000) + "1" + strings.Repeat(")", 100_000) + "]",
		"many nots":            "%[" + strings.Repeat("!", 100_000) + "1]",
		"doubling":             "%global x xx\n" + strings.Repeat("%global x %{x}%{x}\n", 64) + "%x",
		"many macros":          strings.Repeat("%{lua:x}", 200_000),
		"wide expansion":       "%define big " + strings.Repeat("x", 1<<20) + "\n" + strings.Repeat("%big", 1000),
		"pattern":              "%{gsub " + strings.Repeat("a", 5000) + " " + strings.Repeat("a*", 40) + "b x}",
		"nested definitions":   strings.Repeat("%{expand:%%define x ", 60) + strings.Repeat("}", 60),
		"parametric arguments": "%define p() %{p %* %* %*}\n%{p a}",
	} {
		t.Run(name, func(t *testing.T) {
			e := New(Limits{})
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = e.Expand(text) // an error or not: it must only end
			}()
			select {
			case <-done:
			case <-time.After(20 * time.Second):
				t.Fatal("still expanding after 20 seconds")
			}
		})
	}
}
