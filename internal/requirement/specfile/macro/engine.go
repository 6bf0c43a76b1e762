package macro

import (
	"fmt"
	"io/fs"
	"maps"
	"sort"
	"strings"
)

// Unknown stands in expanded text for what could only be known by running something. The character (SUBSTITUTE,
// U+001A) is removed from everything that is read, so its presence proves that a value is not known.
const Unknown = "\x1a"

// Limits bound what an Engine does before it gives up with a [LimitError]. Zero values mean the defaults.
type Limits struct {
	Depth  int // nested expansions; default 64, which is rpm's own limit
	Work   int // bytes scanned, over the life of the engine; default 32 MiB; real specs stay below 1 MiB
	Output int // bytes in one expansion; default 4 MiB
	Macros int // macros defined at one time; default 100,000
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&l.Depth, 64)
	set(&l.Work, 32<<20)
	set(&l.Output, 4<<20)
	set(&l.Macros, 100_000)
	return l
}

// Error is an expansion that rpm refuses too.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

// LimitError is an expansion that was given up because it passed one of the [Limits].
type LimitError struct{ What string }

func (e *LimitError) Error() string { return "macro expansion passes the limit of " + e.What }

func errorf(format string, args ...any) error { return &Error{Message: fmt.Sprintf(format, args...)} }

// entry is one definition of a macro. Definitions of the same name form a stack.
type entry struct {
	name       string
	body       string
	opts       string // getopt string of a parametric macro; "-" when its arguments are not looked at
	parametric bool
	level      int // 0: global; otherwise the depth of the parametric macro in whose body it was defined
	previous   *entry
}

// Engine is a table of macros with the state of expansion.
type Engine struct {
	// Files is where %{load:…} and %{exists:…} look. Nil means that no file exists.
	Files fs.FS
	// Report is called for every text that could not be known without running something. May be nil.
	Report func(message string)

	builtins map[string]builtin
	table    map[string]*entry
	limits   Limits
	frames   []*frame // the parametric macros that are being expanded, innermost last
	depth    int
	work     int
}

// New returns an engine without macros (built-in ones are always there).
func New(limits Limits) *Engine {
	return &Engine{builtins: builtinTable(), table: map[string]*entry{}, limits: limits.withDefaults()}
}

// Clone returns an engine with the same macros and a fresh work budget. Neither sees what the other defines later. It
// may be called concurrently.
func (e *Engine) Clone() *Engine {
	clone := *e
	clone.table = maps.Clone(e.table)
	clone.work, clone.frames, clone.depth = 0, nil, 0
	return &clone
}

// Set defines a global macro with a literal body, replacing what the name meant. Percent signs in the body are
// macros.
func (e *Engine) Set(name, body string) {
	delete(e.table, name)
	e.push(&entry{name: name, body: body})
}

// Define defines a macro from text as it follows %define: "name body" or "name(opts) body".
func (e *Engine) Define(text string) error {
	b := &buffer{engine: e}
	_, err := b.define(text, false, len(e.frames))
	return err
}

// Func adds a macro that is computed by a function of its expanded arguments; a definition of the same name takes
// precedence. f must not keep the engine. A result that holds several lines is read as such.
func (e *Engine) Func(name string, f func(e *Engine, args []string) (string, error)) {
	e.builtins = maps.Clone(e.builtins)
	e.builtins[name] = func(b *buffer, _ string, _ int, c call) (int, error) {
		args, err := b.arguments(c)
		if err != nil {
			return 0, err
		}
		if c.hasArg {
			args = split(args[0])
		}
		value, err := f(b.engine, args)
		if err != nil {
			return 0, err
		}
		b.out.WriteString(value)
		return c.lineEnd, nil
	}
}

// Undefine removes the newest definition of a name, as %undefine does.
func (e *Engine) Undefine(name string) { e.pop(name) }

// Defined says whether a macro has a definition or is built in.
func (e *Engine) Defined(name string) bool {
	return e.table[name] != nil || e.builtins[name] != nil
}

// Body returns the unexpanded body of a macro.
func (e *Engine) Body(name string) (string, bool) {
	if m := e.table[name]; m != nil {
		return m.body, true
	}
	return "", false
}

// Names returns the names of all defined macros, sorted. Built-in ones are not listed.
func (e *Engine) Names() []string {
	names := make([]string, 0, len(e.table))
	for name := range e.table {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Expand expands the macros in text. The error is an [*Error] where rpm would stop, or a [*LimitError].
func (e *Engine) Expand(text string) (string, error) {
	if !strings.ContainsRune(text, '%') {
		return text, nil
	}
	b := &buffer{engine: e}
	if err := b.expand(text); err != nil {
		return "", err
	}
	return unquote(b.out.String()), nil
}

// Load defines the macros of a macro file's text: lines that start with a percent sign, continued by a backslash
// or by open braces; all other lines are ignored. Lines that can't be read are returned as errors.
func (e *Engine) Load(text string) []error {
	var problems []error
	for text != "" {
		var line string
		line, text = cutMacroLine(text)
		trimmed := strings.TrimLeft(line, " \t")
		if !strings.HasPrefix(trimmed, "%") {
			continue
		}
		if err := e.Define(trimmed[1:]); err != nil {
			problems = append(problems, err)
		}
	}
	return problems
}

// cutMacroLine splits a macro file after one definition.
func cutMacroLine(text string) (line, rest string) {
	var n nesting
	for i := 0; i < len(text); {
		end := strings.IndexByte(text[i:], '\n')
		if end < 0 {
			return text, ""
		}
		n.scan(text[i : i+end+1])
		i += end + 1
		if !n.open() {
			return text[:i], text[i:]
		}
	}
	return text, ""
}

func (e *Engine) push(m *entry) {
	m.previous = e.table[m.name]
	e.table[m.name] = m
}

func (e *Engine) pop(name string) {
	m := e.table[name]
	if m == nil {
		return
	}
	if m.previous == nil {
		delete(e.table, name)
		return
	}
	e.table[name] = m.previous
}

func (e *Engine) spend(n int) error {
	e.work += n
	if e.work > e.limits.Work {
		return &LimitError{What: fmt.Sprintf("%d bytes of work", e.limits.Work)}
	}
	return nil
}

func (e *Engine) report(format string, args ...any) {
	if e.Report != nil {
		e.Report(fmt.Sprintf(format, args...))
	}
}
