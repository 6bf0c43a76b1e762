package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/lock"
	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// lockDiff is what lock diff shows.
type lockDiff struct {
	From    string       `json:"from"`
	To      string       `json:"to"`
	Targets []targetDiff `json:"targets"`
	// WithoutAdvisories are repositories of which is not known what the updates are for.
	WithoutAdvisories []release.UnknownAdvisories `json:"withoutAdvisories,omitempty"`
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
	// Advisories are those that an upgrade brings, the worst first.
	Advisories []advisory `json:"advisories,omitempty"`
	text       string
}

// advisory is what an update is for, as its repository says.
type advisory struct {
	ID       string   `json:"id"`
	Type     string   `json:"type,omitempty"`
	Severity string   `json:"severity,omitempty"`
	Title    string   `json:"title,omitempty"`
	CVEs     []string `json:"cves,omitempty"`
}

func (a *app) lockDiffCommand() *cobra.Command {
	fetch := false
	cmd := &cobra.Command{
		Use:   "diff A B",
		Short: "What one lock has and another has not",
		Long: `Diff compares two lock files: what was added, removed, upgraded, downgraded, rebuilt (the same version,
another file) and moved (the same package, in other images), for each target, with the images that
have it. "-" is the slipway.lock beside slipway.yaml; other names are files, of which git gives older
states.

Below an upgrade stand the advisories that it brings, with severity and CVEs, as the updateinfo of the
target's repositories has them. Only what the cache has is read for that, unless --fetch is given; what
is not at hand is said.`,
		Example: `  git show HEAD~1:slipway.lock >old.lock
  slipway lock diff old.lock -`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError{fmt.Errorf("lock diff takes two lock files, not %d", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
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
			changes := slices.Concat(lock.Diff(locks[0], locks[1]), lock.Moves(locks[0], locks[1]))
			brought, unknown, err := a.advisories(cmd.Context(), changes, fetch)
			if err != nil {
				return err
			}
			r := lockDiff{From: args[0], To: args[1], Targets: targetDiffs(changes, brought), WithoutAdvisories: unknown}
			return a.print(r, r.write)
		},
	}
	cmd.Flags().BoolVar(&fetch, "fetch", false, "read the repositories' advisories over the network where the cache has them not")
	return cmd
}

// advisories says what upgrades are for. Without a slipway.yaml nobody knows the repositories.
func (a *app) advisories(ctx context.Context, changes []lock.Change, fetch bool) (brought [][]rpmrepo.Advisory, unknown []release.UnknownAdvisories, err error) {
	i := slices.IndexFunc(changes, func(c lock.Change) bool { return c.Kind == lock.Upgraded })
	if i < 0 {
		return make([][]rpmrepo.Advisory, len(changes)), nil, nil
	}
	conf, err := config.Load(a.configPath)
	if errors.Is(err, fs.ErrNotExist) {
		unknown = []release.UnknownAdvisories{{Target: changes[i].Target, Reason: "there is no " + config.FileName + " that names its repositories"}}
		return make([][]rpmrepo.Advisory, len(changes)), unknown, nil
	} else if err != nil {
		return nil, nil, err
	}
	dir, err := cache.Open(a.cacheDir)
	if err != nil {
		return nil, nil, fmt.Errorf("%w (--cache names another folder)", err)
	}
	screen := newScreen(a.err, a.quiet)
	defer func() { err = errors.Join(err, screen.Close(), dir.Close()) }()
	p := release.Pipeline{Config: conf, Cache: dir, Repositories: &rpmrepo.Client{
		Cache: dir, Progress: screen, Log: a.logger(screen), Offline: a.offline || !fetch, Version: version,
	}}
	return p.Advisories(ctx, changes)
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

// targetDiffs sorts changes, with what they bring, by target.
func targetDiffs(changes []lock.Change, brought [][]rpmrepo.Advisory) []targetDiff {
	targets := []targetDiff{}
	for n, c := range changes {
		i := slices.IndexFunc(targets, func(t targetDiff) bool { return t.Target == c.Target })
		if i < 0 {
			i = len(targets)
			targets = append(targets, targetDiff{Target: c.Target})
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
		for _, b := range brought[n] {
			change.Advisories = append(change.Advisories, advisory{b.ID, b.Type, b.Severity, b.Title, b.CVEs})
		}
		targets[i].Changes = append(targets[i].Changes, change)
	}
	slices.SortFunc(targets, func(a, b targetDiff) int { return strings.Compare(a.Target, b.Target) })
	return targets
}

func (r lockDiff) write(w io.Writer) {
	if len(r.Targets) == 0 {
		fmt.Fprintf(w, "%s and %s have the same packages\n", r.From, r.To)
	}
	for _, t := range r.Targets {
		fmt.Fprintf(w, "target %s:\n", t.Target)
		for _, c := range t.Changes {
			fmt.Fprintf(w, "  %s (%s)\n", c.text, c.where())
			for _, a := range c.Advisories {
				fmt.Fprintf(w, "    %s\n", a)
			}
		}
	}
	for _, u := range r.WithoutAdvisories {
		what := "of target " + u.Target
		if u.Repository != "" {
			what = "of repository " + u.Repository + " " + what
		}
		reason := firstLine(u.Reason)
		if u.Offline {
			reason = "they are not in the cache (--fetch reads them)"
		}
		fmt.Fprintf(w, "advisories %s are not known: %s\n", what, reason)
	}
}

// String says it in a line: "FEDORA-2025-1a2b3c (security, Important): CVE-2025-1234".
func (a advisory) String() string {
	kind := a.Type
	if a.Severity != "" {
		kind = strings.TrimPrefix(kind+", "+a.Severity, ", ")
	}
	text := a.ID
	if kind != "" {
		text += " (" + kind + ")"
	}
	about := strings.Join(a.CVEs, ", ")
	if about == "" {
		about = a.Title
	}
	if about != "" {
		text += ": " + about
	}
	return text
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
