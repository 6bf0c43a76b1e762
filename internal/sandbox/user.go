package sandbox

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// identity is who the command runs as.
type identity struct {
	uid, gid int
	groups   []int
	home     string
}

// identify finds out whom o means, from the files of the root filesystem that
// the process is in.
func identify(o *order) (identity, error) {
	who := identity{uid: o.UID, gid: o.GID, groups: o.Groups}
	passwd, err := readDatabase("/etc/passwd")
	if err != nil {
		return who, err
	}
	if o.User != "" {
		group, err := readDatabase("/etc/group")
		if err != nil {
			return who, err
		}
		if who, err = parseUser(o.User, passwd, group); err != nil {
			return who, err
		}
	}
	who.home = "/"
	if who.uid == 0 {
		who.home = "/root"
	}
	for _, e := range passwd {
		if len(e) >= 6 && e[2] == strconv.Itoa(who.uid) && e[5] != "" {
			who.home = e[5]
			break
		}
	}
	for _, id := range append([]int{who.uid, who.gid}, who.groups...) {
		if id < 0 || id >= o.IDs {
			return who, idRangeError(id, o.IDs)
		}
	}
	return who, nil
}

func idRangeError(id, ids int) error {
	if ids == 1 {
		return fmt.Errorf("user or group id %d: only id 0 exists inside, because the user has no range in /etc/subuid and /etc/subgid, or newuidmap is missing: have the administrator add one (usermod --add-subuids), or start as root", id)
	}
	return fmt.Errorf("user or group id %d: only the ids 0 to %d exist inside", id, ids-1)
}

// parseUser resolves "user", "uid", "user:group" or "uid:gid" as an image's
// configuration has it (OCI image specification, config.User). Without a group,
// it is the user's own one, and the groups that list the user are added.
func parseUser(text string, passwd, group [][]string) (identity, error) {
	name, groupName, hasGroup := strings.Cut(text, ":")
	var who identity
	entry := findEntry(passwd, name, 4)
	switch {
	case entry != nil:
		uid, err1 := strconv.Atoi(entry[2])
		gid, err2 := strconv.Atoi(entry[3])
		if err := errors.Join(err1, err2); err != nil {
			return who, fmt.Errorf("reading the entry of %q in /etc/passwd: %w", name, err)
		}
		who.uid, who.gid = uid, gid
		name = entry[0]
	default:
		uid, err := strconv.Atoi(name)
		if err != nil || uid < 0 {
			return who, fmt.Errorf("user %q is not in the image's /etc/passwd", name)
		}
		who.uid = uid
	}
	if !hasGroup {
		who.groups = groupsOf(group, name)
		return who, nil
	}
	if e := findEntry(group, groupName, 3); e != nil {
		groupName = e[2]
	}
	gid, err := strconv.Atoi(groupName)
	if err != nil || gid < 0 {
		return who, fmt.Errorf("group %q is not in the image's /etc/group", groupName)
	}
	who.gid = gid
	return who, nil
}

// findEntry finds a passwd or group line by its name, else by its id.
func findEntry(entries [][]string, key string, fields int) []string {
	for _, column := range []int{0, 2} {
		for _, e := range entries {
			if len(e) >= fields && e[column] == key {
				return e
			}
		}
	}
	return nil
}

func groupsOf(group [][]string, user string) []int {
	var ids []int
	for _, e := range group {
		if len(e) < 4 {
			continue
		}
		for _, member := range strings.Split(e[3], ",") {
			if id, err := strconv.Atoi(e[2]); err == nil && member == user {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// credential is nil where there is but one id: it is that one already.
func (who identity) credential(ids int) *syscall.Credential {
	if ids == 1 {
		return nil
	}
	groups := make([]uint32, len(who.groups))
	for i, g := range who.groups {
		groups[i] = uint32(g)
	}
	return &syscall.Credential{Uid: uint32(who.uid), Gid: uint32(who.gid), Groups: groups}
}

// readDatabase reads a passwd(5) or group(5) file of the root; an absent one is
// empty. The image's author chose what is there: it may be a fifo, or endless.
func readDatabase(name string) ([][]string, error) {
	const maxSize = 1 << 20
	f, err := os.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() || info.Size() > maxSize {
		return nil, fmt.Errorf("reading the image's %s: not a file of at most 1 MiB", name)
	}
	var entries [][]string
	lines := bufio.NewScanner(io.LimitReader(f, maxSize))
	lines.Buffer(nil, maxSize)
	for lines.Scan() {
		entries = append(entries, strings.Split(lines.Text(), ":"))
	}
	return entries, lines.Err()
}
