package ansible

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// module says what a task's module is, by its name without the collection.
func module(key string) string {
	for _, prefix := range []string{"ansible.builtin.", "ansible.legacy.", "community.general."} {
		key = strings.TrimPrefix(key, prefix)
	}
	return key
}

// task reads one task, block or play.
func (r *reader) task(entries []entry, s scope) error {
	if when := get(entries, "when"); when != nil {
		condition := literal(when)
		if s.when != "" {
			condition = "(" + s.when + ") and (" + condition + ")"
		}
		s.when = condition
	}
	s.vars = withVars(s.vars, get(entries, "vars"))
	s.depth++
	for _, e := range entries {
		switch module(e.key) {
		case "block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers":
			if err := r.list(e.value, s); err != nil {
				return err
			}
		case "roles", "import_role", "include_role":
			r.report(s, e.line, "%s: what roles install is not read", e.key)
		case "import_tasks", "include_tasks", "import_playbook", "include":
			if err := r.imported(e, s); err != nil {
				return err
			}
		case "dnf", "dnf5", "yum", "package":
			return r.install(e, entries, s, false)
		case "pip":
			return r.install(e, entries, s, true)
		}
	}
	return nil
}

// literal writes a condition on one line.
func literal(node ast.Node) string {
	if list, ok := node.(*ast.SequenceNode); ok {
		parts := make([]string, len(list.Values))
		for i, v := range list.Values {
			parts[i] = scalar(v)
		}
		return strings.Join(parts, " and ")
	}
	return strings.Join(strings.Fields(scalar(node)), " ")
}

// withVars adds the literal variables of a mapping to those of the scope.
func withVars(vars map[string][]text, node ast.Node) map[string][]text {
	entries := mapping(node)
	if len(entries) == 0 {
		return vars
	}
	all := map[string][]text{}
	for name, values := range vars {
		all[name] = values
	}
	for _, e := range entries {
		if values, ok := texts(e.value); ok {
			all[e.key] = values
		}
	}
	return all
}

// texts returns the strings of a scalar or of a list of scalars.
func texts(node ast.Node) ([]text, bool) {
	if list, ok := node.(*ast.SequenceNode); ok {
		var out []text
		for _, v := range list.Values {
			if s := scalar(v); s != "" {
				out = append(out, text{value: s, line: lineOf(v)})
			} else {
				return nil, false
			}
		}
		return out, true
	}
	if s := scalar(node); s != "" {
		return []text{{value: s, line: lineOf(node)}}, true
	}
	return nil, false
}

// imported follows import_tasks and include_tasks.
func (r *reader) imported(e entry, s scope) error {
	name := scalar(e.value)
	if name == "" {
		name = scalar(get(mapping(e.value), "file"))
	}
	name = strings.TrimSpace(strings.TrimPrefix(name, "file="))
	values, ok := r.expand(text{value: name, line: e.line}, s)
	if !ok || len(values) != 1 || name == "" {
		r.report(s, e.line, "%s: which file is meant is only known when it runs", e.key)
		return nil
	}
	return r.file(relative(s.file, values[0].value), s)
}

// install reads a task that installs packages.
func (r *reader) install(e entry, task []entry, s scope, python bool) error {
	args := mapping(e.value)
	if args == nil {
		args = freeForm(e.value)
	}
	switch state := scalar(get(args, "state")); state {
	case "absent", "removed":
		return nil
	}
	title := scalar(get(task, "name"))
	if title == "" {
		title = e.key
	}
	if file := scalar(get(args, "requirements")); file != "" && python {
		r.report(s, e.line, "%s: the requirements file %s is not read", title, file)
	}
	loop := get(task, "loop")
	if loop == nil {
		loop = get(task, "with_items")
	}
	if loop != nil {
		items, ok := r.items(loop, s)
		if !ok {
			r.report(s, e.line, "%s: what it loops over is only known when it runs", title)
			return nil
		}
		s.vars = withItem(s.vars, items)
	}
	names := get(args, "name")
	if names == nil {
		names = get(args, "pkg")
	}
	if names == nil {
		if !python {
			r.report(s, e.line, "%s: it names no package", title)
		}
		return nil
	}
	list, ok := texts(names)
	if !ok {
		r.report(s, lineOf(names), "%s: the names are not written literally", title)
		return nil
	}
	if s.when != "" {
		r.report(s, e.line, "%s: installed only when %s, which is not evaluated; taken as if it held", title, s.when)
	}
	for _, name := range list {
		if err := r.add(name, title, s, python); err != nil {
			return err
		}
	}
	return nil
}

func withItem(vars map[string][]text, items []text) map[string][]text {
	all := map[string][]text{"item": items}
	for name, values := range vars {
		if name != "item" {
			all[name] = values
		}
	}
	return all
}

// items are the literal values of a loop.
func (r *reader) items(node ast.Node, s scope) ([]text, bool) {
	list, ok := texts(node)
	if !ok {
		return nil, false
	}
	var out []text
	for _, item := range list {
		values, ok := r.expand(item, s)
		if !ok {
			return nil, false
		}
		out = append(out, values...)
	}
	return out, true
}

// add adds the packages that one name stands for.
func (r *reader) add(name text, title string, s scope, python bool) error {
	values, ok := r.expand(name, s)
	if !ok {
		r.report(s, name.line, "%s: %s is only known when it runs", title, name.value)
		return nil
	}
	for _, v := range values {
		words := []string{v.value}
		if !python {
			words = strings.Split(v.value, ",")
		}
		for _, word := range words {
			word = strings.TrimSpace(word)
			if word == "" {
				continue
			}
			if len(r.packages) >= maxPackages {
				return fmt.Errorf("reading %s: more than %d packages", s.file, maxPackages)
			}
			r.packages = append(r.packages, Package{Name: word, Python: python, File: s.file, Line: v.line, Task: title, When: s.when})
		}
	}
	return nil
}

var variable = regexp.MustCompile(`\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}`)

// expand puts literal variables into a text. A text that is one variable alone may become several.
func (r *reader) expand(t text, s scope) ([]text, bool) {
	if !strings.Contains(t.value, "{{") && !strings.Contains(t.value, "{%") {
		return []text{t}, true
	}
	m := variable.FindStringSubmatch(t.value)
	if m == nil {
		return nil, false
	}
	values, ok := s.vars[m[1]]
	if !ok || strings.Contains(strings.Join(plain(values), ""), "{{") || len(values) > maxPackages {
		return nil, false
	}
	out := make([]text, 0, len(values))
	for _, v := range values {
		replaced := strings.ReplaceAll(t.value, m[0], v.value)
		if strings.Contains(replaced, "{{") {
			return nil, false
		}
		out = append(out, text{value: replaced, line: v.line})
	}
	return out, true
}

func plain(values []text) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = v.value
	}
	return out
}

// freeForm reads the older "dnf: name=foo state=present".
func freeForm(node ast.Node) []entry {
	var entries []entry
	for _, word := range strings.Fields(scalar(node)) {
		if key, value, ok := strings.Cut(word, "="); ok {
			token := *node.GetToken()
			token.Value = strings.Trim(value, `"'`)
			entries = append(entries, entry{key: key, line: lineOf(node), value: ast.String(&token)})
		}
	}
	return entries
}
