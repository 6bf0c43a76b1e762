package specfile

import (
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/specfile/macro"
	"github.com/slipway-build/slipway/internal/rpm"
)

// maxDependencies bounds the dependencies of one spec.
const maxDependencies = 200_000

// qualifiers are what may stand in the parentheses of Requires(…).
var qualifiers = []string{
	"interp", "preun", "pre", "postun", "post", "rpmlib", "verify", "pretrans", "posttrans", "preuntrans",
	"postuntrans", "hint", "config", "keyring", "meta", "missingok",
}

// dependencies reads the value of a dependency tag into the package or the spec.
func (p *parser) dependencies(tag, qualifier, value string) {
	for _, q := range words(qualifier) {
		if !slices.Contains(qualifiers, q) {
			p.fatal("Requires(%s): no such qualifier", excerpt(q))
			return
		}
	}
	list := p.list(tag)
	if list == nil {
		return
	}
	found, err := splitDependencies(value)
	switch {
	case strings.Contains(value, macro.Unknown):
		p.report("%s: %s: a part is not known without running something; left out", tagNames[tag], excerpt(value))
		found = slices.DeleteFunc(found, func(d string) bool { return strings.Contains(d, macro.Unknown) })
	case err != nil:
		p.fatal("%s: %v", tagNames[tag], err)
	}
	if len(*list)+len(found) > maxDependencies {
		p.fatal("more than %d dependencies", maxDependencies)
		return
	}
	written := tagNames[tag]
	if qualifier != "" {
		written += "(" + qualifier + ")"
	}
	for _, text := range found {
		d := Dependency{Text: text, Written: p.written(), Tag: written, File: p.file(), Line: p.line, Condition: p.condition()}
		if strings.Contains(text, "%") {
			p.report("%s: %s: a macro is not defined for this target", written, text)
		}
		*list = append(*list, d)
	}
}

// tagNames are dependency tags as they are usually written.
var tagNames = map[string]string{
	"requires": "Requires", "prereq": "Requires", "recommends": "Recommends", "suggests": "Suggests",
	"supplements": "Supplements", "enhances": "Enhances", "provides": "Provides", "conflicts": "Conflicts",
	"obsoletes": "Obsoletes", "buildrequires": "BuildRequires", "buildprereq": "BuildRequires",
	"buildconflicts": "BuildConflicts", "orderwithrequires": "OrderWithRequires",
}

// list is where a tag's dependencies go. Those of OrderWithRequires go nowhere: nothing is needed for them.
func (p *parser) list(tag string) *[]Dependency {
	switch tag {
	case "requires", "prereq":
		return &p.pkg.Requires
	case "recommends":
		return &p.pkg.Recommends
	case "suggests":
		return &p.pkg.Suggests
	case "supplements":
		return &p.pkg.Supplements
	case "enhances":
		return &p.pkg.Enhances
	case "provides":
		return &p.pkg.Provides
	case "conflicts":
		return &p.pkg.Conflicts
	case "obsoletes":
		return &p.pkg.Obsoletes
	case "buildrequires", "buildprereq":
		return &p.spec.BuildRequires
	case "buildconflicts":
		return &p.spec.BuildConflicts
	default:
		return nil
	}
}

// written is the current logical line as the file has it: the value of a tag, or the whole line.
func (p *parser) written() string {
	line := strings.TrimSpace(p.reader.raw)
	if name, _, value, ok := cutTag(line); ok && tagNames[name] != "" {
		return value
	}
	return line
}

// condition is the innermost condition that the current line stands under.
func (p *parser) condition() string {
	if n := len(p.reader.conds); n > 0 {
		return p.reader.conds[n-1].written
	}
	return ""
}

// splitDependencies reads a list of dependencies, separated by blanks or commas. With an error, the dependencies
// before the fault are returned too.
func splitDependencies(value string) ([]string, error) {
	var found []string
	for {
		value = strings.TrimLeft(value, " \t\n\r\f\v,")
		if value == "" {
			return found, nil
		}
		var d string
		var err error
		if value[0] == '(' {
			d, value, err = cutRich(value)
		} else {
			d, value, err = cutPlain(value)
		}
		if err != nil {
			return found, err
		}
		found = append(found, d)
	}
}

// cutRich takes a rich dependency from the front of a list.
func cutRich(value string) (d, rest string, err error) {
	level := 0
	for i := range len(value) {
		switch value[i] {
		case '(':
			level++
		case ')':
			level--
		}
		if level > 0 {
			continue
		}
		rich, err := rpm.ParseRich(value[:i+1])
		if err != nil {
			return "", "", err
		}
		_ = rich
		return normalizeRich(value[:i+1]), value[i+1:], nil
	}
	return "", "", fmt.Errorf("unterminated rich dependency: %s", excerpt(value))
}

// normalizeRich writes a rich dependency as rpm prints it, with single blanks.
func normalizeRich(s string) string {
	s = strings.Join(words(s), " ")
	s = strings.ReplaceAll(s, "( ", "(")
	return strings.ReplaceAll(s, " )", ")")
}

// cutPlain takes "name" or "name op version" from the front of a list.
func cutPlain(value string) (d, rest string, err error) {
	name, rest := cutWord(value)
	if c := name[0]; !isLetter(c) && (c < '0' || c > '9') && c != '/' && !strings.HasPrefix(name, macro.Unknown) {
		return "", "", fmt.Errorf("a dependency must begin with a letter, a digit, '_' or '/': %s", excerpt(value))
	}
	op, afterOp := cutWord(strings.TrimLeft(rest, " \t"))
	operator, ok := comparisons[op]
	if !ok {
		return name, rest, nil
	}
	if name[0] == '/' {
		return "", "", fmt.Errorf("a file name takes no version: %s", excerpt(value))
	}
	evr, rest := cutWord(strings.TrimLeft(afterOp, " \t"))
	if evr == "" {
		return "", "", fmt.Errorf("version required: %s %s", name, op)
	}
	if err := checkEVR(evr); err != nil {
		return "", "", err
	}
	return name + " " + operator + " " + evr, rest, nil
}

// comparisons are the operators as they may be written, and as rpm prints them.
var comparisons = map[string]string{
	"<": "<", "<=": "<=", "=<": "<=", "=": "=", "==": "=", ">=": ">=", "=>": ">=", ">": ">",
}

func cutWord(s string) (word, rest string) {
	end := strings.IndexAny(s, " \t\n\r,")
	if end < 0 {
		return s, ""
	}
	return s[:end], s[end:]
}

// checkEVR refuses versions that rpm refuses.
func checkEVR(evr string) error {
	if strings.Contains(evr, "%") || strings.Contains(evr, macro.Unknown) {
		return nil // said elsewhere
	}
	epoch, rest, found := strings.Cut(evr, ":")
	if !found {
		rest = evr
	} else if strings.Trim(epoch, "0123456789") != "" {
		return fmt.Errorf("invalid version (the epoch must be a number): %s", excerpt(evr))
	}
	if strings.Contains(rest, ":") || strings.Count(rest, "-") > 1 {
		return fmt.Errorf("invalid version (double separator): %s", excerpt(evr))
	}
	for _, c := range rest {
		if !strings.ContainsRune("._+-~^", c) && !('0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z') {
			return fmt.Errorf("invalid version (character %q): %s", c, excerpt(evr))
		}
	}
	return nil
}
