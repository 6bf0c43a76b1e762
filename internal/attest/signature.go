package attest

import (
	"context"
	"crypto"
	"encoding/base64"
	"encoding/json"
	"fmt"

	"github.com/secure-systems-lab/go-securesystemslib/dsse"
)

// Media types and the annotation of cosign's signatures (cosign's specs/SIGNATURE_SPEC.md): a
// signature is an image whose layer is the payload, with the signature in an annotation of that layer,
// under the tag that is made of the signed digest.
const (
	PayloadType         = "application/vnd.dev.cosign.simplesigning.v1+json"
	EnvelopeType        = "application/vnd.dsse.envelope.v1+json"
	SignatureAnnotation = "dev.cosignproject.cosign/signature"
	PredicateAnnotation = "predicateType"
)

// Payload is what is signed to vouch for an image: its digest and the place that the signature is
// meant for (containers' "simple signing" format). repository is the image's, without tag or digest.
func Payload(repository, digest string) []byte {
	data, err := json.Marshal(map[string]any{
		"critical": map[string]any{
			"identity": map[string]string{"docker-reference": repository},
			"image":    map[string]string{"docker-manifest-digest": digest},
			"type":     "cosign container image signature",
		},
		"optional": nil,
	})
	if err != nil {
		panic(err) // strings always marshal
	}
	return data
}

// Sign gives the signature of a payload in base64.
func (k *Key) Sign(payload []byte) (string, error) {
	signature, err := k.sign(payload)
	if err != nil {
		return "", fmt.Errorf("signing: %w", err)
	}
	return base64.StdEncoding.EncodeToString(signature), nil
}

// Signed tells whether a signature, in base64, of this payload is the key's.
func (k *Key) Signed(payload []byte, signature string) bool { return k.verifies(payload, signature) }

// Envelope signs an in-toto statement: a DSSE envelope v1, as `cosign verify-attestation` reads it.
func (k *Key) Envelope(ctx context.Context, statement []byte) ([]byte, error) {
	signer, err := dsse.NewEnvelopeSigner(envelopeSigner{k})
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	envelope, err := signer.SignPayload(ctx, ProvenanceType, statement)
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	return json.Marshal(envelope)
}

// Enveloped tells whether an envelope holds this statement, signed by the key.
func (k *Key) Enveloped(envelope, statement []byte) bool {
	var e dsse.Envelope
	if json.Unmarshal(envelope, &e) != nil || e.PayloadType != ProvenanceType {
		return false
	}
	payload, err := e.DecodeB64Payload()
	if err != nil || string(payload) != string(statement) {
		return false
	}
	for _, s := range e.Signatures {
		if k.verifies(dsse.PAE(e.PayloadType, payload), s.Sig) {
			return true
		}
	}
	return false
}

// envelopeSigner is a Key as package dsse wants it. Cosign leaves the key's id empty.
type envelopeSigner struct{ *Key }

func (s envelopeSigner) Sign(_ context.Context, data []byte) ([]byte, error) { return s.sign(data) }
func (s envelopeSigner) KeyID() (string, error)                              { return "", nil }
func (s envelopeSigner) Public() crypto.PublicKey                            { return s.signer.Public() }
