package release

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/deploy"
	"github.com/slipway-build/slipway/internal/deploy/local"
	"github.com/slipway-build/slipway/internal/registry"
)

var _ local.Images = (*Pipeline)(nil)

// Deploy runs a snapshot in an environment and records the promotion, however it ends. When the
// snapshot does not become healthy, what ran before runs on and the error is a *deploy.RolloutError.
func (p *Pipeline) Deploy(ctx context.Context, environment string, s *Snapshot, actor, reason string) (deploy.Result, error) {
	env, err := p.environment(environment)
	if err != nil {
		return deploy.Result{}, err
	}
	rel, err := p.release(environment, env, s)
	if err != nil {
		return deploy.Result{}, err
	}
	promotion := &Promotion{Service: p.Config.Service, Environment: environment, Snapshot: s.ID, Actor: actor, Reason: reason, Began: p.Now().UTC()}
	if err := p.Records.Begin(ctx, promotion); err != nil {
		return deploy.Result{}, err
	}
	result, err := p.Target.Apply(ctx, rel)
	if err == nil {
		if err = p.tag(ctx, environment, s); err != nil {
			err = fmt.Errorf("it runs, but its images could not be tagged: %w", err)
		}
	}
	state, message := outcome(ctx, err)
	// It has ended, whether or not the caller still waits.
	return result, errors.Join(err, p.Records.End(context.WithoutCancel(ctx), promotion.Number, state, message, p.Now().UTC()))
}

func outcome(ctx context.Context, err error) (State, string) {
	var rollout *deploy.RolloutError
	switch {
	case err == nil:
		return Succeeded, ""
	case ctx.Err() != nil:
		return Aborted, err.Error()
	case errors.As(err, &rollout):
		return Failed, err.Error()
	default:
		return Errored, err.Error()
	}
}

// release is a snapshot as an environment runs it.
func (p *Pipeline) release(name string, env config.Environment, s *Snapshot) (deploy.Release, error) {
	if len(env.Deploy.Workloads) == 0 {
		return deploy.Release{}, fmt.Errorf("environment %s has no workloads: name them in %s under environments.%s.deploy.workloads", name, config.FileName, name)
	}
	rel := deploy.Release{Service: p.Config.Service, Environment: name, Snapshot: s.ID, Alias: s.Alias, Commits: map[string]string{}}
	for _, project := range s.Projects {
		rel.Commits[project.Name] = project.Commit
	}
	for _, w := range slices.Sorted(maps.Keys(env.Deploy.Workloads)) {
		conf := env.Deploy.Workloads[w]
		ref := p.Config.Externals[conf.Image].Image
		if _, own := p.Config.Images[conf.Image]; own {
			img, ok := s.Image(conf.Image)
			if !ok {
				return rel, fmt.Errorf("snapshot %s has no image %q, which workload %s of %s runs: build it again", s.Alias, conf.Image, w, name)
			}
			ref = p.Reference(img)
		}
		rel.Workloads = append(rel.Workloads, deploy.Workload{
			Name: w, Image: ref, Listen: conf.Listen, Port: conf.Port, Env: conf.Env,
			Health: deploy.Health{Path: conf.Health.Path, Timeout: conf.Health.Timeout.Or(0), Interval: conf.Health.Interval.Or(0), Settle: conf.Health.Settle.Or(0)},
		})
	}
	return rel, nil
}

// Root implements local.Images: it pulls an image and unpacks it, each layer once.
func (p *Pipeline) Root(ctx context.Context, ref string) (local.Root, error) {
	img, err := registry.Pull(ctx, p.locate(ref), p.Registry.Options)
	if err != nil {
		return local.Root{}, err
	}
	lower, err := p.Images.Unpack(ctx, img)
	if err != nil {
		return local.Root{}, fmt.Errorf("unpacking %s: %w", ref, err)
	}
	file, err := img.ConfigFile()
	if err != nil {
		return local.Root{}, fmt.Errorf("reading configuration of %s: %w", ref, err)
	}
	digest, err := img.Digest()
	if err != nil {
		return local.Root{}, err
	}
	c := file.Config
	root := local.Root{
		Lower: lower, Digest: digest.String(), Entrypoint: c.Entrypoint, Cmd: c.Cmd,
		Env: c.Env, WorkingDir: c.WorkingDir, User: c.User,
	}
	for port := range c.ExposedPorts { // "8080/tcp"
		number, protocol, _ := strings.Cut(port, "/")
		if n, err := strconv.Atoi(number); err == nil && protocol != "udp" {
			root.ExposedPorts = append(root.ExposedPorts, n)
		}
	}
	slices.Sort(root.ExposedPorts)
	return root, nil
}
