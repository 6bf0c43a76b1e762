package inspect

import (
	"archive/tar"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"path"
	"slices"
	"strings"
)

// owners gives the files of a tree to parts.
type owners struct {
	tree  *tree
	parts []Part
	of    map[string]int // path -> index in parts
	real  map[string]string
}

func newOwners(t *tree) *owners {
	return &owners{tree: t, of: map[string]int{}, real: map[string]string{}}
}

func (o *owners) part(p Part) int {
	o.parts = append(o.parts, p)
	return len(o.parts) - 1
}

// take gives a file to a part, the first that asks for it. The folder of its path may be a link.
func (o *owners) take(part int, name string) {
	dir, base := path.Split(name)
	name = path.Join(o.resolve(path.Clean(dir), 0), base)
	f, ok := o.tree.files[name]
	if !ok || f.Type == tar.TypeDir {
		return
	}
	if _, taken := o.of[name]; !taken {
		o.of[name] = part
	}
}

// maxLinks bounds links that lead to links, as the kernel does.
const maxLinks = 40

// resolve follows the links among the folders of a path.
func (o *owners) resolve(dir string, depth int) string {
	if dir == "/" || depth > maxLinks {
		return dir
	}
	if found, ok := o.real[dir]; ok {
		return found
	}
	parent, base := path.Split(dir)
	found := path.Join(o.resolve(path.Clean(parent), depth), base)
	if f, ok := o.tree.files[found]; ok && f.Type == tar.TypeSymlink {
		to := f.Link
		if !path.IsAbs(to) {
			to = path.Join(path.Dir(found), to)
		}
		found = o.resolve(path.Clean(to), depth+1)
	}
	o.real[dir] = found
	return found
}

const (
	metadataFile = "METADATA"
	recordFile   = "RECORD"
	directFile   = "direct_url.json"
)

// isMetadata tells the files that describe a Python distribution.
func isMetadata(name string) bool {
	dir, base := path.Split(name)
	return strings.HasSuffix(dir, ".dist-info/") && (base == metadataFile || base == recordFile || base == directFile)
}

// distributions gives Python distributions that no RPM brought the files of their RECORD (PEP 376).
func (o *owners) distributions() {
	var found []string
	for name := range o.tree.kept {
		if _, taken := o.of[name]; !taken && path.Base(name) == metadataFile {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	for _, name := range found {
		p := Part{Kind: Python}
		for line := range strings.Lines(string(o.tree.kept[name])) {
			line = strings.TrimRight(line, "\r\n")
			if line == "" {
				break
			}
			key, value, _ := strings.Cut(line, ":")
			switch value = strings.TrimSpace(value); strings.ToLower(key) {
			case "name":
				p.Name = value
			case "version":
				p.Version = value
			case "license-expression":
				p.License = value
			}
		}
		if p.Name == "" {
			continue
		}
		info := path.Dir(name)
		p.Commit = commitOf(o.tree.kept[path.Join(info, directFile)])
		part := o.part(p)
		r := csv.NewReader(strings.NewReader(string(o.tree.kept[path.Join(info, recordFile)])))
		r.FieldsPerRecord = -1
		rows, err := r.ReadAll()
		if err != nil {
			rows = nil // the distribution is counted without its files
		}
		for _, row := range rows {
			if file := row[0]; path.IsAbs(file) {
				o.take(part, path.Clean(file))
			} else {
				o.take(part, path.Join(path.Dir(info), file))
			}
		}
	}
}

// commitOf is the commit that a direct_url.json names (PyPA, "Direct URL Data Structure"), if it names one.
func commitOf(data []byte) string {
	var direct struct {
		VCS struct {
			Commit string `json:"commit_id"`
		} `json:"vcs_info"`
	}
	if json.Unmarshal(data, &direct) != nil {
		return ""
	}
	return direct.VCS.Commit
}

// weigh counts what each part has, and what none has.
func (o *owners) weigh(c *Content) []Part {
	rest := o.part(Part{Kind: Rest, Name: "files of no package"})
	inLayer := make([]map[int]int64, len(o.parts)) // part -> layer -> bytes
	for i := range inLayer {
		inLayer[i] = map[int]int64{}
	}
	for _, f := range c.files {
		if f.Type == tar.TypeDir {
			continue
		}
		part, ok := o.of[f.Path]
		if !ok {
			part = rest
		}
		o.parts[part].Files++
		o.parts[part].Size += f.Size
		inLayer[part][f.Layer] += f.Size
	}
	for i := range o.parts {
		p := &o.parts[i]
		var most int64 = -1
		for layer, size := range inLayer[i] {
			if l := c.Layers[layer]; l.Unpacked > 0 {
				p.Compressed += int64(float64(l.Size) * float64(size) / float64(l.Unpacked))
			}
			if size > most || size == most && layer < p.Layer {
				most, p.Layer = size, layer
			}
		}
	}
	parts := slices.DeleteFunc(o.parts, func(p Part) bool { return p.Kind == Rest && p.Files == 0 })
	slices.SortFunc(parts, func(a, b Part) int {
		return cmp.Or(slices.Index(kinds, a.Kind)-slices.Index(kinds, b.Kind), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Arch, b.Arch))
	})
	return parts
}

var kinds = []Kind{RPM, Python, Rest}
