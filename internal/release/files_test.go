package release_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// filed is the service with these files in its image.
func filed(files string) string {
	return strings.Replace(plain, `[{from: "files:run.sh", to: /usr/bin/run.sh}]`, "["+files+"]", 1)
}

// TestFiles places files of a project and of the configuration's folder.
func TestFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, filed("{from: \"files:run.sh\", to: /bin/run, mode: \"4750\", uid: 7, gid: 8}, "+ // /bin is a link of the base
		"{from: \"files:tree\", to: /etc/app}, "+
		"{from: \"files:tmp\", to: /tmp}, "+ // keeps its mode
		"{from: \"files:root\", to: /}, "+
		"{from: conf/one.ini, to: /etc/app/}, "+
		"{from: conf/link.ini, to: /etc/app/linked.ini}, "+
		"{from: conf/empty, to: /srv/empty}, "+
		"{from: conf/own, to: /srv/own, uid: 5}, "+
		"{from: \"conf/./dots/\", to: /srv/dots}"))
	w.write("files/tree/a", "a")
	w.write("files/tree/sub/b", "b")
	w.write("files/tmp/.hidden", "h")
	w.write("files/root/opt/x", "x")
	w.ok(os.Chmod(filepath.Join(w.dir, "files/tree/sub/b"), 0o755)) //nolint:gosec // a program
	w.ok(os.Symlink("../../../outside", filepath.Join(w.dir, "files/tree/up")))
	w.commit("files")
	w.write("conf/one.ini", "one")
	w.write("conf/own/o", "o")
	w.write("conf/dots/.x", "x")
	w.write("conf/dots/..y", "y")
	w.write("conf/dots/.git/config", "no")
	w.ok(os.MkdirAll(filepath.Join(w.dir, "conf/empty"), 0o755))
	w.ok(os.Symlink("one.ini", filepath.Join(w.dir, "conf/link.ini")))
	got := w.files(w.build("stg").Snapshot, "web")
	want := []string{
		"0755 0:0 etc/", "0755 0:0 etc/app/", "0644 0:0 etc/app/a a", "0644 0:0 etc/app/linked.ini one", "0644 0:0 etc/app/one.ini one",
		"0755 0:0 etc/app/sub/", "0755 0:0 etc/app/sub/b b", "0777 0:0 etc/app/up ../../../outside",
		"0755 0:0 opt/", "0644 0:0 opt/x x",
		"0755 0:0 srv/", "0755 0:0 srv/dots/", "0644 0:0 srv/dots/..y y", "0644 0:0 srv/dots/.x x", "0755 0:0 srv/empty/", "0755 5:0 srv/own/", "0644 5:0 srv/own/o o",
		"1777 0:0 tmp/", "0644 0:0 tmp/.hidden h", "0755 0:0 usr/", "0755 0:0 usr/bin/", "4750 7:8 usr/bin/run #!/bin/sh",
	}
	slices.Sort(got)
	slices.Sort(want)
	w.expect("files", got, want...)
}

// TestWholeFolder takes the top of a project: names that begin with a dot stay as they are.
func TestWholeFolder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, filed(`{from: "files:.", to: /srv}`))
	w.write("files/.config/x", "x")
	w.commit("files")
	w.expect("files", w.files(w.build("stg").Snapshot, "web"),
		"0755 0:0 srv/", "0755 0:0 srv/.config/", "0644 0:0 srv/.config/x x", "0644 0:0 srv/run.sh #!/bin/sh")
}

func TestFilesThatCannotBePlaced(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ files, want string }{
		"missing in a project":     {`{from: "files:gone.sh", to: /x}`, "image web: slipway.yaml:9: there is no files:gone.sh at "},
		"missing beside":           {`{from: gone.sh, to: /x}`, "image web: slipway.yaml:9: there is no gone.sh"},
		"below a file":             {`{from: "files:run.sh/x", to: /x}`, "there is no files:run.sh/x at "},
		"two to one place":         {`{from: "files:run.sh", to: /x}, {from: slipway.yaml, to: /x}`, "files:run.sh and slipway.yaml both bring /x"},
		"a file and a folder":      {`{from: "files:run.sh", to: /x}, {from: empty, to: /x}`, "files:run.sh and empty both bring /x"},
		"a file and what is below": {`{from: "files:run.sh", to: /x}, {from: "files:run.sh", to: /x/y}`, "/x, which is no folder"},
		"a link out":               {`{from: out, to: /x}`, "path escapes from parent"},
		"a link on the way out":    {`{from: out/passwd, to: /x}`, "path escapes from parent"},
		"a link out of a project":  {`{from: "files:out/passwd", to: /x}`, "a symbolic link leads out of the repository"},
		"a pipe":                   {`{from: pipe, to: /x}`, `"pipe" is neither a file, nor a folder, nor a symbolic link`},
		"a Git LFS pointer":        {`{from: "files:pointer", to: /x}`, "/x: the file is only a Git LFS pointer"},
		"too large":                {`{from: large, to: /x}`, "more than 50000 files or 1024 MiB beside the RPMs"},
		"a deletion":               {`{from: "files:run.sh", to: /usr/.wh.x}`, "a name that means a deletion"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, filed(tt.files))
			w.ok(os.Symlink("/etc", filepath.Join(w.dir, "out")))
			w.ok(os.Symlink("/etc", filepath.Join(w.dir, "files/out")))
			w.ok(os.MkdirAll(filepath.Join(w.dir, "empty"), 0o755))
			w.ok(syscall.Mkfifo(filepath.Join(w.dir, "pipe"), 0o600))
			w.write("large", "")
			w.write("files/pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 1\n")
			w.ok(os.Truncate(filepath.Join(w.dir, "large"), 2<<30))
			w.commit("files")
			if _, err := w.tryBuild("stg"); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error: %v\nwant: %s", err, tt.want)
			}
		})
	}
}
