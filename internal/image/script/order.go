package script

import (
	"cmp"
	"math"
	"slices"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Order gives the order in which rpm installs packages: a package after those that it requires, of
// those that are free the one first that most others require. In a cycle, requirements of scripts
// (Requires(pre) and so on) weigh more than plain ones. The result holds indexes of packages. It
// depends on the packages alone, not on the order in which they come.
//
// This is the order of rpm's lib/order.c for packages that are given to it sorted by name. As in rpm
// 4.20, and unlike before, Recommends and the like have no say in it: they make loops of half a
// distribution.
func Order(packages []Package) []int {
	g := newGraph(packages)
	g.findCycles()
	return g.collect()
}

// node is a package in the graph of requirements.
type node struct {
	index int
	// needs are those that it requires, needed those that require it.
	needs, needed []edge
	// waits counts those of needs that are not collected; wanted is how many need it.
	waits, wanted int
	// cycle is the number of the cycle that it is in; -1 when it is in none.
	cycle    int
	distance int
	done     bool
	// color is that of all its files: which word sizes of programs it has.
	color uint32
	// Tarjan's algorithm.
	visited, low int
}

type edge struct {
	to *node
	// pre: the requirement is that of a script.
	pre bool
}

// cycle is a set of packages that require each other.
type cycle struct {
	members []*node
	// waits counts requirements of members by packages outside that are not collected.
	waits int
}

type graph struct {
	nodes  []*node // sorted by package name
	cycles []*cycle
}

func newGraph(packages []Package) *graph {
	g := &graph{}
	for i := range packages {
		n := &node{index: i, cycle: -1}
		for _, f := range packages[i].Files {
			n.color |= f.Color
		}
		g.nodes = append(g.nodes, n)
	}
	slices.SortStableFunc(g.nodes, func(a, b *node) int {
		return cmp.Compare(packages[a.index].Name, packages[b.index].Name)
	})
	providers := newProviders(packages, g.nodes)
	for _, n := range g.nodes {
		for _, d := range packages[n.index].Requires {
			g.require(n, d, providers)
		}
	}
	for _, n := range g.nodes {
		// rpm goes through relations from the newest to the oldest.
		slices.Reverse(n.needs)
		slices.Reverse(n.needed)
	}
	return g
}

// require adds the relations of one requirement. Of a rich one, all parts count that could have to
// be met.
func (g *graph) require(n *node, d rpm.Dependency, providers providers) {
	// What the transaction's ends need, and rpm itself, has no bearing on the order.
	if d.Sense&(rpm.RPMLib|rpm.Config|rpm.PreTrans|rpm.PostTrans) != 0 {
		return
	}
	if d.IsRich() {
		if rich, err := rpm.ParseRich(d.Name); err == nil {
			g.requireRich(n, rich, d.Sense, providers)
		}
		return
	}
	const script = rpm.Pre | rpm.Post
	if q := providers.find(d); q != nil && q != n {
		relate(n, q, d.Sense&script != 0)
	}
}

func (g *graph) requireRich(n *node, r *rpm.Rich, sense rpm.Sense, providers providers) {
	if r == nil {
		return
	}
	switch r.Op {
	case rpm.RichDep:
		d := r.Dep
		d.Sense |= sense &^ rpm.RangeMask
		g.require(n, d, providers)
	case rpm.RichIf, rpm.RichUnless:
		g.requireRich(n, r.Left, sense, providers)
		g.requireRich(n, r.Else, sense, providers)
	case rpm.RichAnd, rpm.RichOr:
		g.requireRich(n, r.Left, sense, providers)
		g.requireRich(n, r.Right, sense, providers)
	default: // with, without: the left side names the package
		g.requireRich(n, r.Left, sense, providers)
	}
}

func relate(n, q *node, pre bool) {
	for i := range n.needs {
		if n.needs[i].to == q {
			n.needs[i].pre = n.needs[i].pre || pre
			return
		}
	}
	n.needs = append(n.needs, edge{q, pre})
	q.needed = append(q.needed, edge{n, pre})
	n.waits++
	q.wanted++
}

// providers finds who meets a requirement: the first package by name that does.
type providers struct {
	packages []Package
	byName   map[string][]provide
	byPath   map[string]*node
}

type provide struct {
	node *node
	dep  rpm.Dependency
}

func newProviders(packages []Package, sorted []*node) providers {
	p := providers{packages, map[string][]provide{}, map[string]*node{}}
	for _, n := range sorted {
		for _, d := range packages[n.index].Provides {
			p.byName[d.Name] = append(p.byName[d.Name], provide{n, d})
		}
		for _, f := range packages[n.index].Files {
			if _, ok := p.byPath[f.Path]; !ok {
				p.byPath[f.Path] = n
			}
		}
	}
	return p
}

func (p providers) find(d rpm.Dependency) *node {
	if d.IsPath() {
		if n := p.byPath[d.Name]; n != nil {
			return n
		}
	}
	for _, have := range p.byName[d.Name] {
		if d.MatchedBy(have.dep) {
			return have.node
		}
	}
	return nil
}

// findCycles finds the strongly connected components with more than one member (Tarjan).
func (g *graph) findCycles() {
	var stack []*node
	count := 0
	var visit func(n *node)
	visit = func(n *node) {
		count++
		n.visited, n.low = count, count
		stack = append(stack, n)
		for _, e := range n.needed {
			switch q := e.to; {
			case q.done:
			case q.visited == 0:
				visit(q)
				n.low = min(n.low, q.low)
			default:
				n.low = min(n.low, q.visited)
			}
		}
		if n.low != n.visited {
			return
		}
		at := slices.Index(stack, n)
		members := slices.Clone(stack[at:])
		stack = stack[:at]
		for _, m := range members {
			m.done = true
			if len(members) > 1 {
				m.cycle = len(g.cycles)
			}
		}
		if len(members) > 1 {
			g.cycles = append(g.cycles, &cycle{members: members})
		}
	}
	for _, n := range g.nodes {
		if n.visited == 0 {
			visit(n)
		}
	}
	for i, c := range g.cycles {
		for _, m := range c.members {
			for _, e := range m.needs {
				if e.to.cycle != i {
					c.waits++
				}
			}
		}
	}
	for _, n := range g.nodes {
		n.done = false
	}
}

// queue holds packages that are free to be installed, the most wanted first, older ones later among
// equals. Packages with 64-bit programs go before others, whatever these are wanted for.
type queue struct{ nodes []*node }

// preferredColor is that of 64-bit programs (rpm's %_prefer_color).
const preferredColor = 2

func (q *queue) add(n *node) {
	at := slices.IndexFunc(q.nodes, func(m *node) bool {
		return (n.color == preferredColor || n.color == m.color) && m.wanted <= n.wanted
	})
	if at < 0 {
		at = len(q.nodes)
	}
	q.nodes = slices.Insert(q.nodes, at, n)
}

func (q *queue) next() *node {
	n := q.nodes[0]
	q.nodes = q.nodes[1:]
	return n
}

func (g *graph) collect() []int {
	var out []int
	var free queue
	for _, n := range g.nodes {
		if n.waits == 0 {
			free.add(n)
		}
	}
	for _, c := range g.cycles {
		if c.waits == 0 {
			free.add(c.members[0])
		}
	}
	for len(free.nodes) > 0 {
		n := free.next()
		if n.cycle >= 0 {
			out = g.collectCycle(g.cycles[n.cycle], &free, out)
		} else {
			out = g.take(n, &free, &free, out)
		}
	}
	return out
}

// take collects a package and puts those that it sets free into a queue: inner those of its own
// cycle, outer the others.
func (g *graph) take(n *node, inner, outer *queue, out []int) []int {
	out = append(out, n.index)
	for _, e := range n.needed {
		p := e.to
		if p.done {
			continue
		}
		if p.waits--; p.waits == 0 {
			if p.cycle == n.cycle {
				inner.add(p)
			} else {
				outer.add(p)
			}
		}
		if p.cycle >= 0 && p.cycle != n.cycle {
			c := g.cycles[p.cycle]
			if c.waits--; c.waits == 0 {
				outer.add(p)
			}
		}
	}
	n.done = true
	return out
}

// collectCycle breaks a cycle open where that does least harm: at the package that is farthest from
// any that a script requires.
func (g *graph) collectCycle(c *cycle, outer *queue, out []int) []int {
	c.measure()
	for {
		var best *node
		for _, m := range c.members {
			if !m.done && (best == nil || m.distance >= best.distance) {
				best = m
			}
		}
		if best == nil {
			return out
		}
		inner := queue{[]*node{best}}
		for len(inner.nodes) > 0 {
			n := inner.next()
			if !n.done {
				out = g.take(n, &inner, outer, out)
			}
		}
	}
}

// measure gives members their distance from those whose scripts require another member.
func (c *cycle) measure() {
	var queue []*node
	for _, m := range c.members {
		m.distance = math.MaxInt
		for _, e := range m.needs {
			if e.pre && e.to.cycle == m.cycle {
				m.distance = 0
				queue = append(queue, m)
				break
			}
		}
	}
	for len(queue) > 0 {
		n := queue[0]
		queue = queue[1:]
		for _, e := range n.needs {
			if e.to.cycle == n.cycle && e.to.distance > n.distance+1 {
				e.to.distance = n.distance + 1
				queue = append(queue, e.to)
			}
		}
	}
}
