package registry

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// maxManifest bounds a manifest and a configuration; registries accept 4 MiB.
const maxManifest = 8 << 20

// digestHeader is where a registry says what it stored or found.
const digestHeader = "Docker-Content-Digest"

// manifest is an image's or an index's, as it is sent.
type manifest struct {
	digest    v1.Hash
	mediaType types.MediaType
	raw       []byte
}

var manifestTypes = strings.Join([]string{
	string(types.OCIManifestSchema1), string(types.OCIImageIndex),
	string(types.DockerManifestSchema2), string(types.DockerManifestList),
}, ", ")

// headManifest asks for the digest of what identifier (a tag or a digest) names; found is false where there is nothing.
func (c *client) headManifest(ctx context.Context, identifier string) (digest v1.Hash, found bool, err error) {
	ctx, _, release := watch(ctx, c.patience.stall)
	defer release()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, c.url("/manifests/%s", identifier).String(), nil)
	if err != nil {
		return v1.Hash{}, false, err
	}
	req.Header.Set("Accept", manifestTypes)
	resp, err := c.do(req, http.StatusOK, http.StatusNotFound)
	if err != nil {
		return v1.Hash{}, false, err
	}
	drain(resp)
	if resp.StatusCode == http.StatusNotFound {
		return v1.Hash{}, false, nil
	}
	said := resp.Header.Get(digestHeader)
	if said == "" { // optional in the specification: read it and count
		m, err := c.getManifest(ctx, identifier)
		return m.digest, err == nil, err
	}
	digest, err = v1.NewHash(said)
	if err != nil {
		return v1.Hash{}, false, fmt.Errorf("reading the digest of %s:%s: %w", c.repo, identifier, err)
	}
	if want, err := v1.NewHash(identifier); err == nil && want != digest {
		return v1.Hash{}, false, &mismatchError{"the manifest", want.String(), digest.String()}
	}
	return digest, true, nil
}

// getManifest reads and verifies what identifier names.
func (c *client) getManifest(ctx context.Context, identifier string) (manifest, error) {
	ctx, _, release := watch(ctx, c.patience.stall)
	defer release()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url("/manifests/%s", identifier).String(), nil)
	if err != nil {
		return manifest{}, err
	}
	req.Header.Set("Accept", manifestTypes)
	resp, err := c.do(req, http.StatusOK)
	if err != nil {
		return manifest{}, err
	}
	defer resp.Body.Close()
	raw, err := readAll(resp.Body, maxManifest)
	if err != nil {
		return manifest{}, fmt.Errorf("reading the manifest: %w", err)
	}
	digest, _, err := v1.SHA256(bytes.NewReader(raw))
	if err != nil {
		return manifest{}, err
	}
	for _, want := range []string{resp.Header.Get(digestHeader), identifier} {
		if strings.Contains(want, ":") && want != digest.String() {
			return manifest{}, &mismatchError{"the manifest", want, digest.String()}
		}
	}
	return manifest{digest, types.MediaType(resp.Header.Get("Content-Type")), raw}, nil
}

// putManifest stores m under identifier, its digest or a tag.
func (c *client) putManifest(ctx context.Context, m manifest, identifier string) error {
	ctx, _, release := watch(ctx, c.patience.stall)
	defer release()
	u := c.url("/manifests/%s", identifier)
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, u.String(), bytes.NewReader(m.raw))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", string(m.mediaType))
	resp, err := c.do(req, http.StatusOK, http.StatusCreated, http.StatusAccepted)
	if err != nil {
		return err
	}
	drain(resp)
	if said := resp.Header.Get(digestHeader); said != "" && said != m.digest.String() {
		return &mismatchError{"the manifest that the registry stored", m.digest.String(), said}
	}
	return nil
}

// readAll reads at most limit bytes; more is an error.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, fmt.Errorf("it is larger than %d bytes", limit)
	}
	return data, err
}
