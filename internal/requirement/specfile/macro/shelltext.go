package macro

import (
	"strings"
)

// computeShell evaluates commands that only transform literal text: variables, and pipelines of echo, printf, cut,
// tr, sed, awk, head, tail, rev, basename and dirname. The second result says whether all of it was understood;
// anything else, even one word, and nothing is computed.
func computeShell(command string) (string, bool) {
	if len(command) > 4096 {
		return "", false
	}
	commands, ok := splitShell(command)
	if !ok {
		return "", false
	}
	s := shellState{variables: map[string]string{}}
	var out strings.Builder
	for _, pipeline := range commands {
		text, ok := s.pipeline(pipeline)
		if !ok {
			return "", false
		}
		out.WriteString(text)
	}
	return out.String(), true
}

// shellCommand is one command of a pipeline: its words, unexpanded.
type shellCommand []string

// splitShell splits a command at ; and newlines into pipelines, those at | into commands, those into words. Quotes
// stay in the words. ok is false when there is syntax that is not understood.
func splitShell(text string) (pipelines [][]shellCommand, ok bool) {
	var pipeline []shellCommand
	var command shellCommand
	endCommand := func() {
		if len(command) > 0 {
			pipeline = append(pipeline, command)
		}
		command = nil
	}
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == ' ' || c == '\t':
			i++
		case c == ';' || c == '\n':
			endCommand()
			if len(pipeline) > 0 {
				pipelines = append(pipelines, pipeline)
			}
			pipeline = nil
			i++
		case c == '|' && !strings.HasPrefix(text[i:], "||"):
			endCommand()
			i++
		case strings.HasPrefix(text[i:], "2>/dev/null"):
			i += len("2>/dev/null")
		case strings.HasPrefix(text[i:], "<<<"):
			// A here-string is what the command reads: as if echo stood before it in the pipeline.
			i += len("<<<")
			for i < len(text) && text[i] == ' ' {
				i++
			}
			end, ok := wordEnd(text, i)
			if !ok || end == i || len(pipeline) > 0 {
				return nil, false
			}
			pipeline = append(pipeline, shellCommand{"echo", text[i:end]})
			i = end
		case strings.IndexByte("|&<>(){}`#", c) >= 0:
			return nil, false
		default:
			end, ok := wordEnd(text, i)
			if !ok {
				return nil, false
			}
			command = append(command, text[i:end])
			i = end
		}
	}
	endCommand()
	if len(pipeline) > 0 {
		pipelines = append(pipelines, pipeline)
	}
	return pipelines, len(pipelines) > 0
}

// wordEnd returns where the word that starts at i ends.
func wordEnd(text string, i int) (int, bool) {
	for i < len(text) {
		switch c := text[i]; {
		case c == '\'':
			end := strings.IndexByte(text[i+1:], '\'')
			if end < 0 {
				return 0, false
			}
			i += end + 2
		case c == '"':
			end := i + 1
			for end < len(text) && text[end] != '"' {
				if text[end] == '\\' {
					end++
				}
				end++
			}
			if end >= len(text) {
				return 0, false
			}
			i = end + 1
		case c == '\\':
			i += 2
		case strings.HasPrefix(text[i:], "${"):
			end := strings.IndexByte(text[i:], '}')
			if end < 0 {
				return 0, false
			}
			i += end + 1
		case strings.IndexByte(" \t\n;|", c) >= 0:
			return i, true
		case strings.IndexByte("&<>(){`", c) >= 0:
			return 0, false
		default:
			i++
		}
	}
	return min(i, len(text)), true
}

// shellState is the variables that a command has set.
type shellState struct{ variables map[string]string }

func (s shellState) pipeline(commands []shellCommand) (string, bool) {
	if name, value, ok := assignment(commands); ok {
		text, ok := s.word(value)
		s.variables[name] = text
		return "", ok
	}
	input := ""
	for i, command := range commands {
		words := make([]string, len(command))
		for j, word := range command {
			var ok bool
			if words[j], ok = s.word(word); !ok {
				return "", false
			}
		}
		run := textCommands[words[0]]
		if run == nil || (i == 0) != sourceCommands[words[0]] {
			return "", false
		}
		var ok bool
		if input, ok = run(words[1:], input); !ok || len(input) > 1<<16 {
			return "", false
		}
	}
	return input, true
}

// assignment recognises a lone NAME=value.
func assignment(commands []shellCommand) (name, value string, ok bool) {
	if len(commands) != 1 || len(commands[0]) != 1 {
		return "", "", false
	}
	name, value, ok = strings.Cut(commands[0][0], "=")
	for i := range len(name) {
		if !isWord(name[i]) {
			return "", "", false
		}
	}
	return name, value, ok && name != ""
}

// word expands variables and takes quotes away. Without quotes no splitting happens, so values with blanks are
// refused there.
func (s shellState) word(word string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(word); {
		switch c := word[i]; c {
		case '\'':
			end := strings.IndexByte(word[i+1:], '\'') + i + 1
			b.WriteString(word[i+1 : end])
			i = end + 1
		case '"':
			end := i + 1
			for word[end] != '"' {
				if word[end] == '\\' {
					end++
				}
				end++
			}
			text, ok := s.quoted(word[i+1 : end])
			if !ok {
				return "", false
			}
			b.WriteString(text)
			i = end + 1
		case '\\':
			if i++; i >= len(word) {
				return "", false
			}
			b.WriteByte(word[i])
			i++
		case '$':
			value, n, ok := s.variable(word[i:])
			if !ok || strings.ContainsAny(value, " \t\n*?[") {
				return "", false
			}
			b.WriteString(value)
			i += n
		case '*', '?', '[', '~':
			return "", false
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), true
}

// quoted expands the inside of double quotes.
func (s shellState) quoted(text string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case '\\':
			if strings.HasPrefix(text[i:], "\\\n") {
				i += 2
				continue
			}
			if i+1 < len(text) && strings.IndexByte("\"\\$`", text[i+1]) >= 0 {
				i++
			}
			b.WriteByte(text[i])
			i++
		case '$':
			value, n, ok := s.variable(text[i:])
			if !ok {
				return "", false
			}
			b.WriteString(value)
			i += n
		case '`':
			return "", false
		default:
			b.WriteByte(c)
			i++
		}
	}
	return b.String(), true
}

// variable expands $name or ${name…} at the start of text and returns how long it is.
func (s shellState) variable(text string) (value string, n int, ok bool) {
	if strings.HasPrefix(text, "${") {
		end := strings.IndexByte(text, '}')
		if end < 0 {
			return "", 0, false
		}
		value, ok = s.parameter(text[2:end])
		return value, end + 1, ok
	}
	n = 1
	for n < len(text) && isWord(text[n]) {
		n++
	}
	value, ok = s.variables[text[1:n]]
	return value, n, ok && n > 1
}

// parameter expands the inside of ${…}: name, name:from:length, name#prefix, name%suffix, name/old/new, with literal
// patterns or a star at their end or start.
func (s shellState) parameter(text string) (string, bool) {
	n := 0
	for n < len(text) && isWord(text[n]) {
		n++
	}
	value, ok := s.variables[text[:n]]
	rest := text[n:]
	switch {
	case !ok || n == 0:
		return "", false
	case rest == "":
		return value, true
	case rest[0] == ':':
		return substring(value, rest[1:])
	case rest[0] == '#' || rest[0] == '%':
		return trimPattern(value, rest)
	case rest[0] == '/':
		old, replacement, _ := strings.Cut(strings.TrimLeft(rest, "/"), "/")
		count := 1
		if strings.HasPrefix(rest, "//") {
			count = -1
		}
		old = strings.TrimPrefix(old, `\`)
		return strings.Replace(value, old, replacement, count), old != "" && !strings.ContainsAny(old, `*?[\`) && !strings.Contains(replacement, "$")
	}
	return "", false
}

// substring is ${name:from} and ${name:from:length}.
func substring(value, bounds string) (string, bool) {
	first, second, two := strings.Cut(bounds, ":")
	from, ok := smallNumber(first)
	if !ok || from > len(value) {
		return "", false
	}
	length := len(value) - from
	if two {
		if length, ok = smallNumber(second); !ok {
			return "", false
		}
	}
	return value[from:min(from+length, len(value))], true
}

func smallNumber(s string) (int, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 6 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n := 0
	for _, c := range s {
		n = n*10 + int(c-'0')
	}
	return n, true
}

// trimPattern is ${name#pattern}, ##, % and %%, where the pattern is literal text, with one star at its open end.
func trimPattern(value, rest string) (string, bool) {
	front := rest[0] == '#'
	longest := len(rest) > 1 && rest[1] == rest[0]
	pattern := strings.TrimLeft(rest, rest[:1])
	literal := strings.Trim(pattern, "*")
	if strings.ContainsAny(literal, `*?[\$`) || literal == "" {
		return "", false
	}
	switch {
	case pattern == literal && front:
		return strings.TrimPrefix(value, literal), true
	case pattern == literal:
		return strings.TrimSuffix(value, literal), true
	case front && pattern == "*"+literal:
		i := strings.Index(value, literal)
		if longest {
			i = strings.LastIndex(value, literal)
		}
		if i < 0 {
			return value, true
		}
		return value[i+len(literal):], true
	case !front && pattern == literal+"*":
		i := strings.LastIndex(value, literal)
		if longest {
			i = strings.Index(value, literal)
		}
		if i < 0 {
			return value, true
		}
		return value[:i], true
	}
	return "", false
}
