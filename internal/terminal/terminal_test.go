package terminal_test

import (
	"testing"

	"github.com/slipway-build/slipway/internal/terminal"
)

func TestObeys(t *testing.T) {
	for _, r := range "\x00\a\b\t\n\r\x1b\x7f\u0080\u009b\u009f\u061c\u200e\u200f\u202a\u202e\u2066\u2069" {
		if !terminal.Obeys(r) {
			t.Errorf("%U is shown", r)
		}
	}
	for _, r := range " ~aé→…漢\u00a0\ufffd\U0001f6a2" {
		if terminal.Obeys(r) {
			t.Errorf("%U is not shown", r)
		}
	}
}
