package attest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
)

// Key is a private key that signs. It is safe for concurrent use.
type Key struct{ signer crypto.Signer }

// ErrPassphrase says that a key is encrypted and that the passphrase is missing or wrong.
var ErrPassphrase = errors.New("the key's passphrase is missing or wrong")

// ParseKey reads a private key in PEM: as cosign writes it ("ENCRYPTED SIGSTORE PRIVATE KEY" or
// "ENCRYPTED COSIGN PRIVATE KEY": scrypt and nacl/secretbox in JSON), or plain PKCS #8 or SEC 1, as
// openssl writes it. It is an ECDSA, RSA or Ed25519 key.
func ParseKey(data, passphrase []byte) (*Key, error) {
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, errors.New("reading a signing key: it is no PEM file")
	}
	der := block.Bytes
	switch block.Type {
	case "ENCRYPTED SIGSTORE PRIVATE KEY", "ENCRYPTED COSIGN PRIVATE KEY":
		plain, err := encrypted.Decrypt(der, passphrase)
		if err != nil {
			return nil, fmt.Errorf("reading a signing key: %w", ErrPassphrase)
		}
		der = plain
	case "PRIVATE KEY":
	case "EC PRIVATE KEY":
		key, err := x509.ParseECPrivateKey(der)
		if err != nil {
			return nil, fmt.Errorf("reading a signing key: %w", err)
		}
		return &Key{key}, nil
	default:
		return nil, fmt.Errorf("reading a signing key: its PEM block is %q: a private key as cosign or openssl write it is wanted", block.Type)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("reading a signing key: %w", err)
	}
	switch key := key.(type) {
	case *ecdsa.PrivateKey, *rsa.PrivateKey, ed25519.PrivateKey:
		return &Key{key.(crypto.Signer)}, nil
	}
	return nil, fmt.Errorf("reading a signing key: keys of type %T cannot sign", key)
}

// sign signs as cosign does: ECDSA and RSA (PKCS #1 v1.5) over the SHA-256, Ed25519 over the data.
func (k *Key) sign(data []byte) ([]byte, error) {
	if _, ok := k.signer.(ed25519.PrivateKey); ok {
		return k.signer.Sign(rand.Reader, data, crypto.Hash(0))
	}
	sum := sha256.Sum256(data)
	return k.signer.Sign(rand.Reader, sum[:], crypto.SHA256)
}

// verifies tells whether a signature in base64 is this key's over data.
func (k *Key) verifies(data []byte, signature string) bool {
	raw, err := base64.StdEncoding.DecodeString(signature)
	if err != nil {
		return false
	}
	sum := sha256.Sum256(data)
	switch public := k.signer.Public().(type) {
	case *ecdsa.PublicKey:
		return ecdsa.VerifyASN1(public, sum[:], raw)
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(public, crypto.SHA256, sum[:], raw) == nil
	case ed25519.PublicKey:
		return ed25519.Verify(public, data, raw)
	}
	return false
}
