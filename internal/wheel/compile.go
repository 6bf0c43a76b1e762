package wheel

import (
	"bufio"
	"bytes"
	"context"
	_ "embed" // the compiler
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/sandbox"
)

//go:embed compile.py
var compiler string

// maxBytecode bounds what the compiler may answer, in bytes.
const maxBytecode = 1 << 30

// Compile adds to the files that Install gave the bytecode that pip would have the target's Python make
// of them, and its lines to RECORD. It is of the unchecked kind (PEP 552), so that it depends on nothing
// but the modules and the Python, and is cached by these. Modules that the Python does not understand
// are left as they are, as pip does.
func (w *Wheel) Compile(ctx context.Context, root Root, s Scheme, files []File, c *cache.Dir) ([]File, error) {
	var modules []File
	parts := []string{"bytecode/1", hash(compiler), root.Key, root.python()}
	for _, f := range files {
		if strings.HasSuffix(f.Path, ".py") {
			modules = append(modules, f)
			parts = append(parts, f.Path, hash(string(f.Content)))
		}
	}
	if len(modules) == 0 {
		return files, nil
	}
	file, _, err := c.File(ctx, "bytecode", cache.Key(parts...), func(out io.Writer) error { return compile(ctx, root, modules, out) })
	if err != nil {
		return nil, fmt.Errorf("compiling %s: %w", w.Name, err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("compiling %s: %w", w.Name, err)
	}
	compiled, err := readBytecode(data, modules)
	if err != nil {
		return nil, fmt.Errorf("compiling %s: %w", w.Name, err)
	}
	return w.enlist(s, files, compiled)
}

// unit is the line before each file that goes to the compiler and comes from it.
type unit struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

func compile(ctx context.Context, root Root, modules []File, out io.Writer) error {
	var in bytes.Buffer
	for _, m := range modules {
		line, err := json.Marshal(unit{m.Path, int64(len(m.Content))})
		if err != nil {
			return err
		}
		in.Write(append(line, '\n'))
		in.Write(m.Content)
	}
	output := &tail{}
	_, err := sandbox.Run(ctx, sandbox.Spec{
		Lower: root.Lowers, ReadOnly: true,
		Args:  []string{root.python(), "-I", "-c", compiler},
		Env:   []string{"HOME=/tmp", "LC_ALL=C.UTF-8", "PYTHONHASHSEED=0"},
		Stdin: &in, Stdout: out, Stderr: output,
		Limits: sandbox.Limits{Memory: 2 << 30, Processes: 16, Time: 10 * time.Minute, Output: maxBytecode},
	})
	if lines := output.last(); err != nil && len(lines) > 0 {
		err = fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	return err
}

// readBytecode reads the compiler's answer, which may only have files beside the modules.
func readBytecode(data []byte, modules []File) ([]File, error) {
	folders := map[string]bool{}
	for _, m := range modules {
		folders[path.Dir(m.Path)] = true
	}
	var list []File
	r := bufio.NewReader(bytes.NewReader(data))
	for {
		line, err := r.ReadBytes('\n')
		if errors.Is(err, io.EOF) && len(line) == 0 {
			return list, nil
		}
		var u unit
		if err == nil {
			err = json.Unmarshal(line, &u)
		}
		if err != nil || u.Size < 0 || u.Size > int64(len(data)) {
			return nil, errors.New("the compiler's answer is not understood")
		}
		dir, base := path.Split(u.Path)
		if path.Clean(u.Path) != u.Path || path.Base(dir) != "__pycache__" || !strings.HasSuffix(base, ".pyc") || !folders[path.Dir(path.Clean(dir))] {
			return nil, fmt.Errorf("the compiler would write %q", printable(u.Path))
		}
		f := File{Path: u.Path, Mode: 0o644, Content: make([]byte, u.Size)}
		if _, err := io.ReadFull(r, f.Content); err != nil {
			return nil, errors.New("the compiler's answer ends too early")
		}
		list = append(list, f)
	}
}

// enlist adds compiled files to those of an installation, and to its RECORD: by path alone, as pip does.
func (w *Wheel) enlist(s Scheme, files, compiled []File) ([]File, error) {
	in := &installation{wheel: w, scheme: s, lib: s.Platlib}
	if w.Purelib {
		in.lib = s.Purelib
	}
	at := path.Join(in.lib, w.info, "RECORD")
	files = slices.Clone(files)
	i := slices.IndexFunc(files, func(f File) bool { return f.Path == at })
	if i < 0 {
		return nil, fmt.Errorf("compiling %s: it has no %s", w.Name, at)
	}
	rows, err := parseRecord(files[i].Content)
	if err != nil {
		return nil, err
	}
	for _, f := range compiled {
		if slices.ContainsFunc(files, func(have File) bool { return have.Path == f.Path }) {
			continue // the wheel brings its own
		}
		files = append(files, f)
		rows = append(rows, recordRow{path: in.relative(f.Path)})
	}
	files[i].Content = formatRecord(rows)
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return files, nil
}
