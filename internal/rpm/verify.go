package rpm

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Verified says what Verify found.
type Verified struct {
	Signed
	HeaderDigest  string // hex SHA-256 of the header
	PayloadDigest string // hex, of the compressed payload; "" when a signature covers it directly
}

// Verify checks the whole package against trusted keys, as rpm does at its
// strictest level: the header's digest, a signature over the header by one of
// the keys, and the digest of the payload that the signed header names. A
// package of before rpm 4.14, whose header names none, needs a signature over
// header and payload. The payload is read once and not decompressed.
//
// Errors are *SignatureError, *DigestError, *FormatError, or those of reading.
func (p *Package) Verify(keys Keyring) (Verified, error) {
	var v Verified
	var err error
	if v.HeaderDigest, err = p.checkHeaderDigest(); err != nil {
		return Verified{}, err
	}
	signatures, err := p.headerSignatures()
	if err != nil {
		return Verified{}, err
	}
	byHeader := len(signatures) > 0 && p.Has(TagPayloadDigest)
	covered := p.covered
	if !byHeader {
		signatures, covered = p.fullSignatures(), p.coveredWithPayload
	}
	if v.Signed, err = keys.verify(covered, bytes.Join(signatures, nil)); err != nil {
		return Verified{}, err
	}
	if byHeader {
		v.PayloadDigest, err = p.checkPayloadDigest()
	}
	if err != nil {
		return Verified{}, err
	}
	return v, nil
}

// VerifyDigests checks digests alone: that the package is whole, not who made
// it. Errors are *DigestError, *FormatError, or those of reading.
func (p *Package) VerifyDigests() (Verified, error) {
	var v Verified
	var err error
	if v.HeaderDigest, err = p.checkHeaderDigest(); err != nil {
		return Verified{}, err
	}
	if p.Has(TagPayloadDigest) {
		v.PayloadDigest, err = p.checkPayloadDigest()
	} else {
		err = p.checkMD5()
	}
	if err != nil {
		return Verified{}, err
	}
	return v, nil
}

// covered is what header digests and signatures cover.
func (p *Package) covered() io.Reader {
	return io.MultiReader(strings.NewReader(headerMagic), bytes.NewReader(p.Blob()))
}

func (p *Package) coveredWithPayload() io.Reader {
	return io.MultiReader(p.covered(), p.RawPayload())
}

func (p *Package) checkHeaderDigest() (string, error) {
	long, short, other := sha256.New(), sha1.New(), sha3.New256()
	sums := []io.Writer{long}
	if p.Signature.Has(SigSHA1) {
		sums = append(sums, short)
	}
	if p.Signature.Has(SigSHA3) {
		sums = append(sums, other)
	}
	if _, err := io.Copy(io.MultiWriter(sums...), p.covered()); err != nil {
		return "", fmt.Errorf("hashing the header: %w", err)
	}
	digest := hex.EncodeToString(long.Sum(nil))
	for _, d := range []struct{ want, got string }{
		{p.Signature.String(SigSHA256), digest},
		{p.Signature.String(SigSHA1), hex.EncodeToString(short.Sum(nil))},
		{p.Signature.String(SigSHA3), hex.EncodeToString(other.Sum(nil))},
	} {
		if d.want != "" && !strings.EqualFold(d.want, d.got) {
			return "", &DigestError{Of: "the header", Want: d.want, Got: d.got}
		}
	}
	return digest, nil
}

// headerSignatures gives the signatures over the header alone.
func (p *Package) headerSignatures() ([][]byte, error) {
	var signatures [][]byte
	for _, text := range p.Signature.Strings(SigOpenPGP) {
		b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
		if err != nil {
			return nil, malformed("signature header", "a signature is not in base64")
		}
		signatures = append(signatures, b)
	}
	return p.appendSignatures(signatures, SigRSA, SigDSA), nil
}

// fullSignatures gives the signatures over header and payload.
func (p *Package) fullSignatures() [][]byte { return p.appendSignatures(nil, SigPGP, SigGPG) }

func (p *Package) appendSignatures(signatures [][]byte, tags ...Tag) [][]byte {
	for _, tag := range tags {
		if b := p.Signature.Bytes(tag); len(b) > 0 {
			signatures = append(signatures, b)
		}
	}
	return signatures
}

func (p *Package) checkPayloadDigest() (string, error) {
	algo, ok := p.Uint32(TagPayloadDigestAlgo)
	if !ok {
		algo = digestSHA256 // rpm 6 leaves it out
	}
	if algo < digestSHA256 {
		return "", malformed("header", "the payload's digest is of kind %d, which is not secure", algo)
	}
	sum := newDigest(int(algo))
	if sum == nil {
		return "", malformed("header", "the payload's digest is of kind %d, which is not known", algo)
	}
	if _, err := io.Copy(sum, p.RawPayload()); err != nil {
		return "", fmt.Errorf("reading the payload: %w", err)
	}
	want, got := p.String(TagPayloadDigest), hex.EncodeToString(sum.Sum(nil))
	if !strings.EqualFold(want, got) {
		return "", &DigestError{Of: "the payload", Want: want, Got: got}
	}
	return got, nil
}

// checkMD5 checks the digest over header and payload that packages had before
// rpm 4.14. It tells damage, not forgery.
func (p *Package) checkMD5() error {
	want := hex.EncodeToString(p.Signature.Bytes(SigMD5))
	if want == "" {
		return errors.New("no digest of the payload is recorded")
	}
	sum := newDigest(digestMD5)
	if _, err := io.Copy(sum, p.coveredWithPayload()); err != nil {
		return fmt.Errorf("reading the payload: %w", err)
	}
	if got := hex.EncodeToString(sum.Sum(nil)); got != want {
		return &DigestError{Of: "header and payload", Want: want, Got: got}
	}
	return nil
}
