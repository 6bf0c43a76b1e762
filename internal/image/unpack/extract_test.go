package unpack_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/image/unpack"
)

var when = time.Unix(1700000000, 0)

// archive makes a tar stream; regular files hold their own names.
func archive(t *testing.T, headers ...tar.Header) io.Reader {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range headers {
		h.ModTime = when
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(h.Name))
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			fmt.Fprint(w, h.Name)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return &b
}

func dir(name string, mode int64) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeDir, Mode: mode}
}
func reg(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg} }
func sym(name, to string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeSymlink, Linkname: to}
}
func hard(name, to string) tar.Header {
	return tar.Header{Name: name, Typeflag: tar.TypeLink, Linkname: to}
}

// list describes what a folder holds, sorted.
func list(t *testing.T, root string) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil || p == root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		line := strings.TrimPrefix(p, root+"/") + " " + info.Mode().String()
		if link, err := os.Readlink(p); err == nil {
			line += " -> " + link
		}
		if info.Mode().IsRegular() {
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			line += " " + string(b)
		}
		out = append(out, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestExtract(t *testing.T) {
	for _, c := range []struct {
		name string
		in   []tar.Header
		want []string
	}{
		{"plain", []tar.Header{dir("./", 0o755), dir("a/", 0o750), reg("a/f"), sym("a/l", "/etc/passwd"), hard("a/g", "a/f")},
			[]string{"a drwxr-x---", "a/f -rw-r--r-- a/f", "a/g -rw-r--r-- a/f", "a/l Lrwxrwxrwx -> /etc/passwd"}},
		{"missing parents", []tar.Header{reg("x/y/z")},
			[]string{"x drwxr-xr-x", "x/y drwxr-xr-x", "x/y/z -rw-r--r-- x/y/z"}},
		{"closed folder", []tar.Header{dir("a", 0o500), reg("a/f")},
			[]string{"a dr-x------", "a/f -rw-r--r-- a/f"}},
		{"special bits", []tar.Header{{Name: "su", Typeflag: tar.TypeReg, Mode: 0o4755}, dir("tmp", 0o1777)},
			[]string{"su urwxr-xr-x su", "tmp dtrwxrwxrwx"}},
		{"through a link", []tar.Header{dir("usr/lib", 0o755), sym("lib", "usr/lib"), reg("lib/f")},
			[]string{"lib Lrwxrwxrwx -> usr/lib", "usr drwxr-xr-x", "usr/lib drwxr-xr-x", "usr/lib/f -rw-r--r-- lib/f"}},
		{"absolute link stays inside", []tar.Header{dir("etc", 0o755), sym("up", "/"), sym("far", "../../../etc"), reg("up/etc/f"), reg("far/g")},
			[]string{"etc drwxr-xr-x", "etc/f -rw-r--r-- up/etc/f", "etc/g -rw-r--r-- far/g", "far Lrwxrwxrwx -> ../../../etc", "up Lrwxrwxrwx -> /"}},
		{"file over link", []tar.Header{sym("f", "/etc/passwd"), reg("f")}, []string{"f -rw-r--r-- f"}},
		{"file over folder", []tar.Header{dir("d", 0o755), reg("d/x"), reg("d")}, []string{"d -rw-r--r-- d"}},
		{"folder over link", []tar.Header{sym("d", "/etc"), dir("d", 0o700)}, []string{"d drwx------"}},
		{"absolute name", []tar.Header{reg("/etc/x")}, []string{"etc drwxr-xr-x", "etc/x -rw-r--r-- /etc/x"}},
		{"devices are left out", []tar.Header{{Name: "null", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 3}, {Name: "pipe", Typeflag: tar.TypeFifo}},
			[]string{"pipe prw-r--r--"}},
		{"link over a folder that had a mode", []tar.Header{dir("d", 0o700), dir("e", 0o755), sym("d", "e")},
			[]string{"d Lrwxrwxrwx -> e", "e drwxr-xr-x"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			root := t.TempDir()
			if err := unpack.Extract(t.Context(), archive(t, c.in...), root, unpack.Limits{}); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, list(t, root)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for name, in := range map[string][]tar.Header{
		"climbing name":     {reg("../x")},
		"climbing inside":   {reg("a/../../x")},
		"climbing link":     {hard("x", "../../etc/passwd")},
		"link to nothing":   {hard("x", "etc/passwd")},
		"root as file":      {reg(".")},
		"through a file":    {reg("a"), reg("a/b")},
		"link loop":         {sym("a", "b"), sym("b", "a"), reg("a/x")},
		"nameless deletion": {reg(".wh.")},
		"deleting upwards":  {reg("a/.wh...")},
		"unknown type":      {{Name: "x", Typeflag: 'Z'}},
	} {
		t.Run(name, func(t *testing.T) {
			outer := t.TempDir()
			root := filepath.Join(outer, "root")
			if err := os.Mkdir(root, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := unpack.Extract(t.Context(), archive(t, in...), root, unpack.Limits{}); err == nil {
				t.Errorf("accepted; holds %q", list(t, root))
			}
			if got := list(t, outer); len(got) == 0 || !strings.HasPrefix(got[0], "root ") {
				t.Errorf("left its folder: %q", got)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	var limit *unpack.LimitError
	err := unpack.Extract(t.Context(), archive(t, reg("a"), reg("b")), t.TempDir(), unpack.Limits{Entries: 1})
	if !errors.As(err, &limit) {
		t.Errorf("entries: %v", err)
	}
	err = unpack.Extract(t.Context(), archive(t, reg("aaaa"), reg("bbbb")), t.TempDir(), unpack.Limits{Bytes: 7})
	if !errors.As(err, &limit) {
		t.Errorf("bytes: %v", err)
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := unpack.Extract(ctx, archive(t, reg("a")), t.TempDir(), unpack.Limits{}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestOwnersTimesAttributes(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	capability := "\x00\x00\x00\x02\x00\x20\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	f := reg("f")
	f.Uid, f.Gid, f.PAXRecords = 12, 34, map[string]string{
		"SCHILY.xattr.security.capability":    capability,
		"SCHILY.xattr.trusted.overlay.opaque": "y",
		"SCHILY.xattr.user.overlay.opaque":    "y",
	}
	l := sym("l", "f")
	l.Uid = 56
	d := dir("d", 0o2755)
	d.Gid = 78
	root := t.TempDir()
	if err := unpack.Extract(t.Context(), archive(t, d, f, l, reg("d/x")), root, unpack.Limits{}); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"f": "12:34", "l": "56:0", "d": "0:78"} {
		info, err := os.Lstat(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		st := info.Sys().(*syscall.Stat_t)
		if got := fmt.Sprintf("%d:%d", st.Uid, st.Gid); got != want || !info.ModTime().Equal(when) {
			t.Errorf("%s: owner %s at %v, want %s at %v", name, got, info.ModTime(), want, when)
		}
	}
	value := make([]byte, 100)
	n, err := unix.Lgetxattr(filepath.Join(root, "f"), "security.capability", value)
	if err != nil || string(value[:n]) != capability {
		t.Errorf("capability %x, %v", value[:max(n, 0)], err)
	}
	for _, name := range []string{"trusted.overlay.opaque", "user.overlay.opaque"} {
		if _, err := unix.Lgetxattr(filepath.Join(root, "f"), name, value); err == nil {
			t.Errorf("%s was set", name)
		}
	}
}

func TestDeletions(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("deletions are encoded as device nodes, which need root")
	}
	root := t.TempDir()
	in := archive(t, reg("a/.wh.gone"), dir("b", 0o755), reg("b/.wh..wh..opq"), reg("b/new"))
	if err := unpack.Extract(t.Context(), in, root, unpack.Limits{}); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Lstat(filepath.Join(root, "a/gone"), &st); err != nil || st.Mode&unix.S_IFMT != unix.S_IFCHR || st.Rdev != 0 {
		t.Errorf("a/gone: mode %o device %d, %v", st.Mode, st.Rdev, err)
	}
	value := make([]byte, 8)
	if n, err := unix.Lgetxattr(filepath.Join(root, "b"), "user.overlay.opaque", value); err != nil || string(value[:n]) != "y" {
		t.Errorf("b is not opaque: %v", err)
	}
}

func FuzzExtract(f *testing.F) {
	for _, in := range [][]tar.Header{
		{dir("a", 0o755), sym("a/l", "../.."), reg("a/l/x")},
		{sym("a", "b"), hard("c", "a"), reg("c/.wh.x")},
	} {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		for _, h := range in {
			_ = w.WriteHeader(&h)
		}
		_ = w.Close()
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		outer := t.TempDir()
		root := filepath.Join(outer, "in", "root")
		if err := os.MkdirAll(root, 0o755); err != nil {
			t.Fatal(err)
		}
		_ = unpack.Extract(t.Context(), bytes.NewReader(data), root, unpack.Limits{Entries: 100, Bytes: 1 << 20})
		for _, d := range []string{outer, filepath.Join(outer, "in")} {
			if entries, err := os.ReadDir(d); err != nil || len(entries) != 1 {
				t.Fatalf("%s holds %v, %v", d, entries, err)
			}
		}
	})
}

// TestUmask: folders that the layer lacks are open to all, whatever the umask.
func TestUmask(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077))
	root := t.TempDir()
	if err := unpack.Extract(t.Context(), archive(t, reg("a/b/c")), root, unpack.Limits{}); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]fs.FileMode{"a": 0o755, "a/b": 0o755, "a/b/c": 0o644} {
		if st, err := os.Stat(filepath.Join(root, path)); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v", path, st.Mode(), err)
		}
	}
}
