package main

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

const (
	repoFile = "universe.repo"
	keyFile  = "RPM-GPG-KEY-slipway-universe"
)

// writeRepoFile writes the public key and the .repo file into dir, which will be
// known as place.
func writeRepoFile(dir, place, name string, signer *rpmwrite.Signer) error {
	if err := os.WriteFile(filepath.Join(dir, keyFile), signer.PublicKey(), 0o644); err != nil {
		return fmt.Errorf("writing the public key: %w", err)
	}
	text := fmt.Sprintf(`# RPMs made of Debian packages, by tools/universe of Slipway.
[universe]
name=Slipway universe (%s)
baseurl=%s
enabled=1
gpgcheck=1
repo_gpgcheck=1
gpgkey=%s
`, name, fileURL(place), fileURL(filepath.Join(place, keyFile)))
	if err := os.WriteFile(filepath.Join(dir, repoFile), []byte(text), 0o644); err != nil {
		return fmt.Errorf("writing %s: %w", repoFile, err)
	}
	return nil
}

func fileURL(path string) string {
	return (&url.URL{Scheme: "file", Path: path}).String()
}
