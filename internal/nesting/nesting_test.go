package nesting_test

import (
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/nesting"
)

func TestCheck(t *testing.T) {
	for text, ok := range map[string]bool{
		"":                 true,
		"a: [b, {c: d}]\n": true,
		"a: '" + strings.Repeat("]", 5000) + "[ok]'": true,
		strings.Repeat("[", nesting.Max):             true,
		strings.Repeat("[", nesting.Max+1):           false,
		strings.Repeat("{a: [\n", nesting.Max):       false,
		strings.Repeat("[]\n", 100_000):              true,
	} {
		if err := nesting.Check([]byte(text)); (err == nil) != ok {
			t.Errorf("%.20q…: %v", text, err)
		}
	}
	if err := nesting.Check([]byte("\n" + strings.Repeat("[", 2000))); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Errorf("error: %v", err)
	}
}
