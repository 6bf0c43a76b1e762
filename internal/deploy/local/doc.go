// Package local runs releases on this machine, without any cluster: it
// implements deploy.Target with a sandbox for each workload (package sandbox).
//
// # Processes
//
// For each service and environment there is one supervisor: this program again,
// detached from the terminal, started by the first Apply and ended by Down. It
// starts the workloads, starts them again (with growing pauses) when they end,
// checks their health, keeps their logs and answers on the addresses they are
// to listen on. It holds a lock on a file for as long as it lives, and is spoken
// to as JSON over HTTP on a Unix socket. When it is killed, the workloads die
// with it (see package sandbox); Status then says so, and the next Apply starts
// over.
//
// # Switching versions
//
// An Apply starts a new generation of all workloads beside the running one.
// Only when all of them are healthy, the addresses change over: HTTP requests
// and TCP connections that are under way end at the old generation, which is
// stopped when none are left (or after a while); new ones reach the new. HTTP is
// forwarded request by request where the workload has a health path, so that
// connections that clients keep alive change over too; otherwise TCP is, by
// connection. When one workload fails, the new generation is stopped and the old
// one never noticed.
//
// # Network
//
// A workload has a network of its own with nothing in it but the other
// workloads of its generation, which it reaches by their names and ports, and
// its own port, which the supervisor forwards to. It reaches nothing else.
//
// # Files
//
// In State/SERVICE/ENVIRONMENT: lock, control.sock, state.json (what Status
// reports when there is no supervisor), supervisor.log, logs/ (one file and one
// rotated file for each instance), run/ (sockets).
package local
