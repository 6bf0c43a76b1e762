package macro

import (
	"io/fs"
	"net/url"
	"path"
	"strconv"
	"strings"
)

// builtin expands a built-in macro used at text[i] and returns where scanning goes on.
type builtin func(b *buffer, text string, i int, c call) (int, error)

// builtinTable returns rpm's built-in macros.
func builtinTable() map[string]builtin {
	table := map[string]builtin{
		"define":   definition(false),
		"global":   definition(true),
		"undefine": undefinition,
		"dnl":      discard,
		"expand":   expandTwice,
		"load":     load,
		"S":        numbered("SOURCE"),
		"P":        numbered("PATCH"),
		"lua":      lua,
		"uncompress": func(b *buffer, text string, i int, c call) (int, error) {
			return withArgument(func(b *buffer, arg string) (string, error) { return "cat " + arg, nil })(b, text, i, c)
		},
		"macrobody": withArgument(func(b *buffer, arg string) (string, error) {
			if m := b.engine.lookup(arg); m != nil {
				return m.body, nil
			}
			if b.engine.builtins[arg] != nil {
				return "<builtin>", nil
			}
			return "", errorf("no such macro: %q", arg)
		}),
		"error": withArgument(func(b *buffer, arg string) (string, error) { return "", &Error{Message: arg} }),
		"expr":  withArgument(expression),
		"exists": withArgument(func(b *buffer, arg string) (string, error) {
			if b.engine.stat(arg) {
				return "1", nil
			}
			return "0", nil
		}),
		"verbose":    discard,
		"rpmversion": constant("4.18.0"),
		"getconfdir": constant("/usr/lib/rpm"),
		"getncpus":   unknown("the number of processors"),
		"getenv":     unknown("an environment variable"),
		"dump":       constant(""),
		"trace":      constant(""),
	}
	for name, f := range textBuiltins {
		table[name] = withArgument(func(_ *buffer, arg string) (string, error) { return f(arg), nil })
	}
	for name, f := range luaStrings {
		table[name] = withArguments(f)
	}
	return table
}

// textBuiltins turn their one argument into text.
var textBuiltins = map[string]func(string) string{
	"basename": func(s string) string { return s[strings.LastIndexByte(s, '/')+1:] },
	"dirname": func(s string) string {
		if i := strings.LastIndexByte(s, '/'); i >= 0 {
			return s[:i]
		}
		return s
	},
	"suffix": func(s string) string {
		if i := strings.LastIndexByte(s, '.'); i >= 0 {
			return s[i+1:]
		}
		return ""
	},
	"quote":    func(s string) string { return quoteMark + s + quoteMark },
	"shrink":   func(s string) string { return strings.Join(strings.Fields(s), " ") },
	"shescape": func(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" },
	"url2path": urlPath,
	"u2p":      urlPath,
	"echo":     func(string) string { return "" },
	"warn":     func(string) string { return "" },
	"len":      func(s string) string { return strconv.Itoa(len(s)) },
	"lower":    strings.ToLower,
	"upper":    strings.ToUpper,
	"reverse": func(s string) string {
		out := []byte(s)
		for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
			out[i], out[j] = out[j], out[i]
		}
		return string(out)
	},
}

func urlPath(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" {
		return s
	}
	if u.Path == "" {
		return "/"
	}
	return u.Path
}

// withArgument makes a builtin of a function of one expanded argument: what follows a colon, or the first word.
func withArgument(f func(b *buffer, arg string) (string, error)) builtin {
	return func(b *buffer, _ string, _ int, c call) (int, error) {
		args, err := b.arguments(c)
		if err != nil {
			return 0, err
		}
		if len(args) == 0 {
			return 0, errorf("%%%s: argument expected", c.name)
		}
		value, err := f(b, args[0])
		if err != nil {
			return 0, err
		}
		b.out.WriteString(value)
		return c.lineEnd, nil
	}
}

// withArguments makes a builtin of a function of several arguments.
func withArguments(f func(args []string) (string, error)) builtin {
	return func(b *buffer, _ string, _ int, c call) (int, error) {
		args, err := b.arguments(c)
		if err != nil {
			return 0, err
		}
		value, err := f(args)
		if err != nil {
			return 0, errorf("%%%s: %v", c.name, err)
		}
		b.out.WriteString(value)
		return c.lineEnd, nil
	}
}

func constant(value string) builtin {
	return func(b *buffer, _ string, _ int, c call) (int, error) {
		b.out.WriteString(value)
		return c.next, nil
	}
}

// unknown makes a builtin whose value is a fact of the machine that would run the macro.
func unknown(what string) builtin {
	return func(b *buffer, _ string, _ int, c call) (int, error) {
		b.engine.report("%%%s is %s, which depends on the machine", c.name, what)
		b.out.WriteString(Unknown)
		return c.next, nil
	}
}

// definition is %define, or %global with expand.
func definition(expand bool) builtin {
	return func(b *buffer, text string, i int, c call) (int, error) {
		level := len(b.engine.frames)
		if expand {
			level = 0
		}
		if text[i] == '{' {
			_, err := b.define(c.arg+c.line, expand, level)
			return c.next, err
		}
		n, err := b.define(text[c.next:], expand, level)
		return c.next + n, err
	}
}

// undefinition is %undefine. Without braces only the name is taken from the line.
func undefinition(b *buffer, text string, i int, c call) (int, error) {
	line := c.arg + c.line
	name := strings.TrimLeft(line, " \t")
	rest := len(name)
	for n := range len(name) {
		if !isWord(name[n]) {
			rest = n
			break
		}
	}
	b.engine.pop(name[:rest])
	if text[i] == '{' {
		return c.next, nil
	}
	return c.lineEnd - (len(name) - rest), nil
}

// discard drops the rest of the line with its newline, or what the braces hold.
func discard(_ *buffer, text string, i int, c call) (int, error) {
	if text[i] == '{' {
		return c.next, nil
	}
	if end := strings.IndexByte(text[i:], '\n'); end >= 0 {
		return i + end + 1, nil
	}
	return len(text), nil
}

func expandTwice(b *buffer, text string, i int, c call) (int, error) {
	args, err := b.arguments(c)
	if err != nil {
		return 0, err
	}
	if len(args) == 0 {
		return 0, errorf("%%expand: argument expected")
	}
	return c.lineEnd, b.expand(args[0])
}

// numbered expands %{S:1} and %{P:1} by way of %SOURCE1 and %PATCH1.
func numbered(prefix string) builtin {
	return withArgument(func(b *buffer, arg string) (string, error) {
		if _, ok := b.engine.Body(prefix + arg); ok {
			return b.expanded("%{" + prefix + arg + "}")
		}
		return "%" + prefix + arg, nil
	})
}

func load(b *buffer, text string, i int, c call) (int, error) {
	args, err := b.arguments(c)
	if err != nil {
		return 0, err
	}
	if len(args) == 0 {
		return 0, errorf("%%load: argument expected")
	}
	content, ok := b.engine.read(args[0])
	if !ok {
		b.engine.report("macro file %s is not in the project", excerpt(args[0]))
		return c.lineEnd, nil
	}
	if err := b.engine.spend(len(content)); err != nil {
		return 0, err
	}
	for _, problem := range b.engine.Load(content) {
		return 0, problem
	}
	return c.lineEnd, nil
}

func lua(b *buffer, text string, i int, c call) (int, error) {
	b.out.WriteString(b.engine.lua(c.arg + c.line))
	return c.lineEnd, nil
}

// read returns a file's text by its path, or by its name at the root of the tree.
func (e *Engine) read(name string) (string, bool) {
	if e.Files == nil {
		return "", false
	}
	for _, p := range []string{strings.TrimPrefix(path.Clean("/"+name), "/"), path.Base(name)} {
		if data, err := fs.ReadFile(e.Files, p); err == nil && len(data) <= e.limits.Output {
			return strings.ReplaceAll(string(data), Unknown, ""), true
		}
	}
	return "", false
}

func (e *Engine) stat(name string) bool {
	if e.Files == nil {
		return false
	}
	_, err := fs.Stat(e.Files, strings.TrimPrefix(path.Clean("/"+name), "/"))
	return err == nil
}
