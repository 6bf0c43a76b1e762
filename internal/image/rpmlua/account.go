package rpmlua

import (
	"os"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/lua"
)

// entries reads a file of colon-separated lines with at least n fields.
func entries(name string, n int) [][]string {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil // as getpwnam(3) finds nobody then
	}
	var out [][]string
	for line := range strings.Lines(string(data)) {
		if f := strings.Split(strings.TrimSuffix(line, "\n"), ":"); len(f) >= n {
			out = append(out, f)
		}
	}
	return out
}

// lookup finds an entry by name or by its third field.
func lookup(file string, n int, key lua.Value) []string {
	for _, e := range entries(file, n) {
		if id, isNumber := key.(int64); isNumber && e[2] == strconv.FormatInt(id, 10) || e[0] == key {
			return e
		}
	}
	return nil
}

// uid is the number that a name or number means, -1 for none; so is gid.
func (h *host) uid(who lua.Value) int { return owner("/etc/passwd", 7, who) }

func (h *host) gid(who lua.Value) int { return owner("/etc/group", 4, who) }

func owner(file string, n int, who lua.Value) int {
	switch v := who.(type) {
	case int64:
		return int(v)
	case string:
		if id, err := strconv.Atoi(v); err == nil {
			return id
		}
		if e := lookup(file, n, v); e != nil {
			if id, err := strconv.Atoi(e[2]); err == nil {
				return id
			}
		}
	}
	return -1
}

// key is the name or number of an argument; a string that is a number is one, as for rpm.
func (h *host) key(c *lua.Call, i int) lua.Value {
	v := h.ownerArg(c, i)
	if s, ok := v.(string); ok {
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n
		}
	}
	return v
}

func (h *host) getpasswd(c *lua.Call) []lua.Value {
	var who lua.Value
	if c.Given(0) {
		who = h.key(c, 0)
	}
	names := []string{"name", "uid", "gid", "dir", "shell", "gecos", "passwd"}
	return h.selected(c, 1, names, func() ([]lua.Value, []lua.Value) {
		if who == nil {
			who = int64(os.Geteuid())
		}
		e := lookup("/etc/passwd", 7, who)
		if e == nil {
			return nil, []lua.Value{nil}
		}
		uid, _ := strconv.ParseFloat(e[2], 64)
		gid, _ := strconv.ParseFloat(e[3], 64)
		return []lua.Value{e[0], uid, gid, e[5], e[6], e[4], e[1]}, nil
	})
}

func (h *host) getgroup(c *lua.Call) []lua.Value {
	c.Any(0)
	who := h.key(c, 0)
	return h.ask(func() []lua.Value {
		e := lookup("/etc/group", 4, who)
		if e == nil {
			return []lua.Value{nil}
		}
		t := &lua.Table{}
		gid, _ := strconv.ParseFloat(e[2], 64)
		t.Set("name", e[0])
		t.Set("gid", gid)
		for member := range strings.FieldsFuncSeq(e[3], func(r rune) bool { return r == ',' }) {
			t.Append(member)
		}
		return []lua.Value{t}
	})
}
