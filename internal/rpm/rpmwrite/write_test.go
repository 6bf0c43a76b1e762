package rpmwrite_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

const built = 1_700_000_000

func dep(t testing.TB, s string) rpm.Dependency {
	t.Helper()
	d, err := rpm.ParseDependency(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func deps(t testing.TB, all ...string) []rpm.Dependency {
	t.Helper()
	var list []rpm.Dependency
	for _, s := range all {
		list = append(list, dep(t, s))
	}
	return list
}

// sample has one of every kind of file and script that rpmbuild could make.
func sample(t testing.TB) rpmwrite.Spec {
	t.Helper()
	text := func(path, text string, mode uint32) rpmwrite.File {
		f := rpmwrite.Text(path, text)
		f.Mode, f.ModTime = mode, built-100
		return f
	}
	config := text("/etc/sample.conf", "key = value\n", 0o640)
	config.Flags = rpm.FileConfig | rpm.FileNoReplace
	tool := text("/usr/bin/sample", "#!/bin/sh\n", 0o755)
	tool.Caps = "cap_net_raw=ep"
	ghost := rpmwrite.File{Path: "/var/log/sample.log", Mode: 0o644, Flags: rpm.FileGhost}
	return rpmwrite.Spec{
		Name: "sample", EVR: rpm.EVR{Epoch: 1, Version: "2.0~rc1", Release: "3"}, Arch: "x86_64",
		Summary: "A sample", Description: "A sample.", License: "MIT", Group: "Unspecified", BuildTime: built,
		Provides:   deps(t, "virtual = 2"),
		Requires:   deps(t, "foo >= 1:2-3", "(a or b)"),
		Conflicts:  deps(t, "bad < 2"),
		Obsoletes:  deps(t, "old <= 1-1"),
		Recommends: deps(t, "nice"),
		Files: []rpmwrite.File{
			config, tool, ghost,
			rpmwrite.Dir("/usr/share/sample"),
			text("/usr/share/sample/a", "shared", 0o644),
			{Path: "/usr/share/sample/b", HardLink: "/usr/share/sample/a"},
			text("/usr/share/sample/empty", "", 0o600),
			rpmwrite.Symlink("/usr/share/sample/link", "../sample/a"),
		},
		Scripts: []rpm.Script{
			{Kind: rpm.ScriptPreTrans, Program: []string{"<lua>"}, Body: "print('pretrans')"},
			{Kind: rpm.ScriptPre, Body: "echo pre $1"},
			{Kind: rpm.ScriptPost, Program: []string{"/sbin/ldconfig"}},
			{Kind: rpm.ScriptPreUn, Program: []string{"/bin/sh", "-e"}, Body: "echo preun"},
			{Kind: rpm.ScriptPostUn, Body: "echo postun"},
			{Kind: rpm.ScriptPostTrans, Body: "echo posttrans"},
			{Kind: rpm.ScriptVerify, Body: "echo verify"},
			{Kind: rpm.ScriptTriggerPreIn, Body: "echo prein", Conditions: deps(t, "bar")},
			{Kind: rpm.ScriptTriggerIn, Body: "echo in", Conditions: deps(t, "bar < 2", "baz")},
			{Kind: rpm.ScriptTriggerUn, Program: []string{"<lua>"}, Body: "print(1)", Conditions: deps(t, "bar = 1:1-1")},
			{Kind: rpm.ScriptTriggerPostUn, Body: "echo postun", Conditions: deps(t, "bar")},
			{Kind: rpm.ScriptFileTriggerIn, Body: "echo file in", Conditions: deps(t, "/usr/lib", "/usr/lib64"), Priority: 5},
			{Kind: rpm.ScriptFileTriggerUn, Body: "echo file un", Conditions: deps(t, "/usr/lib"), Priority: rpm.DefaultPriority},
			{Kind: rpm.ScriptTransFileTriggerIn, Body: "echo trans in", Conditions: deps(t, "/usr/lib"), Priority: rpm.DefaultPriority},
			{Kind: rpm.ScriptTransFileTriggerPostUn, Program: []string{"<lua>"}, Body: "print(2)", Conditions: deps(t, "/usr/lib"), Priority: rpm.DefaultPriority},
		},
	}
}

func pack(t testing.TB, spec rpmwrite.Spec) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := rpmwrite.Write(&b, spec); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestWriteIsDeterministic(t *testing.T) {
	rsa, err := rpmwrite.NewSigner("RSA <rsa@example.com>", time.Unix(built-1, 0))
	if err != nil {
		t.Fatal(err)
	}
	ed, err := rpmwrite.NewEd25519Signer("Ed <ed@example.com>", time.Unix(built-1, 0))
	if err != nil {
		t.Fatal(err)
	}
	for _, compression := range []string{"zstd", "gzip", "xz", "lzma", "none"} {
		for name, key := range map[string]*rpmwrite.Signer{"rsa": rsa, "ed25519": ed, "unsigned": nil} {
			spec := sample(t)
			spec.Compression, spec.Key = compression, key
			first := pack(t, spec)
			path := filepath.Join(t.TempDir(), "x.rpm")
			if err := rpmwrite.WriteFile(path, spec); err != nil {
				t.Fatal(err)
			}
			second, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(first, second) {
				t.Errorf("%s, %s: two writes differ", compression, name)
			}
		}
	}
}

// TestWriteOrder shuffles what has no order.
func TestWriteOrder(t *testing.T) {
	a, b := sample(t), sample(t)
	for i := range b.Files {
		b.Files[i] = a.Files[len(a.Files)-1-i]
	}
	b.Requires = []rpm.Dependency{a.Requires[1], a.Requires[0], a.Requires[1]}
	if !bytes.Equal(pack(t, a), pack(t, b)) {
		t.Error("the order of files or dependencies shows")
	}
}

func TestWriteFaults(t *testing.T) {
	for name, change := range map[string]func(*rpmwrite.Spec){
		"no name":                     func(s *rpmwrite.Spec) { s.Name = "" },
		"no version":                  func(s *rpmwrite.Spec) { s.EVR.Version = "" },
		"no release":                  func(s *rpmwrite.Spec) { s.EVR.Release = "" },
		"no architecture":             func(s *rpmwrite.Spec) { s.Arch = "" },
		"relative path":               func(s *rpmwrite.Spec) { s.Files[0].Path = "etc/x" },
		"unclean path":                func(s *rpmwrite.Spec) { s.Files[0].Path = "/etc/../x" },
		"same path twice":             func(s *rpmwrite.Spec) { s.Files[0].Path = s.Files[1].Path },
		"hard link to nothing":        func(s *rpmwrite.Spec) { s.Files[5].HardLink = "/nothing" },
		"hard link to a directory":    func(s *rpmwrite.Spec) { s.Files[5].HardLink = "/usr/share/sample" },
		"hard link to itself":         func(s *rpmwrite.Spec) { s.Files[5].HardLink = s.Files[5].Path },
		"size without content":        func(s *rpmwrite.Spec) { s.Files[0].Content = nil },
		"content longer than size":    func(s *rpmwrite.Spec) { s.Files[0].Size-- },
		"content shorter than size":   func(s *rpmwrite.Spec) { s.Files[0].Size++ },
		"content that can't be read":  func(s *rpmwrite.Spec) { s.Files[0].Content = broken },
		"unknown compression":         func(s *rpmwrite.Spec) { s.Compression = "rar" },
		"a level that gzip has not":   func(s *rpmwrite.Spec) { s.Compression, s.Level = "gzip", 99 },
		"NUL in a text of the header": func(s *rpmwrite.Spec) { s.Summary = "a\x00b" },
		"no trigger condition": func(s *rpmwrite.Spec) {
			s.Scripts = []rpm.Script{{Kind: rpm.ScriptTriggerIn, Body: "x"}}
		},
		"unknown script": func(s *rpmwrite.Spec) { s.Scripts = []rpm.Script{{Kind: 99, Body: "x"}} },
		"two of a kind": func(s *rpmwrite.Spec) {
			s.Scripts = []rpm.Script{{Kind: rpm.ScriptPost, Body: "x"}, {Kind: rpm.ScriptPost, Body: "y"}}
		},
	} {
		spec := sample(t)
		change(&spec)
		dir := t.TempDir()
		if err := rpmwrite.WriteFile(filepath.Join(dir, "x.rpm"), spec); err == nil {
			t.Errorf("%s: no error", name)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
			t.Errorf("%s: left %v behind, %v", name, left, err)
		}
	}
	if err := rpmwrite.Write(fullDisk{}, sample(t)); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("a full disk becomes %v", err)
	}
}

func broken() (io.ReadCloser, error) { return nil, errors.New("broken") }

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// TestWriteReadsOnce counts how often content is opened, and streams more than
// one would keep in memory twice.
func TestWriteReadsOnce(t *testing.T) {
	const size = 64 << 20
	opened := 0
	spec := sample(t)
	spec.Files = []rpmwrite.File{{Path: "/big", Size: size, Content: func() (io.ReadCloser, error) {
		opened++
		return io.NopCloser(io.LimitReader(zeros{}, size)), nil
	}}}
	path := filepath.Join(t.TempDir(), "x.rpm")
	if err := rpmwrite.WriteFile(path, spec); err != nil {
		t.Fatal(err)
	}
	if opened != 1 {
		t.Errorf("content was opened %d times", opened)
	}
	p, err := rpm.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if p.InstalledSize() != size {
		t.Errorf("it takes %d bytes", p.InstalledSize())
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}
