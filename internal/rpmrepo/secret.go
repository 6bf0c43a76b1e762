package rpmrepo

// Secret is a text that is not shown: formatted in any way it is "[redacted]". string(s) reveals it.
type Secret string

const redacted = "[redacted]"

// String hides the secret.
func (Secret) String() string { return redacted }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return `"` + redacted + `"` }

// MarshalText hides the secret from JSON and logs.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
