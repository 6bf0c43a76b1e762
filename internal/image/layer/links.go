package layer

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
)

// maxLinks is how many symbolic links one path may go through, as the kernel has it.
const maxLinks = 40

// Links are the symbolic links of a root filesystem: from the link's own path to its target as
// written. Paths are absolute.
type Links map[string]string

// resolve follows links in the folders of an absolute path; the last element stays as it is. Nothing
// leads out of the root: ".." at the top stays there.
func (l Links) resolve(name string) (string, error) {
	if len(l) == 0 {
		return name, nil
	}
	dir, base := path.Split(name)
	at, err := l.follow(path.Clean(dir))
	if err != nil {
		return "", err
	}
	return path.Join(at, base), nil
}

// follow resolves every element of a clean absolute path.
func (l Links) follow(name string) (string, error) {
	done := "/"
	rest := strings.TrimPrefix(name, "/")
	for budget := maxLinks; rest != ""; {
		var element string
		element, rest, _ = strings.Cut(rest, "/")
		if element == "" || element == "." {
			continue
		}
		if element == ".." {
			done = path.Dir(done)
			continue
		}
		next := path.Join(done, element)
		target, ok := l[next]
		if !ok {
			done = next
			continue
		}
		if budget--; budget < 0 {
			return "", fmt.Errorf("path %s goes through more than %d symbolic links", name, maxLinks)
		}
		rest = target + "/" + rest
		if strings.HasPrefix(target, "/") {
			done = "/"
			rest = strings.TrimPrefix(rest, "/")
		} else if target == "" {
			return "", fmt.Errorf("symbolic link %s has no target", next)
		}
	}
	return done, nil
}

// resolver resolves many paths by the same links: it remembers folders.
type resolver struct {
	links   Links
	folders map[string]string
}

func newResolver(l Links) *resolver { return &resolver{links: l, folders: map[string]string{}} }

// file resolves all but the last element of a clean absolute path.
func (r *resolver) file(name string) (string, error) {
	if len(r.links) == 0 || name == "/" {
		return name, nil
	}
	dir, base := path.Split(name)
	at, err := r.folder(strings.TrimSuffix(dir, "/"))
	if err != nil {
		return "", err
	}
	return strings.TrimSuffix(at, "/") + "/" + base, nil
}

// folder resolves every element of a clean absolute path; "" is the root, too.
func (r *resolver) folder(name string) (string, error) {
	if name == "" || name == "/" {
		return "/", nil
	}
	if at, ok := r.folders[name]; ok {
		return at, nil
	}
	at, err := r.file(name)
	if err != nil {
		return "", err
	}
	if _, ok := r.links[at]; ok {
		if at, err = r.links.follow(name); err != nil {
			return "", err
		}
	}
	r.folders[name] = at
	return at, nil
}

// settle gives links whose own folders are links the paths at which they really are. A package may
// own /lib/x -> y while another owns /lib -> usr/lib; then the link is at /usr/lib/x.
func (l Links) settle() (Links, error) {
	settled := l
	for range maxLinks {
		next := make(Links, len(settled))
		known := newResolver(settled)
		for _, name := range slices.Sorted(maps.Keys(settled)) {
			at, err := known.file(name)
			if err != nil {
				return nil, err
			}
			next[at] = settled[name]
		}
		if maps.Equal(next, settled) {
			return settled, nil
		}
		settled = next
	}
	return nil, fmt.Errorf("symbolic links do not settle: one of them goes through itself")
}
