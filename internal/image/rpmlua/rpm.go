package rpmlua

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/slipway-build/slipway/internal/lua"
	"github.com/slipway-build/slipway/internal/requirement/specfile/macro"
	"github.com/slipway-build/slipway/internal/rpm"
)

// openRPM is rpm's library rpm (rpmio/rpmlua.c).
func (h *host) openRPM() {
	t := &lua.Table{}
	h.s.Register(t, "rpm", map[string]lua.Native{
		"b64decode": b64decode, "b64encode": b64encode, "define": h.define, "execute": h.spending(h.execute), "expand": h.expand, "glob": h.glob,
		"isdefined": h.isDefined, "load": h.loadMacros, "next_file": h.nextPath, "open": h.rpmOpen, "redirect2null": h.redirect2null,
		"spawn": h.spending(h.spawn), "splitargs": splitArgs, "undefine": h.undefine, "unsplitargs": unsplitArgs, "ver": h.newVersion, "vercmp": vercmp,
	})
	h.s.Globals.Set("rpm", t)
	macros := &lua.Table{}
	meta := &lua.Table{}
	meta.Set("__index", lua.NewFunction("macros", h.macro))
	macros.SetMeta(meta)
	h.s.Globals.Set("macros", macros)
	h.openVersions()
}

// outcome is what rpm gives of a program that it ran.
func (h *host) outcome(status syscall.WaitStatus, err error) []lua.Value {
	switch {
	case err != nil:
		return h.posixFailure(err, "")
	case status.Signaled():
		return []lua.Value{nil, "exit signal", float64(status.Signal())}
	case status.ExitStatus() != 0:
		return []lua.Value{nil, "exit code", float64(status.ExitStatus())}
	}
	return []lua.Value{0.0}
}

func (h *host) execute(c *lua.Call) []lua.Value {
	args := []string{c.String(0)}
	for i := 1; i < len(c.Args); i++ {
		args = append(args, c.String(i))
	}
	return h.ask(func() []lua.Value { return h.outcome(spawn(args, []uintptr{0, 1, 2})) })
}

// spawn is execute with its streams in files.
func (h *host) spawn(c *lua.Call) []lua.Value {
	t := c.Table(0)
	var args []string
	for i := int64(1); i <= t.Len(); i++ {
		s, ok := t.Get(i).(string)
		if !ok {
			c.BadArgument(0, "string expected, got %s", lua.TypeName(t.Get(i)))
		}
		args = append(args, s)
	}
	if len(args) == 0 {
		c.Throw("command not supplied")
	}
	var streams [3]string
	if c.Given(1) {
		options := c.Table(1)
		for key, value, _ := options.Next(nil); key != nil; key, value, _ = options.Next(key) {
			i := slices.Index([]string{"stdin", "stdout", "stderr"}, h.s.ToString(key))
			name, ok := value.(string)
			if i < 0 || !ok {
				c.Throw("invalid spawn directive: %s", h.s.ToString(key))
			}
			streams[i] = name
		}
	}
	return h.ask(func() []lua.Value {
		files := []uintptr{0, 1, 2}
		for i, name := range streams {
			if name == "" {
				continue
			}
			flags := os.O_WRONLY | os.O_APPEND | os.O_CREATE
			if i == 0 {
				flags = os.O_RDONLY
			}
			f, err := os.OpenFile(name, flags, 0o644)
			if err != nil {
				return h.failure(err, "")
			}
			defer f.Close()
			files[i] = f.Fd()
		}
		return h.outcome(spawn(args, files))
	})
}

func (h *host) nextPath(*lua.Call) []lua.Value {
	if h.nextFile >= len(h.order.Paths) {
		return []lua.Value{nil}
	}
	h.nextFile++
	return []lua.Value{h.order.Paths[h.nextFile-1]}
}

// glob gives the paths of a pattern, or the pattern where there are none.
func (h *host) glob(c *lua.Call) []lua.Value {
	pattern := c.String(0)
	return h.ask(func() []lua.Value {
		t := &lua.Table{}
		for _, p := range braces(pattern) {
			paths, err := filepath.Glob(p) // sorted
			if err != nil || len(paths) == 0 {
				paths = []string{p}
			}
			for _, name := range paths {
				t.Append(name)
			}
		}
		return []lua.Value{t}
	})
}

// maxBraces is how many patterns one with braces may stand for.
const maxBraces = 1000

// braces expands "a{b,c}" to "ab" and "ac".
func braces(pattern string) []string {
	open := strings.IndexByte(pattern, '{')
	if open < 0 {
		return []string{pattern}
	}
	depth, start := 0, open+1
	var parts []string
	for i := open; i < len(pattern); i++ {
		switch pattern[i] {
		case '{':
			depth++
		case ',':
			if depth == 1 {
				parts = append(parts, pattern[start:i])
				start = i + 1
			}
		case '}':
			if depth--; depth > 0 {
				continue
			}
			var out []string
			for _, p := range append(parts, pattern[start:i]) {
				for _, q := range braces(pattern[:open] + p + pattern[i+1:]) {
					if out = append(out, q); len(out) >= maxBraces {
						return out
					}
				}
			}
			return out
		}
	}
	return []string{pattern}
}

func b64encode(c *lua.Call) []lua.Value {
	text := base64.StdEncoding.EncodeToString([]byte(c.String(0)))
	length := int(min(c.IntegerOr(1, 64), 1<<20))
	if length < 0 {
		length = 64
	}
	if length == 0 || text == "" {
		return []lua.Value{text}
	}
	var b strings.Builder
	for len(text) > 0 {
		n := min(length, len(text))
		b.WriteString(text[:n] + "\n")
		text = text[n:]
	}
	return []lua.Value{b.String()}
}

func b64decode(c *lua.Call) []lua.Value {
	data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(c.String(0)), ""))
	if err != nil {
		return []lua.Value{nil}
	}
	return []lua.Value{string(data)}
}

// splitArgs splits at white space; quotes and backslashes keep words together.
func splitArgs(c *lua.Call) []lua.Value {
	t := &lua.Table{}
	var word strings.Builder
	text := c.String(0)
	in, quote := false, byte(0)
	for i := 0; i < len(text); i++ {
		switch ch := text[i]; {
		case quote != 0 && ch == quote:
			quote = 0
		case quote == 0 && (ch == '"' || ch == '\''):
			quote, in = ch, true
		case quote == 0 && (ch == ' ' || ch == '\t'):
			if in {
				t.Append(word.String())
				word.Reset()
			}
			in = false
		case ch == '\\' && quote != '\'' && i+1 < len(text):
			i++
			word.WriteByte(text[i])
			in = true
		default:
			word.WriteByte(ch)
			in = true
		}
	}
	if in {
		t.Append(word.String())
	}
	return []lua.Value{t}
}

func unsplitArgs(c *lua.Call) []lua.Value {
	t := c.Table(0)
	var words []string
	for i := int64(1); i <= t.Len(); i++ {
		s, ok := t.Get(i).(string)
		if !ok {
			c.BadArgument(0, "string expected, got %s", lua.TypeName(t.Get(i)))
		}
		if s == "" || strings.ContainsAny(s, " \t\"'\\") {
			s = `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(s) + `"`
		}
		words = append(words, s)
	}
	return []lua.Value{strings.Join(words, " ")}
}

// rpmOpen opens a file as io.open does; its errors are thrown.
func (h *host) rpmOpen(c *lua.Call) []lua.Value {
	name, mode := c.String(0), c.StringOr(1, "r")
	plain, how, _ := strings.Cut(mode, ".")
	if _, ok := openFlags(plain); !ok || how != "" && how != "fpio" && how != "ufdio" && how != "fdio" {
		c.Throw("%s open failed: mode %s is not supported", name, mode)
	}
	got := h.openFile(name, plain)
	if got[0] == nil {
		c.Throw("%s open failed: %s", name, strings.TrimPrefix(h.s.ToString(got[1]), name+": "))
	}
	return got
}

// engine is rpm's macros: those of the files that the root has, as rpm itself would load them.
func (h *host) engine() *macro.Engine {
	if h.macros != nil {
		return h.macros
	}
	h.macros = macro.New(macro.Limits{})
	h.macros.Files = os.DirFS("/")
	for _, pattern := range []string{"/usr/lib/rpm/macros", "/usr/lib/rpm/macros.d/macros.*", "/usr/lib/rpm/platform/*/macros", "/etc/rpm/macros.*", "/etc/rpm/macros"} {
		got := h.ask(func() []lua.Value {
			names, _ := filepath.Glob(pattern)
			var all strings.Builder
			for _, name := range names {
				if data, err := os.ReadFile(name); err == nil && all.Len() < maxMacros {
					all.Write(data)
					all.WriteByte('\n')
				}
			}
			return []lua.Value{all.String()}
		})
		if text, ok := got[0].(string); ok {
			h.macros.Load(text) // what it cannot read, rpm may be able to
		}
	}
	return h.macros
}

const maxMacros = 4 << 20

func (h *host) expandText(c *lua.Call, text string) lua.Value {
	if !strings.Contains(text, "%") {
		return text
	}
	out, err := h.engine().Expand(text)
	if err != nil {
		c.Throw("error expanding macro: %v", err)
	}
	return out
}

func (h *host) expand(c *lua.Call) []lua.Value { return []lua.Value{h.expandText(c, c.String(0))} }

func (h *host) define(c *lua.Call) []lua.Value {
	if err := h.engine().Define(c.String(0)); err != nil {
		c.Throw("error defining macro: %v", err)
	}
	return nil
}

func (h *host) undefine(c *lua.Call) []lua.Value {
	h.engine().Undefine(c.String(0))
	return nil
}

func (h *host) isDefined(c *lua.Call) []lua.Value {
	return []lua.Value{h.engine().Defined(c.String(0))}
}

// macro is macros.NAME.
func (h *host) macro(c *lua.Call) []lua.Value {
	name := c.String(1)
	if !h.engine().Defined(name) {
		return []lua.Value{nil}
	}
	return []lua.Value{h.expandText(c, "%{"+name+"}")}
}

func (h *host) loadMacros(c *lua.Call) []lua.Value {
	name := c.String(0)
	got := h.ask(func() []lua.Value {
		data, err := os.ReadFile(name)
		if err != nil || len(data) > maxMacros {
			return []lua.Value{nil}
		}
		return []lua.Value{string(data)}
	})
	text, ok := got[0].(string)
	if !ok || len(h.engine().Load(text)) > 0 {
		return []lua.Value{int64(-1)}
	}
	return []lua.Value{int64(0)}
}

// parseVersion reads "epoch:version-release", of which only the version must be there. Unlike a
// package's, it may hold any characters, as a kernel's does.
func parseVersion(text string) (rpm.EVR, bool) {
	var v rpm.EVR
	if epoch, rest, ok := strings.Cut(text, ":"); ok {
		if n, err := strconv.ParseUint(epoch, 10, 32); err == nil {
			v.Epoch, text = int(n), rest
		}
	}
	if i := strings.LastIndexByte(text, '-'); i >= 0 {
		text, v.Release = text[:i], text[i+1:]
	}
	v.Version = text
	return v, text != ""
}

func vercmp(c *lua.Call) []lua.Value {
	a, ok1 := parseVersion(c.String(0))
	b, ok2 := parseVersion(c.String(1))
	if !ok1 {
		c.BadArgument(0, "invalid version ")
	}
	if !ok2 {
		c.BadArgument(1, "invalid version ")
	}
	return []lua.Value{int64(a.Compare(b))}
}

// openVersions makes the metatable of what rpm.ver gives.
func (h *host) openVersions() {
	h.verMeta = &lua.Table{}
	of := func(c *lua.Call, i int) rpm.EVR {
		u, _ := c.Arg(i).(*lua.Userdata)
		if u != nil {
			if v, ok := u.Value.(rpm.EVR); ok {
				return v
			}
		}
		c.BadArgument(i, "rpm.ver expected, got %s", lua.TypeName(c.Arg(i)))
		return rpm.EVR{}
	}
	compare := func(holds func(int) bool) lua.Native {
		return func(c *lua.Call) []lua.Value { return []lua.Value{holds(of(c, 0).Compare(of(c, 1)))} }
	}
	h.verMeta.Set("__name", "rpm.ver")
	h.s.Register(h.verMeta, "ver", map[string]lua.Native{
		"__eq": compare(func(n int) bool { return n == 0 }), "__lt": compare(func(n int) bool { return n < 0 }),
		"__le":       compare(func(n int) bool { return n <= 0 }),
		"__tostring": func(c *lua.Call) []lua.Value { return []lua.Value{of(c, 0).String()} },
		"__index": func(c *lua.Call) []lua.Value {
			v := of(c, 0)
			part := ""
			switch key := c.String(1); key {
			case "e":
				if v.Epoch != 0 {
					part = strconv.Itoa(v.Epoch)
				}
			case "v":
				part = v.Version
			case "r":
				part = v.Release
			default:
				c.Throw("invalid attribute: %s", key)
			}
			if part == "" {
				return []lua.Value{nil}
			}
			return []lua.Value{part}
		},
	})
}

func (h *host) newVersion(c *lua.Call) []lua.Value {
	text := ""
	switch len(c.Args) {
	case 1:
		text = c.String(0)
	case 3:
		text = c.String(1)
		if c.Given(0) {
			text = c.String(0) + ":" + text
		}
		if c.Given(2) {
			text += "-" + c.String(2)
		}
	default:
		c.Throw("invalid number of arguments: %d", len(c.Args))
	}
	v, ok := parseVersion(text)
	if !ok {
		return nil
	}
	return []lua.Value{&lua.Userdata{Value: v, Meta: h.verMeta}}
}
