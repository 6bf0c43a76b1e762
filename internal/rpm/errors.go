package rpm

import "fmt"

// FormatError says that bytes are not what the RPM format allows: the package
// is damaged or was made to deceive.
type FormatError struct {
	Part   string // "lead", "signature header", "header", "payload", …
	Reason string
}

func (e *FormatError) Error() string { return e.Part + ": " + e.Reason }

func malformed(part, format string, args ...any) error {
	return &FormatError{Part: part, Reason: fmt.Sprintf(format, args...)}
}

// UnsafePathError says that a header names a path that may not be written: one
// that is relative, leaves the root, or that no file system takes.
type UnsafePathError struct {
	Path   string
	Reason string
}

func (e *UnsafePathError) Error() string {
	return fmt.Sprintf("path %.200q %s", e.Path, e.Reason)
}

// DigestError says that content is not what its recorded digest promises.
type DigestError struct {
	Of        string // a path, "header" or "payload"
	Want, Got string // hex
}

func (e *DigestError) Error() string {
	return fmt.Sprintf("%s has digest %s where %s was promised", e.Of, e.Got, e.Want)
}

// SignatureProblem says what is wrong with a signature.
type SignatureProblem uint8

// The problems a signature can have.
const (
	Unsigned     SignatureProblem = iota + 1 // there is none
	UnknownKey                               // it is by a key that the keyring lacks
	BadSignature                             // it does not fit the content, or is not allowed
	ExpiredKey                               // the key had expired, or was not yet valid, when it was made
	RevokedKey                               // the key's owner has withdrawn it
)

// SignatureError says why a signature was not accepted.
type SignatureError struct {
	Problem SignatureProblem
	KeyID   string // 16 hex digits of the key that signed, "" when unsigned
	Reason  string // what the signature library found, may be empty
}

func (e *SignatureError) Error() string {
	var s string
	switch e.Problem {
	case Unsigned:
		return "not signed"
	case UnknownKey:
		s = "signed by key " + e.KeyID + ", which is not among the trusted keys"
	case ExpiredKey:
		s = "signed by key " + e.KeyID + ", which was not valid at the time"
	case RevokedKey:
		s = "signed by key " + e.KeyID + ", which is revoked"
	default:
		s = "bad signature"
		if e.KeyID != "" {
			s += " by key " + e.KeyID
		}
	}
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}
