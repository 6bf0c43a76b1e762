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
	key := cache.Key("scheme", hash(probe), root.Key, root.python())
	file, _, err := c.File(ctx, "scheme", key, func(w io.Writer) error { return runProbe(ctx, root, w) })
	if err != nil {
		return Scheme{}, fmt.Errorf("asking %s where packages go: %w", root.python(), err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return Scheme{}, fmt.Errorf("reading the scheme of %s: %w", root.python(), err)
	}
	return parseScheme(data)
}

func runProbe(ctx context.Context, root Root, w io.Writer) error {
	out, err := ask(ctx, root, probe)
	if err != nil {
		return err
	}
	if _, err := parseScheme(out); err != nil {
		return err
	}
	_, err = w.Write(out)
	return err
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
