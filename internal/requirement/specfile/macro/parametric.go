package macro

import (
	"strconv"
	"strings"
)

// frame is one parametric macro being expanded: its arguments, and the macros its body defined.
type frame struct {
	args    map[string]*entry // "0", "1", …, "#", "*", "**", "-f", "-f*"
	defined []string
}

// lookup finds a macro. The names of arguments belong to the innermost parametric macro alone.
func (e *Engine) lookup(name string) *entry {
	if name == "" || name[0] != '-' && name[0] != '*' && name[0] != '#' && (name[0] < '0' || name[0] > '9') {
		return e.table[name]
	}
	if len(e.frames) == 0 {
		return nil
	}
	return e.frames[len(e.frames)-1].args[name]
}

// argumentCost is what an argument is charged to the budget, beyond its bytes: it becomes a macro.
const argumentCost = 256

// parametric expands a macro that takes arguments.
func (b *buffer) parametric(m *entry, c call) error {
	args, err := b.arguments(c)
	if err != nil {
		return err
	}
	e := b.engine
	if err := e.spend(argumentCost * len(args)); err != nil {
		return err
	}
	f, err := newFrame(m, args)
	if err != nil {
		return err
	}
	e.frames = append(e.frames, f)
	defer e.leave()
	return b.expand(m.body)
}

// leave drops the innermost frame and what was defined in it.
func (e *Engine) leave() {
	level := len(e.frames)
	f := e.frames[level-1]
	e.frames = e.frames[:level-1]
	for _, name := range f.defined {
		e.popLevel(name, level)
	}
}

// popLevel removes the newest definition of a name that was made at a level or deeper.
func (e *Engine) popLevel(name string, level int) {
	m := e.table[name]
	if m == nil {
		return
	}
	if m.level >= level {
		e.pop(name)
		return
	}
	for ; m.previous != nil; m = m.previous {
		if m.previous.level >= level {
			m.previous = m.previous.previous
			return
		}
	}
}

// arguments returns the expanded arguments of a call: the text after a colon is one, other text is split at blanks
// except where %{quote:…} holds it together.
func (b *buffer) arguments(c call) ([]string, error) {
	if c.hasArg {
		arg, err := b.expanded(c.arg)
		return []string{unquote(arg)}, err
	}
	if !c.hasLine {
		return nil, nil
	}
	line, err := b.expanded(c.line)
	if err != nil {
		return nil, err
	}
	return split(line), b.engine.spend(8 * len(line))
}

func newFrame(m *entry, args []string) (*frame, error) {
	f := &frame{args: map[string]*entry{}}
	set := func(name, body string) { f.args[name] = &entry{name: name, body: body} }
	set("0", m.name)
	set("**", strings.Join(args, " "))
	plain := args
	if m.opts != "-" {
		var err error
		if plain, err = options(m, args, set); err != nil {
			return nil, err
		}
	}
	set("*", strings.Join(plain, " "))
	set("#", strconv.Itoa(len(plain)))
	for i, arg := range plain {
		set(strconv.Itoa(i+1), arg)
	}
	return f, nil
}

// options takes options out of args, wherever they stand, as GNU getopt does, and returns the rest.
func options(m *entry, args []string, set func(name, body string)) ([]string, error) {
	var plain []string
	for i := 0; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			return append(plain, args[i+1:]...), nil
		}
		if len(arg) < 2 || arg[0] != '-' {
			if strings.HasPrefix(m.opts, "+") {
				return append(plain, args[i:]...), nil
			}
			plain = append(plain, arg)
			continue
		}
		for j := 1; j < len(arg); j++ {
			name := "-" + arg[j:j+1]
			k := strings.IndexByte(m.opts, arg[j])
			if k < 0 || arg[j] == ':' {
				return nil, errorf("unknown option %c in %s(%s)", arg[j], m.name, m.opts)
			}
			if k+1 >= len(m.opts) || m.opts[k+1] != ':' {
				set(name, name)
				continue
			}
			value := arg[j+1:]
			if value == "" {
				if i++; i >= len(args) {
					return nil, errorf("option %c of %s(%s) needs an argument", arg[j], m.name, m.opts)
				}
				value = args[i]
			}
			set(name, name+" "+value)
			set(name+"*", value)
			break
		}
	}
	return plain, nil
}

// quoteMark holds the words of a %{quote:…} argument together until arguments are split.
const quoteMark = "\x1f"

func unquote(s string) string {
	if strings.Contains(s, quoteMark) {
		return strings.ReplaceAll(s, quoteMark, "")
	}
	return s
}

// split splits arguments at blanks outside of quote marks. A quoted empty argument counts.
func split(line string) []string {
	if !strings.Contains(line, quoteMark) {
		return strings.FieldsFunc(line, func(r rune) bool { return r == ' ' || r == '\t' })
	}
	var args []string
	var word strings.Builder
	quoted, started := false, false
	flush := func() {
		if started {
			args = append(args, word.String())
		}
		word.Reset()
		started = false
	}
	for _, r := range line {
		switch {
		case string(r) == quoteMark:
			quoted, started = !quoted, true
		case !quoted && (r == ' ' || r == '\t'):
			flush()
		default:
			started = true
			word.WriteRune(r)
		}
	}
	flush()
	return args
}
