package layer

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// capabilityXattr is the extended attribute that holds a file's capabilities.
const capabilityXattr = "security.capability"

// capabilityNames are the names of capabilities(7) in the order of their numbers.
var capabilityNames = [...]string{
	"cap_chown", "cap_dac_override", "cap_dac_read_search", "cap_fowner", "cap_fsetid", "cap_kill",
	"cap_setgid", "cap_setuid", "cap_setpcap", "cap_linux_immutable", "cap_net_bind_service",
	"cap_net_broadcast", "cap_net_admin", "cap_net_raw", "cap_ipc_lock", "cap_ipc_owner",
	"cap_sys_module", "cap_sys_rawio", "cap_sys_chroot", "cap_sys_ptrace", "cap_sys_pacct",
	"cap_sys_admin", "cap_sys_boot", "cap_sys_nice", "cap_sys_resource", "cap_sys_time",
	"cap_sys_tty_config", "cap_mknod", "cap_lease", "cap_audit_write", "cap_audit_control",
	"cap_setfcap", "cap_mac_override", "cap_mac_admin", "cap_syslog", "cap_wake_alarm",
	"cap_block_suspend", "cap_audit_read", "cap_perfmon", "cap_bpf", "cap_checkpoint_restore",
}

// capabilitySets are the three sets of a file, a bit for each capability.
type capabilitySets struct{ effective, inheritable, permitted uint64 }

// encodeCapabilities turns the text of cap_to_text(3), as RPM headers hold it, into the extended
// attribute's value: struct vfs_cap_data of linux/capability.h, VFS_CAP_REVISION_2. An empty set
// gives no value. As setcap(8) does, it refuses an effective set that is neither empty nor all of
// the others, which a file cannot have.
func encodeCapabilities(text string) ([]byte, error) {
	sets, err := parseCapabilities(text)
	if err != nil {
		return nil, fmt.Errorf("parsing capabilities %q: %w", text, err)
	}
	all := sets.permitted | sets.inheritable
	if all == 0 && sets.effective == 0 {
		return nil, nil
	}
	const revision2, effectiveFlag = 0x02000000, 1
	magic := uint32(revision2)
	switch sets.effective {
	case 0:
	case all:
		magic |= effectiveFlag
	default:
		return nil, fmt.Errorf("parsing capabilities %q: a file's effective set is all or nothing", text)
	}
	b := make([]byte, 0, 20)
	for _, word := range []uint32{
		magic, uint32(sets.permitted), uint32(sets.inheritable),
		uint32(sets.permitted >> 32), uint32(sets.inheritable >> 32),
	} {
		b = binary.LittleEndian.AppendUint32(b, word)
	}
	return b, nil
}

func parseCapabilities(text string) (sets capabilitySets, err error) {
	for clause := range strings.FieldsSeq(text) {
		at := strings.IndexAny(clause, "=+-")
		if at < 0 {
			return sets, fmt.Errorf("%q has no operator", clause)
		}
		mask, err := capabilityMask(clause[:at], clause[at] == '=')
		if err != nil {
			return sets, err
		}
		if err := sets.apply(mask, clause[at:]); err != nil {
			return sets, err
		}
	}
	return sets, nil
}

// capabilityMask reads a comma-separated list of names or numbers. No list stands for all where the
// first operator sets.
func capabilityMask(list string, setting bool) (uint64, error) {
	const all = 1<<len(capabilityNames) - 1
	if list == "" && setting || list == "all" {
		return all, nil
	}
	var mask uint64
	for name := range strings.SplitSeq(list, ",") {
		bit := slices.Index(capabilityNames[:], strings.ToLower(name))
		if bit < 0 {
			n, err := strconv.ParseUint(name, 10, 8)
			if err != nil || n >= 64 {
				return 0, fmt.Errorf("unknown capability %q", name)
			}
			bit = int(n)
		}
		mask |= 1 << bit
	}
	return mask, nil
}

// apply carries out actions such as "=ep", "+p-i".
func (s *capabilitySets) apply(mask uint64, actions string) error {
	for actions != "" {
		op := actions[0]
		actions = actions[1:]
		if op == '=' {
			s.effective, s.inheritable, s.permitted = s.effective&^mask, s.inheritable&^mask, s.permitted&^mask
		}
		n := strings.IndexAny(actions, "=+-")
		if n < 0 {
			n = len(actions)
		}
		for _, flag := range actions[:n] {
			set := map[rune]*uint64{'e': &s.effective, 'i': &s.inheritable, 'p': &s.permitted}[flag]
			switch {
			case set == nil:
				return fmt.Errorf("unknown flag %q", flag)
			case op == '-':
				*set &^= mask
			default:
				*set |= mask
			}
		}
		actions = actions[n:]
	}
	return nil
}
