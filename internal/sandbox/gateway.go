package sandbox

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"

	"golang.org/x/sys/unix"
)

// Outward forwards need addresses on which somebody answers. Were these the
// sandbox's own, no command could listen on the same port of all its addresses,
// which is what servers do. So there is a second network namespace, the gateway,
// joined to the sandbox's by a pair of virtual Ethernet devices; the addresses
// are the gateway's, and so are the sockets that listen on them, which process 1
// holds.
//
// All of it is in the sandbox's user namespace, so no privileges are needed.

// OutwardNet are the addresses that an Outward forward may have.
var OutwardNet = netip.MustParsePrefix("10.63.0.0/24")

// These are only seen inside; each sandbox has the same.
var (
	gatewayNet     = netip.MustParsePrefix("10.63.255.1/16")
	sandboxNet     = netip.MustParsePrefix("10.63.255.2/16")
	gatewayForward = netip.PrefixFrom(OutwardNet.Addr().Next(), OutwardNet.Bits())
)

// outwardListeners makes the gateway and listens there.
func outwardListeners(forwards []wireForward) ([]net.Listener, error) {
	type outcome struct {
		listeners []net.Listener
		err       error
	}
	done := make(chan outcome)
	here, err := unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("opening the network namespace: %w", err)
	}
	defer unix.Close(here)
	go func() {
		// The thread ends with the goroutine, which never unlocks it; the
		// gateway lives on in its sockets.
		runtime.LockOSThread()
		listeners, err := makeGateway(here, forwards)
		done <- outcome{listeners, err}
	}()
	o := <-done
	if o.err != nil {
		return nil, fmt.Errorf("making the network: %w", o.err)
	}
	return o.listeners, setAddress("eth0", sandboxNet)
}

// makeGateway makes the calling thread's network namespace the gateway of the
// one that sandbox is open on.
func makeGateway(sandbox int, forwards []wireForward) ([]net.Listener, error) {
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		return nil, err
	}
	if err := addPair(sandbox); err != nil {
		return nil, fmt.Errorf("adding virtual Ethernet devices: %w%s", err, pairHint(err))
	}
	if err := raise("lo"); err != nil {
		return nil, err
	}
	// Of a network on the loopback device, every address is the machine's own.
	if err := setAddress("lo:1", gatewayForward); err != nil {
		return nil, err
	}
	if err := setAddress("eth0", gatewayNet); err != nil {
		return nil, err
	}
	var listeners []net.Listener
	for _, f := range forwards {
		listener, err := new(net.ListenConfig).Listen(context.Background(), "tcp4", f.Address)
		if err != nil {
			return nil, err
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

func pairHint(err error) string {
	if errors.Is(err, unix.EOPNOTSUPP) {
		return " (the kernel lacks them: modprobe veth)"
	}
	return ""
}

// raise brings a network interface up.
func raise(name string) error {
	ifreq, err := unix.NewIfreq(name)
	if err != nil {
		return err
	}
	ifreq.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return interfaceCall(name, unix.SIOCSIFFLAGS, ifreq)
}

// setAddress gives an interface an IPv4 address and brings it up.
func setAddress(name string, address netip.Prefix) error {
	mask := net.CIDRMask(address.Bits(), 32)
	for _, call := range []struct {
		request uint
		value   []byte
	}{{unix.SIOCSIFADDR, address.Addr().AsSlice()}, {unix.SIOCSIFNETMASK, mask}} {
		ifreq, err := unix.NewIfreq(name)
		if err != nil {
			return err
		}
		if err := ifreq.SetInet4Addr(call.value); err != nil {
			return err
		}
		if err := interfaceCall(name, call.request, ifreq); err != nil {
			return err
		}
	}
	return raise(name)
}

func interfaceCall(name string, request uint, ifreq *unix.Ifreq) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("setting up interface %s: %w", name, err)
	}
	defer unix.Close(fd)
	if err := unix.IoctlIfreq(fd, request, ifreq); err != nil {
		return fmt.Errorf("setting up interface %s: %w", name, err)
	}
	return nil
}

// addPair adds an interface eth0 to the thread's network namespace, and the
// other end of it, eth0 too, to the one that peer is open on. (rtnetlink(7);
// the nesting of a veth pair's attributes is in linux/veth.h.)
func addPair(peer int) error {
	const vethInfoPeer = 1
	link := make([]byte, unix.SizeofIfInfomsg)
	name := attribute(unix.IFLA_IFNAME, []byte("eth0\x00"))
	namespace := attribute(unix.IFLA_NET_NS_FD, binary.NativeEndian.AppendUint32(nil, uint32(peer)))
	data := attribute(unix.IFLA_INFO_DATA, attribute(vethInfoPeer, link, name, namespace))
	info := attribute(unix.IFLA_LINKINFO, attribute(unix.IFLA_INFO_KIND, []byte("veth")), data)
	return routeCall(unix.RTM_NEWLINK, unix.NLM_F_CREATE|unix.NLM_F_EXCL, link, name, info)
}

// attribute encodes a netlink attribute of parts, padded to four bytes.
func attribute(kind uint16, parts ...[]byte) []byte {
	out := make([]byte, unix.SizeofRtAttr)
	for _, p := range parts {
		out = append(out, p...)
	}
	binary.NativeEndian.PutUint16(out, uint16(len(out)))
	binary.NativeEndian.PutUint16(out[2:], kind)
	for len(out)%unix.RTA_ALIGNTO != 0 {
		out = append(out, 0)
	}
	return out
}

// routeCall sends a netlink request and waits for its acknowledgement.
func routeCall(kind, flags uint16, parts ...[]byte) error {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	message := make([]byte, unix.SizeofNlMsghdr)
	for _, p := range parts {
		message = append(message, p...)
	}
	binary.NativeEndian.PutUint32(message, uint32(len(message)))
	binary.NativeEndian.PutUint16(message[4:], kind)
	binary.NativeEndian.PutUint16(message[6:], flags|unix.NLM_F_REQUEST|unix.NLM_F_ACK)
	if err := unix.Sendto(fd, message, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	answer := make([]byte, 4096)
	n, _, err := unix.Recvfrom(fd, answer, 0)
	if err != nil {
		return err
	}
	if n < unix.SizeofNlMsghdr+4 || binary.NativeEndian.Uint16(answer[4:]) != unix.NLMSG_ERROR {
		return errors.New("unexpected netlink answer")
	}
	if code := int32(binary.NativeEndian.Uint32(answer[unix.SizeofNlMsghdr:])); code != 0 {
		return unix.Errno(-code)
	}
	return nil
}
