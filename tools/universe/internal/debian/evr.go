package debian

import (
	"fmt"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// # From Debian's order to rpm's
//
// Both systems compare versions piece by piece, but they disagree on what a
// piece is. Debian takes by turns a run of non-digits (which may be empty) and
// a number; within a run
//
//	~  <  end of the run  <  letters  <  +  <  -  <  .  <  :
//
// rpm takes words and numbers; what lies between them counts for nothing, and
//
//	~  <  end of the string  <  ^  <  word  <  number
//
// So 1.2+1 < 1.2.0 in Debian, while rpm reads the same text as 1.2.1 > 1.2.0.
// EVR writes a version anew so that rpm's order of the results is Debian's
// order of the versions. After a number, the first character of a run decides
// what is written:
//
//	~        ~
//	letters  ^ and the letters             9deb12u1 -> 9deb12^u1
//	+        + and a word                  1.2+b1, 1.2+1 -> 1.2+A1
//	-        _zy, a word above any after + 12-2021 -> 12_zy2021
//	.~       _zz, a word above any after - 1.~rc1 -> 1_zz~rc1
//	.        . and the number              1.2.3
//	.x       . and a number above all, and a word
//	:        . and two of these numbers, and a word
//
// which stand in Debian's order from top to bottom and in rpm's order as well.
// Once within a word, letters stay, + - . : are written zp zq zr zs, z becomes za and A
// becomes AA: no code is the beginning of another, and they sort as the
// characters do. A lone A is the empty word. After a tilde, the end of the
// run must sort before letters although rpm holds a number to be above a word:
// the number gets a ^ (1.2~1 -> 1.2~^1). A number 0 that nothing follows equals
// no number at all, and is left out; if a tilde follows it, the number above all
// is put after that tilde, where nothing else is ever a number. A part that
// starts with anything but a number or a tilde gets the number above all first.
//
// Versions without such things, which are nearly all, stay as they are but for
// the ^ of an update to a stable release (9+deb12u1 -> 9+deb12^u1).
//
// The proof is the test: an order is transitive, so it is enough that neighbours
// in Debian's order compare the same in rpm's. It is done for every string up
// to a length over all kinds of characters, for every version that
// the machine's apt lists name, and for generated ones.

// above is the number above all others. EVR refuses versions that hold one as
// large; the longest in Debian's archive have 14 digits.
const above = "999999999999999999"

// EVR gives the epoch, version and release that stand for v among RPMs. The
// release is never empty: Debian's relations mean an absent revision as 0, not
// as any, so bounds carry one too.
func (v Version) EVR() (rpm.EVR, error) {
	version, err := encode(v.Upstream)
	if err != nil {
		return rpm.EVR{}, err
	}
	release, err := encode(v.Revision)
	if err != nil {
		return rpm.EVR{}, err
	}
	return rpm.EVR{Epoch: v.Epoch, Version: version, Release: release}, nil
}

// place is where in a part the encoder stands: what rpm compares next there.
type place int

const (
	atStart     place = iota // nothing written yet
	afterNumber              // a new run may begin
	inWord                   // more of the run lengthens the word
	afterTilde               // within a run
)

// encode writes one part of a version for rpm.
func encode(part string) (string, error) {
	for _, digits := range strings.FieldsFunc(part, func(r rune) bool { return r < '0' || r > '9' }) {
		if len(strings.TrimLeft(digits, "0")) >= len(above) {
			return "", fmt.Errorf("mapping version %q: the number %s is too large", part, digits)
		}
	}
	var b strings.Builder
	at := atStart
	for s := part; ; {
		switch {
		case s == "":
			if at == atStart {
				return "0", nil
			}
			return b.String(), nil
		case digit(s[0]):
			var digits string
			digits, s = number(s)
			if at == inWord || at == afterTilde {
				if zero := strings.Trim(digits, "0") == ""; zero && s == "" {
					continue
				} else if zero && s[0] == '~' {
					b.WriteString("~" + above)
					s, at = s[1:], afterTilde
					continue
				}
			}
			if at == afterTilde {
				b.WriteByte('^')
			}
			b.WriteString(digits)
			at = afterNumber
		case s[0] == '~':
			b.WriteByte('~')
			s, at = s[1:], afterTilde
		case at == inWord || at == afterTilde:
			b.WriteString(code(s[0]))
			s, at = s[1:], inWord
		case at == atStart:
			b.WriteString(above + ".")
			b.WriteString(code(s[0]))
			s, at = s[1:], inWord
		default:
			s, at = startRun(&b, s)
		}
	}
}

// startRun writes the first character of a run that follows a number, and what
// of the run goes with it. The character is not a tilde.
func startRun(b *strings.Builder, s string) (rest string, at place) {
	first, s := s[0], s[1:]
	end := s == "" || digit(s[0])
	switch first {
	case '+':
		b.WriteByte('+')
		return startWord(b, s)
	case '-':
		b.WriteString("_zy")
		return s, inWord
	case '.':
		switch {
		case end:
			digits, rest := number(s)
			if digits == "" {
				digits = "0"
			}
			b.WriteString("." + digits)
			return rest, afterNumber
		case s[0] == '~':
			b.WriteString("_zz")
			return s, inWord
		}
		b.WriteString("." + above + ".")
		return startWord(b, s)
	case ':':
		b.WriteString("." + above + "." + above + ".")
		return startWord(b, s)
	}
	b.WriteString("^" + code(first))
	return s, inWord
}

// startWord writes the first character of s as a word, or the empty word.
func startWord(b *strings.Builder, s string) (rest string, at place) {
	if s == "" || digit(s[0]) || s[0] == '~' {
		b.WriteByte('A')
		return s, inWord
	}
	b.WriteString(code(s[0]))
	return s[1:], inWord
}

// code is a character within a word.
func code(c byte) string {
	switch c {
	case 'A':
		return "AA"
	case 'z':
		return "za"
	case '+':
		return "zp"
	case '-':
		return "zq"
	case '.':
		return "zr"
	case ':':
		return "zs"
	}
	return string(c)
}
