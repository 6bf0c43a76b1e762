package wheel

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/wheel/wheeltest"
)

// TestSameAsPip has pip install projects out of git repositories, with the system's backends, and compares each file. That is
// slow, so it takes a sample, and with SLIPWAY_TEST_DEEP all.
func TestSameAsPip(t *testing.T) {
	oracle.Need(t, "git")
	needModules(t, "pip")
	root, c := hostRoot(t), openCache(t)
	scheme, err := ProbeScheme(t.Context(), root, c)
	if err != nil {
		t.Fatal(err)
	}
	shapes := wheeltest.Shapes()
	if os.Getenv("SLIPWAY_TEST_DEEP") == "" {
		seed := uint64(time.Now().UnixNano())
		t.Logf("seed %d", seed)
		r := rand.New(rand.NewPCG(seed, 0))
		r.Shuffle(len(shapes), func(i, j int) { shapes[i], shapes[j] = shapes[j], shapes[i] })
		shapes = shapes[:12]
	}
	for _, s := range shapes {
		t.Run(s.Name, func(t *testing.T) {
			needModules(t, s.Needs...)
			repository, commit := repository(t, s)
			r := Request{Project: s.Name, Version: s.Version, Tree: s.Tree, Epoch: epoch, Root: root}
			w, err := Build(t.Context(), r, c)
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.Install(scheme, Direct{URL: "file://" + repository, Commit: commit, Revision: "stable"})
			if err != nil {
				t.Fatal(err)
			}
			compare(t, got, pipInstall(t, "git+file://"+repository+"@stable#egg="+s.Name, "--no-compile"))
		})
	}
}

// repository makes a git repository of a shape, on the branch "stable".
func repository(t *testing.T, s wheeltest.Shape) (path, commit string) {
	t.Helper()
	path = t.TempDir()
	git := func(args ...string) string {
		cmd := exec.Command("git", append([]string{"-C", path, "-c", "user.name=t", "-c", "user.email=t@example.com"}, args...)...)
		cmd.Env = append(os.Environ(), fmt.Sprintf("GIT_COMMITTER_DATE=%d +0000", epoch), fmt.Sprintf("GIT_AUTHOR_DATE=%d +0000", epoch))
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("git %q: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "-q", "-b", "stable")
	for name, file := range s.Tree {
		where := filepath.Join(path, name)
		if err := os.MkdirAll(filepath.Dir(where), 0o755); err != nil {
			t.Fatal(err)
		}
		err := error(nil)
		if file.Mode&fs.ModeSymlink != 0 {
			err = os.Symlink(string(file.Data), where)
		} else {
			err = os.WriteFile(where, file.Data, file.Mode)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	git("add", "--all", "--force")
	git("commit", "-q", "-m", "all")
	if s.Version != "" {
		git("tag", "v"+s.Version)
	}
	return path, git("rev-parse", "HEAD")
}

// pipInstall installs into a folder as root would into the system, and reads what is there then.
func pipInstall(t *testing.T, requirement, compile string) []File {
	t.Helper()
	root := t.TempDir()
	cmd := exec.Command("sh", "-c", `umask 022; exec "$@"`, "sh", systemPython, "-m", "pip", "install", "-q", "--no-deps", "--no-index",
		"--no-build-isolation", "--use-pep517", compile, "--no-warn-script-location", "--break-system-packages",
		"--disable-pip-version-check", "--root-user-action=ignore", "--ignore-installed", "--root", root, requirement)
	cmd.Env = append(os.Environ(), "PYTHONHASHSEED=0", fmt.Sprintf("SOURCE_DATE_EPOCH=%d", epoch), "PIP_CONFIG_FILE=/dev/null")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("pip: %v\n%s", err, out)
	}
	var files []File
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path)
		files = append(files, File{strings.TrimPrefix(path, root), uint32(info.Mode().Perm()), content})
		return err
	})
	if err != nil || len(files) < 5 {
		t.Fatalf("pip installed %d files: %v", len(files), err)
	}
	return files
}

// compare holds our files against pip's: all is the same but the installer's name, and its line in RECORD.
func compare(t *testing.T, got, want []File) {
	t.Helper()
	index := func(files []File) map[string]File {
		m := map[string]File{}
		for _, f := range files {
			m[f.Path] = f
		}
		return m
	}
	ours, theirs := index(got), index(want)
	for _, path := range slices.Compact(slices.Sorted(slices.Values(append(sortedKeys(ours), sortedKeys(theirs)...)))) {
		a, inOurs := ours[path]
		b, inTheirs := theirs[path]
		switch {
		case !inOurs:
			t.Errorf("pip installs %s", path)
		case !inTheirs:
			t.Errorf("pip does not install %s", path)
		case a.Mode != b.Mode:
			t.Errorf("%s has mode %o, with pip %o", path, a.Mode, b.Mode)
		case filepath.Base(path) == "INSTALLER":
		case strings.HasSuffix(path, ".so"): // the paths of the build are in it
		case filepath.Base(path) == "RECORD":
			if !bytes.Equal(withoutDiffering(t, a.Content), withoutDiffering(t, b.Content)) {
				t.Errorf("%s is\n%s\nwith pip\n%s", path, a.Content, b.Content)
			}
		case !bytes.Equal(a.Content, b.Content):
			t.Errorf("%s is\n%q\nwith pip\n%q", path, a.Content, b.Content)
		}
	}
}

// withoutDiffering takes those lines out of RECORD that differ for a reason.
func withoutDiffering(t *testing.T, record []byte) []byte {
	t.Helper()
	var kept bytes.Buffer
	for line := range bytes.Lines(record) {
		fields, err := csv.NewReader(bytes.NewReader(line)).Read()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(fields[0], "/INSTALLER") && !strings.HasSuffix(fields[0], ".so") {
			kept.Write(line)
		}
	}
	return kept.Bytes()
}
