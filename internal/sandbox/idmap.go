package sandbox

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"syscall"
)

const maxIDs = 65536

// idMapping says how ids inside map to ids outside.
type idMapping struct {
	uid, gid []syscall.SysProcIDMap
	// helpers: newuidmap and newgidmap write the mappings; otherwise the kernel
	// lets the process do it itself.
	helpers bool
}

// ids is how many ids there are inside, counted from 0.
func (m idMapping) ids() int {
	count := func(maps []syscall.SysProcIDMap) int {
		n := 0
		for _, e := range maps {
			n += e.Size
		}
		return n
	}
	return min(count(m.uid), count(m.gid))
}

// currentMapping is the widest mapping that the current user may make.
func currentMapping() (idMapping, error) {
	uid, gid := os.Geteuid(), os.Getegid()
	if uid == 0 {
		uids, err := rootMapping("/proc/self/uid_map")
		if err != nil {
			return idMapping{}, err
		}
		gids, err := rootMapping("/proc/self/gid_map")
		return idMapping{uid: uids, gid: gids}, err
	}
	m := idMapping{
		uid: []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}},
		gid: []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}},
	}
	if !haveHelpers() {
		return m, nil
	}
	name := strconv.Itoa(uid)
	if u, err := user.LookupId(name); err == nil {
		name = u.Username
	}
	uids, err := subordinate("/etc/subuid", name, uid)
	if err != nil {
		return idMapping{}, err
	}
	gids, err := subordinate("/etc/subgid", name, uid)
	if err != nil {
		return idMapping{}, err
	}
	if uids.Size > 0 && gids.Size > 0 {
		return idMapping{uid: append(m.uid, uids), gid: append(m.gid, gids), helpers: true}, nil
	}
	return m, nil
}

// rootMapping maps ids to themselves, as far as they exist in the user namespace
// that the program itself is in (user_namespaces(7)).
func rootMapping(name string) ([]syscall.SysProcIDMap, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the id mapping: %w", err)
	}
	for _, line := range strings.Split(string(data), "\n") {
		var inside, outside, size int64
		if n, _ := fmt.Sscan(line, &inside, &outside, &size); n == 3 && inside == 0 {
			return []syscall.SysProcIDMap{{Size: int(min(size, maxIDs))}}, nil
		}
	}
	return nil, fmt.Errorf("reading the id mapping: no id 0 in %s", name)
}

func haveHelpers() bool {
	_, err1 := exec.LookPath("newuidmap")
	_, err2 := exec.LookPath("newgidmap")
	return err1 == nil && err2 == nil
}

// subordinate reads the first range of subuid(5) or subgid(5) that the user, by
// name or id, has, mapped to the ids from 1 on. Size 0: there is none.
func subordinate(file, name string, uid int) (syscall.SysProcIDMap, error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return syscall.SysProcIDMap{}, nil
	}
	if err != nil {
		return syscall.SysProcIDMap{}, fmt.Errorf("reading subordinate ids: %w", err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Split(lines.Text(), ":")
		if len(fields) != 3 || (fields[0] != name && fields[0] != strconv.Itoa(uid)) {
			continue
		}
		start, err1 := strconv.Atoi(fields[1])
		size, err2 := strconv.Atoi(fields[2])
		if err := errors.Join(err1, err2); err != nil {
			return syscall.SysProcIDMap{}, fmt.Errorf("reading %s: %q: %w", file, lines.Text(), err)
		}
		return syscall.SysProcIDMap{ContainerID: 1, HostID: start, Size: min(size, maxIDs-1)}, nil
	}
	return syscall.SysProcIDMap{}, lines.Err()
}

// write maps the ids of a process with the setuid helpers.
func (m idMapping) write(ctx context.Context, pid int) error {
	for _, helper := range []struct {
		name string
		maps []syscall.SysProcIDMap
	}{{"newuidmap", m.uid}, {"newgidmap", m.gid}} {
		args := []string{strconv.Itoa(pid)}
		for _, e := range helper.maps {
			args = append(args, strconv.Itoa(e.ContainerID), strconv.Itoa(e.HostID), strconv.Itoa(e.Size))
		}
		if out, err := exec.CommandContext(ctx, helper.name, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("mapping ids: %s: %w: %s", helper.name, err, strings.TrimSpace(string(out)))
		}
	}
	return nil
}
