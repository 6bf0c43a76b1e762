package registry

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/slipway-build/slipway/internal/progress"
)

// Attachment is a document about an image, kept beside it: an SBOM, a provenance.
type Attachment struct {
	// Type is the media type of the content, which is also the artifact's type.
	Type    string
	Content []byte
	// Annotations of its manifest.
	Annotations map[string]string
}

// Attached is an attachment as a registry lists it.
type Attached struct {
	Type        string
	Digest      v1.Hash // of its manifest
	Annotations map[string]string
}

// emptyConfig is the configuration of what has none (OCI image specification 1.1, "Guidance for an
// empty descriptor").
var emptyConfig = []byte("{}")

const emptyType types.MediaType = "application/vnd.oci.empty.v1+json"

// maxAttachment bounds a document that is read: an SBOM of a thousand packages stays under 2 MB.
const maxAttachment = 64 << 20

// maxAttached bounds how many attachments of an image are listed.
const maxAttached = 1000

// artifactManifest is a manifest with the fields of OCI 1.1 that attachments need.
type artifactManifest struct {
	SchemaVersion int               `json:"schemaVersion"`
	MediaType     types.MediaType   `json:"mediaType"`
	ArtifactType  string            `json:"artifactType"`
	Config        v1.Descriptor     `json:"config"`
	Layers        []v1.Descriptor   `json:"layers"`
	Subject       *v1.Descriptor    `json:"subject,omitempty"`
	Annotations   map[string]string `json:"annotations,omitempty"`
}

// Attach stores documents beside an image, in the repository that ref names, as artifacts that refer to it
// (OCI distribution specification 1.1, "Pushing Manifests with Subject"). Where the registry keeps no
// list of referrers, the list is kept under the tag that the specification has for that. What is
// attached already is not sent again. Errors of the registry are [*Error].
func Attach(ctx context.Context, ref string, subject Artifact, list []Attachment, o Options) error {
	if len(list) == 0 {
		return nil
	}
	about, err := partial.Descriptor(subject)
	if err != nil {
		return fmt.Errorf("attaching to %s: %w", ref, err)
	}
	parsed, err := parse(ref, o)
	if err != nil {
		return err
	}
	c, err := connect(ctx, "attaching to", parsed, transport.PushScope, nil, o)
	if err != nil {
		return err
	}
	if err := c.attach(ctx, *about, list); err != nil {
		return c.fail("attaching to", ref, err)
	}
	return nil
}

func (c *client) attach(ctx context.Context, subject v1.Descriptor, list []Attachment) error {
	subject = v1.Descriptor{MediaType: subject.MediaType, Digest: subject.Digest, Size: subject.Size}
	var cargo cargo
	var entries []indexEntry
	empty := memory(emptyConfig)
	for _, a := range list {
		content := memory(a.Content)
		m := artifactManifest{
			SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: a.Type,
			Config:  v1.Descriptor{MediaType: emptyType, Digest: empty.digest, Size: empty.size},
			Layers:  []v1.Descriptor{{MediaType: types.MediaType(a.Type), Digest: content.digest, Size: content.size}},
			Subject: &subject, Annotations: a.Annotations,
		}
		raw, err := json.Marshal(m)
		if err != nil {
			return err
		}
		stored := manifest{memory(raw).digest, m.MediaType, raw}
		cargo.blobs = append(cargo.blobs, content)
		cargo.manifests = append(cargo.manifests, stored)
		entries = append(entries, indexEntry{m.MediaType, int64(len(raw)), stored.digest, a.Type, a.Annotations})
	}
	known, native, err := c.referrers(ctx, subject.Digest)
	if err != nil {
		return err
	}
	for i := len(list) - 1; i >= 0; i-- {
		if slices.ContainsFunc(known, func(e indexEntry) bool { return e.Digest == entries[i].Digest }) {
			cargo.blobs, cargo.manifests = slices.Delete(cargo.blobs, i, i+1), slices.Delete(cargo.manifests, i, i+1)
		}
	}
	if len(cargo.manifests) == 0 {
		return nil
	}
	cargo.blobs = append(cargo.blobs, empty)
	p := &push{client: c, cargo: cargo}
	if err := p.send(ctx, progress.None.Start("", 0, progress.Bytes)); err != nil || native {
		return err
	}
	return c.enlist(ctx, subject.Digest, known, entries)
}

// memory is a blob of bytes at hand.
func memory(data []byte) blob {
	digest, size, err := v1.SHA256(bytes.NewReader(data))
	if err != nil {
		panic(err) // reading memory does not fail
	}
	return blob{digest: digest, size: size, open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}
}

// Attachments lists what is attached to the image that ref names. Errors of the registry are [*Error].
func Attachments(ctx context.Context, ref string, o Options) ([]Attached, error) {
	parsed, c, err := open(ctx, "listing attachments of", ref, o)
	if err != nil {
		return nil, err
	}
	digest, err := c.resolve(ctx, parsed)
	if err != nil {
		return nil, c.fail("listing attachments of", ref, err)
	}
	entries, _, err := c.referrers(ctx, digest)
	if err != nil {
		return nil, c.fail("listing attachments of", ref, err)
	}
	var list []Attached
	for _, e := range entries[:min(len(entries), maxAttached)] {
		a := Attached{e.ArtifactType, e.Digest, e.Annotations}
		if a.Type == "" || a.Type == string(emptyType) { // registries of OCI 1.0 list the configuration's type
			m, err := c.artifact(ctx, e.Digest.String())
			if err != nil {
				return nil, c.fail("listing attachments of", ref, err)
			}
			a.Type = m.ArtifactType
		}
		list = append(list, a)
	}
	return list, nil
}

// ReadAttachment reads an attachment's document; ref is "host/repository@sha256:…" with the digest that
// Attachments gave. Errors of the registry are [*Error].
func ReadAttachment(ctx context.Context, ref string, o Options) ([]byte, error) {
	parsed, c, err := open(ctx, "reading attachment", ref, o)
	if err != nil {
		return nil, err
	}
	content, err := c.attachment(ctx, parsed.Identifier())
	if err != nil {
		return nil, c.fail("reading attachment", ref, err)
	}
	return content, nil
}

// artifact reads the manifest of an attachment.
func (c *client) artifact(ctx context.Context, identifier string) (parsed artifactManifest, err error) {
	var m manifest
	err = c.retry(ctx, "GET manifest", func() (err error) {
		m, err = c.getManifest(ctx, identifier)
		return err
	})
	if err != nil {
		return parsed, err
	}
	if err := json.Unmarshal(m.raw, &parsed); err != nil {
		return parsed, fmt.Errorf("reading the manifest: %w", err)
	}
	return parsed, nil
}

func (c *client) attachment(ctx context.Context, identifier string) ([]byte, error) {
	parsed, err := c.artifact(ctx, identifier)
	if err != nil {
		return nil, err
	}
	if len(parsed.Layers) != 1 {
		return nil, fmt.Errorf("it has %d documents, not one", len(parsed.Layers))
	}
	if parsed.Layers[0].Size > maxAttachment {
		return nil, fmt.Errorf("the document is larger than %d bytes", maxAttachment)
	}
	return c.readBlob(ctx, parsed.Layers[0])
}

// indexEntry is a descriptor in a list of referrers.
type indexEntry struct {
	MediaType    types.MediaType   `json:"mediaType"`
	Size         int64             `json:"size"`
	Digest       v1.Hash           `json:"digest"`
	ArtifactType string            `json:"artifactType,omitempty"`
	Annotations  map[string]string `json:"annotations,omitempty"`
}

// referrersIndex is a list of referrers, as the registry makes it or as it is kept under a tag.
type referrersIndex struct {
	SchemaVersion int             `json:"schemaVersion"`
	MediaType     types.MediaType `json:"mediaType"`
	Manifests     []indexEntry    `json:"manifests"`
}

// fallbackTag is where the list is kept where a registry does not make it (OCI distribution
// specification 1.1, "Referrers Tag Schema").
func fallbackTag(digest v1.Hash) string { return digest.Algorithm + "-" + digest.Hex }

// referrers lists what refers to digest. native says that the registry itself keeps that list.
func (c *client) referrers(ctx context.Context, digest v1.Hash) (list []indexEntry, native bool, err error) {
	err = c.retry(ctx, "GET referrers", func() (err error) {
		list, native, err = c.askReferrers(ctx, digest)
		return err
	})
	if err != nil || native {
		return list, native, err
	}
	list, err = c.tagged(ctx, digest)
	return list, false, err
}

func (c *client) askReferrers(ctx context.Context, digest v1.Hash) (list []indexEntry, native bool, err error) {
	ctx, _, release := watch(ctx, c.patience.stall)
	defer release()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url("/referrers/%s", digest).String(), nil)
	if err != nil {
		return nil, false, err
	}
	req.Header.Set("Accept", string(types.OCIImageIndex))
	resp, err := c.do(req, http.StatusOK, http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusBadRequest)
	if err != nil {
		return nil, false, err
	}
	defer drain(resp)
	if resp.StatusCode != http.StatusOK || types.MediaType(resp.Header.Get("Content-Type")) != types.OCIImageIndex {
		return nil, false, nil
	}
	raw, err := readAll(resp.Body, maxManifest)
	if err != nil {
		return nil, false, fmt.Errorf("reading the referrers: %w", err)
	}
	list, err = parseReferrers(raw)
	return list, true, err
}

func parseReferrers(raw []byte) ([]indexEntry, error) {
	var index referrersIndex
	if err := json.Unmarshal(raw, &index); err != nil {
		return nil, fmt.Errorf("reading the referrers: %w", err)
	}
	return index.Manifests, nil
}

// tagged reads the list that is kept under a tag.
func (c *client) tagged(ctx context.Context, digest v1.Hash) (list []indexEntry, err error) {
	err = c.retry(ctx, "GET manifest", func() error {
		_, there, err := c.headManifest(ctx, fallbackTag(digest))
		if err != nil || !there {
			list = nil
			return err
		}
		m, err := c.getManifest(ctx, fallbackTag(digest))
		if err != nil {
			return err
		}
		list, err = parseReferrers(m.raw)
		return err
	})
	return list, err
}

// enlist adds entries to the list under the tag. The specification has no way to do that safely beside
// another writer, who would have to attach to the same image at the same moment.
func (c *client) enlist(ctx context.Context, digest v1.Hash, list, entries []indexEntry) error {
	for _, e := range entries {
		if !slices.ContainsFunc(list, func(have indexEntry) bool { return have.Digest == e.Digest }) {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b indexEntry) int { return cmp.Compare(a.Digest.Hex, b.Digest.Hex) })
	raw, err := json.Marshal(referrersIndex{SchemaVersion: 2, MediaType: types.OCIImageIndex, Manifests: list})
	if err != nil {
		return err
	}
	m := manifest{memory(raw).digest, types.OCIImageIndex, raw}
	return c.retry(ctx, "PUT manifest", func() error { return c.putManifest(ctx, m, fallbackTag(digest)) })
}
