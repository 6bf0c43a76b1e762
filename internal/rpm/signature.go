package rpm

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// maxSignatures bounds how many signatures of one thing are tried.
const maxSignatures = 16

// verify checks binary signature packets over what signed reads. One good
// signature by a trusted key is enough, unless another by a trusted key is bad.
func (k Keyring) verify(signed func() io.Reader, signature []byte) (Signed, error) {
	packets := packet.NewOpaqueReader(bytes.NewReader(signature))
	var good *Signed
	var unknown *SignatureError
	for n := 0; ; n++ {
		p, err := packets.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Signed{}, &SignatureError{Problem: BadSignature, Reason: err.Error()}
		}
		if n == maxSignatures {
			return Signed{}, &SignatureError{Problem: BadSignature, Reason: "there are too many"}
		}
		by, err := k.verifyPacket(signed(), p)
		var problem *SignatureError
		switch {
		case err == nil:
			good = &by
		case errors.As(err, &problem) && problem.Problem == UnknownKey:
			unknown = problem
		default:
			return Signed{}, err
		}
	}
	switch {
	case good != nil:
		return *good, nil
	case unknown != nil:
		return Signed{}, unknown
	}
	return Signed{}, &SignatureError{Problem: Unsigned}
}

func (k Keyring) verifyPacket(signed io.Reader, p *packet.OpaquePacket) (Signed, error) {
	const signatureTag = 2
	if p.Tag != signatureTag || len(p.Contents) == 0 {
		return Signed{}, &SignatureError{Problem: BadSignature, Reason: "it is not an OpenPGP signature"}
	}
	if p.Contents[0] == 3 || p.Contents[0] == 2 {
		return k.verifyV3(signed, p.Contents)
	}
	parsed, err := p.Parse()
	if err != nil {
		return Signed{}, &SignatureError{Problem: BadSignature, Reason: err.Error()}
	}
	sig, ok := parsed.(*packet.Signature)
	if !ok || sig.IssuerKeyId == nil || sig.SigType != packet.SigTypeBinary {
		return Signed{}, &SignatureError{Problem: BadSignature, Reason: "it is not a signature of a file"}
	}
	signer, err := k.signer(*sig.IssuerKeyId, sig.CreationTime)
	if err != nil {
		return Signed{}, err
	}
	var whole bytes.Buffer
	if err := p.Serialize(&whole); err != nil {
		return Signed{}, fmt.Errorf("reading a signature: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	_, _, err = openpgp.VerifyDetachedSignature(openpgp.EntityList{signer}, signed, &whole, k.config())
	return signedBy(signer, sig.CreationTime), signatureProblem(err, *sig.IssuerKeyId)
}

// signer finds the trusted key that a signature names, and whether it existed
// at that time.
func (k Keyring) signer(id uint64, at time.Time) (*openpgp.Entity, error) {
	signers := k.entities.EntitiesById(id)
	if id == 0 || len(signers) == 0 {
		return nil, &SignatureError{Problem: UnknownKey, KeyID: keyID(id)}
	}
	if at.Before(signers[0].PrimaryKey.CreationTime) {
		return nil, &SignatureError{Problem: ExpiredKey, KeyID: keyID(id), Reason: "the signature is older than the key"}
	}
	return signers[0], nil
}

func signedBy(e *openpgp.Entity, at time.Time) Signed {
	return Signed{Key: describeKey(e), Time: at}
}

func keyID(id uint64) string { return fmt.Sprintf("%016x", id) }

// signatureProblem makes go-crypto's error ours. An error of reading what was
// signed stays itself.
func signatureProblem(err error, id uint64) error {
	if err == nil {
		return nil
	}
	e := &SignatureError{Problem: BadSignature, KeyID: keyID(id), Reason: err.Error()}
	switch {
	case errors.Is(err, pgperrors.ErrUnknownIssuer):
		e.Problem, e.Reason = UnknownKey, ""
	case errors.Is(err, pgperrors.ErrKeyExpired), errors.Is(err, pgperrors.ErrSignatureOlderThanKey):
		e.Problem = ExpiredKey
	case errors.Is(err, pgperrors.ErrKeyRevoked):
		e.Problem = RevokedKey
	}
	return e
}

// signatureV3 is a signature packet of version 3 (RFC 4880, section 5.2.2).
// Red Hat signs with it to this day, and go-crypto no longer reads it.
type signatureV3 struct {
	kind    byte
	created time.Time
	issuer  uint64
	hashed  []byte // kind and time: what is hashed behind the content
	hash    crypto.Hash
	value   []byte // of RSA
}

func parseSignatureV3(b []byte) (*signatureV3, error) {
	// version, length of what is hashed, kind, time, issuer, two algorithms,
	// the hash's first two bytes, the RSA value with its length in bits
	const fixed = 1 + 1 + 5 + 8 + 2 + 2
	if len(b) < fixed+2 || b[1] != 5 {
		return nil, errors.New("a signature of version 3 is too short")
	}
	s := &signatureV3{
		kind:    b[2],
		created: time.Unix(int64(binary.BigEndian.Uint32(b[3:])), 0),
		issuer:  binary.BigEndian.Uint64(b[7:]),
		hashed:  b[2:7],
	}
	if algo := packet.PublicKeyAlgorithm(b[15]); algo != packet.PubKeyAlgoRSA && algo != packet.PubKeyAlgoRSASignOnly {
		return nil, errors.New("a signature of version 3 is not by RSA")
	}
	switch b[16] {
	case digestSHA256:
		s.hash = crypto.SHA256
	case digestSHA384:
		s.hash = crypto.SHA384
	case digestSHA512:
		s.hash = crypto.SHA512
	default:
		return nil, fmt.Errorf("its hash, number %d, is not secure", b[16])
	}
	bits := int(binary.BigEndian.Uint16(b[fixed:]))
	s.value = b[fixed+2:]
	if len(s.value) != (bits+7)/8 {
		return nil, errors.New("a signature of version 3 has a damaged value")
	}
	return s, nil
}

func (k Keyring) verifyV3(signed io.Reader, contents []byte) (Signed, error) {
	s, err := parseSignatureV3(contents)
	if err != nil {
		return Signed{}, &SignatureError{Problem: BadSignature, Reason: err.Error()}
	}
	if s.kind != byte(packet.SigTypeBinary) {
		return Signed{}, &SignatureError{Problem: BadSignature, KeyID: keyID(s.issuer), Reason: "it is not a signature of a file"}
	}
	signer, err := k.signer(s.issuer, s.created)
	if err != nil {
		return Signed{}, err
	}
	sum := s.hash.New()
	if _, err := io.Copy(sum, signed); err != nil {
		return Signed{}, fmt.Errorf("reading what is signed: %w", err)
	}
	sum.Write(s.hashed)
	k.mu.Lock()
	defer k.mu.Unlock()
	if _, err := signer.VerifyPrimaryKey(s.created, k.config()); err != nil {
		return Signed{}, signatureProblem(err, s.issuer)
	}
	key, ok := signer.SigningKeyById(s.created, s.issuer, k.config())
	if !ok {
		return Signed{}, &SignatureError{Problem: BadSignature, KeyID: keyID(s.issuer), Reason: "the key may not sign files"}
	}
	if err := s.check(key.PublicKey, sum.Sum(nil)); err != nil {
		return Signed{}, signatureProblem(err, s.issuer)
	}
	return signedBy(signer, s.created), nil
}

// check holds the signature's value against the digest of what is signed.
func (s *signatureV3) check(key *packet.PublicKey, digest []byte) error {
	public, ok := key.PublicKey.(*rsa.PublicKey)
	if !ok {
		return errors.New("the key is not one of RSA")
	}
	value := make([]byte, public.Size())
	if len(s.value) > len(value) {
		return errors.New("its value is too long")
	}
	copy(value[len(value)-len(s.value):], s.value)
	return rsa.VerifyPKCS1v15(public, s.hash, digest, value)
}
