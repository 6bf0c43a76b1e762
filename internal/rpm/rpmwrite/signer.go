package rpmwrite

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"github.com/google/renameio/v2"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Signer is an OpenPGP key pair that signs packages and repository metadata.
// Signatures are deterministic: the time of signing is given. Safe for
// concurrent use.
type Signer struct {
	entity *openpgp.Entity
}

// NewSigner makes an RSA key of 3072 bits, valid from created on, without an
// expiration. The user id is as "Slipway Universe <universe@example.com>".
func NewSigner(userID string, created time.Time) (*Signer, error) {
	return newSigner(userID, &packet.Config{
		Algorithm: packet.PubKeyAlgoRSA, RSABits: 3072, Time: func() time.Time { return created },
	})
}

// NewEd25519Signer makes an Ed25519 key in the form that GnuPG and rpm know as
// EdDSA; for the rest as NewSigner. It takes no time, which RSA does.
func NewEd25519Signer(userID string, created time.Time) (*Signer, error) {
	return newSigner(userID, &packet.Config{
		Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return created },
	})
}

var userIDForm = regexp.MustCompile(`^([^<>()]*[^<>() ]) <([^<>() ]+)>$`)

func newSigner(userID string, config *packet.Config) (*Signer, error) {
	parts := userIDForm.FindStringSubmatch(userID)
	if parts == nil {
		return nil, fmt.Errorf("making a signing key: user id %q is not as \"Name <mail@example.com>\"", userID)
	}
	entity, err := openpgp.NewEntity(parts[1], "", parts[2], config)
	if err != nil {
		return nil, fmt.Errorf("making a signing key: %w", err)
	}
	return &Signer{entity}, nil
}

// LoadKey reads a private key that SaveKey wrote.
func LoadKey(path string) (*Signer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("loading a signing key: %w", err)
	}
	entities, err := openpgp.ReadArmoredKeyRing(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("loading signing key %s: %w", path, err)
	}
	if len(entities) != 1 || entities[0].PrivateKey == nil || entities[0].PrivateKey.Encrypted {
		return nil, fmt.Errorf("loading signing key %s: it does not hold one private key without a passphrase", path)
	}
	return &Signer{entities[0]}, nil
}

// SaveKey writes the private key, armored and without a passphrase, readable
// for the owner alone.
func (s *Signer) SaveKey(path string) error {
	var b bytes.Buffer
	err := armored(&b, openpgp.PrivateKeyType, func(w io.Writer) error {
		return s.entity.SerializePrivateWithoutSigning(w, nil)
	})
	if err == nil {
		err = renameio.WriteFile(path, b.Bytes(), 0o600)
	}
	if err != nil {
		return fmt.Errorf("saving a signing key: %w", err)
	}
	return nil
}

// PublicKey is the armored public key, as a repository's gpgkey serves it.
func (s *Signer) PublicKey() []byte {
	var b bytes.Buffer
	if err := armored(&b, openpgp.PublicKeyType, s.entity.Serialize); err != nil {
		panic("rpmwrite: writing a public key into memory: " + err.Error())
	}
	return b.Bytes()
}

// KeyID is 16 hex digits.
func (s *Signer) KeyID() string { return fmt.Sprintf("%016x", s.entity.PrimaryKey.KeyId) }

// SignDetached makes an armored detached signature of data, as repomd.xml.asc
// has it. The signature bears the time, or the key's creation when that is
// later.
func (s *Signer) SignDetached(data []byte, at time.Time) ([]byte, error) {
	signature, err := s.sign(bytes.NewReader(data), at.Unix())
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = armored(&b, openpgp.SignatureType, func(w io.Writer) error {
		_, err := w.Write(signature)
		return err
	})
	return b.Bytes(), err
}

// sign makes a binary signature. The salt that go-crypto would add is left
// out: the same content, key and time give the same bytes.
func (s *Signer) sign(r io.Reader, unix int64) ([]byte, error) {
	at := time.Unix(unix, 0)
	if created := s.entity.PrimaryKey.CreationTime; at.Before(created) {
		at = created
	}
	salted := false
	config := &packet.Config{
		DefaultHash: crypto.SHA256, Time: func() time.Time { return at },
		NonDeterministicSignaturesViaNotation: &salted,
	}
	var b bytes.Buffer
	if err := openpgp.DetachSign(&b, []*openpgp.Entity{s.entity}, r, config); err != nil {
		return nil, fmt.Errorf("signing with key %s: %w", s.KeyID(), err)
	}
	return b.Bytes(), nil
}

// headerTag is the signature header's tag for the key's algorithm.
func (s *Signer) headerTag() rpm.Tag {
	if s.entity.PrimaryKey.PubKeyAlgo == packet.PubKeyAlgoRSA {
		return rpm.SigRSA
	}
	return rpm.SigDSA
}

func armored(w io.Writer, kind string, write func(io.Writer) error) error {
	a, err := armor.Encode(w, kind, nil)
	if err != nil {
		return err
	}
	return errors.Join(write(a), a.Close())
}
