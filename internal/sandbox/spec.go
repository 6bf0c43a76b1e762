package sandbox

import (
	"io"
	"os"
	"time"
)

// Spec says what to run, in which root filesystem, as whom, and within which
// limits. The zero value of every field but Lower and Args is useful.
type Spec struct {
	// Lower are the directories that make the root filesystem, topmost first.
	// They are never written to. An entry of an upper one hides that of a lower
	// one; deletions are encoded as Changes describes (see Whiteout and Opaque).
	Lower []string
	// Upper receives what the command changes in the root filesystem; read it
	// with Changes afterwards. It is made when absent, its own mode and owner
	// are set to those of Lower[0], and a directory named Upper + ".work" beside
	// it is used while the sandbox runs. It must not itself lie on an overlay
	// file system, and only one sandbox may use it at a time; several in turn
	// may, each then sees what the earlier ones changed.
	// Moving a directory of Lower fails with EXDEV, as between file systems, and
	// mv(1) then copies it.
	// Empty: changes go to memory (see Limits.Disk) and are lost at the end;
	// before Linux 6.6, a directory of Lower that was removed can't be made again
	// then (EIO).
	Upper string
	// ReadOnly makes the root filesystem read-only. /tmp, /dev/shm and writable
	// Mounts stay writable. It excludes Upper.
	ReadOnly bool
	// Mounts are made in order, after the root filesystem and /proc, /dev, /tmp.
	Mounts []Mount
	// Files are placed over the root filesystem; they never become changes.
	Files []File

	// Args are the program and its arguments. A program without a slash is
	// looked up in the PATH of Env (or the usual directories) inside the root.
	Args []string
	// Helper is run in the place of a program of the root; Args are then its
	// arguments only, and may be empty.
	Helper *Helper
	// Env is the whole environment, as "name=value". HOME and PATH are added
	// when missing.
	Env []string
	// Dir is the working directory inside; empty is "/". It must exist.
	Dir string
	// User is who runs the command, as an image's configuration writes it:
	// "name", "uid", "name:group" or "uid:gid", looked up in the root's own
	// /etc/passwd and /etc/group. Empty: UID, GID and Groups say it.
	User string
	// UID, GID and Groups are used when User is empty. Zero is root inside.
	UID, GID int
	Groups   []int
	// Hostname inside; empty is "sandbox".
	Hostname string

	// Stdin nil reads as empty. Stdout and Stderr nil discard. They may be the
	// same writer, which then is never used by two goroutines at once.
	Stdin          io.Reader
	Stdout, Stderr io.Writer

	Network  Network
	Forwards []Forward
	Limits   Limits
	// Grace is how long the command has between SIGTERM and SIGKILL when it is
	// stopped by the context or by Limits.Time; zero is DefaultGrace, negative
	// is none (SIGKILL at once).
	Grace time.Duration

	probe   bool       // run nothing
	session chan event // receives what tasks say; nil: this is no session
}

// DefaultGrace is the time between SIGTERM and SIGKILL where Spec.Grace is zero.
const DefaultGrace = 5 * time.Second

// Mount makes a directory or file of the host visible inside.
type Mount struct {
	// Source is the host's path. Empty mounts an empty tmpfs of at most
	// Limits.Disk bytes.
	Source string
	// Target is the absolute path inside; symbolic links of the root are
	// followed without leaving it. What is missing of it is made.
	Target   string
	ReadOnly bool
}

// File is a file with given content, owned by root, placed over the root
// filesystem by a mount. The command cannot replace it; it can write to it
// unless the permission bits say otherwise, which changes nothing outside.
type File struct {
	Path    string // absolute, inside
	Content []byte
	Mode    os.FileMode // permission bits; zero is 0644
}

// Network says what network the command sees.
type Network int

const (
	// NetworkNone is a network of its own with nothing but loopback.
	NetworkNone Network = iota
	// NetworkHost is the host's network, unrestricted.
	NetworkHost
)

// Direction says who connects through a Forward.
type Direction int

const (
	// Inward forwards connections made to a socket of the host to a port inside.
	Inward Direction = iota
	// Outward forwards connections made to an address inside to a socket of the
	// host.
	Outward
)

// Forward carries TCP connections between a Unix socket of the host and an
// address inside, in one direction. It needs NetworkNone, and no privileges.
type Forward struct {
	Direction Direction
	// Socket is the host's path of the Unix socket. Inward it is made by Start
	// (an existing one is replaced) and removed at the end. Outward somebody
	// else listens there, not necessarily yet; its directory must exist.
	Socket string
	// Port inside.
	Port int
	// Address inside. Inward it is the one to connect to, empty is 127.0.0.1.
	// Outward it is the one that the command connects to, one of OutwardNet; it
	// does not keep the command from listening on the same port.
	Address string
}

// Limits bound what a command may use. Zero is no limit, unless said otherwise.
type Limits struct {
	// Memory in bytes of all processes together, swap included.
	Memory int64
	// Processes counts threads too, of all processes together.
	Processes int
	// Time from start to end.
	Time time.Duration
	// Output is bytes of Stdout and Stderr together.
	Output int64
	// Disk is the size in bytes of each tmpfs: /tmp, /dev/shm, Mounts without
	// Source, and the root filesystem's changes when Upper is empty. Zero is
	// DefaultDisk.
	Disk int64
}

// DefaultDisk is the size of a tmpfs where Limits.Disk is zero, in bytes.
const DefaultDisk = 1 << 30
