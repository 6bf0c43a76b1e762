package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// Suffixes of the tags under which cosign keeps what it says of an image (cosign's
// specs/SIGNATURE_SPEC.md, "Tag-based Discovery").
const (
	CosignSignatures   = "sig"
	CosignAttestations = "att"
)

// Statement is one layer of what cosign keeps: a payload with annotations.
type Statement struct {
	Type        string // media type of the payload
	Payload     []byte
	Annotations map[string]string
}

// maxStatements bounds how many statements of one image are looked at.
const maxStatements = 100

// AddStatement adds a statement about an image to the repository that ref names, beside those that
// others made, unless one is there of which same says that it is as good. Errors of the registry are [*Error].
func AddStatement(ctx context.Context, ref string, subject Artifact, suffix string, s Statement, same func(Statement) bool, o Options) error {
	parsed, err := parse(ref, o)
	if err != nil {
		return err
	}
	digest, err := subject.Digest()
	if err != nil {
		return fmt.Errorf("signing %s: %w", ref, err)
	}
	o.Tags, o.Mount, o.Known = nil, nil, nil
	place := parsed.Context().Name() + ":" + fallbackTag(digest) + "." + suffix
	image, there, err := statements(ctx, place, o)
	if err != nil {
		return err
	}
	if there {
		found, err := hasStatement(image, same)
		if err != nil || found {
			return err
		}
	}
	image, err = mutate.Append(image, mutate.Addendum{
		Layer: static.NewLayer(s.Payload, types.MediaType(s.Type)), Annotations: s.Annotations, MediaType: types.MediaType(s.Type),
	})
	if err != nil {
		return fmt.Errorf("signing %s: %w", ref, err)
	}
	_, err = Push(ctx, image, place, o)
	return err
}

// statements is the image that holds them; an empty one where there is none yet.
func statements(ctx context.Context, place string, o Options) (image v1.Image, there bool, err error) {
	image, err = Pull(ctx, place, o)
	var re *Error
	if errors.As(err, &re) && re.Reason == NotFound {
		return mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), false, nil
	}
	return image, err == nil, err
}

func hasStatement(image v1.Image, same func(Statement) bool) (bool, error) {
	m, err := image.Manifest()
	if err != nil {
		return false, err
	}
	for _, d := range m.Layers[:min(len(m.Layers), maxStatements)] {
		if d.Size > maxManifest {
			continue
		}
		l, err := image.LayerByDigest(d.Digest)
		if err != nil {
			return false, err
		}
		payload, err := readLayer(l)
		if err != nil {
			return false, err
		}
		if same(Statement{Type: string(d.MediaType), Payload: payload, Annotations: d.Annotations}) {
			return true, nil
		}
	}
	return false, nil
}

func readLayer(l v1.Layer) ([]byte, error) {
	r, err := l.Compressed()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var buf bytes.Buffer
	_, err = io.Copy(&buf, io.LimitReader(r, maxManifest))
	return buf.Bytes(), err
}
