package wheel

import (
	"fmt"
	"path"
	"slices"
	"strings"
)

// Scheme says where a Python wants the parts of a wheel, by sysconfig's names. All are absolute paths.
type Scheme struct {
	Purelib string `json:"purelib"`
	Platlib string `json:"platlib"`
	Scripts string `json:"scripts"`
	Data    string `json:"data"`
	Headers string `json:"headers"` // without the project's name, which is added
	Python  string `json:"python"`  // the interpreter, for the first line of scripts
}

// File is one file of an installed wheel. Its folders, and nothing else, are to be made around it (mode 0755).
type File struct {
	Path    string // absolute, clean
	Mode    uint32 // permission bits
	Content []byte // shared with the wheel: not to be changed
}

// Installer is what INSTALLER says.
const Installer = "slipway"

// Install lays w out in scheme as pip would for a root user with umask 022, sorted by path: the wheel's files, those of
// its .data folder where the scheme wants them, a wrapper for each command, and in .dist-info INSTALLER, REQUESTED,
// direct_url.json and RECORD. Nothing is compiled. Two files of one path, or one that leaves its folder, are a
// [*FormatError].
func (w *Wheel) Install(s Scheme, d Direct) ([]File, error) {
	in := &installation{wheel: w, scheme: s, lib: s.Platlib, moved: map[string]placed{}, taken: map[string]bool{}}
	if w.Purelib {
		in.lib = s.Purelib
	}
	err := in.run(d)
	if err != nil {
		return nil, &FormatError{Wheel: path.Base(w.Path), Err: err}
	}
	slices.SortFunc(in.files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return in.files, nil
}

// installation is one wheel being laid out.
type installation struct {
	wheel  *Wheel
	scheme Scheme
	lib    string // the library folder, which RECORD's paths are relative to
	files  []File
	taken  map[string]bool
	moved  map[string]placed // by name in the wheel
	extra  []recordRow       // of files that the wheel does not hold
}

// placed is where a file of the wheel went.
type placed struct {
	path    string
	content []byte
	changed bool
}

func (in *installation) run(d Direct) error {
	var commands []entryPoint
	if m := in.wheel.find(in.wheel.info + "/entry_points.txt"); m != nil {
		var err error
		if commands, err = parseEntryPoints(m.content); err != nil {
			return err
		}
	}
	for _, m := range in.wheel.members {
		if err := in.place(m, commands); err != nil {
			return fmt.Errorf("%q: %w", m.name, err)
		}
	}
	for _, c := range lastOfEach(commands) {
		if err := in.add(path.Join(in.scheme.Scripts, c.name), 0o755, wrapper(c, in.scheme.Python)); err != nil {
			return err
		}
	}
	return in.describe(d)
}

// lastOfEach keeps the last of the entry points of one name, as pip overwrites.
func lastOfEach(commands []entryPoint) []entryPoint {
	var kept []entryPoint
	for i, c := range commands {
		if !slices.ContainsFunc(commands[i+1:], func(later entryPoint) bool { return later.name == c.name }) {
			kept = append(kept, c)
		}
	}
	return kept
}

// place puts a file of the wheel where it belongs.
func (in *installation) place(m member, commands []entryPoint) error {
	if m.name == in.wheel.info+"/RECORD" {
		return nil // written anew
	}
	base, rest, key := in.lib, m.name, ""
	if top, below, ok := strings.Cut(m.name, "/"); ok && strings.HasSuffix(top, ".data") {
		if key, rest, ok = strings.Cut(below, "/"); !ok {
			return fmt.Errorf("it is not in a folder of %s", top)
		}
		if base, ok = in.folder(key); !ok {
			return fmt.Errorf("%s has no folder of the name %q", "a .data folder", key)
		}
	}
	content, changed := m.content, false
	if key == "scripts" {
		if wrapped(path.Base(rest), commands) {
			return nil
		}
		content, changed = fixScript(m.content, in.scheme.Python)
	}
	mode := uint32(0o644)
	if m.exec {
		mode = 0o755
	}
	dest := path.Join(base, rest)
	in.moved[m.name] = placed{dest, content, changed}
	return in.put(dest, mode, content)
}

// folder is where the scheme wants what a .data folder holds under key.
func (in *installation) folder(key string) (string, bool) {
	switch key {
	case "purelib":
		return in.scheme.Purelib, true
	case "platlib":
		return in.scheme.Platlib, true
	case "scripts":
		return in.scheme.Scripts, true
	case "data":
		return in.scheme.Data, true
	case "headers":
		return path.Join(in.scheme.Headers, in.wheel.Name), true
	}
	return "", false
}

// wrapped tells whether a script of the wheel is one that a backend made for an entry point; ours takes its place.
func wrapped(script string, commands []entryPoint) bool {
	name := script
	lower := strings.ToLower(script)
	for _, suffix := range []string{".exe", "-script.py", ".pya"} {
		if strings.HasSuffix(lower, suffix) {
			name = script[:len(script)-len(suffix)]
			break
		}
	}
	return slices.ContainsFunc(commands, func(c entryPoint) bool { return c.name == name })
}

// describe writes what .dist-info says about the installation.
func (in *installation) describe(d Direct) error {
	info := path.Join(in.lib, in.wheel.info)
	if err := in.add(path.Join(info, "INSTALLER"), 0o644, []byte(Installer+"\n")); err != nil {
		return err
	}
	if d.URL != "" {
		if err := in.add(path.Join(info, "direct_url.json"), 0o644, d.file()); err != nil {
			return err
		}
	}
	if err := in.add(path.Join(info, "REQUESTED"), 0o644, nil); err != nil {
		return err
	}
	return in.put(path.Join(info, "RECORD"), 0o644, formatRecord(in.rows()))
}

// rows are the lines of RECORD: the wheel's own with paths as installed, and those of what was added.
func (in *installation) rows() []recordRow {
	rows := slices.Clone(in.extra)
	for _, row := range in.wheel.record {
		if p, ok := in.moved[row.path]; ok {
			relative := in.relative(p.path)
			if p.changed {
				row = rowOf(relative, p.content)
			}
			row.path = relative
		}
		rows = append(rows, row)
	}
	return rows
}

// add places a file that the wheel does not hold.
func (in *installation) add(dest string, mode uint32, content []byte) error {
	in.extra = append(in.extra, rowOf(in.relative(dest), content))
	return in.put(dest, mode, content)
}

func (in *installation) put(dest string, mode uint32, content []byte) error {
	if in.taken[dest] {
		return fmt.Errorf("%s would be written twice", dest)
	}
	in.taken[dest] = true
	in.files = append(in.files, File{dest, mode, content})
	return nil
}

// relative is dest as RECORD writes it, from the library folder; both are clean and absolute.
func (in *installation) relative(dest string) string {
	from, to := strings.Split(in.lib[1:], "/"), strings.Split(dest[1:], "/")
	same := 0
	for same < len(from) && same < len(to)-1 && from[same] == to[same] {
		same++
	}
	return strings.Repeat("../", len(from)-same) + strings.Join(to[same:], "/")
}
