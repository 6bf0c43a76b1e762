package convert

import (
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// alternative is a link that a maintainer script would register.
type alternative struct {
	link, target string
}

var alternativeSyntax = regexp.MustCompile(`--(?:install|slave)\s+(/[^\s$"']+)\s+\S+\s+(/[^\s$"']+)`)

// linkAlternatives replaces update-alternatives: where one package alone offers
// a link, it holds it; where several do, or in a rich universe, the first that is
// installed makes it.
func (u *universe) linkAlternatives() {
	held := map[string]bool{}
	for _, p := range u.packages {
		for _, f := range p.spec.Files {
			held[f.Path] = true
		}
	}
	offers := map[*pkg][]alternative{}
	count := map[string]int{}
	for _, p := range u.packages {
		for _, a := range p.alternatives() {
			if !held[a.link] {
				offers[p] = append(offers[p], a)
				count[a.link]++
			}
		}
	}
	for _, p := range u.packages {
		var made []alternative
		for _, a := range offers[p] {
			if u.Rich || count[a.link] > 1 {
				made = append(made, a)
				continue
			}
			link := rpmwrite.Symlink(a.link, a.target)
			link.ModTime = epoch
			p.spec.Files = append(p.spec.Files, link)
		}
		if len(made) > 0 {
			p.addScript(linkScript(made, u.Rich))
		}
	}
}

// alternatives finds the links in the script that runs after installation, as
// far as they are written out and lead to a file of the package.
func (p *pkg) alternatives() []alternative {
	if p.deb == nil {
		return nil
	}
	files := map[string]bool{}
	for _, f := range p.spec.Files {
		files[f.Path] = true
	}
	found := map[string]string{}
	script := strings.ReplaceAll(p.deb.Scripts["postinst"], "\\\n", " ")
	for _, m := range alternativeSyntax.FindAllStringSubmatch(script, -1) {
		link, target := merged(path.Clean(m[1])), merged(path.Clean(m[2]))
		if files[target] && link != target && !strings.HasPrefix(link, "/usr/share/man/") {
			found[link] = relative(path.Dir(link), target)
		}
	}
	var all []alternative
	for _, link := range slices.Sorted(maps.Keys(found)) {
		all = append(all, alternative{link, found[link]})
	}
	return all
}

func linkScript(links []alternative, lua bool) rpm.Script {
	var b strings.Builder
	for _, a := range links {
		if lua {
			fmt.Fprintf(&b, "if not posix.stat(%q) then posix.symlink(%q, %q) end\n", a.link, a.target, a.link)
		} else {
			fmt.Fprintf(&b, "[ -e %s ] || ln -s %s %s\n", a.link, a.target, a.link)
		}
	}
	if lua {
		return rpm.Script{Kind: rpm.ScriptPost, Program: []string{"<lua>"}, Body: b.String()}
	}
	return shell(rpm.ScriptPost, b.String())
}
