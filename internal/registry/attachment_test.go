package registry

import (
	"io"
	"log"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// TestAttach attaches to an image in the embedded registry, which keeps no list of referrers, and in one
// that does; go-containerregistry's reader finds the same.
func TestAttach(t *testing.T) {
	native := httptest.NewServer(ggcr.New(ggcr.WithReferrersSupport(true), ggcr.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(native.Close)
	embedded := &Embedded{Root: t.TempDir()}
	for kind, host := range map[string]string{
		"list of the registry's own": strings.TrimPrefix(native.URL, "http://"),
		"list under a tag":           start(t, embedded, ""),
	} {
		t.Run(kind, func(t *testing.T) {
			image := testImage(t, 1)
			pushed, err := Push(t.Context(), image, host+"/greeter/web", Options{})
			if err != nil {
				t.Fatal(err)
			}
			sbom := Attachment{Type: "application/spdx+json", Content: []byte(`{"spdx":1}`)}
			provenance := Attachment{Type: "application/vnd.in-toto+json", Content: []byte(`{"slsa":1}`)}
			for _, list := range [][]Attachment{{sbom}, {sbom, provenance}, {provenance}} {
				if err := Attach(t.Context(), host+"/greeter/web", image, list, Options{}); err != nil {
					t.Fatal(err)
				}
			}
			got, err := Attachments(t.Context(), pushed.Reference(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			contents := map[string]string{}
			for _, a := range got {
				content, err := ReadAttachment(t.Context(), host+"/greeter/web@"+a.Digest.String(), Options{})
				if err != nil {
					t.Fatal(err)
				}
				contents[a.Type] = string(content)
			}
			if len(got) != 2 || contents[sbom.Type] != string(sbom.Content) || contents[provenance.Type] != string(provenance.Content) {
				t.Errorf("attached: %v", contents)
			}
			ref, err := name.NewDigest(pushed.Reference())
			if err != nil {
				t.Fatal(err)
			}
			index, err := remote.Referrers(ref)
			if err != nil {
				t.Fatal(err)
			}
			m, err := index.IndexManifest()
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range m.Manifests {
				if !slices.ContainsFunc(got, func(a Attached) bool { return a.Digest == d.Digest }) {
					t.Errorf("others see %s, of type %q", d.Digest, d.ArtifactType)
				}
			}
			if len(m.Manifests) != len(got) {
				t.Errorf("others see %d attachments", len(m.Manifests))
			}
		})
	}
}

func TestAttachTwiceSendsNothing(t *testing.T) {
	f := serve(t, nil)
	image := testImage(t, 1)
	if _, err := Push(t.Context(), image, f.host()+"/greeter/web", hasty()); err != nil {
		t.Fatal(err)
	}
	list := []Attachment{{Type: "application/spdx+json", Content: []byte("{}")}}
	for range 2 {
		f.forget()
		if err := Attach(t.Context(), f.host()+"/greeter/web", image, list, hasty()); err != nil {
			t.Fatal(err)
		}
	}
	if f.count("PUT") != 0 || f.count("POST") != 0 {
		t.Errorf("sent again: %q", f.requests())
	}
}

func TestStatements(t *testing.T) {
	host := start(t, &Embedded{Root: t.TempDir()}, "")
	image := testImage(t, 1)
	add := func(text string) {
		t.Helper()
		s := Statement{Type: "application/x-test", Payload: []byte(text), Annotations: map[string]string{"by": text}}
		same := func(s Statement) bool { return string(s.Payload) == text && s.Annotations["by"] == text }
		if err := AddStatement(t.Context(), host+"/greeter/web", image, CosignSignatures, s, same, Options{}); err != nil {
			t.Fatal(err)
		}
	}
	add("one")
	add("two")
	add("one")
	digest, err := image.Digest()
	if err != nil {
		t.Fatal(err)
	}
	stored, err := Pull(t.Context(), host+"/greeter/web:sha256-"+digest.Hex+".sig", Options{})
	if err != nil {
		t.Fatal(err)
	}
	m, err := stored.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Layers) != 2 || m.Layers[0].Annotations["by"] != "one" || m.Layers[1].Annotations["by"] != "two" {
		t.Errorf("layers %+v", m.Layers)
	}
}
