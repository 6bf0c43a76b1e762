package deploy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/deploy"
)

func TestRolloutError(t *testing.T) {
	err := &deploy.RolloutError{
		Workload: "web", State: deploy.TimedOut, Reason: "not healthy within 30s: GET /healthz: 500",
		LogTail: []string{"Traceback", "ImportError"}, Kept: "s1",
	}
	want := "workload web: not healthy within 30s: GET /healthz: 500\nits last lines:\n  Traceback\n  ImportError\nsnapshot s1 goes on running"
	if got := err.Error(); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestCheck(t *testing.T) {
	good := func() deploy.Release {
		return deploy.Release{
			Service: "greeter", Environment: "stg", Snapshot: "s1",
			Workloads: []deploy.Workload{{Name: "web", Image: "i", Listen: "127.0.0.1:80"}, {Name: "worker", Image: "i"}, {Name: "beat", Image: "i"}},
		}
	}
	if err := good().Check(); err != nil {
		t.Error(err)
	}
	for _, test := range []struct {
		change func(*deploy.Release)
		want   string
	}{
		{func(r *deploy.Release) { r.Service = "" }, `service ""`},
		{func(r *deploy.Release) { r.Service = "Greeter" }, `service "Greeter"`},
		{func(r *deploy.Release) { r.Environment = "a/../b" }, `environment "a/../b"`},
		{func(r *deploy.Release) { r.Snapshot = "" }, "no snapshot"},
		{func(r *deploy.Release) { r.Workloads = nil }, "no workloads"},
		{func(r *deploy.Release) { r.Workloads[0].Name = strings.Repeat("a", 64) }, "1 to 63"},
		{func(r *deploy.Release) { r.Workloads[0].Name = "web-" }, "inner dashes"},
		{func(r *deploy.Release) { r.Workloads[1].Name = "web" }, "defined twice"},
		{func(r *deploy.Release) { r.Workloads[1].Listen = "127.0.0.1:80" }, "as workload web does"},
		{func(r *deploy.Release) { r.Workloads[0].Image = "" }, "no image"},
		{func(r *deploy.Release) { r.Workloads[0].Port = 65536 }, "port 65536"},
		{func(r *deploy.Release) { r.Workloads[0].Replicas = -1 }, "-1 replicas"},
		{func(r *deploy.Release) { r.Workloads[0].Health.Path = "healthz" }, "does not begin with /"},
		{func(r *deploy.Release) { r.Workloads[0].Health.Timeout = -time.Second }, "negative"},
	} {
		r := good()
		test.change(&r)
		if err := r.Check(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("want %q, got %v", test.want, err)
		}
	}
}
