package main

import (
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/lock"
)

// lockDiff is what lock diff shows.
type lockDiff struct {
	From    string       `json:"from"`
	To      string       `json:"to"`
	Targets []targetDiff `json:"targets"`
}

type targetDiff struct {
	Target  string       `json:"target"`
	Changes []lockChange `json:"changes"`
}

// lockChange is what became of one package. Roots are images, and "build" for what builds projects.
type lockChange struct {
	Kind     string   `json:"kind"` // "added", "removed", "upgraded", "downgraded", "rebuilt", "moved"
	Name     string   `json:"name"`
	From     string   `json:"from,omitempty"` // NEVRA
	To       string   `json:"to,omitempty"`
	Roots    []string `json:"roots,omitempty"`    // at To
	OldRoots []string `json:"oldRoots,omitempty"` // at From
	Why      string   `json:"why,omitempty"`      // of what is added
	text     string
}

func (a *app) lockDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff A B",
		Short: "What one lock has and another has not",
		Long: `Diff compares two lock files: what was added, removed, upgraded, downgraded, rebuilt (the same version,
another file) and moved (the same package, in other images), for each target, with the images that
have it. "-" is the slipway.lock beside slipway.yaml; other names are files, of which git gives older
states.`,
		Example: `  git show HEAD~1:slipway.lock >old.lock
  slipway lock diff old.lock -`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError{fmt.Errorf("lock diff takes two lock files, not %d", len(args))}
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			var locks [2]*lock.Lock
			for i, name := range args {
				path, err := a.lockFile(name)
				if err != nil {
					return err
				}
				if locks[i], err = lock.Load(path); err != nil {
					return err
				}
			}
			r := diffLocks(locks[0], locks[1])
			r.From, r.To = args[0], args[1]
			return a.print(r, r.write)
		},
	}
}

// lockFile is the path of a lock: "-" is the one beside slipway.yaml.
func (a *app) lockFile(name string) (string, error) {
	if name != "-" {
		return name, nil
	}
	conf, err := config.Load(a.configPath)
	if err != nil {
		return "", err
	}
	return filepath.Join(conf.Dir(), lock.FileName), nil
}

func diffLocks(from, to *lock.Lock) lockDiff {
	r := lockDiff{Targets: []targetDiff{}}
	for _, c := range slices.Concat(lock.Diff(from, to), lock.Moves(from, to)) {
		i := slices.IndexFunc(r.Targets, func(t targetDiff) bool { return t.Target == c.Target })
		if i < 0 {
			i = len(r.Targets)
			r.Targets = append(r.Targets, targetDiff{Target: c.Target})
		}
		change := lockChange{Kind: string(c.Kind), Name: c.Name(), text: c.String()}
		if c.Old != nil {
			change.From, change.OldRoots = c.Old.NEVRA.String(), c.Old.Roots
		}
		if c.New != nil {
			change.To, change.Roots = c.New.NEVRA.String(), c.New.Roots
		}
		if c.Old == nil {
			change.Why = c.New.Why
		}
		r.Targets[i].Changes = append(r.Targets[i].Changes, change)
	}
	slices.SortFunc(r.Targets, func(a, b targetDiff) int { return strings.Compare(a.Target, b.Target) })
	return r
}

func (r lockDiff) write(w io.Writer) {
	if len(r.Targets) == 0 {
		fmt.Fprintf(w, "%s and %s have the same packages\n", r.From, r.To)
	}
	for _, t := range r.Targets {
		fmt.Fprintf(w, "target %s:\n", t.Target)
		for _, c := range t.Changes {
			fmt.Fprintf(w, "  %s (%s)\n", c.text, c.where())
		}
	}
}

// where says which images have it; where that has changed, from which to which.
func (c lockChange) where() string {
	was, is := strings.Join(c.OldRoots, ", "), strings.Join(c.Roots, ", ")
	switch {
	case was == "" || was == is:
		return is
	case is == "":
		return was
	}
	return was + " -> " + is
}
