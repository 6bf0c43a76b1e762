package attest

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	spdxexp "github.com/github/go-spdx/v2/spdxexp"
	packageurl "github.com/package-url/packageurl-go"
)

const toolName = "slipway"

// hex is the image's digest without its algorithm.
func (b Bill) hex() string { return strings.TrimPrefix(b.Digest, "sha256:") }

// date is the image's, as both formats write it.
func (b Bill) date() string { return b.Created.UTC().Format(time.RFC3339) }

// imagePurl is the image's own package URL (type oci).
func (b Bill) imagePurl() string {
	name := b.Image[strings.LastIndexByte(b.Image, '/')+1:]
	return packageurl.NewPackageURL(packageurl.TypeOCI, "", strings.ToLower(name), b.Digest, nil, "").ToString()
}

// uuid is a version 8 UUID (RFC 9562, 5.8) that follows from the image and what is said about it: the
// same document has the same number.
func (b Bill) uuid(about string) string {
	sum := sha256.Sum256([]byte("slipway attest\n" + about + "\n" + b.Image + "\n" + b.Digest + "\n" + b.Version))
	sum[6] = sum[6]&0x0f | 0x80
	sum[8] = sum[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// isExpression tells SPDX license expressions, which Fedora's packages have since 2023, from the short
// names of older ones ("GPLv2+ and MIT").
func isExpression(license string) bool {
	ok, _ := spdxexp.ValidateLicenses([]string{license})
	return ok
}
