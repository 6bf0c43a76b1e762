package main

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/rpm"
)

// whyResult is what lock why shows.
type whyResult struct {
	Package string    `json:"package"`
	Roots   []whyRoot `json:"roots"`
}

// whyRoot is a package in an image, or in the root that builds projects.
type whyRoot struct {
	Target string    `json:"target"`
	Root   string    `json:"root"`
	NEVRA  string    `json:"nevra"`
	Chains [][]whyOf `json:"chains"` // the shortest to each that needs it; shortest first
}

// whyOf is a package of a chain, and why it is there.
type whyOf struct {
	NEVRA string `json:"nevra"`
	Why   string `json:"why"`
}

// shownChains is how many chains lock why prints unless it is asked for all.
const shownChains = 10

func (a *app) lockWhyCommand() *cobra.Command {
	var env string
	var all bool
	cmd := &cobra.Command{
		Use:   "why PACKAGE",
		Short: "What needs a locked package, from the line that asks for it",
		Long: `Why shows who needs a package of slipway.lock: for each that does, in each image, the shortest chain
from a line of a project or of slipway.yaml. PACKAGE is a name, or a NEVRA as the lock has it.

The lock itself has one reason a package. For all of them the environment's projects and the metadata
of the repositories are read (with --offline from the cache) and the locked packages are resolved once
more, with no others on offer; the lock must be up to date, and its packages still in the metadata.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{fmt.Errorf("lock why takes one package, not %d", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(s *session) error {
				reasons, err := a.reasons(cmd.Context(), s, env)
				if err != nil {
					return err
				}
				r := whyOfPackage(reasons, args[0])
				if len(r.Roots) == 0 {
					return fmt.Errorf("%s has no package %s in the images of this environment, nor for building their projects", lock.FileName, args[0])
				}
				limit := shownChains
				if all {
					limit = 0
				}
				return a.print(r, func(w io.Writer) { r.write(w, limit) })
			})
		},
	}
	cmd.Flags().StringVarP(&env, "env", "e", "", "environment whose images are looked at (needed where there are several)")
	cmd.Flags().BoolVar(&all, "all", false, fmt.Sprintf("print every chain, not only the %d shortest of an image", shownChains))
	return cmd
}

// reasons finds out what needs the packages of the lock.
func (a *app) reasons(ctx context.Context, s *session, env string) ([]release.Reasons, error) {
	n, err := a.needs(ctx, s, env)
	if err != nil {
		return nil, err
	}
	l, err := s.ReadLock()
	if err != nil {
		return nil, err
	}
	return s.Reasons(ctx, n, l)
}

func whyOfPackage(reasons []release.Reasons, name string) whyResult {
	r := whyResult{Package: name, Roots: []whyRoot{}}
	asked, err := rpm.ParseNEVRA(name)
	for _, root := range reasons {
		for _, pkg := range root.Packages {
			if pkg.Name != name && (err != nil || pkg.NEVRA != asked.String()) {
				continue
			}
			w := whyRoot{Target: root.Target, Root: root.Root, NEVRA: pkg.NEVRA, Chains: [][]whyOf{}}
			for _, c := range root.Chains(pkg.NEVRA) {
				var chain []whyOf
				for _, link := range c {
					chain = append(chain, whyOf{link.NEVRA, link.String()})
				}
				w.Chains = append(w.Chains, chain)
			}
			r.Roots = append(r.Roots, w)
		}
	}
	return r
}

func (r whyResult) write(w io.Writer, limit int) {
	for _, root := range r.Roots {
		fmt.Fprintf(w, "%s in %s on target %s\n", root.NEVRA, rootText(root.Root), root.Target)
		for i, chain := range root.Chains {
			if limit > 0 && i == limit {
				fmt.Fprintf(w, "  and %d longer ones or as long (--all)\n", len(root.Chains)-limit)
				break
			}
			for depth, link := range chain {
				fmt.Fprintf(w, "  %s%s\n", strings.Repeat("  ", depth), link.Why)
			}
		}
	}
}

func rootText(root string) string {
	if lock.IsBuildRoot(root) {
		return "what builds the projects"
	}
	return "image " + root
}
