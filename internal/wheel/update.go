package wheel

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// A project in which only the insides of Python modules have changed need not be built again, where its backend is known
// to copy them without a look into them: the earlier wheel with the new modules is what the backend would make. That
// holds for setuptools, of any version, as long as all that the project tells it is static.

// base is an earlier build that others can be made from. It is kept in the cache by the survey's outline.
type base struct {
	Wheel   string            `json:"wheel"`   // its key
	Modules map[string]string `json:"modules"` // hashes by path
}

const baseKind = "wheelbase"

// copiesModules tells whether the backend takes the project's modules as they are, and if not, why.
func copiesModules(tree fs.FS, system backend) (ok bool, why string) {
	if system.name != "setuptools.build_meta" && system.name != legacy || len(system.path) > 0 {
		return false, "its backend is " + system.name
	}
	for _, written := range system.requires {
		r, err := pymeta.ParseRequirement(written)
		if name := pymeta.NormalizeName(r.Name); err != nil || name != "setuptools" && name != "wheel" {
			return false, "its build uses " + written
		}
	}
	for _, name := range []string{"setup.py", "setup.cfg", "pyproject.toml"} {
		text, err := readSmall(tree, name, maxPyproject)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return false, err.Error()
		case name == "setup.py" && !plainSetup(text):
			return false, "its setup.py does more than to call setup()"
		}
		if found := looksInside.Find(sourceFolder.ReplaceAll(text, nil)); found != nil {
			return false, fmt.Sprintf("its %s has %q", name, found)
		}
	}
	return true, ""
}

var (
	// looksInside is what configuration has that lets setuptools run, read, compile or rename a project's modules.
	looksInside = regexp.MustCompile(`(?i)\battr\b|cmdclass|distutils|command[_-]packages|setup[_-]requires|\[build(_|\])|ext[_-]modules|package[_-]dir|setuptools[_-]scm|\bpbr\b`)
	// sourceFolder is the one renaming that is allowed: packages are in a folder, as with the src layout.
	sourceFolder = regexp.MustCompile(`package_dir[ \t]*=[ \t]*\n[ \t]+=[ \t]*[\w-]+[ \t]*\n(?:[^ \t]|$)|package-dir[ \t]*=[ \t]*\{[ \t]*""[ \t]*=[ \t]*"[\w-]+"[ \t]*\}`)
)

var (
	comment    = regexp.MustCompile(`(?m)^\s*#.*$`)
	setupCalls = []string{
		"from setuptools import setup\nsetup()",
		"import setuptools\nsetuptools.setup()",
		"from setuptools import setup\nif __name__ == '__main__':\nsetup()",
		"import setuptools\nif __name__ == '__main__':\nsetuptools.setup()",
	}
)

// plainSetup tells whether a setup.py only calls setup().
func plainSetup(text []byte) bool {
	var lines []string
	for line := range strings.Lines(string(comment.ReplaceAll(text, nil))) {
		if line = strings.TrimSpace(line); line != "" {
			lines = append(lines, strings.ReplaceAll(line, `"`, "'"))
		}
	}
	return slices.Contains(setupCalls, strings.Join(lines, "\n"))
}

// update makes the wheel from an earlier one, if it can; the reason why not is for the log.
func (r Request) update(ctx context.Context, c *cache.Dir, s survey, dir string) (done bool, why string, err error) {
	file, ok := c.Path(baseKind, r.baseKey(s))
	if !ok {
		return false, "it was not built before", nil
	}
	b, err := readBase(file)
	if err != nil {
		return false, fmt.Sprint("what is known of the earlier build cannot be read: ", err), nil
	}
	earlier, ok := c.Path("wheel", b.Wheel)
	if !ok {
		return false, "the earlier wheel is gone", c.Remove(baseKind, r.baseKey(s))
	}
	w, err := openOnly(earlier)
	if err != nil {
		return false, fmt.Sprint("the earlier wheel cannot be read: ", err), nil
	}
	changed, why := w.places(b, s)
	if why != "" {
		return false, why, nil
	}
	content := map[string][]byte{}
	for member, source := range changed {
		if err := ctx.Err(); err != nil {
			return false, "", err
		}
		if content[member], err = fs.ReadFile(r.Tree, source); err != nil {
			return false, "", err
		}
	}
	return true, "", w.rewrite(filepath.Join(dir, filepath.Base(w.Path)), content, r.Epoch)
}

func readBase(file string) (b base, err error) {
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &b)
	}
	return b, err
}

// remember keeps a wheel that was built as the base of later ones.
func (r Request) remember(ctx context.Context, c *cache.Dir, s survey, key string) error {
	data, err := json.Marshal(base{Wheel: key, Modules: s.modules})
	if err == nil {
		_, _, err = c.Put(ctx, baseKind, r.baseKey(s), bytes.NewReader(data))
	}
	return err
}

// baseKey leaves Version and Epoch out: setuptools by itself looks at neither.
func (r Request) baseKey(s survey) string {
	return cache.Key("base", hash(hook), s.outline, r.Root.Key, r.Root.python(), r.Project)
}

// places finds where in the wheel the modules are that have changed: the source by the member's name. Where that is not
// certain, why says so.
func (w *Wheel) places(b base, s survey) (changed map[string]string, why string) {
	changed = map[string]string{}
	for _, source := range sortedKeys(s.modules) {
		old := b.Modules[source]
		if s.modules[source] == old {
			continue
		}
		if s.names[path.Base(source)] {
			return nil, source + " is named in the project's configuration"
		}
		member, why := w.place(source)
		switch {
		case why != "":
			return nil, why
		case member == nil: // as tests are
		case hash(string(member.content)) != old:
			return nil, source + " is not copied as it is"
		case s.candidates(member.name) != 1:
			return nil, member.name + " may come from several files"
		default:
			changed[member.name] = source
		}
	}
	return changed, ""
}

// place finds the member that a module became: the one of its path, or of its path below a folder such as src; nil where it
// is not in the wheel.
func (w *Wheel) place(source string) (found *member, why string) {
	for i, m := range w.members {
		if path.Base(m.name) != path.Base(source) {
			continue
		}
		if top, _, _ := strings.Cut(m.name, "/"); strings.HasSuffix(top, ".data") {
			return nil, source + " may be " + m.name
		}
		if m.name == source || strings.HasSuffix(source, "/"+m.name) {
			if found != nil {
				return nil, source + " may be several files of the wheel"
			}
			found = &w.members[i]
		}
	}
	return found, ""
}

// rewrite writes w with other content for some of its members.
func (w *Wheel) rewrite(to string, content map[string][]byte, epoch int64) error {
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	err = errors.Join(w.encode(f, content, epoch), f.Close())
	if err != nil {
		return fmt.Errorf("writing wheel: %w", err)
	}
	return nil
}

func (w *Wheel) encode(to io.Writer, content map[string][]byte, epoch int64) error {
	rows := slices.Clone(w.record)
	for i, row := range rows {
		if changed, ok := content[row.path]; ok {
			rows[i] = rowOf(row.path, changed)
		}
	}
	archive := zip.NewWriter(to)
	for _, m := range w.members {
		changed, ok := content[m.name]
		switch {
		case m.name == w.info+"/RECORD":
			m.content = formatRecord(rows)
		case ok:
			m.content = changed
		}
		header := &zip.FileHeader{Name: m.name, Method: zip.Deflate, Modified: time.Unix(epoch, 0).UTC()}
		header.SetMode(0o644)
		if m.exec {
			header.SetMode(0o755)
		}
		part, err := archive.CreateHeader(header)
		if err == nil {
			_, err = part.Write(m.content)
		}
		if err != nil {
			return err
		}
	}
	return archive.Close()
}
