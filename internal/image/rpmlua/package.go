package rpmlua

import (
	"os"
	"strings"

	"github.com/slipway-build/slipway/internal/lua"
)

// openPackage is require and what it needs (Lua manual, section 6.3): modules are files of the root.
func (h *host) openPackage() {
	g := h.s.Globals
	loaded, preload, t := &lua.Table{}, &lua.Table{}, &lua.Table{}
	for _, name := range []string{"_G", "coroutine", "debug", "io", "math", "os", "posix", "rpm", "string", "table", "utf8"} {
		loaded.Set(name, g.Get(name))
	}
	t.Set("loaded", loaded)
	t.Set("preload", preload)
	t.Set("path", "/usr/lib/rpm/lua/?.lua")
	t.Set("cpath", "")
	t.Set("config", "/\n;\n?\n!\n-\n")
	loaded.Set("package", t)
	g.Set("package", t)
	h.s.Register(t, "package", map[string]lua.Native{"searchpath": func(c *lua.Call) []lua.Value {
		name, tried, _ := h.searchPath(c.String(0), c.String(1), c.StringOr(2, "."), c.StringOr(3, "/"))
		if name == "" {
			return []lua.Value{nil, tried}
		}
		return []lua.Value{name}
	}})
	h.s.Register(g, "", map[string]lua.Native{
		"require": func(c *lua.Call) []lua.Value { return h.require(c, t, loaded, preload) },
		"dofile":  h.dofile, "loadfile": h.loadfile,
	})
}

// readFile gives the text of a file, nil and a message where it cannot be read.
func (h *host) readFile(name string) []lua.Value {
	return h.ask(func() []lua.Value {
		data, err := os.ReadFile(name)
		if err != nil {
			h.errno = number(err)
			return []lua.Value{nil, "cannot open " + name + ": " + message(h.errno)}
		}
		if text := string(data); strings.HasPrefix(text, "#") { // as of an executable script
			_, rest, _ := strings.Cut(text, "\n")
			return []lua.Value{"\n" + rest}
		}
		return []lua.Value{string(data)}
	})
}

// searchPath finds the file of a module.
func (h *host) searchPath(module, path, sep, rep string) (name, tried, text string) {
	if sep != "" {
		module = strings.ReplaceAll(module, sep, rep)
	}
	for _, template := range strings.Split(path, ";") {
		at := strings.ReplaceAll(template, "?", module)
		got := h.readFile(at)
		if text, ok := got[0].(string); ok {
			return at, "", text
		}
		tried += "\n\tno file '" + at + "'"
	}
	return "", tried, ""
}

func (h *host) require(c *lua.Call, t, loaded, preload *lua.Table) []lua.Value {
	module := c.String(0)
	if v := loaded.Get(module); lua.Truth(v) {
		return []lua.Value{v}
	}
	loader, where := preload.Get(module), ":preload:"
	if loader == nil {
		path, ok := t.Get("path").(string)
		if !ok {
			c.Throw("'package.path' must be a string")
		}
		name, tried, text := h.searchPath(module, path, ".", "/")
		if name == "" {
			c.Throw("module '%s' not found:\n\tno field package.preload['%s']%s", module, module, tried)
		}
		fn, err := h.s.Load(text, "@"+name)
		if err != nil {
			c.Throw("error loading module '%s' from file '%s':\n\t%v", module, name, err)
		}
		loader, where = fn, name
	}
	values := h.call(loader, module, where)
	if len(values) > 0 && values[0] != nil {
		loaded.Set(module, values[0])
	}
	if loaded.Get(module) == nil {
		loaded.Set(module, true)
	}
	return []lua.Value{loaded.Get(module), where}
}

// call calls a function and passes on what it throws.
func (h *host) call(fn lua.Value, args ...lua.Value) []lua.Value {
	values, err := h.s.Call(fn, args...)
	if err != nil {
		e, _ := lua.AsError(err)
		panic(e)
	}
	return values
}

func (h *host) loadfile(c *lua.Call) []lua.Value {
	got := h.readFile(c.String(0))
	text, ok := got[0].(string)
	if !ok {
		return got
	}
	fn, err := h.s.Load(text, "@"+c.String(0))
	if err != nil {
		return []lua.Value{nil, err.Error()}
	}
	return []lua.Value{fn}
}

func (h *host) dofile(c *lua.Call) []lua.Value {
	got := h.loadfile(c)
	if got[0] == nil {
		c.Throw("%v", got[1])
	}
	return h.call(got[0])
}
