package image_test

import (
	"path/filepath"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	v1layout "github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/image/layer"
)

// TestDockerTypes makes the same base and final image in OCI's words and in docker's.
func TestDockerTypes(t *testing.T) {
	packages := build(t, sample()...)
	b := builder(t)
	made := map[bool]*image.Image{}
	for _, docker := range []bool{false, true} {
		from, err := b.Base(t.Context(), image.BaseSpec{Packages: packages, Arch: "x86_64", Options: image.Options{Docker: docker}})
		if err != nil {
			t.Fatal(err)
		}
		again, err := b.Base(t.Context(), image.BaseSpec{Packages: packages, Arch: "x86_64", Options: image.Options{Docker: docker}})
		if err != nil || digest(t, again) != digest(t, from) {
			t.Errorf("docker %v: from the cache it is %s, %v, not %s", docker, digest(t, again), err, digest(t, from))
		}
		final, err := b.Final(t.Context(), image.FinalSpec{
			Base: from, Docker: docker, Config: image.Config{Labels: map[string]string{"a": "b"}},
			Files: []image.FileEntry{{Path: "/srv/f", Mode: 0o644, Content: []byte("f")}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, img := range []*image.Image{from, final} {
			if err := validate.Image(img); err != nil {
				t.Errorf("docker %v: %v", docker, err)
			}
			if raw := manifestText(t, img); strings.Contains(raw, "vnd.docker") != docker || strings.Contains(raw, "vnd.oci") == docker {
				t.Errorf("docker %v: %s", docker, raw)
			}
		}
		made[docker] = final
	}
	if digest(t, made[true]) == digest(t, made[false]) {
		t.Error("both have the same digest")
	}

	dir := filepath.Join(t.TempDir(), "layout")
	if err := image.WriteLayout(dir, "t", made[true]); err != nil {
		t.Fatal(err)
	}
	read, err := v1layout.ImageIndexFromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := v1.NewHash(digest(t, made[false]))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := read.Image(hash); err != nil {
		t.Errorf("a layout does not hold the image in OCI's words: %v", err)
	}
}

func TestDockerHasNoZstd(t *testing.T) {
	packages := build(t, sample()...)
	b := builder(t)
	if _, err := b.Base(t.Context(), image.BaseSpec{Packages: packages, Arch: "x86_64", Options: image.Options{Docker: true, Compression: layer.Zstd}}); err == nil || !strings.Contains(err.Error(), "zstd") {
		t.Errorf("base: %v", err)
	}
	from, err := b.Base(t.Context(), image.BaseSpec{Packages: packages, Arch: "x86_64", Options: image.Options{Compression: layer.Zstd}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Final(t.Context(), image.FinalSpec{Base: from, Docker: true}); err == nil || !strings.Contains(err.Error(), "zstd") {
		t.Errorf("final on a base in zstd: %v", err)
	}
	for _, l := range from.BlobLayers() {
		if mt, _ := l.MediaType(); mt != types.OCILayerZStd {
			t.Errorf("a layer is %s", mt)
		}
	}
}

func manifestText(t *testing.T, img *image.Image) string {
	t.Helper()
	raw, err := img.RawManifest()
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
