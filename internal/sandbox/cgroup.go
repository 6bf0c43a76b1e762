package sandbox

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// cgroup is a control group that limits one sandbox's memory and processes. With
// version 1 it is a directory in each controller's hierarchy, with version 2 one
// directory.
type cgroup struct {
	version int
	dirs    []string
}

// hierarchy is a place where control groups may be made.
type hierarchy struct {
	version int
	parent  string // the directory to make them in
}

// newCgroup makes a control group with the limits. A nil cgroup has none.
func newCgroup(limits Limits) (*cgroup, error) {
	if limits.Memory == 0 && limits.Processes == 0 {
		return nil, nil
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("looking for control groups: %w", err)
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, fmt.Errorf("looking for control groups: %w", err)
	}
	g := &cgroup{}
	name := cgroupName()
	if limits.Memory > 0 {
		err = g.limit(findHierarchy(mounts, own, "memory"), name, "memory", memoryFiles(limits.Memory))
	}
	if err == nil && limits.Processes > 0 {
		err = g.limit(findHierarchy(mounts, own, "pids"), name, "pids", processFiles(limits.Processes))
	}
	if err != nil {
		g.remove()
		return nil, err
	}
	return g, nil
}

// setting is a value for a control file.
type setting struct {
	file, value string
	optional    bool // kernels built without swap accounting lack some
}

func memoryFiles(limit int64) map[int][]setting {
	value := strconv.FormatInt(limit, 10)
	return map[int][]setting{
		1: {{file: "memory.limit_in_bytes", value: value}, {file: "memory.memsw.limit_in_bytes", value: value, optional: true}},
		2: {{file: "memory.max", value: value}, {file: "memory.swap.max", value: "0", optional: true}, {file: "memory.oom.group", value: "1", optional: true}},
	}
}

// processFiles: with version 1 the thread of process 1 that starts the command
// is in the group too.
func processFiles(limit int) map[int][]setting {
	return map[int][]setting{
		1: {{file: "pids.max", value: strconv.Itoa(limit + 1)}},
		2: {{file: "pids.max", value: strconv.Itoa(limit)}},
	}
}

// limit makes the group's directory in h, unless it has it, and sets its files.
func (g *cgroup) limit(h *hierarchy, name, controller string, files map[int][]setting) error {
	if h == nil {
		return fmt.Errorf("no control group hierarchy with the %s controller can be used", controller)
	}
	if g.version != 0 && g.version != h.version {
		return errors.New("the memory and pids controllers are in control group hierarchies of different versions")
	}
	g.version = h.version
	dir := filepath.Join(h.parent, name)
	if !slices.Contains(g.dirs, dir) {
		removeStale(h.parent)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return fmt.Errorf("making a control group: %w", err)
		}
		g.dirs = append(g.dirs, dir)
	}
	for _, s := range files[h.version] {
		err := os.WriteFile(filepath.Join(dir, s.file), []byte(s.value), 0)
		if err != nil && !(s.optional && errors.Is(err, fs.ErrNotExist)) {
			return fmt.Errorf("limiting %s: %w", controller, err)
		}
	}
	return nil
}

// open opens what process 1 needs to put the command into the group.
func (g *cgroup) open() ([]*os.File, error) {
	var files []*os.File
	for _, dir := range g.dirs {
		var f *os.File
		var err error
		if g.version == 1 {
			f, err = os.OpenFile(filepath.Join(dir, "tasks"), os.O_WRONLY, 0)
		} else {
			f, err = os.OpenFile(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
		}
		if err != nil {
			closeAll(files)
			return nil, fmt.Errorf("opening the control group: %w", err)
		}
		files = append(files, f)
	}
	return files, nil
}

// exceeded says which limit made the kernel kill a process or refuse one.
func (g *cgroup) exceeded() Reason {
	if g == nil {
		return ""
	}
	for _, dir := range g.dirs {
		for _, file := range []string{"memory.oom_control", "memory.events"} {
			if counter(filepath.Join(dir, file), "oom_kill") > 0 {
				return MemoryLimit
			}
		}
	}
	for _, dir := range g.dirs {
		if counter(filepath.Join(dir, "pids.events"), "max") > 0 {
			return ProcessLimit
		}
	}
	return ""
}

// counter reads a value of a "name value" file, 0 when there is none.
func counter(file, name string) int64 {
	data, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(data) {
		if fields := strings.Fields(string(line)); len(fields) == 2 && fields[0] == name {
			n, _ := strconv.ParseInt(fields[1], 10, 64)
			return n
		}
	}
	return 0
}

// remove removes the group, whose processes are all dead. The kernel may need a
// moment to notice that; what can't be removed the next sandbox removes.
func (g *cgroup) remove() {
	if g == nil {
		return
	}
	for _, dir := range g.dirs {
		for range 50 {
			if err := os.Remove(dir); !errors.Is(err, syscall.EBUSY) {
				break
			}
			time.Sleep(2 * time.Millisecond)
		}
	}
}

const cgroupPrefix = "slipway-"

// cgroupName names a group after the process that has to remove it.
func cgroupName() string {
	return fmt.Sprintf("%s%d-%s", cgroupPrefix, os.Getpid(), rand.Text())
}

// removeStale removes the groups of programs that were killed. Groups that hold
// processes can't be removed, so at worst nothing happens.
func removeStale(parent string) {
	entries, err := os.ReadDir(parent)
	if err != nil {
		return
	}
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), cgroupPrefix)
		pidText, _, _ := strings.Cut(rest, "-")
		pid, err := strconv.Atoi(pidText)
		if !ok || err != nil || syscall.Kill(pid, 0) != syscall.ESRCH {
			continue
		}
		_ = os.Remove(filepath.Join(parent, e.Name()))
	}
}

// findHierarchy finds where groups with the controller can be made, given the
// contents of /proc/self/mountinfo and /proc/self/cgroup; nil if nowhere.
func findHierarchy(mounts, own []byte, controller string) *hierarchy {
	lines := bufio.NewScanner(bytes.NewReader(mounts))
	for lines.Scan() {
		m, ok := parseCgroupMount(lines.Text())
		if !ok {
			continue
		}
		path, ok := ownGroup(own, m.version, controller)
		if !ok {
			continue
		}
		// In a container the mount may show a part of the hierarchy only.
		relative, err := filepath.Rel(m.root, path)
		if err != nil || strings.HasPrefix(relative, "..") {
			relative = "."
		}
		dir := filepath.Join(m.point, relative)
		switch {
		case m.version == 1 && slices.Contains(m.options, controller):
			return &hierarchy{version: 1, parent: dir}
		case m.version == 2:
			if parent, ok := delegated(dir, m.point, controller); ok {
				return &hierarchy{version: 2, parent: parent}
			}
		}
	}
	return nil
}

// delegated walks up from the program's own group to the first one that hands
// the controller to its children and in which the user may make some.
// (A group that has processes of its own cannot; see cgroups(7).)
func delegated(dir, top, controller string) (string, bool) {
	for {
		data, err := os.ReadFile(filepath.Join(dir, "cgroup.subtree_control"))
		if err == nil && slices.Contains(strings.Fields(string(data)), controller) && unix.Access(dir, unix.W_OK) == nil {
			return dir, true
		}
		if dir == top || dir == "/" || dir == "." {
			return "", false
		}
		dir = filepath.Dir(dir)
	}
}

type cgroupMount struct {
	version     int
	root, point string
	options     []string
}

// parseCgroupMount reads a line of /proc/self/mountinfo (proc(5)).
func parseCgroupMount(line string) (cgroupMount, bool) {
	before, after, ok := strings.Cut(line, " - ")
	front, back := strings.Fields(before), strings.Fields(after)
	if !ok || len(front) < 5 || len(back) < 3 {
		return cgroupMount{}, false
	}
	m := cgroupMount{root: front[3], point: front[4], options: strings.Split(back[2], ",")}
	switch back[0] {
	case "cgroup":
		m.version = 1
	case "cgroup2":
		m.version = 2
	default:
		return cgroupMount{}, false
	}
	return m, true
}

// ownGroup finds the program's own group in /proc/self/cgroup (cgroups(7)).
func ownGroup(own []byte, version int, controller string) (string, bool) {
	for line := range bytes.Lines(own) {
		fields := strings.SplitN(strings.TrimSuffix(string(line), "\n"), ":", 3)
		if len(fields) != 3 {
			continue
		}
		if version == 2 && fields[0] == "0" && fields[1] == "" {
			return fields[2], true
		}
		if version == 1 && slices.Contains(strings.Split(fields[1], ","), controller) {
			return fields[2], true
		}
	}
	return "", false
}

func closeAll(files []*os.File) {
	for _, f := range files {
		f.Close()
	}
}
