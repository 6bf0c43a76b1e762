package scaffold

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// YAML writes the draft as a slipway.yaml, with a comment on each block.
func (d *Draft) YAML() []byte {
	w := &yamlWriter{}
	w.line(0, "# The whole service in one file. `slipway config check` says what is wrong with it.")
	w.line(0, "service: %s", quote(d.Service))
	d.writeProjects(w)
	d.writeTarget(w)
	w.block("images", "What is built: RPMs (packages, and what the projects need), projects, files.")
	for _, img := range d.Images {
		img.write(w)
	}
	d.writeEnvironments(w)
	return []byte(w.b.String())
}

func (d *Draft) writeProjects(w *yamlWriter) {
	w.block("projects", "The team's own repositories, installed from git. Paths are relative to this file.")
	for _, p := range d.Projects {
		fields := []string{"git: " + quote(p.Git)}
		if len(p.Branches) > 0 {
			fields = append(fields, "branches: "+flowMap(p.Branches))
		}
		w.line(1, "%s: {%s}", quote(p.Name), strings.Join(fields, ", "))
	}
}

func (d *Draft) writeTarget(w *yamlWriter) {
	w.block("targets", "What the images are based on. Everything that is not a project is an RPM of these repositories.")
	w.line(1, "%s:", quote(d.Target.Name))
	w.line(2, "release: %s", quote(d.Target.Release))
	w.line(2, "repositories:")
	for _, r := range d.Target.Repos {
		w.line(3, "- file: %s", quote(r))
	}
	if len(d.Target.Repos) > 0 {
		return
	}
	if s, ok := stockRepositories(d.Target.Release); ok {
		w.line(3, "- {id: %s, metalink: %s, gpgkey: %s}", s.id, quote(s.metalink), quote(s.key))
	} else {
		w.line(3, "- file: %s", quote(d.Target.Name+".repo"))
	}
}

func (img Image) write(w *yamlWriter) {
	w.line(1, "%s:", quote(img.Name))
	w.line(2, "projects: %s", flowList(img.Projects))
	if len(img.Packages) > 0 {
		w.line(2, "packages: %s", flowList(img.Packages))
	}
	if len(img.Lists) > 0 {
		w.line(2, "packages-from: %s", flowList(img.Lists))
	}
	if len(img.Files) > 0 {
		w.line(2, "files:")
		for _, f := range img.Files {
			w.line(3, "- {from: %s, to: %s, mode: %q}", quote(f.From), quote(f.To), f.Mode)
		}
	}
	if len(img.Env) > 0 {
		w.line(2, "env: %s", flowMap(img.Env))
	}
	for _, f := range []struct{ key, value string }{{"user", img.User}, {"workdir", img.Workdir}} {
		if f.value != "" {
			w.line(2, "%s: %s", f.key, quote(f.value))
		}
	}
	for _, f := range []struct {
		key   string
		value []string
	}{{"entrypoint", img.Entrypoint}, {"command", img.Command}} {
		if len(f.value) > 0 {
			w.line(2, "%s: %s", f.key, flowList(f.value))
		}
	}
	if len(img.Ports) > 0 {
		ports := make([]string, len(img.Ports))
		for i, p := range img.Ports {
			ports[i] = strconv.Itoa(p)
		}
		w.line(2, "ports: [%s]", strings.Join(ports, ", "))
	}
}

// firstPort is where the first workload of the first environment listens on this machine.
const firstPort = 8080

func (d *Draft) writeEnvironments(w *yamlWriter) {
	w.block("environments", "Where it runs: each takes one branch of every project. A health path proves that a new version works.")
	port := firstPort
	for _, e := range d.Environments {
		w.line(1, "%s:", quote(e.Name))
		w.line(2, "branch: %s", quote(e.Branch))
		w.line(2, "deploy:")
		w.line(3, "to: local")
		w.line(3, "workloads:")
		for _, img := range d.Images {
			if len(img.Ports) == 0 {
				w.line(4, "%s: {image: %s}", quote(img.Name), quote(img.Name))
				continue
			}
			w.line(4, "%s: {image: %s, listen: %s}", quote(img.Name), quote(img.Name), quote(fmt.Sprintf("127.0.0.1:%d", port)))
			port++
		}
	}
}

// yamlWriter writes indented lines.
type yamlWriter struct{ b strings.Builder }

func (w *yamlWriter) line(depth int, format string, args ...any) {
	w.b.WriteString(strings.Repeat("  ", depth) + fmt.Sprintf(format, args...) + "\n")
}

func (w *yamlWriter) block(key, comment string) {
	w.b.WriteString("\n# " + comment + "\n" + key + ":\n")
}

func flowList(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = quote(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func flowMap(m map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, quote(k)+": "+strconv.Quote(m[k]))
	}
	return "{" + strings.Join(out, ", ") + "}"
}

// plain is text that YAML takes for a string without quotes, also inside [] and {}.
var plain = regexp.MustCompile(`^[A-Za-z_./][A-Za-z0-9_./+-]*$`)

func quote(s string) string {
	switch strings.ToLower(s) {
	case "true", "false", "yes", "no", "on", "off", "null", "y", "n", ".", "~":
		return strconv.Quote(s)
	}
	if plain.MatchString(s) {
		return s
	}
	return strconv.Quote(s)
}
