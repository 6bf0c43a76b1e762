package source

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// gitmodules is the file that says where submodules are (gitmodules(5)).
const gitmodules = ".gitmodules"

// Bounds of submodules.
const (
	maxModules     = 64 // of one repository
	maxModuleDepth = 5
	maxGitmodules  = 1 << 20
)

// submodules adds the files of a repository's submodules, each at its commit.
func (m *Mirror) submodules(ctx context.Context, l *layer, depth int) error {
	if len(l.modules) == 0 {
		return nil
	}
	addresses, err := m.moduleAddresses(ctx, l.gitmodules)
	if err != nil {
		return err
	}
	switch {
	case len(l.modules) > maxModules:
		return fmt.Errorf("more than %d submodules", maxModules)
	case depth >= maxModuleDepth:
		return fmt.Errorf("submodules in submodules, more than %d deep", maxModuleDepth)
	}
	for _, name := range slices.Sorted(maps.Keys(l.modules)) {
		inside, ok := strings.CutPrefix(name, l.prefix)
		if !ok {
			continue
		}
		address, ok := addresses[name]
		if !ok {
			return fmt.Errorf("submodule %s: %s does not say where it is", name, gitmodules)
		}
		if err := m.submodule(ctx, l, inside, address, l.modules[name], depth); err != nil {
			return fmt.Errorf("submodule %s: %w", name, err)
		}
	}
	return nil
}

// moduleAddresses reads .gitmodules: path -> address.
func (m *Mirror) moduleAddresses(ctx context.Context, file *entry) (map[string]string, error) {
	if file == nil {
		return nil, nil
	}
	if !file.mode.IsRegular() || file.size > maxGitmodules {
		return nil, fmt.Errorf("%s is no file of at most %d bytes", gitmodules, maxGitmodules)
	}
	out, err := git(ctx, m.dir, "config", "-z", "--no-includes", "--blob", file.blob, "--get-regexp", `^submodule\..*\.(path|url)$`)
	var ge *gitError
	if errors.As(err, &ge) && ge.silent { // nothing matches
		return nil, nil
	} else if err != nil {
		return nil, fmt.Errorf("reading %s: %w", gitmodules, err)
	}
	paths, urls := map[string]string{}, map[string]string{}
	for item := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		key, value, _ := strings.Cut(item, "\n")
		if name, ok := strings.CutSuffix(key, ".path"); ok {
			paths[name] = value
		} else if name, ok := strings.CutSuffix(key, ".url"); ok {
			urls[name] = value
		}
	}
	addresses := map[string]string{}
	for name, p := range paths {
		if u := urls[name]; u != "" {
			addresses[p] = u
		}
	}
	return addresses, nil
}

func (m *Mirror) submodule(ctx context.Context, l *layer, at, address string, e *entry, depth int) error {
	address, err := m.moduleURL(address)
	if err != nil {
		return err
	}
	sub, err := m.store.Mirror(address)
	if err != nil {
		return err
	}
	commit := e.blob
	if err := sub.want(ctx, commit); err != nil {
		return err
	}
	e.blob = "" // a folder like others
	return sub.lay(ctx, l.Tree, commit, "", l.at+at+"/", depth+1)
}

// want makes a commit be in the mirror.
func (m *Mirror) want(ctx context.Context, commit string) error {
	has := func() bool {
		_, err := git(ctx, m.dir, "cat-file", "-e", commit+"^{commit}")
		return err == nil
	}
	if has() {
		return nil
	}
	if err := m.Fetch(ctx); err != nil {
		return err
	}
	if ctx.Err() == nil && !has() {
		return fmt.Errorf("%s has no commit %s on any branch or tag: was it pushed?", m.URL(), commit)
	}
	return context.Cause(ctx)
}

// moduleSchemes are the ways to a submodule that may be named in full. A commit must not reach folders
// of this machine (git's own protocol.file.allow forbids it, too).
var moduleSchemes = []string{"https", "http", "ssh", "git+ssh", "git"}

// moduleURL makes the address that .gitmodules gives a whole one: "./x" and "../x" are meant from the
// repository's own (git-submodule(1), "add").
func (m *Mirror) moduleURL(address string) (string, error) {
	if rest := address; strings.HasPrefix(rest, "./") || strings.HasPrefix(rest, "../") {
		base := strings.TrimRight(m.url, "/")
		for {
			if r, ok := strings.CutPrefix(rest, "../"); ok {
				rest = r
				i := strings.LastIndexAny(base, "/:")
				if i < 0 || strings.HasSuffix(base[:i+1], "://") {
					return "", fmt.Errorf("address %q leads out of %s", Redact(address), m.URL())
				}
				if base[i] == ':' {
					i++ // of ssh's HOST:PATH
				}
				base = base[:i]
			} else if r, ok := strings.CutPrefix(rest, "./"); ok {
				rest = r
			} else {
				break
			}
		}
		if strings.Contains("/"+rest+"/", "/../") {
			return "", fmt.Errorf("address %q is not allowed", Redact(address))
		}
		if strings.HasSuffix(base, ":") {
			return base + rest, nil
		}
		return base + "/" + rest, nil
	}
	scheme, _, full := strings.Cut(address, "://")
	switch {
	case full && slices.Contains(moduleSchemes, scheme):
		return address, nil
	case !full && !filepath.IsAbs(address) && !strings.HasPrefix(address, "-") && strings.Contains(address, ":") && !strings.Contains(address, "::"):
		return address, nil // ssh's HOST:PATH
	}
	return "", fmt.Errorf("address %q is not allowed: it must be relative, or of https or ssh", Redact(address))
}
