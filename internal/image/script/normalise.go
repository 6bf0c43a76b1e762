package script

import (
	"bytes"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"
)

// droppedTrees are folders of which nothing below belongs in an image: it is made anew by each
// running system, or tells of the build alone.
var droppedTrees = []string{
	"/dev", "/proc", "/run", "/sys", "/tmp", "/var/cache/ldconfig", "/var/log", "/var/tmp",
}

// droppedFiles are files that tell of the build alone: copies that shadow-utils makes before it
// writes, locks, and what a system seeds its own randomness and identity with.
var droppedFiles = map[string]bool{
	"/etc/.pwd.lock":                  true,
	"/etc/group-":                     true,
	"/etc/gshadow-":                   true,
	"/etc/passwd-":                    true,
	"/etc/shadow-":                    true,
	"/etc/subgid-":                    true,
	"/etc/subuid-":                    true,
	"/root/.bash_history":             true,
	"/usr/lib/sysimage/rpm/.rpm.lock": true,
	"/var/lib/dbus/machine-id":        true,
	"/var/lib/rpm/.rpm.lock":          true,
	"/var/lib/systemd/random-seed":    true,
}

// dropped says whether nothing at this path is taken into an image.
func dropped(name string) bool {
	for _, tree := range droppedTrees {
		if strings.HasPrefix(name, tree+"/") {
			return true
		}
	}
	return droppedFiles[name]
}

// normalisers rewrite files whose content tells when or where it was made.
var normalisers = map[string]func(data []byte, epoch int64) []byte{
	"/etc/machine-id": func([]byte, int64) []byte { return []byte{} },
	"/etc/shadow":     clampShadow,
}

// clampShadow sets the day of the last password change (shadow(5), third field), to epoch's where
// it is later.
func clampShadow(data []byte, epoch int64) []byte {
	const secondsPerDay = 24 * 60 * 60
	day := epoch / secondsPerDay
	lines := strings.SplitAfter(string(data), "\n")
	for i, line := range lines {
		fields := strings.Split(line, ":")
		if len(fields) < 9 {
			continue
		}
		if n, err := strconv.ParseInt(fields[2], 10, 64); err == nil && n > day {
			fields[2] = strconv.FormatInt(day, 10)
			lines[i] = strings.Join(fields, ":")
		}
	}
	return []byte(strings.Join(lines, ""))
}

// maxKeyFile is up to which size a file is searched for a private key.
const maxKeyFile = 1 << 20

// checkSecret refuses a private key that a script made: whoever has the image has the key.
func (c *collector) checkSecret(e *change) error {
	if e.Size > maxKeyFile || e.Size == 0 || e.content != nil {
		return nil
	}
	f, err := open(e.root, e.Path[1:])
	if err != nil {
		return err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return err
	}
	for line := range bytes.Lines(data) {
		line = bytes.TrimSpace(line)
		if bytes.HasPrefix(line, []byte("-----BEGIN ")) && bytes.HasSuffix(line, []byte("PRIVATE KEY-----")) {
			return fmt.Errorf("a script made a private key, %s, which everybody who has the image would have; "+
				"have it made when the container starts (%s)", e.Path, path.Base(e.Path))
		}
	}
	return nil
}
