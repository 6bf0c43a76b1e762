package sandbox

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// keptCapabilities are what installing files as root needs. All others leave the
// bounding set, so that nothing executed inside can have them, root or not.
var keptCapabilities = map[uintptr]bool{
	unix.CAP_CHOWN:            true,
	unix.CAP_DAC_OVERRIDE:     true,
	unix.CAP_FOWNER:           true,
	unix.CAP_FSETID:           true,
	unix.CAP_KILL:             true,
	unix.CAP_SETGID:           true,
	unix.CAP_SETUID:           true,
	unix.CAP_SETFCAP:          true,
	unix.CAP_SETPCAP:          true,
	unix.CAP_SYS_CHROOT:       true,
	unix.CAP_NET_BIND_SERVICE: true,
}

// confine takes from the calling thread, and so from what it starts, every power
// that the command is not to have; changing limits is one. The thread must be
// locked.
func confine(limits []rlimit) error {
	for c := uintptr(0); ; c++ {
		if keptCapabilities[c] {
			continue
		}
		err := unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
		if errors.Is(err, unix.EINVAL) {
			break // past the last one this kernel has
		}
		if err != nil {
			return fmt.Errorf("dropping capability %d: %w", c, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("forbidding new privileges: %w", err)
	}
	return loadFilter(filter(limits))
}

// refusedCalls administer the kernel or the machine, or look into other
// processes. They fail with EPERM. Most would fail anyway for want of
// capabilities; refusing them here keeps the kernel's code behind them, where
// privilege escalations are found year after year, out of reach.
var refusedCalls = []uint32{
	unix.SYS_ACCT, unix.SYS_ADD_KEY, unix.SYS_ADJTIMEX, unix.SYS_BPF, unix.SYS_CLOCK_ADJTIME,
	unix.SYS_CLOCK_SETTIME, unix.SYS_DELETE_MODULE, unix.SYS_FANOTIFY_INIT, unix.SYS_FINIT_MODULE,
	unix.SYS_FSCONFIG, unix.SYS_FSMOUNT, unix.SYS_FSOPEN, unix.SYS_FSPICK, unix.SYS_INIT_MODULE,
	unix.SYS_IO_URING_ENTER, unix.SYS_IO_URING_REGISTER, unix.SYS_IO_URING_SETUP,
	unix.SYS_KCMP, unix.SYS_KEXEC_FILE_LOAD, unix.SYS_KEXEC_LOAD, unix.SYS_KEYCTL,
	unix.SYS_LOOKUP_DCOOKIE, unix.SYS_MOUNT, unix.SYS_MOUNT_SETATTR, unix.SYS_MOVE_MOUNT,
	unix.SYS_NAME_TO_HANDLE_AT, unix.SYS_OPEN_BY_HANDLE_AT, unix.SYS_OPEN_TREE,
	unix.SYS_PERF_EVENT_OPEN, unix.SYS_PIVOT_ROOT, unix.SYS_PROCESS_VM_READV,
	unix.SYS_PROCESS_VM_WRITEV, unix.SYS_PTRACE, unix.SYS_QUOTACTL, unix.SYS_REBOOT,
	unix.SYS_REQUEST_KEY, unix.SYS_SETDOMAINNAME, unix.SYS_SETHOSTNAME, unix.SYS_SETNS,
	unix.SYS_SETTIMEOFDAY, unix.SYS_SWAPOFF, unix.SYS_SWAPON, unix.SYS_SYSLOG, unix.SYS_UMOUNT2,
	unix.SYS_UNSHARE, unix.SYS_USERFAULTFD, unix.SYS_VHANGUP,
}

// lastKnownCall is the newest system call that this filter was made with in
// mind. Later ones do not exist inside (ENOSYS), and programs cope with that.
const lastKnownCall = 466 // removexattrat, Linux 6.13

// newNamespaces are the flags of clone that make namespaces.
const newNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC |
	unix.CLONE_NEWUTS | unix.CLONE_NEWNET | unix.CLONE_NEWCGROUP

// socketFamilies are the sockets there are inside. All others are refused as by a
// kernel that was built without them: some know no network namespaces and reach
// beyond the sandbox (vsock talks to the hypervisor, or to virtual machines),
// and the rest is code of the kernel that hardly anybody uses.
var socketFamilies = []uint32{unix.AF_UNIX, unix.AF_INET, unix.AF_INET6, unix.AF_NETLINK}

// Offsets in struct seccomp_data (linux/seccomp.h).
const (
	offsetNumber = 0
	offsetArch   = 4
	offsetArgs   = 16 // of eight bytes each, low half first on little-endian machines
)

func loadArg(n uint32) bpf.Instruction { return bpf.LoadAbsolute{Off: offsetArgs + 8*n, Size: 4} }
func loadArgHigh(n uint32) bpf.Instruction {
	return bpf.LoadAbsolute{Off: offsetArgs + 8*n + 4, Size: 4}
}

// filter is the seccomp program. clone3 hides its flags in memory, where a
// filter can't look; that it makes no user namespace is seen to by
// max_user_namespaces, and other namespaces need a capability that is gone.
func filter(limits []rlimit) []bpf.Instruction {
	refuse := bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}
	unknown := bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)}
	program := []bpf.Instruction{
		// Calls of another architecture (32-bit ones) have other numbers.
		bpf.LoadAbsolute{Off: offsetArch, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: auditArch, SkipTrue: 1},
		unknown,
		bpf.LoadAbsolute{Off: offsetNumber, Size: 4},
		// This also refuses the x32 numbers of amd64.
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: lastKnownCall, SkipFalse: 1},
		unknown,
	}
	for _, call := range append(refusedCalls, machineCalls...) {
		program = append(program,
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: call, SkipFalse: 1},
			refuse)
	}
	program = append(program, socketFilter()...)
	for _, l := range limits {
		resource := uint32(l.Resource)
		program = append(program,
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_SETRLIMIT, SkipFalse: 3},
			loadArg(0),
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: resource, SkipFalse: 9},
			refuse,
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_PRLIMIT64, SkipFalse: 7},
			loadArg(1),
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: resource, SkipFalse: 5},
			loadArg(2), // the new limit's address; none when it is only read
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 2},
			loadArgHigh(2),
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: 0, SkipTrue: 1},
			refuse,
			bpf.LoadAbsolute{Off: offsetNumber, Size: 4})
	}
	return append(program,
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_CLONE, SkipFalse: 3},
		loadArg(0),
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: newNamespaces, SkipFalse: 1},
		refuse,
		bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW})
}

// socketFilter decides about the system call socket, and passes on all others.
func socketFilter() []bpf.Instruction {
	count := uint8(len(socketFamilies))
	program := []bpf.Instruction{
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: unix.SYS_SOCKET, SkipFalse: count + 3},
		loadArg(0),
	}
	for i, family := range socketFamilies {
		program = append(program, bpf.JumpIf{Cond: bpf.JumpEqual, Val: family, SkipTrue: count - uint8(i)})
	}
	return append(program,
		bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(unix.EAFNOSUPPORT)},
		bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW})
}

// loadFilter installs a seccomp program for the calling thread.
func loadFilter(program []bpf.Instruction) error {
	raw, err := bpf.Assemble(program)
	if err != nil {
		return fmt.Errorf("assembling the system call filter: %w", err)
	}
	filters := make([]unix.SockFilter, len(raw))
	for i, r := range raw {
		filters[i] = unix.SockFilter{Code: r.Op, Jt: r.Jt, Jf: r.Jf, K: r.K}
	}
	prog := unix.SockFprog{Len: uint16(len(filters)), Filter: &filters[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, 0, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return fmt.Errorf("installing the system call filter: %w", errno)
	}
	return nil
}
