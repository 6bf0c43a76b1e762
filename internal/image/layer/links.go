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

// resolve follows links in the folders of an absolute path; the last element stays as it is. used
// is called with every link that was followed. Nothing leads out of the root: ".." at the top stays
// there.
func (l Links) resolve(name string, used func(link string)) (string, error) {
	if len(l) == 0 {
		return name, nil
	}
	dir, base := path.Split(name)
	at, err := l.follow(path.Clean(dir), used)
	if err != nil {
		return "", err
	}
	return path.Join(at, base), nil
}

// follow resolves every element of a clean absolute path.
func (l Links) follow(name string, used func(link string)) (string, error) {
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
		if used != nil {
			used(next)
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

// settle gives links whose own folders are links the paths at which they really are. A package may
// own /lib/x -> y while another owns /lib -> usr/lib; then the link is at /usr/lib/x.
func (l Links) settle() (Links, error) {
	settled := l
	for range maxLinks {
		next := make(Links, len(settled))
		for _, name := range slices.Sorted(maps.Keys(settled)) {
			at, err := settled.resolve(name, nil)
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
