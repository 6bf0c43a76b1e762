package rpmrepo

import (
	"strings"
)

// Vars are the variables of .repo files: the name without "$" and its value.
type Vars map[string]string

// NewVars gives the variables that dnf itself sets, for a release ("43") and an architecture
// ("x86_64"): releasever, releasever_major, releasever_minor, arch and basearch.
func NewVars(release, arch string) Vars {
	major, minor, _ := strings.Cut(release, ".")
	return Vars{
		"releasever":       release,
		"releasever_major": major,
		"releasever_minor": minor,
		"arch":             arch,
		"basearch":         baseArch(arch),
	}
}

// baseArch is the name under which repositories keep packages of an architecture.
func baseArch(arch string) string {
	switch arch {
	case "i386", "i486", "i586", "i686", "athlon", "geode", "pentium3", "pentium4":
		return "i386"
	case "amd64", "ia32e", "x86_64_v2", "x86_64_v3", "x86_64_v4":
		return "x86_64"
	case "armv5tejl", "armv5tel", "armv5tl", "armv6l", "armv7l", "armv8l":
		return "arm"
	case "armv6hl", "armv7hl", "armv7hnl", "armv8hl":
		return "armhfp"
	}
	return arch
}

// Expand replaces $name, ${name}, ${name:-else} and ${name:+then}, as dnf does: a variable that is
// not known stays as it is written; "else" stands for one that is unknown or empty, "then" for one
// that is neither.
func (v Vars) Expand(text string) string {
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, "$")
		out.WriteString(before)
		if !found {
			return out.String()
		}
		value, used := v.reference(rest)
		if used == 0 {
			out.WriteByte('$')
		} else {
			out.WriteString(value)
		}
		text = rest[used:]
	}
}

// reference reads what follows a "$" and returns its value and length; 0 if it is no reference to a
// variable that we know.
func (v Vars) reference(text string) (value string, used int) {
	braced := strings.HasPrefix(text, "{")
	start := 0
	if braced {
		start = 1
	}
	end := start
	for end < len(text) && isVarByte(text[end]) {
		end++
	}
	value, known := v[text[start:end]]
	if !braced {
		if !known {
			return "", 0
		}
		return value, end
	}
	closing := strings.IndexByte(text[end:], '}')
	if closing < 0 || end == start {
		return "", 0
	}
	operator, used := text[end:end+closing], end+closing+1
	switch {
	case operator == "" && known:
		return value, used
	case strings.HasPrefix(operator, ":-"):
		if value == "" {
			value = operator[2:]
		}
		return value, used
	case strings.HasPrefix(operator, ":+"):
		if value == "" {
			return "", used
		}
		return operator[2:], used
	}
	return "", 0
}

func isVarByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
