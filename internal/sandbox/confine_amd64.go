package sandbox

import "golang.org/x/sys/unix"

const auditArch = unix.AUDIT_ARCH_X86_64

// machineCalls are refused calls that only this architecture has.
var machineCalls = []uint32{
	unix.SYS_CREATE_MODULE, unix.SYS_IOPERM, unix.SYS_IOPL, unix.SYS_MODIFY_LDT, unix.SYS_QUERY_MODULE,
	unix.SYS__SYSCTL, unix.SYS_USELIB, unix.SYS_USTAT,
}
