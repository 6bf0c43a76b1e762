package release_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/secure-systems-lab/go-securesystemslib/encrypted"

	"github.com/slipway-build/slipway/internal/attest"
	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/release"
)

// attached reads the documents beside an image, by their type.
func (w *world) attached(s *release.Snapshot, name string) map[string]string {
	w.Helper()
	img, _ := s.Image(name)
	ref := w.p.Registry.Address + "/" + name + "@"
	list, err := registry.Attachments(w.Context(), ref+img.Digest, registry.Options{})
	w.ok(err)
	documents := map[string]string{}
	for _, a := range list {
		content, err := registry.ReadAttachment(w.Context(), ref+a.Digest.String(), registry.Options{})
		w.ok(err)
		documents[a.Type] = string(content)
	}
	return documents
}

func TestAttestations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	documents := w.attached(w.build("stg").Snapshot, "web")
	if len(documents) != 3 {
		t.Errorf("attached: %v", documents)
	}
	for _, kind := range []string{attest.CycloneDXType, attest.SPDXType, attest.ProvenanceType} {
		if !strings.Contains(documents[kind], "pkg:rpm/universe/tool@1-1?arch=") {
			t.Errorf("%s does not speak of the package: %s", kind, documents[kind])
		}
		if strings.Contains(documents[kind], w.dir) {
			t.Errorf("%s tells a path of this machine", kind)
		}
	}
}

func TestNoAttestations(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain+"attestations: {sbom: [], provenance: false}\n")
	if documents := w.attached(w.build("stg").Snapshot, "web"); len(documents) != 0 {
		t.Errorf("attached: %v", documents)
	}
}

// newKey writes a key as cosign does, with its public half beside it.
func newKey(t *testing.T, dir, passphrase string) (private, public string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	box, err := encrypted.Encrypt(der, []byte(passphrase))
	if err != nil {
		t.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	private, public = filepath.Join(dir, "cosign.key"), filepath.Join(dir, "cosign.pub")
	for path, block := range map[string]*pem.Block{
		private: {Type: "ENCRYPTED COSIGN PRIVATE KEY", Bytes: box},
		public:  {Type: "PUBLIC KEY", Bytes: pub},
	} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return private, public
}

// TestSigned: openssl takes the signature for that of the key, and of no other one, and an image that
// is signed is not signed again.
func TestSigned(t *testing.T) {
	t.Parallel()
	oracle.Need(t, "openssl")
	w := newWorld(t, plain+"signing: {key: cosign.key}\n")
	private, public := newKey(t, w.dir, "sesame")
	_, stranger := newKey(t, t.TempDir(), "")
	w.p.Key = func() (*attest.Key, error) {
		data, err := os.ReadFile(private)
		if err != nil {
			return nil, err
		}
		return attest.ParseKey(data, []byte("sesame"))
	}
	s := w.build("stg").Snapshot
	for key, want := range map[string]bool{public: true, stranger: false} {
		if out, err := w.verify(s, key); (err == nil) != want {
			t.Errorf("with the key in %s: %v\n%s", filepath.Base(filepath.Dir(key)), err, out)
		}
	}
	w.p.Version = "later" // another candidate, of the same image
	w.build("stg")
	for _, suffix := range []string{"sig", "att"} {
		// The provenance names the program's version, so there are two of it.
		if n := len(w.cosigned(s, suffix).Layers); n != map[string]int{"sig": 1, "att": 2}[suffix] {
			t.Errorf("%d layers of .%s", n, suffix)
		}
	}
}

// cosigned is the manifest of what cosign keeps beside an image.
func (w *world) cosigned(s *release.Snapshot, suffix string) *v1.Manifest {
	w.Helper()
	m, err := w.pull("web:" + strings.Replace(s.Images[0].Digest, ":", "-", 1) + "." + suffix).Manifest()
	w.ok(err)
	return m
}

func (w *world) pull(name string) v1.Image {
	w.Helper()
	image, err := registry.Pull(w.Context(), w.p.Registry.Address+"/"+name, registry.Options{})
	w.ok(err)
	return image
}

// verify asks openssl whether the image's signature is that of a public key.
func (w *world) verify(s *release.Snapshot, key string) (string, error) {
	w.Helper()
	image := w.pull("web:" + strings.Replace(s.Images[0].Digest, ":", "-", 1) + ".sig")
	layers, err := image.Layers()
	w.ok(err)
	r, err := layers[0].Compressed()
	w.ok(err)
	defer r.Close()
	payload, err := io.ReadAll(r)
	w.ok(err)
	if !strings.Contains(string(payload), s.Images[0].Digest) {
		w.Errorf("what is signed is %s", payload)
	}
	signature, err := base64.StdEncoding.DecodeString(w.cosigned(s, "sig").Layers[0].Annotations["dev.cosignproject.cosign/signature"])
	w.ok(err)
	dir := w.TempDir()
	w.ok(os.WriteFile(filepath.Join(dir, "payload"), payload, 0o600))
	w.ok(os.WriteFile(filepath.Join(dir, "signature"), signature, 0o600))
	out, err := exec.CommandContext(w.Context(), "openssl", "dgst", "-sha256", "-verify", key,
		"-signature", filepath.Join(dir, "signature"), filepath.Join(dir, "payload")).CombinedOutput()
	return string(out), err
}
