package rpmwrite

import (
	"errors"
	"time"

	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Signer is an OpenPGP key pair that signs packages and repository metadata.
// Signatures are deterministic: the time of signing is given. Safe for
// concurrent use.
type Signer struct {
	entity *openpgp.Entity
}

// NewSigner makes an RSA key of 3072 bits, valid from created on, without an
// expiration. The user id is as "Slipway Universe <universe@example.com>".
func NewSigner(userID string, created time.Time) (*Signer, error) { return nil, errors.ErrUnsupported }

// LoadKey reads a private key that SaveKey wrote.
func LoadKey(path string) (*Signer, error) { return nil, errors.ErrUnsupported }

// SaveKey writes the private key, armored and without a passphrase, readable
// for the owner alone.
func (s *Signer) SaveKey(path string) error { return errors.ErrUnsupported }

// PublicKey is the armored public key, as a repository's gpgkey serves it.
func (s *Signer) PublicKey() []byte { return nil }

// KeyID is 16 hex digits.
func (s *Signer) KeyID() string { return "" }

// SignDetached makes an armored detached signature of data, as repomd.xml.asc
// has it. The signature bears the time, or the key's creation when that is
// later.
func (s *Signer) SignDetached(data []byte, at time.Time) ([]byte, error) {
	return nil, errors.ErrUnsupported
}
