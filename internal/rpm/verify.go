package rpm

import "errors"

// Verified says what Verify found.
type Verified struct {
	Signed
	HeaderDigest  string // hex SHA-256 of the header
	PayloadDigest string // hex SHA-256 of the compressed payload
}

// Verify checks the whole package against trusted keys, as rpm does at its
// strictest level: the header's digest, a signature over the header by one of
// the keys, and the digest of the payload that the signed header names. It
// reads the payload once and decompresses nothing.
//
// Errors are *SignatureError, *DigestError or *FormatError.
func (p *Package) Verify(keys Keyring) (Verified, error) { return Verified{}, errors.ErrUnsupported }

// VerifyDigests checks digests alone: that the package is whole, not who made
// it. Errors are *DigestError or *FormatError.
func (p *Package) VerifyDigests() (Verified, error) { return Verified{}, errors.ErrUnsupported }
