package layer

import (
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/oracle"
)

var capabilityTests = []struct{ text, want string }{
	{"cap_net_raw=p", "0000000200200000000000000000000000000000"},
	{"cap_net_raw=ep", "0100000200200000000000000000000000000000"},
	{"cap_net_admin,cap_net_raw=ep", "0100000200300000000000000000000000000000"},
	{"= cap_net_raw+ep", "0100000200200000000000000000000000000000"},
	{"cap_setuid=ep cap_setgid+ep", "01000002c0000000000000000000000000000000"},
	{"cap_dac_override=eip", "0100000202000000020000000000000000000000"},
	{"cap_checkpoint_restore,cap_bpf=p", "0000000200000000000000008001000000000000"},
	{"cap_net_raw=eip cap_net_raw-i", "0100000200200000000000000000000000000000"},
	{"CAP_NET_RAW=p", "0000000200200000000000000000000000000000"},
	{"=", ""},
	{"", ""},
}

func TestEncodeCapabilities(t *testing.T) {
	for _, c := range capabilityTests {
		got, err := encodeCapabilities(c.text)
		if err != nil || hex.EncodeToString(got) != c.want {
			t.Errorf("%q: got %x, %v, want %s", c.text, got, err, c.want)
		}
	}
	for _, bad := range []string{"cap_net_raw", "cap_nonsense=p", "cap_net_raw=x", "64=p", "+p", "cap_chown=ep cap_net_raw=p"} {
		if got, err := encodeCapabilities(bad); err == nil {
			t.Errorf("%q is accepted: %x", bad, got)
		}
	}
}

// TestSameAsSetcap has the kernel's own tool write what is encoded here.
func TestSameAsSetcap(t *testing.T) {
	oracle.Need(t, "setcap")
	if os.Geteuid() != 0 {
		t.Skip("setcap needs root")
	}
	for _, c := range capabilityTests {
		if c.want == "" {
			continue
		}
		file := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(file, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("setcap", c.text, file).CombinedOutput(); err != nil {
			t.Errorf("setcap %q: %v %s", c.text, err, out)
			continue
		}
		value := make([]byte, 64)
		n, err := unix.Lgetxattr(file, capabilityXattr, value)
		if err != nil || hex.EncodeToString(value[:n]) != c.want {
			t.Errorf("%q: setcap wrote %x, %v, want %s", c.text, value[:max(n, 0)], err, c.want)
		}
	}
}

func FuzzEncodeCapabilities(f *testing.F) {
	for _, c := range capabilityTests {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		value, err := encodeCapabilities(text)
		if err == nil && len(value) != 0 && len(value) != 20 {
			t.Errorf("%q: %d bytes", text, len(value))
		}
		if err == nil && strings.Contains(text, "cap_nonsense") {
			t.Errorf("%q is accepted", text)
		}
	})
}
