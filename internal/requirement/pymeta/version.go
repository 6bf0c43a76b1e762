package pymeta

import (
	"fmt"
	"regexp"
	"strings"
)

// maxVersion bounds the length of a version, in bytes.
const maxVersion = 1000

// The parts of a version, as the appendix of PEP 440 writes them.
const (
	epochRelease = `v?(?:([0-9]+)!)?([0-9]+(?:\.[0-9]+)*)`
	preRelease   = `(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?([0-9]+)?)?`
	postRelease  = `(?:(?:-([0-9]+))|(?:[-_.]?(post|rev|r)[-_.]?([0-9]+)?))?`
	devRelease   = `(?:[-_.]?(dev)[-_.]?([0-9]+)?)?`
	localVersion = `(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?`
)

var versionPattern = regexp.MustCompile(`(?i)^` + epochRelease + preRelease + postRelease + devRelease + localVersion + `$`)

// number is a whole number of any size in decimal digits, without leading zeros. The empty number means that there
// is none.
type number string

func newNumber(digits string) number {
	digits = strings.TrimLeft(digits, "0")
	if digits == "" {
		return "0"
	}
	return number(digits)
}

func (a number) compare(b number) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(string(a), string(b))
}

// next is the number plus one.
func (a number) next() number {
	digits := []byte(a)
	for i := len(digits) - 1; i >= 0; i-- {
		if digits[i] < '9' {
			digits[i]++
			return number(digits)
		}
		digits[i] = '0'
	}
	return number("1" + string(digits))
}

// Version is a version by PEP 440. The zero value is not valid; make one with [ParseVersion].
type Version struct {
	epoch   number
	release []number
	pre     string // "a", "b", "rc" or empty
	preN    number
	post    number
	dev     number
	local   []string
}

// ParseVersion reads a version in any of the spellings that PEP 440 allows.
func ParseVersion(s string) (Version, error) {
	trimmed := strings.TrimSpace(s)
	if len(trimmed) > maxVersion {
		return Version{}, fmt.Errorf("version of %d bytes is too long", len(trimmed))
	}
	if release, ok := plainRelease(trimmed); ok {
		return Version{epoch: newNumber(""), release: release}, nil
	}
	m := versionPattern.FindStringSubmatch(trimmed)
	if m == nil {
		return Version{}, fmt.Errorf("%q is not a version (PEP 440)", s)
	}
	v := Version{epoch: newNumber(m[1])}
	for _, part := range strings.Split(m[2], ".") {
		v.release = append(v.release, newNumber(part))
	}
	if m[3] != "" {
		v.pre, v.preN = preLetter(m[3]), newNumber(m[4])
	}
	switch {
	case m[5] != "":
		v.post = newNumber(m[5])
	case m[6] != "":
		v.post = newNumber(m[7])
	}
	if m[8] != "" {
		v.dev = newNumber(m[9])
	}
	if m[10] != "" {
		v.local = strings.FieldsFunc(strings.ToLower(m[10]), func(r rune) bool { return r == '-' || r == '_' || r == '.' })
		for i, part := range v.local {
			if isNumber(part) {
				v.local[i] = string(newNumber(part))
			}
		}
	}
	return v, nil
}

// plainRelease reads what most versions are: numbers and dots.
func plainRelease(s string) ([]number, bool) {
	for i := range len(s) {
		if c := s[i]; c == '.' && (i == 0 || s[i-1] == '.') || c != '.' && (c < '0' || c > '9') {
			return nil, false
		}
	}
	if s == "" || s[len(s)-1] == '.' {
		return nil, false
	}
	release := make([]number, 0, strings.Count(s, ".")+1)
	for part := range strings.SplitSeq(s, ".") {
		release = append(release, newNumber(part))
	}
	return release, true
}

func preLetter(word string) string {
	switch strings.ToLower(word) {
	case "a", "alpha":
		return "a"
	case "b", "beta":
		return "b"
	default:
		return "rc"
	}
}

func isNumber(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// String returns the version in its normal form.
func (v Version) String() string {
	s := v.Public()
	if len(v.local) > 0 {
		s += "+" + strings.Join(v.local, ".")
	}
	return s
}

// Public returns the version in its normal form without its local part.
func (v Version) Public() string {
	var b strings.Builder
	b.WriteString(v.Base())
	if v.pre != "" {
		b.WriteString(v.pre + string(v.preN))
	}
	if v.post != "" {
		b.WriteString(".post" + string(v.post))
	}
	if v.dev != "" {
		b.WriteString(".dev" + string(v.dev))
	}
	return b.String()
}

// Base returns epoch and release alone.
func (v Version) Base() string {
	parts := make([]string, len(v.release))
	for i, n := range v.release {
		parts[i] = string(n)
	}
	base := strings.Join(parts, ".")
	if v.epoch != "0" {
		base = string(v.epoch) + "!" + base
	}
	return base
}

// IsPrerelease says whether the version is a pre-release or a development release.
func (v Version) IsPrerelease() bool { return v.pre != "" || v.dev != "" }

// public returns the version without its local part.
func (v Version) public() Version {
	v.local = nil
	return v
}

// Compare orders versions as PEP 440 does. It returns a negative number, zero or a positive number.
func (v Version) Compare(w Version) int {
	if c := v.epoch.compare(w.epoch); c != 0 {
		return c
	}
	if c := compareReleases(v.release, w.release); c != 0 {
		return c
	}
	if c := v.preRank() - w.preRank(); c != 0 {
		return c
	}
	if c := v.preN.compare(w.preN); v.pre != "" && c != 0 {
		return c
	}
	if c := v.post.compare(w.post); c != 0 { // none sorts before post0: the empty number is the shortest
		return c
	}
	if c := compareDev(v.dev, w.dev); c != 0 {
		return c
	}
	return compareLocal(v.local, w.local)
}

// compareReleases compares as if the shorter one were filled up with zeros.
func compareReleases(a, b []number) int {
	for i := range max(len(a), len(b)) {
		x, y := number("0"), number("0")
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if c := x.compare(y); c != 0 {
			return c
		}
	}
	return 0
}

// preRank orders versions of one release: a development release of the release itself comes first.
func (v Version) preRank() int {
	switch {
	case v.pre == "" && v.post == "" && v.dev != "":
		return 0
	case v.pre == "a":
		return 1
	case v.pre == "b":
		return 2
	case v.pre == "rc":
		return 3
	default:
		return 4
	}
}

// compareDev puts a development release before what it leads to.
func compareDev(a, b number) int {
	switch {
	case a == "" && b == "":
		return 0
	case a == "":
		return 1
	case b == "":
		return -1
	}
	return a.compare(b)
}

// compareLocal compares local versions: none first, then part by part, with words before numbers.
func compareLocal(a, b []string) int {
	for i := range min(len(a), len(b)) {
		x, y := isNumber(a[i]), isNumber(b[i])
		c := 0
		switch {
		case x && y:
			c = number(a[i]).compare(number(b[i]))
		case x:
			c = 1
		case y:
			c = -1
		default:
			c = strings.Compare(a[i], b[i])
		}
		if c != 0 {
			return c
		}
	}
	return len(a) - len(b)
}

// Epoch returns the epoch in decimal digits, "0" when there is none.
func (v Version) Epoch() string { return string(v.epoch) }

// Release returns the parts of the release in decimal digits, without leading zeros.
func (v Version) Release() []string {
	parts := make([]string, len(v.release))
	for i, n := range v.release {
		parts[i] = string(n)
	}
	return parts
}

// Pre returns "a", "b" or "rc" with its number, or empty strings.
func (v Version) Pre() (letter, number string) { return v.pre, string(v.preN) }

// Post returns the number of a post-release, or an empty string.
func (v Version) Post() string { return string(v.post) }

// Dev returns the number of a development release, or an empty string.
func (v Version) Dev() string { return string(v.dev) }

// Increment returns a whole number in decimal digits plus one, however large it is.
func Increment(digits string) string { return string(newNumber(digits).next()) }
