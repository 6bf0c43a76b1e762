package rpm

import (
	"fmt"
	"strconv"
	"strings"
)

// EVR is an epoch, a version and a release: what orders two builds of a
// package. In a dependency the release may be empty, which means any release.
type EVR struct {
	Epoch   int
	Version string
	Release string
}

const maxEpoch = 1<<32 - 1

// ParseEVR reads "[epoch:]version[-release]". It refuses what no package can
// have: an empty version, whitespace, and characters that separate the parts.
func ParseEVR(s string) (EVR, error) {
	evr := splitEVR(s)
	if evr.Version == "" {
		return EVR{}, fmt.Errorf("parsing version %q: it has no version", s)
	}
	if strings.HasSuffix(s, "-") {
		return EVR{}, fmt.Errorf("parsing version %q: the release after the hyphen is empty", s)
	}
	for _, part := range []string{evr.Version, evr.Release} {
		if i := strings.IndexFunc(part, notInVersion); i >= 0 {
			return EVR{}, fmt.Errorf("parsing version %q: %q is not allowed in %q", s, part[i:i+1], part)
		}
	}
	return evr, nil
}

func notInVersion(r rune) bool {
	return r <= ' ' || r == 0x7f || strings.ContainsRune("-:,()<>=/", r)
}

// splitEVR takes any text apart as rpm does: digits before a colon are the
// epoch, what follows the last hyphen is the release. Headers of real packages
// hold odd versions, so this never fails.
func splitEVR(s string) EVR {
	var evr EVR
	digits := 0
	for digits < len(s) && isDigit(s[digits]) {
		digits++
	}
	if digits < len(s) && s[digits] == ':' {
		if n, err := strconv.ParseUint(s[:digits], 10, 32); err == nil {
			evr.Epoch = int(n)
		} else if digits > 0 {
			evr.Epoch = maxEpoch
		}
		s = s[digits+1:]
	}
	if i := strings.LastIndexByte(s, '-'); i >= 0 {
		s, evr.Release = s[:i], s[i+1:]
	}
	evr.Version = s
	return evr
}

// IsZero says whether the EVR is that of a dependency without a version.
func (a EVR) IsZero() bool { return a == EVR{} }

// Compare orders two EVRs: negative when a is older than b, zero when rpm
// takes them for the same, positive when a is newer. It allocates nothing.
func (a EVR) Compare(b EVR) int {
	if a.Epoch != b.Epoch {
		if a.Epoch < b.Epoch {
			return -1
		}
		return 1
	}
	if c := CompareVersion(a.Version, b.Version); c != 0 {
		return c
	}
	return CompareVersion(a.Release, b.Release)
}

// String gives "epoch:version-release", without an epoch of 0 and without an
// empty release.
func (a EVR) String() string {
	s := a.Version
	if a.Release != "" {
		s += "-" + a.Release
	}
	if a.Epoch != 0 {
		s = strconv.Itoa(a.Epoch) + ":" + s
	}
	return s
}

// CompareVersion orders two versions, or two releases, as rpmvercmp does:
//
//   - runs of digits are compared as numbers, runs of letters as text, and a
//     number is newer than letters;
//   - everything else only separates;
//   - "~" sorts before everything, even the end ("1~rc1" is older than "1");
//   - "^" sorts after the end, before anything else ("1^git" is newer than "1",
//     older than "1.1").
//
// It returns -1, 0 or 1, and allocates nothing.
func CompareVersion(a, b string) int {
	if a == b {
		return 0
	}
	for len(a) > 0 || len(b) > 0 {
		a, b = skipSeparators(a), skipSeparators(b)
		if c, more := compareMark(&a, &b, '~', -1); c != 0 {
			return c
		} else if more {
			continue
		}
		if c, more := compareCaret(&a, &b); c != 0 {
			return c
		} else if more {
			continue
		}
		if a == "" || b == "" {
			break
		}
		x, restA := segment(a, isDigit(a[0]))
		y, restB := segment(b, isDigit(a[0]))
		if y == "" { // different kinds: the number is newer
			if isDigit(a[0]) {
				return 1
			}
			return -1
		}
		if c := compareSegment(x, y); c != 0 {
			return c
		}
		a, b = restA, restB
	}
	switch {
	case a != "":
		return 1
	case b != "":
		return -1
	}
	return 0
}

// compareMark handles a mark that sorts on its own side even against the end:
// who alone has it gets sign. more says that both had it and it is consumed.
func compareMark(a, b *string, mark byte, sign int) (c int, more bool) {
	inA, inB := startsWith(*a, mark), startsWith(*b, mark)
	switch {
	case inA && inB:
		*a, *b = (*a)[1:], (*b)[1:]
		return 0, true
	case inA:
		return sign, false
	case inB:
		return -sign, false
	}
	return 0, false
}

// compareCaret is compareMark for "^", whose side depends on what it meets:
// newer than the end, older than anything else.
func compareCaret(a, b *string) (c int, more bool) {
	sign := -1
	if *a == "" || *b == "" {
		sign = 1
	}
	return compareMark(a, b, '^', sign)
}

func compareSegment(x, y string) int {
	if isDigit(x[0]) {
		x, y = strings.TrimLeft(x, "0"), strings.TrimLeft(y, "0")
		if len(x) != len(y) {
			if len(x) < len(y) {
				return -1
			}
			return 1
		}
	}
	return strings.Compare(x, y)
}

// segment cuts the run of digits, or of letters, that s starts with.
func segment(s string, digits bool) (run, rest string) {
	i := 0
	for i < len(s) && (digits && isDigit(s[i]) || !digits && isLetter(s[i])) {
		i++
	}
	return s[:i], s[i:]
}

func skipSeparators(s string) string {
	for s != "" && !isDigit(s[0]) && !isLetter(s[0]) && s[0] != '~' && s[0] != '^' {
		s = s[1:]
	}
	return s
}

func startsWith(s string, c byte) bool { return s != "" && s[0] == c }
func isDigit(c byte) bool              { return '0' <= c && c <= '9' }
func isLetter(c byte) bool             { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
