package image_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// survey describes all that is in a root: type, mode, owner, content, capabilities, time.
func survey(t testing.TB, root string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		st := info.Sys().(*syscall.Stat_t)
		line := fmt.Sprintf("%s %d:%d", info.Mode(), st.Uid, st.Gid)
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			line += " -> " + target
		case info.Mode().IsRegular():
			data, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(data)
			line += fmt.Sprintf(" %d bytes %x, %d links", len(data), sum[:6], st.Nlink)
		}
		if !info.IsDir() {
			line += fmt.Sprintf(" @%d", info.ModTime().Unix())
		}
		value := make([]byte, 64)
		if n, err := unix.Lgetxattr(p, "security.capability", value); err == nil {
			line += " caps " + hex.EncodeToString(value[:n])
		}
		out[strings.TrimPrefix(p, root)] = line
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// expected says whether a path may differ between a root that rpm made and an image: the RPM
// database's own bytes; what Collect leaves out by name; what rpm makes as it runs; what scripts
// wrote, in its time alone; and accounts (see sameAccounts).
func expected(path, theirs, ours string, epoch int64) bool {
	switch path {
	case "/dev/null", "/etc/.pwd.lock", "/etc/passwd-", "/etc/group-", "/etc/shadow-", "/etc/gshadow-", "/var/cache/ldconfig/aux-cache",
		"/var/lib/rpm/.rpm.lock", "/var/lib/rpm/rpmdb.sqlite-shm", "/var/lib/rpm/rpmdb.sqlite-wal":
		return ours == ""
	case "/var/lib/rpm/rpmdb.sqlite", "/etc/passwd", "/etc/group", "/etc/shadow", "/etc/gshadow":
		mode := func(s string) string { s, _, _ = strings.Cut(s, " "); return s }
		return mode(ours) == mode(theirs)
	case "/var/lib/greeter":
		return ours == "drwxr-x--- 1001:1001"
	}
	return untimed(theirs) == untimed(ours) && strings.HasSuffix(ours, fmt.Sprintf("@%d", epoch))
}

// untimed is a description without the time.
func untimed(s string) string { s, _, _ = strings.Cut(s, " @"); return s }

// classOf names the difference between two descriptions.
func classOf(theirs, ours string) string {
	word := func(s string, n int) string {
		if f := strings.Fields(s); n < len(f) {
			return f[n]
		}
		return ""
	}
	switch {
	case ours == "":
		return "missing"
	case theirs == "":
		return "additional"
	case word(theirs, 0) != word(ours, 0):
		return "type or mode"
	case word(theirs, 1) != word(ours, 1):
		return "owner"
	case untimed(theirs) != untimed(ours):
		return "content or link"
	}
	return "time"
}

func keys(maps ...map[string]string) iter.Seq[string] {
	all := map[string]bool{}
	for _, m := range maps {
		for k := range m {
			all[k] = true
		}
	}
	return func(yield func(string) bool) {
		for k := range all {
			if !yield(k) {
				return
			}
		}
	}
}
