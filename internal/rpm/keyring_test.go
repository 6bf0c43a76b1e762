package rpm_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

func TestParseKeys(t *testing.T) {
	own := testSigner(t)
	other, err := rpmwrite.NewEd25519Signer("Other <other@example.com>", time.Unix(built, 0))
	if err != nil {
		t.Fatal(err)
	}
	private := filepath.Join(t.TempDir(), "key")
	if err := own.SaveKey(private); err != nil {
		t.Fatal(err)
	}
	secret, err := os.ReadFile(private)
	if err != nil {
		t.Fatal(err)
	}
	k := keyring(t, own.PublicKey(), other.PublicKey())
	if keys := k.Keys(); len(keys) != 2 || keys[0].ID != own.KeyID() || keys[0].UserID != "Test Key <test@example.com>" || len(keys[0].Fingerprint) != 40 {
		t.Errorf("keys %+v", keys)
	}
	merged := keyring(t, own.PublicKey()).Merge(keyring(t, other.PublicKey())).Merge(rpm.Keyring{})
	if keys := merged.Keys(); len(keys) != 2 || keys[1].ID != other.KeyID() {
		t.Errorf("merged keys %+v", keys)
	}
	for name, data := range map[string][]byte{
		"nothing":       nil,
		"text":          []byte("hello"),
		"empty block":   []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----\n"),
		"half a block":  own.PublicKey()[:200],
		"a private key": secret,
		"a certificate": pem.EncodeToMemory(&pem.Block{Type: "PGP CERTIFICATE", Bytes: []byte("x")}),
	} {
		if k, err := rpm.ParseKeys(data); err == nil {
			t.Errorf("%s gives %+v", name, k.Keys())
		}
	}
}

func TestVerifyDetached(t *testing.T) {
	own := testSigner(t)
	data := []byte("<repomd/>\n")
	signature, err := own.SignDetached(data, time.Unix(built+60, 0))
	if err != nil {
		t.Fatal(err)
	}
	k := keyring(t, own.PublicKey())
	by, err := k.VerifyDetached(data, signature)
	if err != nil || by.Key.ID != own.KeyID() || by.Time.Unix() != built+60 {
		t.Errorf("signed by %+v, %v", by, err)
	}
	var problem *rpm.SignatureError
	for name, test := range map[string]struct {
		data, signature []byte
		keys            rpm.Keyring
		want            rpm.SignatureProblem
	}{
		"changed":      {[]byte("<repomd />\n"), signature, k, rpm.BadSignature},
		"unknown":      {data, signature, rpm.Keyring{}, rpm.UnknownKey},
		"unsigned":     {data, nil, k, rpm.Unsigned},
		"a key":        {data, own.PublicKey(), k, rpm.BadSignature},
		"half a block": {data, signature[:100], k, rpm.BadSignature},
		"garbage":      {data, []byte("garbage"), k, rpm.BadSignature},
		"many":         {data, bytes.Repeat([]byte{0x88, 1, 9}, 1000), k, rpm.BadSignature},
	} {
		if _, err := test.keys.VerifyDetached(test.data, test.signature); !errors.As(err, &problem) || problem.Problem != test.want || problem.Error() == "" {
			t.Errorf("%s: %v, want problem %d", name, err, test.want)
		}
	}
}

// TestVerifyDetachedOracle verifies what GnuPG signs, and has it verify ours.
func TestVerifyDetachedOracle(t *testing.T) {
	oracle.Need(t, "gpg")
	home := t.TempDir()
	gpg := func(input []byte, args ...string) []byte {
		t.Helper()
		cmd := exec.Command("gpg", append([]string{"--homedir", home, "--batch", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""}, args...)...)
		cmd.Stdin = bytes.NewReader(input)
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("gpg %v: %v: %s", args, err, stderr.Bytes())
		}
		return out
	}
	defer exec.Command("gpgconf", "--homedir", home, "--kill", "all").Run()
	data := []byte("<repomd/>\n")
	for _, kind := range []string{"rsa2048", "ed25519"} {
		user := kind + "@example.com"
		gpg(nil, "--quick-gen-key", user, kind, "sign", "never")
		k := keyring(t, gpg(nil, "--armor", "--export", user))
		for _, form := range []string{"--armor", "--no-armor"} {
			signature := gpg(data, form, "--local-user", user, "--detach-sign")
			if by, err := k.VerifyDetached(data, signature); err != nil || by.Key.UserID != user {
				t.Errorf("%s, %s: %+v, %v", kind, form, by, err)
			}
		}
	}
	own := testSigner(t)
	gpg(own.PublicKey(), "--import")
	signature, err := own.SignDetached(data, time.Unix(built, 0))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "repomd.xml.asc")
	if err := os.WriteFile(path, signature, 0o644); err != nil {
		t.Fatal(err)
	}
	gpg(data, "--verify", path, "-")
}

func FuzzVerifyDetached(f *testing.F) {
	own := testSigner(f)
	data := []byte("data")
	signature, err := own.SignDetached(data, time.Unix(built, 0))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(signature, own.PublicKey())
	f.Add([]byte{0x88, 3, 3, 5, 0}, own.PublicKey())
	f.Fuzz(func(t *testing.T, signature, keys []byte) {
		if k, err := rpm.ParseKeys(keys); err == nil {
			k.VerifyDetached(data, signature)
			k.Keys()
		}
	})
}
