package rpmrepo

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"golang.org/x/sync/errgroup"

	"github.com/slipway-build/slipway/internal/progress"
	"github.com/slipway-build/slipway/internal/rpmrepo/transfer"
)

// lookers bounds how many packages Available asks for at the same time: an answer is a few hundred
// bytes.
const lookers = 8

// Found is where an artifact is.
type Found struct {
	// Also is one of Artifact.Also: the repository itself does not have it. Empty otherwise.
	Also string
	// Err says why Fetch would not get it; nil where it would.
	Err error
}

// Available says of each artifact, in their order, whether Fetch would get it: whether a file of the
// right size still is where it should be. Nothing is downloaded, so neither checksums nor signatures
// are looked at, and what happens to be in the cache does not count; offline, only the cache and this
// machine's files do. The error is that of the context.
func (c *Client) Available(ctx context.Context, artifacts []Artifact) (found []Found, err error) {
	task := c.progress().Start("looking for packages", int64(len(artifacts)), progress.Items)
	defer func() { task.Done(err) }()
	found = make([]Found, len(artifacts))
	var group errgroup.Group
	group.SetLimit(lookers)
	for i := range artifacts {
		group.Go(func() error {
			found[i] = c.available(ctx, &artifacts[i])
			task.Add(1)
			return nil
		})
	}
	_ = group.Wait() // one that is missing is no reason not to look for the others
	return found, context.Cause(ctx)
}

func (c *Client) available(ctx context.Context, a *Artifact) Found {
	if ctx.Err() != nil {
		return Found{Err: context.Cause(ctx)}
	}
	if err := a.check(); err != nil {
		return Found{Err: err}
	}
	if _, there := c.Cache.Path(packageKind, a.SHA256); c.Offline && there {
		return Found{}
	}
	s, places, err := c.places(ctx, a)
	if s == nil {
		return Found{Err: err}
	}
	look := func(places []string) (string, error) {
		return s.fetcher.Stat(ctx, transfer.Request{What: a.name(), Places: places, Size: a.Size, Checked: true})
	}
	if err == nil {
		_, err = look(places)
	}
	if err == nil || len(a.Also) == 0 {
		return Found{Err: err}
	}
	place, elsewhere := look(a.Also)
	if elsewhere != nil {
		return Found{Err: errors.Join(err, elsewhere)}
	}
	return Found{Also: place}
}

// Place is the URL at which an artifact is to be had, at the first of the repository's mirrors;
// without password and query.
func (c *Client) Place(ctx context.Context, a Artifact) (string, error) {
	if err := a.check(); err != nil {
		return "", err
	}
	_, places, err := c.places(ctx, &a)
	if err != nil {
		return "", err
	}
	if len(places) == 0 {
		return "", fmt.Errorf("finding %s: the repository names a file of this machine", a.name())
	}
	if path, remote, err := transfer.Local(places[0]); err == nil && !remote {
		return (&url.URL{Scheme: "file", Path: path}).String(), nil
	}
	u, err := url.Parse(places[0])
	if err != nil {
		return "", fmt.Errorf("finding %s: its URL is not valid", a.name())
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment = nil, "", false, ""
	return u.String(), nil
}

// places are those of the repository itself. The site is given also where they are not known.
func (c *Client) places(ctx context.Context, a *Artifact) (*site, []string, error) {
	s, err := c.site(a.Config)
	if err != nil {
		return nil, nil, err
	}
	m, err := s.findMirrors(ctx, false)
	if err != nil {
		return s, nil, fmt.Errorf("finding %s: %w", a.name(), err)
	}
	return s, m.places(a.Location), nil
}
