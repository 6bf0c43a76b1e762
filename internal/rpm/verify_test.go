package rpm_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha3"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// rsaKey is a key whose private part tests can use as no Signer would.
var rsaKey = sync.OnceValues(func() (*openpgp.Entity, error) {
	return openpgp.NewEntity("RSA", "", "rsa@example.com", &packet.Config{
		Algorithm: packet.PubKeyAlgoRSA, RSABits: 2048, Time: func() time.Time { return time.Unix(built, 0) },
	})
})

func public(t testing.TB, e *openpgp.Entity) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, openpgp.PublicKeyType, nil)
	if err == nil {
		err = errors.Join(e.Serialize(w), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func keyring(t testing.TB, keys ...[]byte) rpm.Keyring {
	t.Helper()
	k, err := rpm.ParseKeys(bytes.Join(keys, []byte("\nand\n")))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func detach(t testing.TB, e *openpgp.Entity, data []byte, at int64) []byte {
	t.Helper()
	var b bytes.Buffer
	err := openpgp.DetachSign(&b, []*openpgp.Entity{e}, bytes.NewReader(data), &packet.Config{
		DefaultHash: crypto.SHA256, Time: func() time.Time { return time.Unix(at, 0) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// detachV3 makes a signature packet of version 3, as Red Hat's packages have.
func detachV3(t testing.TB, e *openpgp.Entity, data []byte) []byte {
	t.Helper()
	hashed := binary.BigEndian.AppendUint32([]byte{0}, built)
	sum := sha256.Sum256(slices.Concat(data, hashed))
	value, err := rsa.SignPKCS1v15(rand.Reader, e.PrivateKey.PrivateKey.(*rsa.PrivateKey), crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	for value[0] == 0 {
		value = value[1:]
	}
	body := append([]byte{3, 5}, hashed...)
	body = binary.BigEndian.AppendUint64(body, e.PrimaryKey.KeyId)
	body = append(body, byte(packet.PubKeyAlgoRSA), 8, sum[0], sum[1])
	bits := 8 * len(value)
	for mask := byte(0x80); value[0]&mask == 0; mask >>= 1 {
		bits--
	}
	body = append(binary.BigEndian.AppendUint16(body, uint16(bits)), value...)
	return append(binary.BigEndian.AppendUint16([]byte{0x89}, uint16(len(body))), body...)
}

// covered is what the header's signatures cover, and the same with the payload.
func covered(t testing.TB, spec rpmwrite.Spec) (header, all []byte) {
	p := read(t, pack(t, spec))
	header = slices.Concat(rpm.HeaderMagic(), p.Blob())
	payload, err := io.ReadAll(p.RawPayload())
	if err != nil {
		t.Fatal(err)
	}
	return header, slices.Concat(header, payload)
}

// signedWith makes a package that carries that signature.
func signedWith(t testing.TB, spec rpmwrite.Spec, entries ...rpm.Entry) []byte {
	spec.Key, spec.Hostile.Signature = nil, entries
	return pack(t, spec)
}

func flip(data []byte, at int64) []byte {
	data = bytes.Clone(data)
	data[at] ^= 1
	return data
}

type verifyCase struct {
	name    string
	data    []byte
	problem rpm.SignatureProblem // 0: none
	digest  bool                 // a *DigestError is expected
	rpmSays string               // "": the same; "accepts" or "refuses" where rpm 4.18 differs, and why
}

func verifyCases(t *testing.T) (keys []byte, cases []verifyCase) {
	own := testSigner(t)
	other, err := rsaKey()
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := rpmwrite.NewEd25519Signer("Stranger <s@example.com>", time.Unix(built, 0))
	if err != nil {
		t.Fatal(err)
	}
	life := uint32(1000)
	expiring, err := openpgp.NewEntity("Old", "", "old@example.com", &packet.Config{
		Algorithm: packet.PubKeyAlgoEdDSA, KeyLifetimeSecs: life, Time: func() time.Time { return time.Unix(built, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	revoked, err := openpgp.NewEntity("Gone", "", "gone@example.com", &packet.Config{
		Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return time.Unix(built, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	spec := sample(t)
	spec.Compression = "gzip"
	header, all := covered(t, spec)
	byRevoked := detach(t, revoked, header, built+10)
	if err := revoked.Revoke(packet.KeyCompromised, "stolen", &packet.Config{Time: func() time.Time { return time.Unix(built+100, 0) }}); err != nil {
		t.Fatal(err)
	}

	unsigned := pack(t, spec)
	spec.Key = stranger
	strange := pack(t, spec)
	spec.Key = own
	good := pack(t, spec)
	p := read(t, good)

	old := sample(t) // of before rpm 4.14: nothing in the header covers the payload
	old.Compression = "gzip"
	old.Hostile.Drop = []rpm.Tag{rpm.TagPayloadDigest, rpm.TagPayloadDigestAlgo, rpm.TagPayloadDigestAlt}
	old.Hostile.DropSignature = []rpm.Tag{rpm.SigSHA256}
	oldHeader, oldAll := covered(t, old)
	oldSigned := signedWith(t, old, rpm.BinEntry(rpm.SigPGP, detachV3(t, other, oldAll)))

	unheard, err := openpgp.NewEntity("Unheard", "", "unheard@example.com", &packet.Config{
		Algorithm: packet.PubKeyAlgoEdDSA, Time: func() time.Time { return time.Unix(built, 0) }})
	if err != nil {
		t.Fatal(err)
	}
	modern := sample(t)
	modern.Compression = "gzip"
	modern.Hostile.DropSignature = []rpm.Tag{rpm.SigSHA1, rpm.SigMD5}
	modernHeader, _ := covered(t, modern)
	sum := sha3.Sum256(modernHeader)
	modernSHA3 := hex.EncodeToString(sum[:])

	redone := sample(t) // content replaced, digests made anew, signature kept
	redone.Compression = "gzip"
	redone.Files = append(redone.Files, rpmwrite.Text("/usr/bin/backdoor", "x"))

	cases = []verifyCase{
		{name: "good", data: good},
		{name: "RSA", data: signedWith(t, spec, rpm.BinEntry(rpm.SigRSA, detach(t, other, header, built+10)))},
		{name: "version 3", data: signedWith(t, spec, rpm.BinEntry(rpm.SigRSA, detachV3(t, other, header)))},
		{name: "version 3, of other content", data: signedWith(t, spec, rpm.BinEntry(rpm.SigRSA, detachV3(t, other, all))), problem: rpm.BadSignature},
		{name: "version 3, cut", data: signedWith(t, spec, rpm.BinEntry(rpm.SigRSA, detachV3(t, other, header)[:40])), problem: rpm.BadSignature},
		{name: "header and payload", data: oldSigned},
		{name: "header and payload, changed", data: flip(oldSigned, int64(len(oldSigned))-20), problem: rpm.BadSignature},
		{name: "header alone where nothing covers the payload", data: signedWith(t, old, rpm.BinEntry(rpm.SigRSA, detachV3(t, other, oldHeader))), problem: rpm.Unsigned},
		{name: "base64", data: signedWith(t, spec, rpm.StringArrayEntry(rpm.SigOpenPGP, []string{base64.StdEncoding.EncodeToString(detach(t, other, header, built))})),
			rpmSays: "refuses"}, // the tag is of rpm 6
		{name: "of two, one known", data: signedWith(t, spec, rpm.StringArrayEntry(rpm.SigOpenPGP, []string{
			base64.StdEncoding.EncodeToString(detach(t, unheard, header, built)), base64.StdEncoding.EncodeToString(detach(t, other, header, built))})),
			rpmSays: "refuses"}, // the tag is of rpm 6
		{name: "of two, none known", data: signedWith(t, spec, rpm.StringArrayEntry(rpm.SigOpenPGP, []string{
			base64.StdEncoding.EncodeToString(detach(t, unheard, header, built)), base64.StdEncoding.EncodeToString(detach(t, unheard, header, built+1))})),
			problem: rpm.UnknownKey},
		{name: "of two, the known one bad", data: signedWith(t, spec, rpm.StringArrayEntry(rpm.SigOpenPGP, []string{
			base64.StdEncoding.EncodeToString(detach(t, unheard, header, built)), base64.StdEncoding.EncodeToString(detach(t, other, all, built))})),
			problem: rpm.BadSignature},
		{name: "two tags, one by a stranger", data: signedWith(t, spec, rpm.BinEntry(rpm.SigRSA, detach(t, other, header, built)),
			rpm.BinEntry(rpm.SigDSA, detach(t, unheard, header, built))), rpmSays: "refuses"}, // rpm wants all of them known
		{name: "neither MD5 nor SHA-1, as rpm 6 writes", data: signedWith(t, modern, rpm.StringEntry(rpm.SigSHA3, modernSHA3),
			rpm.StringArrayEntry(rpm.SigOpenPGP, []string{base64.StdEncoding.EncodeToString(detach(t, other, modernHeader, built))})),
			rpmSays: "refuses"}, // the tag is of rpm 6
		{name: "another SHA-3", data: signedWith(t, modern, rpm.StringEntry(rpm.SigSHA3, strings.Repeat("0", 64)),
			rpm.StringArrayEntry(rpm.SigOpenPGP, []string{base64.StdEncoding.EncodeToString(detach(t, other, modernHeader, built))})),
			digest: true, rpmSays: "refuses"},
		{name: "unsigned", data: unsigned, problem: rpm.Unsigned},
		{name: "by a stranger", data: strange, problem: rpm.UnknownKey},
		{name: "header changed", data: flip(good, p.HeaderEnd-200), digest: true},
		{name: "payload changed", data: flip(good, p.HeaderEnd+100), digest: true},
		{name: "payload cut", data: good[:len(good)-1], digest: true},
		{name: "payload longer", data: append(bytes.Clone(good), 0), digest: true},
		{name: "signature of another package", data: signedWith(t, redone, rpm.BinEntry(rpm.SigDSA, detach(t, other, header, built))), problem: rpm.BadSignature},
		{name: "no signature but bytes", data: signedWith(t, spec, rpm.BinEntry(rpm.SigRSA, []byte("not a signature"))), problem: rpm.BadSignature},
		{name: "key before it expires", data: signedWith(t, spec, rpm.BinEntry(rpm.SigDSA, detach(t, expiring, header, built+10))),
			rpmSays: "refuses"}, // rpm judges a key by today
		{name: "key after it expired", data: signedWith(t, spec, rpm.BinEntry(rpm.SigDSA, backdate(t, expiring, header, built+5000))), problem: rpm.ExpiredKey},
		{name: "revoked key", data: signedWith(t, spec, rpm.BinEntry(rpm.SigDSA, byRevoked)), problem: rpm.RevokedKey},
		{name: "one bad signature beside a good one", data: signedWith(t, spec, rpm.BinEntry(rpm.SigRSA, detach(t, other, header, built)),
			rpm.BinEntry(rpm.SigDSA, detach(t, expiring, all, built))), problem: rpm.BadSignature},
	}
	keys = bytes.Join([][]byte{own.PublicKey(), public(t, other), public(t, expiring), public(t, revoked)}, []byte("\n"))
	return keys, cases
}

// backdate signs with a key that has expired, as its owner would by turning
// the clock back: the key is made to look unexpired meanwhile.
func backdate(t *testing.T, e *openpgp.Entity, data []byte, at int64) []byte {
	for _, identity := range e.Identities {
		for _, s := range identity.SelfCertifications {
			kept := s.Packet.KeyLifetimeSecs
			s.Packet.KeyLifetimeSecs = nil
			defer func() { s.Packet.KeyLifetimeSecs = kept }()
		}
	}
	return detach(t, e, data, at)
}

func TestVerify(t *testing.T) {
	keys, cases := verifyCases(t)
	trusted := keyring(t, keys)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p := read(t, c.data)
			v, err := p.Verify(trusted)
			var problem *rpm.SignatureError
			var digest *rpm.DigestError
			switch {
			case c.problem != 0:
				if !errors.As(err, &problem) || problem.Problem != c.problem {
					t.Errorf("got %v, want problem %d", err, c.problem)
				}
			case c.digest:
				if !errors.As(err, &digest) {
					t.Errorf("got %v, want a digest that differs", err)
				}
			case err != nil:
				t.Error(err)
			case len(v.Key.ID) != 16 || len(v.HeaderDigest) != 64 || v.Time.Unix() < built:
				t.Errorf("got %+v", v)
			}
			if _, err := p.VerifyDigests(); (err == nil) != !c.digest && c.name != "header and payload, changed" {
				t.Errorf("digests: %v", err)
			}
		})
	}
}

// TestVerifyOracle asks rpm whether it, too, takes or refuses each package.
func TestVerifyOracle(t *testing.T) {
	oracle.Need(t, "rpmkeys")
	keys, cases := verifyCases(t)
	dir := t.TempDir()
	db := filepath.Join(dir, "db")
	run := func(args ...string) error {
		out, err := exec.Command("rpmkeys", append([]string{"--define", "_dbpath " + db, "--define", "_pkgverify_level all"}, args...)...).CombinedOutput()
		if err != nil {
			t.Logf("%s", bytes.TrimSpace(out))
		}
		return err
	}
	keyFile := filepath.Join(dir, "keys")
	if err := os.WriteFile(keyFile, keys, 0o644); err != nil {
		t.Fatal(err)
	}
	// rpm 4.18 refuses to import the expired and the revoked key, and says so
	// by its exit status; the others are imported.
	run("--import", keyFile)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, "x.rpm")
			if err := os.WriteFile(path, c.data, 0o644); err != nil {
				t.Fatal(err)
			}
			want := c.problem == 0 && !c.digest
			if c.rpmSays != "" {
				want = c.rpmSays == "accepts"
			}
			if got := run("-Kv", path) == nil; got != want {
				t.Errorf("rpm accepts it: %v, want %v", got, want)
			}
		})
	}
}

func TestVerifyPayloadDigestKind(t *testing.T) {
	key := testSigner(t)
	trusted := keyring(t, key.PublicKey())
	for name, test := range map[string]struct {
		hostile rpmwrite.Hostile
		good    bool
	}{
		"left out": {rpmwrite.Hostile{Drop: []rpm.Tag{rpm.TagPayloadDigestAlgo}}, true},
		"MD5":      {rpmwrite.Hostile{Header: []rpm.Entry{rpm.Int32Entry(rpm.TagPayloadDigestAlgo, 1)}}, false},
		"unknown":  {rpmwrite.Hostile{Header: []rpm.Entry{rpm.Int32Entry(rpm.TagPayloadDigestAlgo, 99)}}, false},
	} {
		spec := sample(t)
		spec.Key, spec.Hostile = key, test.hostile
		if _, err := read(t, pack(t, spec)).Verify(trusted); (err == nil) != test.good {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestVerifyNobodyTrusted(t *testing.T) {
	spec := sample(t)
	spec.Key = testSigner(t)
	var problem *rpm.SignatureError
	if _, err := read(t, pack(t, spec)).Verify(rpm.Keyring{}); !errors.As(err, &problem) || problem.Problem != rpm.UnknownKey || problem.KeyID != spec.Key.KeyID() {
		t.Errorf("got %v, want key %s to be unknown", err, spec.Key.KeyID())
	}
}

// TestVerifyTogether uses one keyring from many goroutines; run it with -race.
func TestVerifyTogether(t *testing.T) {
	spec := sample(t)
	spec.Key = testSigner(t)
	p, trusted := read(t, pack(t, spec)), keyring(t, spec.Key.PublicKey())
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := p.Verify(trusted); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}
