package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/progress"
	"github.com/slipway-build/slipway/internal/source"
)

// Candidate is what a build begins with: every project of an environment at one branch, and the
// configuration's own commit.
type Candidate struct {
	Environment string
	Branch      string
	Images      []string // those that the environment runs, sorted
	Revisions   map[string]source.Revision
	Config      source.Checkout
	mirrors     map[string]*source.Mirror

	mu    sync.Mutex
	trees map[treeKey]*source.Tree // those that are loaded
}

// treeKey names files of a candidate: of a project, below a folder, with the file that tells versioningit
// the version or without.
type treeKey struct {
	project, folder string
	told            bool
}

// maxLoaded bounds a project whose files are kept in memory for as long as a candidate is, in bytes.
const maxLoaded = 16 << 20

// tree opens a project's files below a folder. Those of a project of ordinary size are read once for all who ask.
func (c *Candidate) tree(ctx context.Context, key treeKey) (*source.Tree, error) {
	c.mu.Lock()
	tree, revision := c.trees[key], c.Revisions[key.project]
	c.mu.Unlock()
	if tree != nil {
		return tree, nil
	}
	tree, err := c.mirrors[key.project].Tree(ctx, revision, key.folder)
	if err != nil {
		return nil, err
	}
	if key.told {
		if err := tellVersion(tree, revision); err != nil {
			return nil, errors.Join(err, tree.Close())
		}
	}
	loaded, err := tree.Load(ctx, maxLoaded)
	if err != nil {
		return nil, errors.Join(err, tree.Close())
	}
	if loaded {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.trees == nil {
			c.trees = map[treeKey]*source.Tree{}
		}
		c.trees[key] = tree
	}
	return tree, nil
}

// fetchers bounds how many repositories are fetched at a time.
const fetchers = 8

// Candidate fetches the environment's projects and takes each at the environment's branch. A project
// without it is an error: all of those are told at once.
func (p *Pipeline) Candidate(ctx context.Context, environment string) (*Candidate, error) {
	env, err := p.environment(environment)
	if err != nil {
		return nil, err
	}
	c, err := p.At(ctx, p.Config.ImagesOf(environment), env.Branch)
	if err != nil {
		return nil, err
	}
	c.Environment = environment
	return c, nil
}

// At is a candidate of no environment: the projects of these images, each at a branch.
func (p *Pipeline) At(ctx context.Context, images []string, branch string) (_ *Candidate, err error) {
	c := &Candidate{Branch: branch, Images: images, Revisions: map[string]source.Revision{}, mirrors: map[string]*source.Mirror{}}
	names := p.Config.ProjectsOf(c.Images)
	for _, name := range names {
		if c.mirrors[name], err = p.Sources.Mirror(p.gitAddress(p.Config.Projects[name].Git)); err != nil {
			return nil, fmt.Errorf("project %s: %w", name, err)
		}
	}
	task := progress.Or(p.Progress).Start("fetching projects", int64(len(names)), progress.Items)
	failures := make([]error, len(names)) // all are told, so none may cancel the others
	var g errgroup.Group
	g.SetLimit(fetchers)
	described := make(chan error, 1)
	go func() {
		var err error
		c.Config, err = source.Describe(ctx, p.Config.Dir())
		described <- err
	}()
	for i, name := range names {
		g.Go(func() error {
			var r source.Revision
			r, failures[i] = p.revision(ctx, name, branch, c.mirrors[name])
			c.mu.Lock()
			c.Revisions[name] = r
			c.mu.Unlock()
			if failures[i] == nil {
				_, _ = p.tree(ctx, c, name) // so that it is there; whoever asks for it hears why it is not
			}
			task.Add(1)
			return nil
		})
	}
	_ = g.Wait()
	err = errors.Join(append(failures, <-described)...)
	task.Done(err)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (p *Pipeline) revision(ctx context.Context, name, branch string, m *source.Mirror) (source.Revision, error) {
	if err := m.Fetch(ctx); err != nil {
		return source.Revision{}, fmt.Errorf("project %s: %w", name, err)
	}
	own := p.Config.Projects[name].BranchOf(branch)
	r, err := m.Branch(ctx, own)
	var missing *source.NoBranchError
	if errors.As(err, &missing) {
		return r, fmt.Errorf("project %s: %w\n  create the branch, or name this project's own in slipway.yaml: projects.%s.branches: {%s: …}", name, err, name, branch)
	} else if err != nil {
		return r, fmt.Errorf("project %s: %w", name, err)
	}
	return r, nil
}

// gitAddress is a project's repository: a path is meant from the configuration's folder.
func (p *Pipeline) gitAddress(git string) string {
	if p.isPath(git) {
		return p.Config.Rel(git)
	}
	return git
}

// isPath tells a folder from a URL and from ssh's HOST:PATH.
func (p *Pipeline) isPath(git string) bool {
	if strings.HasPrefix(git, ".") || strings.HasPrefix(git, "/") {
		return true
	}
	st, err := os.Stat(p.Config.Rel(git))
	return err == nil && st.IsDir()
}

// tree opens a project's files, below the folder that the configuration names.
func (p *Pipeline) tree(ctx context.Context, c *Candidate, project string) (*source.Tree, error) {
	return c.tree(ctx, treeKey{project, p.Config.Projects[project].Path, true})
}

// newest is the time of the newest of these projects' commits: the date of what is built of them.
func (c *Candidate) newest(projects []string) time.Time {
	t := time.Unix(0, 0).UTC()
	for _, name := range projects {
		if r := c.Revisions[name]; r.Time.After(t) {
			t = r.Time
		}
	}
	return t
}

// key hashes what decides the snapshot: program, configuration, lock, commits. The branch is not part
// of it: when stable moves to commits that were built for staging, it is the same snapshot.
func (p *Pipeline) key(c *Candidate, lockDigest string, besides map[string]gathered) string {
	parts := []string{"candidate/3", p.Version, p.Config.Digest, c.Config.Commit, lockDigest}
	for _, img := range c.Images {
		parts = append(parts, "image", img)
	}
	for _, name := range sortedKeys(besides) {
		parts = append(parts, "file", name, besides[name].key())
	}
	for _, name := range p.Config.ProjectsOf(c.Images) {
		r := c.Revisions[name]
		parts = append(parts, "project", name, r.Commit, p.origin(name), r.Tag, strconv.Itoa(r.Ahead))
	}
	return cache.Key(append(parts, p.strategies(c)...)...)
}
