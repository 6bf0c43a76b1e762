package release_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/deploy"
	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/release"
)

// last is the newest promotion of stg.
func (w *world) last() release.Promotion {
	w.Helper()
	list, err := w.p.Records.Promotions(w.Context(), "greeter", "stg", 1)
	w.ok(err)
	if len(list) == 0 {
		w.Fatal("there is no promotion")
	}
	return list[0]
}

func TestDeploy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	s := w.build("stg").Snapshot
	w.target.apply = func(ctx context.Context, r deploy.Release) error {
		if got := w.last(); got.State != release.Running || got.Snapshot != s.ID {
			t.Errorf("while it is deployed: %+v", got)
		}
		root, err := w.p.Root(ctx, r.Workloads[0].Image)
		w.ok(err)
		if root.Digest != s.Images[0].Digest || len(root.Lower) != s.Images[0].Layers || !cmp.Equal(root.Entrypoint, []string{"/usr/bin/run.sh"}) || !cmp.Equal(root.ExposedPorts, []int{8080}) {
			t.Errorf("root: %+v", root)
		}
		return nil
	}
	_, err := w.p.Deploy(t.Context(), "stg", s, "jo", "because")
	w.ok(err)
	want := release.Promotion{Number: 1, Service: "greeter", Environment: "stg", Snapshot: s.ID, State: release.Succeeded, Actor: "jo", Reason: "because", Began: now, Ended: now}
	if diff := cmp.Diff(want, w.last()); diff != "" {
		t.Errorf("promotion (-want +got):\n%s", diff)
	}
	r := w.target.got[0]
	wantRelease := deploy.Release{
		Service: "greeter", Environment: "stg", Snapshot: s.ID, Alias: s.Alias, Commits: map[string]string{"files": s.Projects[0].Commit},
		Workloads: []deploy.Workload{{Name: "web", Image: "embedded/greeter/web@" + s.Images[0].Digest, Listen: "127.0.0.1:8080"}},
	}
	if diff := cmp.Diff(wantRelease, r); diff != "" {
		t.Errorf("release (-want +got):\n%s", diff)
	}
	if digest, err := registry.Resolve(t.Context(), w.p.Registry.Address+"/web:stg", registry.Options{}); err != nil || digest.String() != s.Images[0].Digest {
		t.Errorf("tag stg: %v, %v", digest, err)
	}
}

// TestDeployRecordsHowItEnds holds that every promotion ends, whatever happens.
func TestDeployRecordsHowItEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	s := w.build("stg").Snapshot
	ctx, cancel := context.WithCancel(t.Context())
	for _, tt := range []struct {
		name    string
		apply   func(context.Context, deploy.Release) error
		ctx     context.Context
		state   release.State
		message string
	}{
		{"unhealthy", func(context.Context, deploy.Release) error {
			return &deploy.RolloutError{Workload: "web", Reason: "it answered 500", State: deploy.TimedOut}
		}, t.Context(), release.Failed, "workload web: it answered 500"},
		{"busy", func(context.Context, deploy.Release) error { return &deploy.BusyError{Snapshot: "x"} }, t.Context(), release.Errored, "is being rolled out"},
		{"broken", func(context.Context, deploy.Release) error { return errors.New("the disk is full") }, t.Context(), release.Errored, "the disk is full"},
		{"stopped", func(ctx context.Context, _ deploy.Release) error { cancel(); return ctx.Err() }, ctx, release.Aborted, "context canceled"},
		{"untagged", func(context.Context, deploy.Release) error {
			return os.RemoveAll(filepath.Join(w.registry.Root, "docker/registry/v2/repositories/greeter/web"))
		}, t.Context(), release.Errored, "it runs, but its images could not be tagged"},
	} {
		w.target.apply = tt.apply
		if _, err := w.p.Deploy(tt.ctx, "stg", s, "jo", ""); err == nil || !strings.Contains(err.Error(), tt.message) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got := w.last(); got.State != tt.state || !strings.Contains(got.Message, tt.message) || !got.Ended.Equal(now) {
			t.Errorf("%s: %+v", tt.name, got)
		}
	}
}

// TestOnePromotionAtATime holds that a second one is refused before anything is touched.
func TestOnePromotionAtATime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	s := w.build("stg").Snapshot
	w.target.apply = func(ctx context.Context, _ deploy.Release) error {
		w.target.apply = nil
		_, err := w.p.Deploy(ctx, "stg", s, "ann", "")
		var busy *release.BusyError
		if !errors.As(err, &busy) || len(w.target.got) != 1 {
			t.Errorf("error: %v", err)
		}
		_, err = w.p.Deploy(ctx, "prod", s, "ann", "")
		return err
	}
	_, err := w.p.Deploy(t.Context(), "stg", s, "jo", "")
	w.ok(err)
	if got := w.last(); got.State != release.Succeeded || got.Actor != "jo" {
		t.Errorf("promotion: %+v", got)
	}
}

func TestWhatCannotBeDeployed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, strings.Replace(plain, "environments:\n", "environments:\n  dev: {branch: main}\n", 1))
	s := w.build("stg").Snapshot
	unknown := *s
	unknown.ID = strings.Repeat("0", 64)
	bare := *s
	bare.Images = nil
	for _, tt := range []struct {
		env  string
		s    *release.Snapshot
		want string
	}{
		{"nowhere", s, `there is no environment "nowhere"`},
		{"dev", s, "name them in slipway.yaml under environments.dev.deploy.workloads"},
		{"stg", &bare, `has no image "web", which workload web of stg runs: build it again`},
		{"stg", &unknown, "not recorded"},
	} {
		if _, err := w.p.Deploy(t.Context(), tt.env, tt.s, "jo", ""); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("error: %v, want %s", err, tt.want)
		}
	}
	if len(w.target.got) > 0 {
		t.Errorf("deployed: %+v", w.target.got)
	}
}
