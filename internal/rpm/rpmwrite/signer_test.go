package rpmwrite_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

func TestSignerIsSaved(t *testing.T) {
	s, err := rpmwrite.NewEd25519Signer("A Name <a@example.com>", time.Unix(built, 0))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := s.SaveKey(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v, %v", info.Mode(), err)
	}
	loaded, err := rpmwrite.LoadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	a, errA := s.SignDetached([]byte("data"), time.Unix(built, 0))
	b, errB := loaded.SignDetached([]byte("data"), time.Unix(built, 0))
	if errA != nil || errB != nil || !bytes.Equal(a, b) || loaded.KeyID() != s.KeyID() || !bytes.Equal(loaded.PublicKey(), s.PublicKey()) {
		t.Errorf("the loaded key is another: %v, %v", errA, errB)
	}
}

func TestSigningTime(t *testing.T) {
	s, err := rpmwrite.NewEd25519Signer("A Name <a@example.com>", time.Unix(built, 0))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := rpm.ParseKeys(s.PublicKey())
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[int64]int64{built + 5: built + 5, built - 5: built, 0: built} {
		signature, err := s.SignDetached([]byte("data"), time.Unix(at, 0))
		if err != nil {
			t.Fatal(err)
		}
		if by, err := keys.VerifyDetached([]byte("data"), signature); err != nil || by.Time.Unix() != want {
			t.Errorf("signed at %d: %+v, %v", at, by, err)
		}
	}
}

func TestSignerFaults(t *testing.T) {
	for _, id := range []string{"", "name", "<a@example.com>", "name a@example.com", "na(me) <a@example.com>"} {
		if _, err := rpmwrite.NewEd25519Signer(id, time.Unix(built, 0)); err == nil {
			t.Errorf("user id %q is taken", id)
		}
	}
	dir := t.TempDir()
	if _, err := rpmwrite.LoadKey(filepath.Join(dir, "none")); err == nil {
		t.Error("a key that is not there is loaded")
	}
	s, err := rpmwrite.NewEd25519Signer("A Name <a@example.com>", time.Unix(built, 0))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"empty": nil, "public": s.PublicKey()} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := rpmwrite.LoadKey(path); err == nil {
			t.Errorf("a key that is %s is loaded", name)
		}
	}
	if err := s.SaveKey(filepath.Join(dir, "no", "such", "folder")); err == nil {
		t.Error("a key is saved to nowhere")
	}
}
