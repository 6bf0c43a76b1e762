package sandbox_test

import (
	"testing"

	"github.com/slipway-build/slipway/internal/sandbox"
)

func TestProbe(t *testing.T) {
	support := sandbox.Probe(t.Context())
	if !support.OK || support.Problem != "" || support.IDs == 0 {
		t.Errorf("got %+v", support)
	}
	if (support.Cgroup == 0) != (support.CgroupProblem != "") {
		t.Errorf("got %+v", support)
	}
	t.Logf("%+v", support)
}
