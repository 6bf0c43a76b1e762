package rpm

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"hash"
)

// Hash numbers of OpenPGP (RFC 9580, section 9.5), by which headers name them.
const (
	digestMD5     = 1
	digestSHA1    = 2
	digestSHA256  = 8
	digestSHA384  = 9
	digestSHA512  = 10
	digestSHA224  = 11
	digestSHA3256 = 12
	digestSHA3512 = 14
)

// NewDigest makes the hash whose sum of the file's content is Digest; nil where it has none, or one of
// a kind that is not known.
func (f *File) NewDigest() hash.Hash {
	if f.Digest == "" {
		return nil
	}
	return newDigest(f.DigestAlgo)
}

// newDigest makes the hash of that number, nil for one that rpm does not use.
func newDigest(algo int) hash.Hash {
	switch algo {
	case digestMD5:
		return md5.New()
	case digestSHA1:
		return sha1.New()
	case digestSHA224:
		return sha256.New224()
	case digestSHA256:
		return sha256.New()
	case digestSHA384:
		return sha512.New384()
	case digestSHA512:
		return sha512.New()
	case digestSHA3256:
		return sha3.New256()
	case digestSHA3512:
		return sha3.New512()
	}
	return nil
}
