package wheel

import (
	"bytes"
	"context"
	_ "embed" // the probe
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path"
	"time"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/sandbox"
)

//go:embed probe.py
var probe string

// ProbeScheme asks the Python of root where pip, run by root in the image, would put things. The answer is cached by
// root.Key and root.Python.
func ProbeScheme(ctx context.Context, root Root, c *cache.Dir) (Scheme, error) {
	s, err := probed(ctx, root, c, "scheme", probe, parseScheme)
	if err != nil {
		return Scheme{}, fmt.Errorf("asking %s where packages go: %w", root.python(), err)
	}
	return s, nil
}

// probed gives what a program says in the Python of root. Only an answer that can be parsed is kept: by kind, the program,
// root.Key and root.Python.
func probed[T any](ctx context.Context, root Root, c *cache.Dir, kind, program string, parse func([]byte) (T, error)) (answer T, err error) {
	file, _, err := c.File(ctx, kind, cache.Key(kind, hash(program), root.Key, root.python()), func(w io.Writer) error {
		out, err := ask(ctx, root, program)
		if err != nil {
			return err
		}
		if _, err := parse(out); err != nil {
			return err
		}
		_, err = w.Write(out)
		return err
	})
	if err != nil {
		return answer, err
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return answer, err
	}
	return parse(data)
}

// ask runs a program in the Python of root and gives what it prints.
func ask(ctx context.Context, root Root, program string) ([]byte, error) {
	var out bytes.Buffer
	output := &tail{}
	_, err := sandbox.Run(ctx, sandbox.Spec{
		Lower: root.Lowers, ReadOnly: true,
		Args:   []string{root.python(), "-c", program},
		Env:    []string{"HOME=/tmp", "LC_ALL=C.UTF-8", "PYTHONNOUSERSITE=1", "PYTHONWARNINGS=ignore"},
		Stdout: &out, Stderr: output,
		Limits: sandbox.Limits{Memory: 1 << 30, Processes: 64, Time: time.Minute, Output: 1 << 20},
	})
	if lines := output.last(); err != nil && len(lines) > 0 {
		err = fmt.Errorf("%w: %s", err, lines[len(lines)-1])
	}
	return out.Bytes(), err
}

// parseScheme reads what the probe printed. The image answers, so the paths are checked.
func parseScheme(data []byte) (Scheme, error) {
	var s Scheme
	if err := json.Unmarshal(data, &s); err != nil {
		return Scheme{}, fmt.Errorf("reading the Python's scheme: %w", err)
	}
	for name, p := range map[string]*string{
		"purelib": &s.Purelib, "platlib": &s.Platlib, "scripts": &s.Scripts, "data": &s.Data, "headers": &s.Headers, "python": &s.Python,
	} {
		if !path.IsAbs(*p) || path.Clean(*p) == "/" || printable(*p) != *p {
			return Scheme{}, fmt.Errorf("reading the Python's scheme: its folder for %s is %q", name, printable(*p))
		}
		*p = path.Clean(*p)
	}
	return s, nil
}
