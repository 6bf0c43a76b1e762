package wheel

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// backend is how a project wants to be built (PEP 517, PEP 518).
type backend struct {
	name     string   // "module:object"
	path     []string // folders of the project that hold the backend itself
	requires []string
	origin   string // where requires are written
}

// legacy is what a project that names no backend is built with.
const legacy = "setuptools.build_meta:__legacy__"

var backendShape = regexp.MustCompile(`^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*)?$`)

// maxPyproject bounds a pyproject.toml, in bytes.
const maxPyproject = 4 << 20

// findBackend reads the [build-system] table of a project's pyproject.toml. Without it, setuptools builds the project in
// its legacy way, as with pip.
func findBackend(tree fs.FS) (backend, error) {
	fallback := backend{name: legacy, requires: []string{"setuptools>=40.8.0"}, origin: "no build-system in pyproject.toml"}
	data, err := readSmall(tree, "pyproject.toml", maxPyproject)
	if errors.Is(err, fs.ErrNotExist) {
		if !exists(tree, "setup.py") && !exists(tree, "setup.cfg") {
			return backend{}, errors.New("it has none of pyproject.toml, setup.py and setup.cfg: it is no Python project")
		}
		fallback.origin = "no pyproject.toml"
		return fallback, nil
	}
	if err != nil {
		return backend{}, fmt.Errorf("reading pyproject.toml: %w", err)
	}
	var file struct {
		System *struct {
			Requires *[]string `toml:"requires"`
			Backend  string    `toml:"build-backend"`
			Path     []string  `toml:"backend-path"`
		} `toml:"build-system"`
	}
	if err := toml.Unmarshal(data, &file); err != nil {
		var at *toml.DecodeError
		if errors.As(err, &at) {
			row, _ := at.Position()
			return backend{}, fmt.Errorf("pyproject.toml:%d: %w", row, err)
		}
		return backend{}, fmt.Errorf("reading pyproject.toml: %w", err)
	}
	s := file.System
	if s == nil {
		return fallback, nil
	}
	if s.Requires == nil {
		return backend{}, errors.New("pyproject.toml: [build-system] lacks \"requires\" (PEP 518)")
	}
	b := backend{name: s.Backend, path: s.Path, requires: *s.Requires, origin: "pyproject.toml, build-system.requires"}
	if b.name == "" {
		b.name = legacy
	}
	if !backendShape.MatchString(b.name) {
		return backend{}, fmt.Errorf("pyproject.toml: build-backend %q is not the name of a Python object", b.name)
	}
	for _, p := range b.path {
		if clean := path.Clean(p); path.IsAbs(p) || clean == ".." || strings.HasPrefix(clean, "../") {
			return backend{}, fmt.Errorf("pyproject.toml: backend-path %q leaves the project", p)
		}
	}
	return b, nil
}

func exists(tree fs.FS, name string) bool {
	_, err := fs.Stat(tree, name)
	return err == nil
}

func readSmall(tree fs.FS, name string, limit int64) ([]byte, error) {
	info, err := fs.Stat(tree, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > limit {
		return nil, fmt.Errorf("%s is no file of at most %d bytes", name, limit)
	}
	return fs.ReadFile(tree, name)
}
