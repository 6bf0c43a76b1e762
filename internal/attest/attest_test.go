package attest_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	packageurl "github.com/package-url/packageurl-go"
	"github.com/secure-systems-lab/go-securesystemslib/encrypted"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdxlib"

	"github.com/slipway-build/slipway/internal/attest"
	"github.com/slipway-build/slipway/internal/rpm"
)

func bill() attest.Bill {
	nevra := func(s string) rpm.NEVRA {
		n, err := rpm.ParseNEVRA(s)
		if err != nil {
			panic(err)
		}
		return n
	}
	return attest.Bill{
		Image: "greeter/web", Digest: "sha256:" + strings.Repeat("ab", 32), Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Release: "fedora-43", Version: "1.0",
		Components: []attest.Component{
			{Kind: attest.Project, Name: "lib", Version: "1.2", License: "MIT", URL: "https://git.example.com/lib.git", Commit: strings.Repeat("c", 40)},
			{Kind: attest.RPM, NEVRA: nevra("bind-libs-32:9.18.1-2.fc43.x86_64"), License: "MPL-2.0 AND ISC", SHA256: strings.Repeat("01", 32), Source: "bind-9.18.1-2.fc43.src.rpm", Vendor: "Fedora Project", URL: "https://mirror.example.com/Packages/b/bind-libs.rpm"},
			{Kind: attest.RPM, NEVRA: nevra("old-1-1.noarch"), License: "GPLv2+ and MIT", SHA256: strings.Repeat("02", 32)},
			{Kind: attest.RPM, NEVRA: nevra("older-1-1.noarch"), License: "GPLv2+ and MIT", SHA256: strings.Repeat("03", 32)},
			{Kind: attest.File, Name: "client", Version: "4.1", SHA256: strings.Repeat("04", 32), URL: "https://files.example.com/client.tar.gz"},
		},
	}
}

// wantPurls is what scanners look components up by.
var wantPurls = []string{
	"pkg:generic/client@4.1?checksum=sha256:" + strings.Repeat("04", 32) + "&download_url=https:%2F%2Ffiles.example.com%2Fclient.tar.gz",
	"pkg:pypi/lib@1.2?vcs_url=git%2Bhttps:%2F%2Fgit.example.com%2Flib.git%40" + strings.Repeat("c", 40),
	"pkg:rpm/fedora/bind-libs@9.18.1-2.fc43?arch=x86_64&distro=fedora-43&epoch=32&upstream=bind-9.18.1-2.fc43.src.rpm",
	"pkg:rpm/fedora/old@1-1?arch=noarch&distro=fedora-43",
	"pkg:rpm/fedora/older@1-1?arch=noarch&distro=fedora-43",
}

func TestCycloneDX(t *testing.T) {
	data, err := bill().CycloneDX()
	if err != nil {
		t.Fatal(err)
	}
	var bom cdx.BOM
	if err := cdx.NewBOMDecoder(bytes.NewReader(data), cdx.BOMFileFormatJSON).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	if bom.SpecVersion != cdx.SpecVersion1_6 || bom.Metadata.Component.Version != bill().Digest || bom.Metadata.Timestamp != "2026-01-02T03:04:05Z" {
		t.Errorf("the document is about %+v", bom.Metadata.Component)
	}
	var purls, licenses []string
	for _, c := range *bom.Components {
		purls = append(purls, c.PackageURL)
		if _, err := packageurl.FromString(c.PackageURL); err != nil {
			t.Error(err)
		}
		if c.Licenses != nil {
			for _, l := range *c.Licenses {
				if l.License != nil {
					licenses = append(licenses, "name "+l.License.Name)
				} else {
					licenses = append(licenses, l.Expression)
				}
			}
		}
	}
	if !slices.Equal(purls, wantPurls) {
		t.Errorf("package URLs\n%s", strings.Join(purls, "\n"))
	}
	if want := []string{"MIT", "MPL-2.0 AND ISC", "name GPLv2+ and MIT", "name GPLv2+ and MIT"}; !slices.Equal(licenses, want) {
		t.Errorf("licenses %q", licenses)
	}
}

func TestSPDX(t *testing.T) {
	data, err := bill().SPDX()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := spdxjson.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if err := spdxlib.ValidateDocument(doc); err != nil {
		t.Error(err)
	}
	var got []string
	for _, p := range doc.Packages[1:] {
		got = append(got, p.PackageName+" "+p.PackageVersion+" "+p.PackageLicenseDeclared+" "+p.PackageDownloadLocation)
	}
	want := []string{
		"client 4.1 NOASSERTION https://files.example.com/client.tar.gz",
		"lib 1.2 MIT git+https://git.example.com/lib.git@" + strings.Repeat("c", 40),
		"bind-libs 32:9.18.1-2.fc43 MPL-2.0 AND ISC https://mirror.example.com/Packages/b/bind-libs.rpm",
		"old 1-1 LicenseRef-1 NOASSERTION",
		"older 1-1 LicenseRef-1 NOASSERTION",
	}
	if !slices.Equal(got, want) {
		t.Errorf("packages\n%s", strings.Join(got, "\n"))
	}
	if len(doc.OtherLicenses) != 1 || doc.OtherLicenses[0].ExtractedText != "GPLv2+ and MIT" {
		t.Errorf("other licences %+v", doc.OtherLicenses)
	}
}

func TestProvenance(t *testing.T) {
	data, err := bill().Provenance(attest.Build{Service: "greeter", Image: "web", Config: "c0ffee", Lock: "sha256:1", Base: "sha256:2"})
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Type    string `json:"_type"`
		Subject []struct {
			Digest map[string]string
		}
		PredicateType string
		Predicate     struct {
			BuildDefinition struct {
				ResolvedDependencies []struct {
					Name, URI string
					Digest    map[string]string
				}
			}
			RunDetails struct{ Builder struct{ ID string } }
		}
	}
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	deps := s.Predicate.BuildDefinition.ResolvedDependencies
	switch {
	case s.Type != "https://in-toto.io/Statement/v1" || s.PredicateType != "https://slsa.dev/provenance/v1":
		t.Errorf("it is a %s of %s", s.Type, s.PredicateType)
	case s.Subject[0].Digest["sha256"] != strings.Repeat("ab", 32):
		t.Errorf("it is about %v", s.Subject)
	case s.Predicate.RunDetails.Builder.ID != attest.DefaultBuilder:
		t.Errorf("built by %s", s.Predicate.RunDetails.Builder.ID)
	case len(deps) != 5 || deps[1].Digest["gitCommit"] != strings.Repeat("c", 40) || !strings.HasPrefix(deps[1].URI, "git+https://") || deps[2].Digest["sha256"] != strings.Repeat("01", 32):
		t.Errorf("built of %+v", deps)
	}
}

// TestSame: what is said of an image does not depend on the order in which its parts are told.
func TestSame(t *testing.T) {
	a, b := bill(), bill()
	slices.Reverse(b.Components)
	for name, write := range map[string]func(attest.Bill) ([]byte, error){
		"CycloneDX": attest.Bill.CycloneDX, "SPDX": attest.Bill.SPDX,
		"provenance": func(b attest.Bill) ([]byte, error) { return b.Provenance(attest.Build{}) },
	} {
		x, err := write(a)
		if err != nil {
			t.Fatal(err)
		}
		y, err := write(b)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x, y) {
			t.Errorf("%s: two documents of one image differ", name)
		}
	}
}

func TestKeys(t *testing.T) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	var keys []*attest.Key
	for _, private := range []any{ec, ed, rs} {
		der, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		key, err := attest.ParseKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil)
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	payload := attest.Payload("registry.example.com/greeter/web", "sha256:1")
	statement := []byte(`{"_type":"https://in-toto.io/Statement/v1"}`)
	for i, key := range keys {
		signature, err := key.Sign(payload)
		if err != nil {
			t.Fatal(err)
		}
		envelope, err := key.Envelope(t.Context(), statement)
		if err != nil {
			t.Fatal(err)
		}
		for j, other := range keys {
			if other.Signed(payload, signature) != (i == j) || other.Enveloped(envelope, statement) != (i == j) {
				t.Errorf("key %d checks a signature of key %d wrongly", j, i)
			}
		}
		if key.Signed(attest.Payload("registry.example.com/greeter/web", "sha256:2"), signature) || key.Enveloped(envelope, []byte(`{}`)) {
			t.Errorf("key %d: a signature holds for something else", i)
		}
	}
}

func TestEncryptedKey(t *testing.T) {
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(ed)
	if err != nil {
		t.Fatal(err)
	}
	box, err := encrypted.Encrypt(der, []byte("sesame"))
	if err != nil {
		t.Fatal(err)
	}
	file := pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED SIGSTORE PRIVATE KEY", Bytes: box})
	if _, err := attest.ParseKey(file, []byte("sesame")); err != nil {
		t.Error(err)
	}
	for _, passphrase := range []string{"", "wrong"} {
		if _, err := attest.ParseKey(file, []byte(passphrase)); !errors.Is(err, attest.ErrPassphrase) {
			t.Errorf("passphrase %q: %v", passphrase, err)
		}
	}
}

func TestNoKeys(t *testing.T) {
	for _, text := range []string{"", "hello", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"} {
		if _, err := attest.ParseKey([]byte(text), nil); err == nil {
			t.Errorf("%q is read as a key", text)
		}
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add([]byte("-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		key, err := attest.ParseKey(data, nil)
		if err != nil {
			return
		}
		if signature, err := key.Sign(data); err == nil && !key.Signed(data, signature) {
			t.Error("a key does not know its own signature")
		}
	})
}
