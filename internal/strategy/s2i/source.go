package s2i

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Files of the sources that the contract names.
const (
	ignoreFile      = ".s2iignore"
	environmentFile = ".s2i/environment"
	scriptsFolder   = ".s2i/bin"
)

// Bounds of sources.
const (
	maxSourceFiles = 200_000
	maxSourceBytes = 4 << 30
	maxControl     = 1 << 20 // of .s2iignore, .s2i/environment and a script
)

// sources are a folder that is being injected.
type sources struct {
	root   *os.Root
	ignore ignored
	env    []string
}

func openSources(dir string) (*sources, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the sources: %w", err)
	}
	s := &sources{root: root}
	text, err := s.control(ignoreFile)
	if err == nil {
		s.ignore, err = parseIgnore(text)
	}
	if err == nil {
		if text, err = s.control(environmentFile); err == nil {
			s.env, err = parseEnvironment(text)
		}
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return s, nil
}

// control reads a file that tells us something; "" where there is none. It may not be a link out of the sources.
func (s *sources) control(name string) (string, error) {
	f, err := s.root.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	} else if err != nil {
		return "", fmt.Errorf("reading %s: %w", name, err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxControl+1))
	if err != nil {
		return "", fmt.Errorf("reading %s: %w", name, err)
	}
	if len(data) > maxControl {
		return "", fmt.Errorf("reading %s: it has more than the %d bytes allowed", name, maxControl)
	}
	return string(data), nil
}

// copyTo writes what is not ignored to a folder that exists, owned by uid and gid where we may. .git is left
// out. Links that lead out of the sources and special files are errors.
func (s *sources) copyTo(dir string, uid, gid int) error {
	files, bytes := 0, int64(0)
	return fs.WalkDir(s.root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("reading the sources: %w", err)
		}
		if name == "." {
			return own(dir, uid, gid)
		}
		if e.Name() == ".git" || s.ignore.match(name) {
			// What a pattern takes back may lie below, so only .git's folder is passed over.
			if e.IsDir() && e.Name() == ".git" {
				return fs.SkipDir
			}
			if !e.IsDir() {
				return nil
			}
		}
		info, err := e.Info()
		if err != nil {
			return fmt.Errorf("reading the sources: %w", err)
		}
		files++
		bytes += info.Size()
		if files > maxSourceFiles || bytes > maxSourceBytes {
			return fmt.Errorf("the sources have more than %d files or %d MiB", maxSourceFiles, maxSourceBytes>>20)
		}
		if e.IsDir() && s.ignore.match(name) {
			return nil // made when something in it is taken
		}
		return s.copyOne(name, info, filepath.Join(dir, filepath.FromSlash(name)), uid, gid)
	})
}

func (s *sources) copyOne(name string, info fs.FileInfo, to string, uid, gid int) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	switch {
	case info.IsDir():
		if err := os.MkdirAll(to, 0o755); err != nil {
			return err
		}
	case info.Mode()&fs.ModeSymlink != 0:
		target, err := s.root.Readlink(name)
		if err != nil {
			return err
		}
		at := path.Join(path.Dir(name), target)
		if path.IsAbs(target) || at == ".." || strings.HasPrefix(at, "../") {
			return fmt.Errorf("%s of the sources is a link to %s, which leads out of them", name, target)
		}
		if err := os.Symlink(target, to); err != nil {
			return err
		}
	case info.Mode().IsRegular():
		if err := s.copyFile(name, to, info.Mode().Perm()); err != nil {
			return err
		}
	default:
		return fmt.Errorf("%s of the sources is neither a file, nor a folder, nor a link", name)
	}
	return own(to, uid, gid)
}

func (s *sources) copyFile(name, to string, perm fs.FileMode) error {
	in, err := s.root.Open(name)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm|0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

// own gives a file to the user of the sandbox. Who is not root has one user for all.
func own(name string, uid, gid int) error {
	if os.Geteuid() != 0 {
		return nil
	}
	return os.Lchown(name, uid, gid)
}
