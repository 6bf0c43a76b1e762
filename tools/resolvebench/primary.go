package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/slipway-build/slipway/internal/rpmrepo/repodata"
)

// onlyPrimary makes a repository of the primary metadata of another one: what is measured is the same
// for all then, for dnf reads file lists and modules in any case, and hawkey alone does not.
func onlyPrimary(folder, to string) error {
	data, err := os.ReadFile(filepath.Join(folder, "repodata", "repomd.xml"))
	if err != nil {
		return err
	}
	md, err := repodata.ParseRepomd(data)
	if err != nil {
		return fmt.Errorf("reading %s: %w", folder, err)
	}
	primary, ok := md.Find("primary")
	if !ok {
		return fmt.Errorf("reading %s: there is no primary metadata", folder)
	}
	from, err := filepath.Abs(filepath.Join(folder, primary.Location))
	if err != nil {
		return err
	}
	name := "repodata/" + filepath.Base(from)
	open := ""
	if sum := primary.OpenChecksum; !sum.IsZero() {
		open = fmt.Sprintf(`<open-checksum type="%s">%s</open-checksum>`, sum.Kind, sum.Hex)
	}
	repomd := fmt.Sprintf(`<repomd xmlns="http://linux.duke.edu/metadata/repo"><revision>1</revision><data type="primary">`+
		`<checksum type="%s">%s</checksum>%s<location href="%s"/>`+
		`<timestamp>1</timestamp><size>%d</size><open-size>%d</open-size></data></repomd>`,
		primary.Checksum.Kind, primary.Checksum.Hex, open, name, primary.Size, primary.OpenSize)
	return errors.Join(
		os.MkdirAll(filepath.Join(to, "repodata"), 0o755),
		os.Symlink(from, filepath.Join(to, name)),
		os.WriteFile(filepath.Join(to, "repodata", "repomd.xml"), []byte(repomd), 0o644),
	)
}
