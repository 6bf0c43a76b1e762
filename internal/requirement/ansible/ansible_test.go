package ansible

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

func read(t *testing.T, files map[string]string) (packages, diagnostics []string) {
	t.Helper()
	tree := fstest.MapFS{}
	for name, data := range files {
		tree[name] = &fstest.MapFile{Data: []byte(data)}
	}
	found, notes, err := Read(tree, "recipes/web.yaml")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range found {
		kind := "rpm"
		if p.Python {
			kind = "pip"
		}
		line := fmt.Sprintf("%s:%d %s %s (%s)", p.File, p.Line, kind, p.Name, p.Task)
		if p.When != "" {
			line += " when " + p.When
		}
		packages = append(packages, line)
	}
	for _, d := range notes {
		diagnostics = append(diagnostics, d.String())
	}
	return packages, diagnostics
}

func TestTasks(t *testing.T) {
	packages, diagnostics := read(t, map[string]string{
		"recipes/web.yaml": `---
- name: Base
  dnf:
    name:
      - bash
      - python3-flask
    state: present
- ansible.builtin.package: name=git,curl state=latest
- name: Gone
  dnf: {name: vim, state: absent}
- name: Loop
  ansible.builtin.dnf:
    name: "{{ item }}"
  loop: [a, b]
- import_tasks: more/python.yaml
- name: Several
  vars:
    wanted: [x, y]
  block:
    - yum:
        name: "{{ wanted }}"
      when:
        - ansible_distribution == "Fedora"
        - not slim
- name: Unknown
  dnf:
    name: "{{ elsewhere }}"
- include_role:
    name: common
`,
		"recipes/more/python.yaml": `- name: From the index
  pip:
    name:
      - sentry-sdk>=1.4
      - persistentdict
- hosts: all
  tasks:
    - pip: {name: one, requirements: reqs.txt}
`,
	})
	want := []string{
		"recipes/web.yaml:5 rpm bash (Base)",
		"recipes/web.yaml:6 rpm python3-flask (Base)",
		"recipes/web.yaml:8 rpm git (ansible.builtin.package)",
		"recipes/web.yaml:8 rpm curl (ansible.builtin.package)",
		"recipes/web.yaml:14 rpm a (Loop)",
		"recipes/web.yaml:14 rpm b (Loop)",
		"recipes/more/python.yaml:4 pip sentry-sdk>=1.4 (From the index)",
		"recipes/more/python.yaml:5 pip persistentdict (From the index)",
		"recipes/more/python.yaml:8 pip one (pip)",
		`recipes/web.yaml:18 rpm x (yum) when ansible_distribution == "Fedora" and not slim`,
		`recipes/web.yaml:18 rpm y (yum) when ansible_distribution == "Fedora" and not slim`,
	}
	if diff := cmp.Diff(want, packages); diff != "" {
		t.Errorf("packages (-want +got):\n%s", diff)
	}
	want = []string{
		"recipes/more/python.yaml:8: pip: the requirements file reqs.txt is not read",
		`recipes/web.yaml:20: yum: installed only when ansible_distribution == "Fedora" and not slim, which is not evaluated; taken as if it held`,
		"recipes/web.yaml:27: Unknown: {{ elsewhere }} is only known when it runs",
		"recipes/web.yaml:28: include_role: what roles install is not read",
	}
	if diff := cmp.Diff(want, diagnostics); diff != "" {
		t.Errorf("diagnostics (-want +got):\n%s", diff)
	}
}

func TestBounds(t *testing.T) {
	for name, data := range map[string]string{
		"itself":  "- import_tasks: web.yaml\n",
		"outside": "- import_tasks: ../../../etc/passwd\n",
		"blocks":  strings.Repeat("- block:\n  ", 1) + strings.Repeat("[{block: ", 200) + strings.Repeat("}]", 200),
		"no yaml": "- a: [\n",
	} {
		tree := fstest.MapFS{"web.yaml": {Data: []byte(data)}}
		if _, _, err := Read(tree, "web.yaml"); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("- dnf: {name: [a, b]}\n  when: x\n- pip: name=c\n- block: [{yum: {name: '{{ v }}'}}]\n  vars: {v: [d]}\n- import_tasks: b.yaml\n")
	f.Fuzz(func(t *testing.T, data string) {
		tree := fstest.MapFS{"a.yaml": {Data: []byte(data)}, "b.yaml": {Data: []byte("- package: {name: z}\n")}}
		packages, _, err := Read(tree, "a.yaml")
		if err != nil {
			return
		}
		for _, p := range packages {
			if p.Name == "" || p.File == "" {
				t.Errorf("a package without a name or file: %+v", p)
			}
		}
	})
}
