package macro

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

// textCommands are the commands that computeShell knows. Each gets its arguments and its input, and says whether it
// understood all of them.
var textCommands = map[string]func(args []string, input string) (string, bool){
	"echo": echo, "/bin/echo": echo, "printf": printf, "cut": cut, "tr": translate, "sed": sed, "awk": awk,
	"head": head, "tail": tail, "rev": reverse, "basename": basename, "dirname": dirname, "xargs": xargs, "true": silent, ":": silent,
}

// sourceCommands are those that start a pipeline; the others need input.
var sourceCommands = map[string]bool{
	"echo": true, "/bin/echo": true, "printf": true, "basename": true, "dirname": true, "true": true, ":": true,
}

func silent([]string, string) (string, bool) { return "", true }

func echo(args []string, _ string) (string, bool) {
	newline := "\n"
	for len(args) > 0 && (args[0] == "-n" || args[0] == "-e" || args[0] == "-ne") {
		if args[0] != "-e" {
			newline = ""
		}
		args = args[1:]
	}
	text := strings.Join(args, " ")
	return text + newline, !strings.Contains(text, `\`)
}

// xargs without a command writes the words of its input on one line.
func xargs(args []string, input string) (string, bool) {
	return strings.Join(strings.Fields(input), " ") + "\n", len(args) == 0 && !strings.ContainsAny(input, `"'\`)
}

func printf(args []string, _ string) (string, bool) {
	if len(args) == 0 {
		return "", false
	}
	format := strings.ReplaceAll(args[0], `\n`, "\n")
	if strings.Count(format, "%") != strings.Count(format, "%s") || strings.Count(format, "%s") != len(args)-1 || strings.Contains(format, `\`) {
		return "", false
	}
	for _, arg := range args[1:] {
		format = strings.Replace(format, "%s", arg, 1)
	}
	return format, true
}

// perLine applies a function to every line of the input.
func perLine(input string, f func(string) string) string {
	lines := strings.Split(strings.TrimSuffix(input, "\n"), "\n")
	for i, line := range lines {
		lines[i] = f(line)
	}
	return strings.Join(lines, "\n") + "\n"
}

// cut is cut -d X -f LIST and cut -c LIST (-b).
func cut(args []string, input string) (string, bool) {
	delimiter, fields, bytes := "\t", "", ""
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if len(arg) < 2 || arg[0] != '-' {
			return "", false
		}
		value := arg[2:]
		if value == "" {
			if i++; i >= len(args) {
				return "", false
			}
			value = args[i]
		}
		switch arg[1] {
		case 'd':
			delimiter = value
		case 'f':
			fields = value
		case 'c', 'b':
			bytes = value
		default:
			return "", false
		}
	}
	list, ok := parseRanges(fields + bytes)
	if !ok || (fields == "") == (bytes == "") || len(delimiter) != 1 {
		return "", false
	}
	return perLine(input, func(line string) string {
		if bytes != "" {
			return strings.Join(pick(strings.Split(line, ""), list), "")
		}
		if !strings.Contains(line, delimiter) {
			return line
		}
		return strings.Join(pick(strings.Split(line, delimiter), list), delimiter)
	}), true
}

// parseRanges reads "1", "1-3", "-2", "3-" and lists of them.
func parseRanges(s string) (list [][2]int, ok bool) {
	for _, part := range strings.Split(s, ",") {
		from, to, isRange := strings.Cut(part, "-")
		first, last := 1, 1<<20
		if from != "" {
			if first, ok = smallNumber(from); !ok {
				return nil, false
			}
		}
		if !isRange {
			last = first
		} else if to != "" {
			if last, ok = smallNumber(to); !ok {
				return nil, false
			}
		}
		if part == "" || part == "-" {
			return nil, false
		}
		list = append(list, [2]int{first, last})
	}
	return list, true
}

func pick(parts []string, list [][2]int) []string {
	var out []string
	for i, part := range parts {
		if slices.ContainsFunc(list, func(r [2]int) bool { return r[0] <= i+1 && i+1 <= r[1] }) {
			out = append(out, part)
		}
	}
	return out
}

// translate is tr SET1 SET2 and tr -d SET.
func translate(args []string, input string) (string, bool) {
	if len(args) != 2 {
		return "", false
	}
	if args[0] == "-d" {
		set, ok := trSet(args[1])
		return strings.Map(func(r rune) rune {
			if strings.ContainsRune(set, r) {
				return -1
			}
			return r
		}, input), ok
	}
	from, ok1 := trSet(args[0])
	to, ok2 := trSet(args[1])
	if !ok1 || !ok2 || from == "" || to == "" || strings.HasPrefix(args[0], "-") {
		return "", false
	}
	return strings.Map(func(r rune) rune {
		i := strings.LastIndexByte(from, byte(r))
		if r > 0x7f || i < 0 {
			return r
		}
		return rune(to[min(i, len(to)-1)])
	}, input), true
}

// trSet expands the ranges and classes of tr.
func trSet(s string) (string, bool) {
	switch s {
	case "[:upper:]":
		s = "A-Z"
	case "[:lower:]":
		s = "a-z"
	case `\n`:
		return "\n", true
	}
	if strings.ContainsAny(s, `\[`) {
		return "", false
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] > 0x7e {
			return "", false
		}
		if i+2 < len(s) && s[i+1] == '-' {
			for c := s[i]; c <= s[i+2]; c++ {
				b.WriteByte(c)
			}
			i += 2
			continue
		}
		b.WriteByte(s[i])
	}
	return b.String(), true
}

// sed is sed with s commands alone.
func sed(args []string, input string) (string, bool) {
	extended := false
	var scripts []string
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "-E" || arg == "-r":
			extended = true
		case arg == "-e" && i+1 < len(args):
			i++
			scripts = append(scripts, args[i])
		case strings.HasPrefix(arg, "-e") && len(arg) > 2:
			scripts = append(scripts, arg[2:])
		case strings.HasPrefix(arg, "-") || len(scripts) > 0:
			return "", false
		default:
			scripts = append(scripts, arg)
		}
	}
	if len(scripts) == 0 {
		return "", false
	}
	for _, script := range scripts {
		for script = strings.TrimSpace(script); script != ""; script = strings.TrimLeft(script, "; \n") {
			substitute, rest, ok := sedSubstitution(script, extended)
			if !ok {
				return "", false
			}
			input = perLine(input, substitute)
			script = rest
		}
	}
	return input, true
}

// sedSubstitution reads one s/pattern/replacement/flags.
func sedSubstitution(script string, extended bool) (f func(string) string, rest string, ok bool) {
	if len(script) < 4 || script[0] != 's' || isWord(script[1]) || script[1] == '\\' {
		return nil, "", false
	}
	pattern, after, ok1 := cutDelimited(script[2:], script[1])
	replacement, after, ok2 := cutDelimited(after, script[1])
	if !ok1 || !ok2 {
		return nil, "", false
	}
	flags := after[:len(after)-len(strings.TrimLeft(after, "gI"))]
	rest = after[len(flags):]
	if rest != "" && strings.IndexByte("; \n", rest[0]) < 0 {
		return nil, "", false
	}
	expr, ok := goPattern(pattern, extended)
	if !ok {
		return nil, "", false
	}
	if strings.Contains(flags, "I") {
		expr = "(?i)" + expr
	}
	re, err := regexp.Compile(expr)
	if err != nil || len(expr) > 1000 {
		return nil, "", false
	}
	re.Longest()
	template, ok := goReplacement(replacement, re.NumSubexp())
	if !ok {
		return nil, "", false
	}
	return func(line string) string {
		if strings.Contains(flags, "g") {
			return re.ReplaceAllString(line, template)
		}
		loc := re.FindStringSubmatchIndex(line)
		if loc == nil {
			return line
		}
		return line[:loc[0]] + string(re.ExpandString(nil, template, line, loc)) + line[loc[1]:]
	}, rest, true
}

func cutDelimited(s string, delimiter byte) (part, rest string, ok bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == delimiter:
			return b.String(), s[i+1:], true
		case s[i] == '\\' && i+1 < len(s):
			if s[i+1] != delimiter {
				b.WriteByte('\\')
			}
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(s[i])
		}
	}
	return "", "", false
}

// goPattern turns a regular expression of POSIX into one of Go. Basic expressions have their operators escaped.
func goPattern(pattern string, extended bool) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '[':
			end := i + 1
			if end < len(pattern) && pattern[end] == '^' {
				end++
			}
			if end < len(pattern) && pattern[end] == ']' {
				end++
			}
			for end < len(pattern) && pattern[end] != ']' {
				if strings.HasPrefix(pattern[end:], "[:") {
					if stop := strings.Index(pattern[end:], ":]"); stop > 0 {
						end += stop + 1
					}
				}
				end++
			}
			if end >= len(pattern) {
				return "", false
			}
			set := pattern[i : end+1]
			set = strings.ReplaceAll(set, `\`, `\\`)
			if strings.HasPrefix(set, "[]") || strings.HasPrefix(set, "[^]") {
				set = strings.Replace(set, "]", `\]`, 1)
			}
			b.WriteString(set)
			i = end
		case c == '\\' && i+1 < len(pattern):
			i++
			switch d := pattern[i]; {
			case d >= '0' && d <= '9' || d == '<' || d == '>':
				return "", false
			case !extended && strings.IndexByte("(){}+?|", d) >= 0:
				b.WriteByte(d)
			case d == 'n' || d == 't' || d == 'w' || d == 's' || d == 'b':
				b.WriteString(`\` + string(d))
			default:
				b.WriteString(regexp.QuoteMeta(string(d)))
			}
		case !extended && strings.IndexByte("(){}+?|", c) >= 0:
			b.WriteString(`\` + string(c))
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

// goReplacement turns sed's replacement into a template of package regexp.
func goReplacement(s string, groups int) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '&':
			b.WriteString("${0}")
		case c == '$':
			b.WriteString("$$")
		case c == '\\' && i+1 < len(s):
			i++
			switch d := s[i]; {
			case d >= '1' && d <= '9':
				if int(d-'0') > groups {
					return "", false
				}
				b.WriteString("${" + string(d) + "}")
			case isWord(d):
				return "", false
			default:
				b.WriteByte(d)
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), true
}

var awkField = regexp.MustCompile(`^(?:\$([0-9]+|NF)|"([^"\\]*)")[ ,]*`)

// awk is awk -F X '{print $1"."$2}'.
func awk(args []string, input string) (string, bool) {
	separator := ""
	for len(args) > 1 && strings.HasPrefix(args[0], "-F") {
		separator = args[0][2:]
		args = args[1:]
		if separator == "" {
			separator, args = args[0], args[1:]
		}
	}
	separator = strings.TrimPrefix(strings.Trim(separator, "[]"), `\`)
	if len(args) != 1 || len(separator) > 1 {
		return "", false
	}
	body := strings.TrimSpace(args[0])
	if !strings.HasPrefix(body, "{") || !strings.HasSuffix(body, "}") {
		return "", false
	}
	body = strings.TrimSpace(strings.Trim(body, "{}; "))
	body, ok := strings.CutPrefix(body, "print")
	if !ok {
		return "", false
	}
	parts, ok := awkParts(strings.TrimSpace(body))
	if !ok {
		return "", false
	}
	return perLine(input, func(line string) string {
		fields := strings.Fields(line)
		if separator != "" && separator != " " {
			fields = strings.Split(line, separator)
		}
		var b strings.Builder
		for _, part := range parts {
			b.WriteString(part(line, fields))
		}
		return b.String()
	}), true
}

// awkParts reads the expressions of a print statement; a comma stands for a blank.
func awkParts(body string) (parts []func(line string, fields []string) string, ok bool) {
	for body != "" {
		m := awkField.FindStringSubmatch(body)
		if m == nil {
			return nil, false
		}
		body = body[len(m[0]):]
		n, isNumber := smallNumber(m[1])
		parts = append(parts, func(line string, fields []string) string {
			switch {
			case m[1] == "":
				return m[2]
			case m[1] == "NF" && len(fields) > 0:
				return fields[len(fields)-1]
			case isNumber && n == 0:
				return line
			case isNumber && n <= len(fields):
				return fields[n-1]
			}
			return ""
		})
		if strings.Contains(m[0], ",") {
			parts = append(parts, func(string, []string) string { return " " })
		}
	}
	return parts, len(parts) > 0
}

// lineCount reads -n 1, -n1 or -1.
func lineCount(args []string) (int, bool) {
	text := strings.TrimPrefix(strings.Join(args, ""), "-")
	return smallNumber(strings.TrimPrefix(text, "n"))
}

func head(args []string, input string) (string, bool) {
	n, ok := lineCount(args)
	lines := strings.SplitAfter(input, "\n")
	return strings.Join(lines[:min(n, len(lines))], ""), ok
}

func tail(args []string, input string) (string, bool) {
	n, ok := lineCount(args)
	lines := strings.SplitAfter(strings.TrimSuffix(input, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "") + "\n", ok
}

func reverse(args []string, input string) (string, bool) {
	return perLine(input, textBuiltins["reverse"]), len(args) == 0
}

func basename(args []string, _ string) (string, bool) {
	if len(args) == 0 || len(args) > 2 || args[0] == "" || args[0][0] == '-' {
		return "", false
	}
	base := path.Base(args[0])
	if len(args) == 2 && base != args[1] {
		base = strings.TrimSuffix(base, args[1])
	}
	return base + "\n", true
}

func dirname(args []string, _ string) (string, bool) {
	if len(args) != 1 || args[0] == "" || args[0][0] == '-' {
		return "", false
	}
	return path.Dir(args[0]) + "\n", true
}
