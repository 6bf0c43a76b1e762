package release

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
	"github.com/slipway-build/slipway/internal/source"
)

// scm is what git says of a revision.
func scm(r source.Revision) pymeta.Describe {
	return pymeta.Describe{Tag: r.Tag, Distance: r.Ahead, Node: r.Short(), Date: r.Time.UTC().Format("20060102150405")}
}

// tellVersion tells versioningit the version of a project that it would ask git for: without a
// repository it takes that of PKG-INFO, as in a source distribution. Other tools are told by their
// environment.
func tellVersion(tree *source.Tree, r source.Revision) error {
	text, err := tree.ReadFile("pyproject.toml")
	if errors.Is(err, fs.ErrNotExist) || err == nil && !bytes.Contains(text, []byte("tool.versioningit")) {
		return nil
	} else if err != nil {
		return err
	}
	version, err := pymeta.SCMVersion(tree, scm(r))
	if err != nil {
		return nil //nolint:nilerr // whoever reads the project's metadata tells of it
	}
	return tree.Add("PKG-INFO", fmt.Appendf(nil, "Metadata-Version: 2.1\nName: unknown\nVersion: %s\n", version))
}
