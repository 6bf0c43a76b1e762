// Package repotest turns a directory of RPM packages into a repository, as
// createrepo_c does: repodata/repomd.xml with primary, filelists and other.
//
// It serves the RPM universe and tests. The same packages and options give the
// same bytes.
package repotest

import (
	"errors"

	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// Options of Write. The zero value gives gzip metadata without a signature.
type Options struct {
	Signer      *rpmwrite.Signer // signs repomd.xml as repomd.xml.asc; nil: unsigned
	Compression string           // "gz" when empty, "zstd", "xz" or "none"
	Revision    string           // of repomd.xml; the timestamp when empty
	Timestamp   int64            // seconds since 1970; 0 is the newest package's build time
}

// Write reads every *.rpm below dir and writes dir/repodata.
func Write(dir string, opts Options) error { return errors.ErrUnsupported }
