package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/tools/universe/internal/debian"
)

func (b builder) apt() debian.Apt { return debian.Apt{Dir: filepath.Join(b.cache.Root(), "apt")} }

// closure asks apt, or remembers what it said: reading the package lists takes
// apt longer than all the rest of a call that finds its universe.
func (b builder) closure(ctx context.Context, packages []string) ([]debian.Archive, error) {
	key, err := aptState(packages)
	if err != nil {
		return nil, err
	}
	path, _, err := b.cache.File(ctx, "closure", key, func(w io.Writer) error {
		b.log.say("asking apt for %d packages and what they depend on", len(packages))
		archives, err := b.apt().Closure(ctx, packages)
		if err != nil {
			return err
		}
		return json.NewEncoder(w).Encode(archives)
	})
	if err != nil {
		return nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("reading apt's answer: %w", err)
	}
	var archives []debian.Archive
	if err := json.Unmarshal(data, &archives); err != nil {
		return nil, fmt.Errorf("reading apt's answer in %s (remove it to ask again): %w", path, err)
	}
	return archives, nil
}

// aptState hashes what apt's answer depends on, by names, sizes and times.
func aptState(packages []string) (string, error) {
	parts := append([]string{}, packages...)
	for _, root := range []string{"/etc/apt", "/var/lib/apt/lists"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
				return nil // apt will say what it thinks of that
			}
			if err != nil || !d.Type().IsRegular() || filepath.Base(path) == "lock" {
				return err
			}
			info, err := d.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			parts = append(parts, path, fmt.Sprint(info.Size(), info.ModTime().UnixNano()))
			return nil
		})
		if err != nil {
			return "", fmt.Errorf("looking at apt's package lists: %w", err)
		}
	}
	return cache.Key(parts...), nil
}

// hashOfThisProgram stands for everything that this program consists of: Go
// builds the same sources to the same bytes.
func hashOfThisProgram() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("hashing this program: %w", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("hashing this program: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", fmt.Errorf("hashing this program: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
