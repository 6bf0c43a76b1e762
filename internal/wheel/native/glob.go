package native

import (
	"regexp"
	"strings"
)

// fnmatch compiles a pattern of Python's fnmatch; "*" matches slashes and dots alike.
func fnmatch(pattern string) (*regexp.Regexp, error) {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; c {
		case '*':
			b.WriteString(".*")
		case '?':
			b.WriteString(".")
		case '[':
			class, end, ok := class(pattern[i+1:])
			if !ok {
				b.WriteString(`\[`)
				continue
			}
			b.WriteString(class)
			i += end
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
	}
	b.WriteString(`\z`)
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, unsupported("the pattern %q is not understood", pattern)
	}
	return re, nil
}

// class translates what follows an opening bracket; end is the offset of the closing one, plus one.
func class(rest string) (re string, end int, ok bool) {
	at := 0
	if strings.HasPrefix(rest, "!") {
		at++
	}
	if strings.HasPrefix(rest[at:], "]") {
		at++
	}
	closing := strings.IndexByte(rest[at:], ']')
	if closing < 0 {
		return "", 0, false
	}
	inner := rest[:at+closing]
	negated := strings.HasPrefix(inner, "!")
	if negated {
		inner = inner[1:]
	}
	inner = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `^`, `\^`, `&`, `\&`, `~`, `\~`).Replace(inner)
	if negated {
		inner = "^" + inner
	}
	return "[" + inner + "]", at + closing + 1, true
}

// globs matches paths segment by segment, as Python's glob does.
type globs struct {
	segments []*regexp.Regexp // nil for "**", which matches any number of folders
	literal  []string
	hidden   bool // wildcards match names that begin with a dot
}

// newGlob compiles a pattern. Where it is not recursive, "**" is "*".
func newGlob(pattern string, recursive, hidden bool) (*globs, error) {
	g := &globs{hidden: hidden}
	for part := range strings.SplitSeq(pattern, "/") {
		g.literal = append(g.literal, part)
		switch {
		case part == "**" && recursive:
			g.segments = append(g.segments, nil)
		case part == "" || part == "." || part == "..":
			return nil, unsupported("the pattern %q is not plain", pattern)
		default:
			re, err := fnmatch(part)
			if err != nil {
				return nil, err
			}
			g.segments = append(g.segments, re)
		}
	}
	return g, nil
}

// match tells whether the path of a file matches.
func (g *globs) match(name string) bool { return g.matchAt(0, strings.Split(name, "/")) }

func (g *globs) matchAt(at int, parts []string) bool {
	if at == len(g.segments) {
		return len(parts) == 0
	}
	if g.segments[at] != nil {
		return len(parts) > 0 && g.part(at, parts[0]) && g.matchAt(at+1, parts[1:])
	}
	if at == len(g.segments)-1 { // all below, the files included
		if len(parts) == 0 {
			return false
		}
		for _, p := range parts {
			if !g.hidden && p[0] == '.' {
				return false
			}
		}
		return true
	}
	for skip := 0; skip <= len(parts); skip++ {
		if g.matchAt(at+1, parts[skip:]) {
			return true
		}
		if skip < len(parts) && !g.hidden && parts[skip][0] == '.' {
			return false
		}
	}
	return false
}

func (g *globs) part(at int, name string) bool {
	if !g.hidden && name[0] == '.' && g.literal[at][0] != '.' {
		return false
	}
	return g.segments[at].MatchString(name)
}

// glob lists the files of the tree that match a pattern, sorted.
func (t *tree) glob(pattern string, recursive bool) ([]string, error) {
	if !strings.ContainsAny(pattern, "*?[") {
		clean, ok := inside(pattern)
		if !ok {
			return nil, unsupported("%q is not inside of the project", pattern)
		}
		if t.has(clean) {
			return []string{clean}, nil
		}
		return nil, nil
	}
	g, err := newGlob(pattern, recursive, false)
	if err != nil {
		return nil, err
	}
	var found []string
	for _, f := range t.files {
		if g.match(f) {
			found = append(found, f)
		}
	}
	return found, nil
}

// globsFolder tells whether a pattern matches a folder too.
func (t *tree) globsFolder(pattern string) bool {
	g, err := newGlob(strings.TrimSuffix(pattern, "/"), true, false)
	if err != nil {
		return false
	}
	for d := range t.dirs {
		if d != "" && g.match(d) {
			return true
		}
	}
	return false
}
