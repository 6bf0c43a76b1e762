package rpm

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// Keyring is a set of trusted OpenPGP public keys. The zero value trusts
// nobody. Safe for concurrent use.
type Keyring struct {
	// Now tells whether a signature that itself carries an expiration has
	// expired; nil means time.Now. Whether a key had expired is judged at the
	// time of the signature: a package outlives the key that signed it.
	Now func() time.Time

	entities openpgp.EntityList
	mu       *sync.Mutex // entities remember which of their signatures are good
}

// Key is who may sign.
type Key struct {
	ID          string // 16 hex digits
	Fingerprint string // hex
	UserID      string // "Name <mail>", as the key says
}

// Signed says by whom and when something was signed.
type Signed struct {
	Key  Key
	Time time.Time
}

// ParseKeys reads one or more public keys, armored (any number of blocks, with
// text between them) or binary. Data without a usable key is an error.
func ParseKeys(data []byte) (Keyring, error) {
	k := Keyring{mu: new(sync.Mutex)}
	var err error
	if bytes.Contains(data, []byte("-----BEGIN PGP")) {
		k.entities, err = parseArmored(data)
	} else {
		k.entities, err = openpgp.ReadKeyRing(bytes.NewReader(data))
	}
	if err == nil && len(k.entities) == 0 {
		err = errors.New("no public key is there")
	}
	if err != nil {
		return Keyring{}, fmt.Errorf("parsing OpenPGP keys: %w", err)
	}
	if slices.ContainsFunc(k.entities, func(e *openpgp.Entity) bool { return e.PrivateKey != nil }) {
		return Keyring{}, errors.New("parsing OpenPGP keys: this is a private key, which does not belong here")
	}
	return k, nil
}

func parseArmored(data []byte) (openpgp.EntityList, error) {
	var all openpgp.EntityList
	r := bufio.NewReader(bytes.NewReader(data))
	for {
		block, err := armor.Decode(r)
		if errors.Is(err, io.EOF) {
			return all, nil
		}
		if err != nil {
			return nil, err
		}
		if block.Type != openpgp.PublicKeyType {
			return nil, fmt.Errorf("a block is a %.40q", block.Type)
		}
		entities, err := openpgp.ReadKeyRing(block.Body)
		if err != nil {
			return nil, err
		}
		all = append(all, entities...)
	}
}

// Merge gives a keyring that trusts the keys of both, with the clock of k.
func (k Keyring) Merge(other Keyring) Keyring {
	// Both must not share entities with others who hold another lock.
	k.entities, k.mu = slices.Concat(k.copies(), other.copies()), new(sync.Mutex)
	return k
}

// Only gives a keyring that trusts those keys of k whose fingerprint is among
// the given ones, in lowercase hex.
func (k Keyring) Only(fingerprints ...string) Keyring {
	k.entities = slices.DeleteFunc(k.copies(), func(e *openpgp.Entity) bool {
		return !slices.Contains(fingerprints, describeKey(e).Fingerprint)
	})
	k.mu = new(sync.Mutex)
	return k
}

// copies gives entities of one's own.
func (k Keyring) copies() openpgp.EntityList {
	if len(k.entities) == 0 {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	var b bytes.Buffer
	for _, e := range k.entities {
		if err := e.Serialize(&b); err != nil {
			panic("rpm: writing a public key into memory: " + err.Error())
		}
	}
	entities, err := openpgp.ReadKeyRing(&b)
	if err != nil {
		panic("rpm: reading a public key that was just written: " + err.Error())
	}
	return entities
}

// Keys describes the trusted keys, in the order in which they were given.
func (k Keyring) Keys() []Key {
	keys := make([]Key, len(k.entities))
	for i, e := range k.entities {
		keys[i] = describeKey(e)
	}
	return keys
}

func describeKey(e *openpgp.Entity) Key {
	key := Key{
		ID:          fmt.Sprintf("%016x", e.PrimaryKey.KeyId),
		Fingerprint: fmt.Sprintf("%x", e.PrimaryKey.Fingerprint),
	}
	for name := range e.Identities { // the first in alphabetical order
		if key.UserID == "" || strings.Compare(name, key.UserID) < 0 {
			key.UserID = name
		}
	}
	return key
}

// VerifyDetached checks a detached signature, armored or binary, over data: the
// repomd.xml.asc of a repository. When there are several signatures, one by a
// trusted key is enough. Errors are *SignatureError.
func (k Keyring) VerifyDetached(data, signature []byte) (Signed, error) {
	if bytes.Contains(signature, []byte("-----BEGIN PGP")) {
		block, err := armor.Decode(bytes.NewReader(signature))
		if err != nil || block.Type != openpgp.SignatureType {
			return Signed{}, &SignatureError{Problem: BadSignature, Reason: "it is not an OpenPGP signature"}
		}
		if signature, err = io.ReadAll(block.Body); err != nil {
			return Signed{}, &SignatureError{Problem: BadSignature, Reason: err.Error()}
		}
	}
	return k.verify(func() io.Reader { return bytes.NewReader(data) }, signature)
}

// config is what go-crypto shall accept: nothing below its own standard, but
// keys of the time when they did not say what they are for.
func (k Keyring) config() *packet.Config {
	return &packet.Config{Time: k.Now, InsecureAllowAllKeyFlagsWhenMissing: true}
}
