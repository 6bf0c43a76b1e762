package pymeta

import (
	"path"
	"regexp"
	"strings"
)

// call evaluates a function or method call that only reads and transforms text.
func (m *module) call(e *pyExpr, locals map[string]pyValue) pyValue {
	callee := e.args[0]
	var args []pyValue
	for i, arg := range e.args[1:] {
		if e.names[i] == "" {
			args = append(args, m.evaluate(arg, locals))
		} else if e.names[i] == "*" || e.names[i] == "**" {
			return pyValue{}
		}
	}
	function := m.evaluate(callee, locals)
	switch function.kind {
	case pyModule:
		if function.text == "builtins.dict" {
			return m.dictCall(e, locals)
		}
		return m.library(function.text, args)
	case pyFunc:
		return m.inline(m.funcs[function.text], args)
	}
	if callee.op == opAttribute {
		return m.method(m.evaluate(callee.args[0], locals), callee.text, args)
	}
	return pyValue{}
}

// dictCall evaluates dict(a=1, b=2).
func (m *module) dictCall(e *pyExpr, locals map[string]pyValue) pyValue {
	v := pyValue{kind: pyDict, line: e.line, file: m.file}
	for i, name := range e.names {
		if name == "" {
			return pyValue{}
		}
		v = v.set(name, m.evaluate(e.args[i+1], locals))
	}
	return v
}

// inline evaluates a function whose body is one return.
func (m *module) inline(f pyFunction, args []pyValue) pyValue {
	if f.body == nil || len(args) != len(f.params) {
		return pyValue{}
	}
	if m.steps += 100; m.steps > maxPySteps {
		return pyValue{}
	}
	locals := map[string]pyValue{}
	for i, param := range f.params {
		locals[param] = args[i]
	}
	return m.evaluateDeeper(f.body, locals)
}

// evaluateDeeper bounds recursion between functions.
func (m *module) evaluateDeeper(e *pyExpr, locals map[string]pyValue) pyValue {
	if m.depth++; m.depth > maxPyDepth {
		m.depth--
		return pyValue{}
	}
	defer func() { m.depth-- }()
	return m.evaluate(e, locals)
}

// library evaluates functions of the standard library by their dotted names.
func (m *module) library(name string, args []pyValue) pyValue {
	switch name {
	case "builtins.open", "io.open", "codecs.open":
		if file, ok := filePath(args); ok {
			return pyValue{kind: pyFile, text: file}
		}
	case "builtins.str":
		if len(args) == 1 && (args[0].kind == pyString || args[0].kind == pyPath) {
			return args[0]
		}
	case "builtins.list", "builtins.tuple", "builtins.sorted", "builtins.set":
		switch {
		case len(args) == 0:
			return pyValue{kind: pyList}
		case args[0].kind == pyList:
			return args[0]
		case args[0].kind == pyFile:
			return m.readLines(args[0])
		}
	case "os.path.join", "posixpath.join":
		return joinPath(args)
	case "os.path.dirname":
		if len(args) == 1 && args[0].kind == pyPath {
			return pyValue{kind: pyPath, text: path.Dir(args[0].text)}
		}
	case "os.path.abspath", "os.path.realpath", "pathlib.Path", "os.fspath", "os.path.normpath":
		switch {
		case len(args) != 1:
		case args[0].kind == pyPath:
			return args[0]
		case args[0].kind == pyString:
			return pyValue{kind: pyPath, text: path.Clean(args[0].text)}
		}
	case "os.getcwd":
		return pyValue{kind: pyPath, text: "."}
	case "re.search", "re.match":
		return search(name == "re.match", args)
	case "textwrap.dedent":
		if len(args) == 1 {
			return args[0]
		}
	}
	return pyValue{}
}

// filePath is the path of open(path, …) when it reads.
func filePath(args []pyValue) (string, bool) {
	if len(args) == 0 || args[0].kind != pyString && args[0].kind != pyPath {
		return "", false
	}
	if len(args) > 1 && args[1].kind == pyString && strings.ContainsAny(args[1].text, "wax+") {
		return "", false
	}
	return args[0].text, true
}

func joinPath(args []pyValue) pyValue {
	parts := make([]string, len(args))
	for i, arg := range args {
		if arg.kind != pyString && arg.kind != pyPath {
			return pyValue{}
		}
		parts[i] = arg.text
	}
	return pyValue{kind: pyPath, text: path.Join(parts...)}
}

// search evaluates re.search(pattern, text) to the list of its groups; the caller can only ask for a group.
func search(anchored bool, args []pyValue) pyValue {
	if len(args) < 2 || args[0].kind != pyString || args[1].kind != pyString || len(args[0].text) > 1000 {
		return pyValue{}
	}
	pattern := args[0].text
	if len(args) > 2 {
		pattern = "(?m)" + pattern // the only flag that such a search is written with
	}
	if anchored {
		pattern = `\A(?:` + pattern + ")"
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		return pyValue{}
	}
	loc := re.FindStringSubmatchIndex(args[1].text)
	if loc == nil {
		return pyValue{}
	}
	line := args[1].line + strings.Count(args[1].text[:loc[0]], "\n")
	v := pyValue{kind: pyList, file: args[1].file, line: line}
	for i := 0; i+1 < len(loc); i += 2 {
		group := pyValue{kind: pyNone}
		if loc[i] >= 0 {
			group = pyValue{kind: pyString, text: args[1].text[loc[i]:loc[i+1]], file: v.file, line: line}
		}
		v.list = append(v.list, group)
	}
	return v
}

// read returns the text of an open file or of a path.
func (m *module) read(v pyValue) pyValue {
	if m.open == nil {
		return pyValue{}
	}
	name := strings.TrimPrefix(path.Clean(v.text), "./")
	text, ok := m.open(name)
	if !ok {
		return pyValue{}
	}
	return pyValue{kind: pyString, text: text, file: name, line: 1}
}

func (m *module) readLines(v pyValue) pyValue {
	text := m.read(v)
	if text.kind != pyString {
		return pyValue{}
	}
	return splitLines(text, "\n")
}

// splitLines splits text into strings that remember their lines.
func splitLines(text pyValue, separator string) pyValue {
	out := pyValue{kind: pyList, file: text.file, line: text.line}
	line := text.line
	for _, part := range strings.Split(text.text, separator) {
		out.list = append(out.list, pyValue{kind: pyString, text: part, file: text.file, line: line})
		if separator == "\n" {
			line++
		}
	}
	if n := len(out.list); separator == "\n" && n > 0 && out.list[n-1].text == "" {
		out.list = out.list[:n-1]
	}
	return out
}

// method evaluates a method of a file, a path, a string, or a match.
func (m *module) method(object pyValue, name string, args []pyValue) pyValue {
	switch object.kind {
	case pyFile:
		switch name {
		case "read":
			return m.read(object)
		case "readlines":
			return m.readLines(object)
		}
	case pyPath:
		switch name {
		case "read_text":
			return m.read(object)
		case "open":
			return pyValue{kind: pyFile, text: object.text}
		case "joinpath":
			return joinPath(append([]pyValue{object}, args...))
		case "resolve", "absolute":
			return object
		}
	case pyString:
		return stringMethod(object, name, args)
	case pyList:
		if name == "group" && len(args) == 1 && args[0].kind == pyNumber {
			return groupOf(object, args[0].text)
		}
		if name == "copy" && len(args) == 0 {
			return object
		}
	case pyDict:
		if name == "get" && len(args) > 0 && args[0].kind == pyString {
			if v, ok := object.get(args[0].text); ok {
				return v
			}
			if len(args) > 1 {
				return args[1]
			}
			return pyValue{kind: pyNone}
		}
	}
	return pyValue{}
}

func groupOf(match pyValue, digits string) pyValue {
	if len(digits) == 1 && int(digits[0]-'0') < len(match.list) {
		return match.list[digits[0]-'0']
	}
	return pyValue{}
}

func stringMethod(s pyValue, name string, args []pyValue) pyValue {
	one := ""
	if len(args) > 0 {
		if args[0].kind != pyString {
			return pyValue{}
		}
		one = args[0].text
	}
	same := func(text string) pyValue {
		return pyValue{kind: pyString, text: text, file: s.file, line: s.line}
	}
	switch name {
	case "strip", "rstrip", "lstrip":
		cutset := " \t\r\n\f\v"
		if one != "" {
			cutset = one
		}
		text := s.text
		if name != "rstrip" {
			text = strings.TrimLeft(text, cutset)
		}
		if name != "lstrip" {
			text = strings.TrimRight(text, cutset)
		}
		return same(text)
	case "lower":
		return same(strings.ToLower(s.text))
	case "startswith":
		return pyTruth(strings.HasPrefix(s.text, one))
	case "endswith":
		return pyTruth(strings.HasSuffix(s.text, one))
	case "splitlines":
		return splitLines(s, "\n")
	case "split":
		if len(args) == 0 {
			out := pyValue{kind: pyList, file: s.file, line: s.line}
			for _, word := range strings.Fields(s.text) {
				out.list = append(out.list, same(word))
			}
			return out
		}
		if one != "" && len(args) == 1 {
			return splitLines(s, one)
		}
		if one != "" && args[1].text == "1" {
			out := pyValue{kind: pyList, file: s.file, line: s.line}
			for _, part := range strings.SplitN(s.text, one, 2) {
				out.list = append(out.list, same(part))
			}
			return out
		}
	case "replace":
		if len(args) == 2 && args[1].kind == pyString && len(s.text) < 1<<16 {
			return same(strings.ReplaceAll(s.text, one, args[1].text))
		}
	case "format":
		return formatMethod(s, args)
	}
	return pyValue{}
}

// formatMethod computes "text {}".format(value) for plain fields alone.
func formatMethod(s pyValue, args []pyValue) pyValue {
	parts := strings.Split(s.text, "{}")
	if len(parts) != len(args)+1 || strings.ContainsAny(strings.Join(parts, ""), "{}") {
		return pyValue{}
	}
	text := parts[0]
	for i, arg := range args {
		if arg.kind != pyString {
			return pyValue{}
		}
		text += arg.text + parts[i+1]
	}
	return pyValue{kind: pyString, text: text, file: s.file, line: s.line}
}
