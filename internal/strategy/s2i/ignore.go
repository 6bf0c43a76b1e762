package s2i

import (
	"fmt"
	"path"
	"strings"
)

// ignored are the patterns of a .s2iignore file: as in path.Match, from the top of the sources; a later one
// that begins with ! takes back what earlier ones left out.
type ignored []pattern

type pattern struct {
	glob string
	keep bool
}

// parseIgnore reads a .s2iignore file.
func parseIgnore(text string) (ignored, error) {
	var list ignored
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		glob, keep := strings.CutPrefix(line, "!")
		glob = strings.Trim(path.Clean(glob), "/")
		if _, err := path.Match(glob, "x"); err != nil {
			return nil, fmt.Errorf("%s:%d: %q is no pattern", ignoreFile, n+1, line)
		}
		list = append(list, pattern{glob, keep})
	}
	return list, nil
}

// match tells whether a path is left out, by itself or with a folder above it.
func (list ignored) match(name string) bool {
	out := false
	for _, p := range list {
		for at := name; at != "."; at = path.Dir(at) {
			if ok, err := path.Match(p.glob, at); err == nil && ok {
				out = !p.keep
				break
			}
		}
	}
	return out
}

// parseEnvironment reads a .s2i/environment file: NAME=VALUE a line, comments after #.
func parseEnvironment(text string) ([]string, error) {
	var list []string
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(strings.TrimSuffix(line, "\r"))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		name, _, ok := strings.Cut(line, "=")
		if !ok || name == "" || strings.ContainsAny(line, "\x00") || strings.ContainsAny(name, " \t") {
			return nil, fmt.Errorf("%s:%d: %q is not NAME=VALUE", environmentFile, n+1, line)
		}
		list = append(list, line)
	}
	return list, nil
}
