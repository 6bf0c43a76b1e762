package resolve

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/resolve/sat"
)

// opposition is what keeps a package apart from others of one name.
type opposition struct {
	cause  cause
	mine   bool // the dependency is the package's own
	others []id // the newest first
	causes []int
}

// objections are what other packages have against a package, or it against them, by their names.
func (st *story) objections(i id) []*opposition {
	type key struct {
		kind      ruleKind
		mine      bool
		name, dep string
	}
	index := map[key]*opposition{}
	var all []*opposition
	for _, n := range st.against[i] {
		c := st.causes[n]
		if c.kind == ruleRequires && c.pkg == i {
			continue
		}
		for _, other := range c.opponents(i) {
			k := key{c.kind, c.pkg == i, st.pool.pkg(other).Name, c.dep.Name}
			o := index[k]
			if o == nil {
				o = &opposition{cause: c, mine: c.pkg == i}
				index[k] = o
				all = append(all, o)
			}
			if len(o.others) > 0 && st.pool.pkg(other).EVR.Compare(st.pool.pkg(o.others[0]).EVR) > 0 {
				o.cause, o.others = c, append([]id{other}, o.others...)
			} else if !slices.Contains(o.others, other) {
				o.others = append(o.others, other)
			}
			o.causes = append(o.causes, n)
		}
	}
	return all
}

// opponents are the packages from which the cause keeps i apart.
func (c *cause) opponents(i id) []id {
	if c.kind == ruleRequires {
		return []id{c.pkg}
	}
	var others []id
	for _, clause := range c.clauses {
		if !slices.Contains(clause, -sat.Lit(i)) {
			continue
		}
		for _, l := range clause {
			if l < 0 && id(-l) != i {
				others = append(others, id(-l))
			}
		}
	}
	return others
}

// objection says what speaks against a package.
func (st *story) objection(o *opposition, label string) string {
	other := st.needed(o.others[0], len(o.others)-1)
	verb := "conflicts with"
	switch o.cause.kind {
	case ruleRequires:
		return fmt.Sprintf("%s makes %s require %s", label, st.pool.label(o.others[0]), o.cause.dep)
	case ruleSameName:
		return fmt.Sprintf("%s cannot be beside %s", label, other)
	case ruleObsoletes:
		verb = "obsoletes"
	default:
	}
	if o.mine {
		return fmt.Sprintf("%s %s %s: %s", label, verb, o.cause.dep, other)
	}
	return fmt.Sprintf("%s: %s %s it (%s)", label, other, verb, o.cause.dep)
}

// needed names a package, how many others of its name are meant as well, and who needs it.
func (st *story) needed(i id, others int) string {
	var about []string
	if others > 0 {
		about = append(about, "and "+versions(others)+" like it")
	}
	var by []string
	for _, c := range st.causes {
		for _, clause := range c.clauses {
			if !slices.Contains(clause, sat.Lit(i)) {
				continue
			}
			switch c.kind {
			case ruleRequest, ruleBest:
				for _, r := range st.search.asks[c.request].from {
					by = append(by, cmp.Or(r.Origin, "request "+c.dep.String()))
				}
			case ruleRequires:
				by = append(by, st.pool.label(c.pkg))
			default: // the others need nothing
			}
		}
	}
	slices.Sort(by)
	if by = slices.Compact(by); len(by) > 0 {
		about = append(about, "needed by "+enumerate(by[:min(3, len(by))]))
	}
	if len(about) == 0 {
		return st.pool.label(i)
	}
	return fmt.Sprintf("%s (%s)", st.pool.label(i), strings.Join(about, "; "))
}
