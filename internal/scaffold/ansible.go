package scaffold

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/goccy/go-yaml"
)

// installers are the Ansible modules whose name parameter is a list of packages.
var installers = []string{
	"dnf", "ansible.builtin.dnf", "dnf5", "ansible.builtin.dnf5", "yum", "ansible.builtin.yum", "package", "ansible.builtin.package",
}

// Bounds of one file's tasks: aliases can make much out of little.
const (
	maxDepth = 20
	maxNodes = 100_000
)

// variable is a Jinja expression, whose value only Ansible knows.
var variable = regexp.MustCompile(`\{\{|\{%`)

// packageLists reads the packages that the tasks of an Ansible file install: literal lists. What
// depends on variables or conditions is noted, not guessed.
func packageLists(data []byte, file string) (packages, notes []string) {
	var doc any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		return nil, []string{fmt.Sprintf("%s: not read: it is not valid YAML", file)}
	}
	w := &taskWalker{file: file}
	w.walk(doc, 0)
	return w.packages, w.notes
}

type taskWalker struct {
	file     string
	packages []string
	notes    []string
	nodes    int
}

// walk looks for tasks at any depth: in plays, blocks and task lists.
func (w *taskWalker) walk(node any, depth int) {
	if w.nodes++; depth > maxDepth || w.nodes > maxNodes {
		return
	}
	switch n := node.(type) {
	case []any:
		for _, item := range n {
			w.walk(item, depth+1)
		}
	case map[string]any:
		for _, module := range installers {
			if args, ok := n[module]; ok {
				w.task(n, args)
			}
		}
		for _, key := range []string{"tasks", "pre_tasks", "post_tasks", "block", "rescue", "always", "handlers"} {
			if sub, ok := n[key]; ok {
				w.walk(sub, depth+1)
			}
		}
	}
}

func (w *taskWalker) task(task map[string]any, args any) {
	title, _ := task["name"].(string)
	if _, ok := task["when"]; ok {
		w.notes = append(w.notes, fmt.Sprintf("%s: task %q has a condition (when); its packages were taken", w.file, title))
	}
	params, ok := args.(map[string]any)
	if !ok {
		return
	}
	if state, _ := params["state"].(string); state == "absent" || state == "removed" {
		return
	}
	switch names := params["name"].(type) {
	case string:
		for name := range strings.SplitSeq(names, ",") {
			w.add(title, strings.TrimSpace(name))
		}
	case []any:
		for _, name := range names {
			w.add(title, fmt.Sprint(name))
		}
	}
}

func (w *taskWalker) add(title, name string) {
	switch {
	case name == "":
	case variable.MatchString(name):
		w.notes = append(w.notes, fmt.Sprintf("%s: task %q: left out %s, whose value only Ansible knows", w.file, title, name))
	case strings.Contains(name, "://") || strings.HasSuffix(name, ".rpm"):
		w.notes = append(w.notes, fmt.Sprintf("%s: task %q: left out %s, which comes from no repository", w.file, title, name))
	default:
		w.packages = append(w.packages, name)
	}
}
