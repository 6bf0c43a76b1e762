package debian

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// Version is a Debian version: [epoch:]upstream[-revision], as
// deb-version(7) has it. An absent revision is "", which equals "0".
type Version struct {
	Epoch              int
	Upstream, Revision string
}

// ParseVersion reads a version as packages carry it and as relations name it;
// the latter may end in a hyphen ("<< 1.2-"), which counts as no revision.
func ParseVersion(s string) (Version, error) {
	var v Version
	rest := s
	if epoch, after, ok := strings.Cut(s, ":"); ok {
		n, err := strconv.ParseUint(epoch, 10, 31)
		if err != nil {
			return Version{}, fmt.Errorf("parsing version %q: the epoch %q is no number", s, epoch)
		}
		v.Epoch, rest = int(n), after
	}
	v.Upstream = rest
	if i := strings.LastIndexByte(rest, '-'); i >= 0 {
		v.Upstream, v.Revision = rest[:i], rest[i+1:]
	}
	if v.Upstream == "" {
		return Version{}, fmt.Errorf("parsing version %q: there is nothing before the revision", s)
	}
	if i := strings.IndexFunc(v.Upstream+v.Revision, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune(".+-~:", r))
	}); i >= 0 {
		return Version{}, fmt.Errorf("parsing version %q: %q is not allowed", s, (v.Upstream + v.Revision)[i:i+1])
	}
	return v, nil
}

// Compare orders versions as dpkg does: negative, zero, positive.
func (v Version) Compare(w Version) int {
	return cmp.Or(cmp.Compare(v.Epoch, w.Epoch), comparePart(v.Upstream, w.Upstream), comparePart(v.Revision, w.Revision))
}

// comparePart is the algorithm of deb-version(7): by turns a run of non-digits
// by weight and a run of digits by value, until they differ.
func comparePart(a, b string) int {
	for a != "" || b != "" {
		for a != "" && !digit(a[0]) || b != "" && !digit(b[0]) {
			if c := cmp.Compare(weight(a), weight(b)); c != 0 {
				return c
			}
			a, b = a[1:], b[1:]
		}
		var m, n string
		m, a = number(a)
		n, b = number(b)
		m, n = strings.TrimLeft(m, "0"), strings.TrimLeft(n, "0")
		if c := cmp.Or(cmp.Compare(len(m), len(n)), cmp.Compare(m, n)); c != 0 {
			return c
		}
	}
	return 0
}

// weight of the first character: a tilde sorts before the end of a run, the end
// before letters, letters before all others.
func weight(s string) int {
	switch {
	case s == "" || digit(s[0]):
		return 0
	case s[0] == '~':
		return -1
	case letter(s[0]):
		return int(s[0])
	}
	return int(s[0]) + 256
}

func digit(c byte) bool  { return c >= '0' && c <= '9' }
func letter(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

// number cuts the digits off the front.
func number(s string) (digits, rest string) {
	n := 0
	for n < len(s) && digit(s[n]) {
		n++
	}
	return s[:n], s[n:]
}
