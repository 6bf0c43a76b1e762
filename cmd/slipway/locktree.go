package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/release"
)

// treeNode is a package and what it needs. Again says that it is shown before, with what it needs.
type treeNode struct {
	NEVRA string      `json:"nevra"`
	For   []string    `json:"for"` // what of it is needed, or who asks for it
	Again bool        `json:"again,omitempty"`
	Needs []*treeNode `json:"needs,omitempty"`
}

// treeRoot is what an image is asked to have, with all that follows.
type treeRoot struct {
	Target string      `json:"target"`
	Root   string      `json:"root"`
	Needs  []*treeNode `json:"needs"`
}

func (a *app) lockTreeCommand() *cobra.Command {
	var env string
	cmd := &cobra.Command{
		Use:   "tree [IMAGE]",
		Short: "The locked packages, below what needs them",
		Long: `Tree shows the packages of slipway.lock image by image: those that are asked for, with who asks, and
below each what it requires. Where a package comes up once more it is marked with "…", and what it
requires stands at its first place. IMAGE is one image, or "build" for what builds the projects.

As with lock why, the projects and the metadata of the repositories are read for this.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usageError{fmt.Errorf("lock tree takes one image, not %d", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(s *session) error {
				reasons, err := a.reasons(cmd.Context(), s, env)
				if err != nil {
					return err
				}
				trees, err := treesOf(reasons, args)
				if err != nil {
					return err
				}
				return a.print(trees, func(w io.Writer) {
					for _, t := range trees {
						fmt.Fprintf(w, "%s on target %s\n", rootText(t.Root), t.Target)
						writeTree(w, t.Needs, "  ")
					}
				})
			})
		},
	}
	cmd.Flags().StringVarP(&env, "env", "e", "", "environment whose images are shown (needed where there are several)")
	return cmd
}

func treesOf(reasons []release.Reasons, only []string) ([]treeRoot, error) {
	trees, names := []treeRoot{}, []string{}
	for _, r := range reasons {
		names = append(names, r.Root)
		if len(only) > 0 && r.Root != only[0] {
			continue
		}
		g := grower{needed: r.Needed(), seen: map[string]bool{}}
		trees = append(trees, treeRoot{Target: r.Target, Root: r.Root, Needs: g.grow("")})
	}
	if len(trees) == 0 && len(only) > 0 {
		return nil, usageError{fmt.Errorf("there is no image %q in this environment: it has %s", only[0], strings.Join(slices.Compact(names), ", "))}
	}
	return trees, nil
}

// grower makes a tree of reasons.
type grower struct {
	needed map[string][]release.Link
	seen   map[string]bool
}

// grow gives what a package needs, or for "" what is asked for. All of a level are put down before the
// first of them is followed, so that a package is explained where it is asked for by name.
func (g *grower) grow(of string) []*treeNode {
	var nodes []*treeNode
	for _, link := range g.needed[of] {
		if n := len(nodes); n > 0 && nodes[n-1].NEVRA == link.NEVRA {
			nodes[n-1].For = append(nodes[n-1].For, forWhat(link)...)
			continue
		}
		nodes = append(nodes, &treeNode{NEVRA: link.NEVRA, For: forWhat(link), Again: g.seen[link.NEVRA]})
	}
	for _, n := range nodes {
		g.seen[n.NEVRA] = true
	}
	for _, n := range nodes {
		if !n.Again {
			n.Needs = g.grow(n.NEVRA)
		}
	}
	return nodes
}

func forWhat(link release.Link) []string {
	switch why := link.Why; {
	case why.Package != "":
		return append([]string{why.Dependency}, link.Also...)
	case why.Origin == "":
		return []string{why.String()}
	default:
		return []string{why.Origin}
	}
}

// shownReasons is how many reasons a line of lock tree has room for; JSON has all.
const shownReasons = 2

func writeTree(w io.Writer, nodes []*treeNode, indent string) {
	for _, n := range nodes {
		reasons, mark := n.For, ""
		if more := len(reasons) - shownReasons; more > 1 {
			reasons = append(slices.Clone(reasons[:shownReasons]), fmt.Sprintf("and %d more", more))
		}
		if n.Again {
			mark = " …"
		}
		fmt.Fprintf(w, "%s%s (%s)%s\n", indent, n.NEVRA, strings.Join(reasons, ", "), mark)
		writeTree(w, n.Needs, indent+"  ")
	}
}
