package repowrite

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// scanned is what the metadata says of one package.
type scanned struct {
	*rpm.Header
	signature              *rpm.Header
	href, sha256           string
	size, buildTime        int64
	headerStart, headerEnd int64
	files                  []rpm.File
}

// scan reads all packages below dir, sorted by path.
func scan(dir string) ([]scanned, error) {
	var packages []scanned
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == "repodata":
			return fs.SkipDir
		case !d.IsDir() && strings.HasSuffix(path, ".rpm"):
			href, err := filepath.Rel(dir, path)
			if err != nil {
				return err
			}
			p, err := scanPackage(path, filepath.ToSlash(href))
			if err != nil {
				return err
			}
			packages = append(packages, p)
		}
		return nil
	})
	slices.SortFunc(packages, func(a, b scanned) int { return strings.Compare(a.href, b.href) })
	return packages, err
}

func scanPackage(path, href string) (scanned, error) {
	p, err := rpm.Open(path)
	if err != nil {
		return scanned{}, err
	}
	defer p.Close()
	files, err := p.Files()
	if err != nil {
		return scanned{}, fmt.Errorf("%s: %w", href, err)
	}
	sum, err := hashFile(path)
	if err != nil {
		return scanned{}, err
	}
	built, _ := p.Uint32(rpm.TagBuildTime)
	return scanned{
		Header: p.Header, signature: p.Signature,
		href: href, sha256: sum, size: p.Size, buildTime: int64(built),
		headerStart: p.HeaderStart, headerEnd: p.HeaderEnd, files: files,
	}, nil
}

func hashFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// archiveSize is the size of the uncompressed payload, which the signature
// header knows.
func (p *scanned) archiveSize() uint64 {
	if n, ok := p.signature.Uint64(rpm.SigLongArchiveSize); ok {
		return n
	}
	n, _ := p.signature.Uint32(rpm.SigPayloadSize)
	return uint64(n)
}
