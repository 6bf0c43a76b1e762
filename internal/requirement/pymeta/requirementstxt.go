package pymeta

import "strings"

// requirementsFile reads a file of requirements as setuptools' "file:" does: a requirement a line, comments from a
// number sign. What pip alone understands (options, included files) is reported.
func (r *reader) requirementsFile(list *[]Declared, name, section, extra string, from Field) error {
	clean, ok := inTree(name)
	if !ok {
		r.report(from.File, from.Line, "%s: %s is not a file inside the project", section, name)
		return nil
	}
	text, ok, err := r.open(clean)
	if err != nil {
		return err
	}
	if !ok {
		r.report(from.File, from.Line, "%s: there is no file %s", section, clean)
		return nil
	}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		first := i + 1
		line := stripComment(lines[i])
		for strings.HasSuffix(line, `\`) && i+1 < len(lines) {
			i++
			line = strings.TrimSuffix(line, `\`) + stripComment(lines[i])
		}
		line = strings.TrimSpace(line)
		switch {
		case line == "":
		case strings.HasPrefix(line, "-"):
			r.report(clean, first, "%s: the pip option %q is not followed", section, line)
		default:
			line, _, _ = strings.Cut(line, " --hash")
			r.declare(list, Declared{Text: line, File: clean, Line: first, Section: section, Extra: extra})
		}
	}
	return nil
}

// stripComment drops a comment: a number sign at the start of a line or after a blank.
func stripComment(line string) string {
	if strings.HasPrefix(strings.TrimSpace(line), "#") {
		return ""
	}
	for _, mark := range []string{" #", "\t#"} {
		if i := strings.Index(line, mark); i >= 0 {
			line = line[:i]
		}
	}
	return strings.TrimRight(line, " \t")
}
