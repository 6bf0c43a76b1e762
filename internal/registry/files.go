package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// File is a file of an artifact that is no image: a blob with a name (OCI image specification, "Guidelines
// for Artifact Usage"). Tools such as oras write it to a folder under that name.
type File struct {
	// Title is its name, a path with slashes.
	Title string
	// MediaType of its content.
	MediaType string
	// SHA256 in lowercase hex, Size in bytes.
	SHA256 string
	Size   int64
	// Path on this machine, of files that are pushed.
	Path string
}

const (
	titleAnnotation = "org.opencontainers.image.title"
	maxFiles        = 20_000
)

// fileCargo is an artifact of files as it is pushed.
type fileCargo struct {
	raw   []byte
	blobs []blob
}

func (f *fileCargo) RawManifest() ([]byte, error)        { return f.raw, nil }
func (f *fileCargo) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }
func (f *fileCargo) Size() (int64, error)                { return int64(len(f.raw)), nil }
func (f *fileCargo) Digest() (v1.Hash, error) {
	h, _, err := v1.SHA256(bytes.NewReader(f.raw))
	return h, err
}

// PushFiles sends files to ref ("host/repository:tag") as one artifact of a type, as [Push] sends an
// image: what is there is not sent again, and equal content is kept once.
func PushFiles(ctx context.Context, ref, artifactType string, files []File, o Options) (Pushed, error) {
	config, _, err := v1.SHA256(bytes.NewReader(emptyConfig))
	if err != nil {
		return Pushed{}, err
	}
	m := v1.Manifest{
		SchemaVersion: 2, MediaType: types.OCIManifestSchema1, ArtifactType: artifactType,
		Config: v1.Descriptor{MediaType: emptyType, Digest: config, Size: int64(len(emptyConfig))},
		Layers: []v1.Descriptor{},
	}
	out := &fileCargo{blobs: []blob{{digest: config, size: int64(len(emptyConfig)), open: func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(emptyConfig)), nil
	}}}}
	seen := map[v1.Hash]bool{}
	for _, f := range files {
		digest := v1.Hash{Algorithm: "sha256", Hex: f.SHA256}
		m.Layers = append(m.Layers, v1.Descriptor{
			MediaType: types.MediaType(f.MediaType), Digest: digest, Size: f.Size, Annotations: map[string]string{titleAnnotation: f.Title},
		})
		if !seen[digest] {
			seen[digest] = true
			out.blobs = append(out.blobs, blob{digest: digest, size: f.Size, open: func() (io.ReadCloser, error) { return os.Open(f.Path) }})
		}
	}
	if out.raw, err = json.Marshal(m); err != nil {
		return Pushed{}, err
	}
	if len(out.raw) > maxManifest/2 {
		return Pushed{}, fmt.Errorf("pushing %s: %d files are more than a manifest can list", ref, len(files))
	}
	return Push(ctx, out, ref, o)
}

// PullFiles lists the files of an artifact, whatever its type, and the digest of its manifest. Their
// content is read through [Blobs]. Errors of the registry are [*Error].
func PullFiles(ctx context.Context, ref string, o Options) ([]File, v1.Hash, error) {
	parsed, c, err := open(ctx, "pulling", ref, o)
	if err != nil {
		return nil, v1.Hash{}, err
	}
	var m manifest
	err = c.retry(ctx, "GET manifest", func() (err error) {
		m, err = c.getManifest(ctx, parsed.Identifier())
		return err
	})
	if err != nil {
		return nil, v1.Hash{}, c.fail("pulling", ref, err)
	}
	var list v1.Manifest
	if err := json.Unmarshal(m.raw, &list); err != nil || !m.mediaType.IsImage() || len(list.Layers) > maxFiles {
		return nil, v1.Hash{}, fmt.Errorf("pulling %s: it is not an artifact of files", ref)
	}
	files := make([]File, 0, len(list.Layers))
	for _, l := range list.Layers {
		title := l.Annotations[titleAnnotation]
		if !fs.ValidPath(title) || l.Digest.Algorithm != "sha256" {
			return nil, v1.Hash{}, fmt.Errorf("pulling %s: %q is not the name of a file with a sha256 digest", ref, title)
		}
		files = append(files, File{Title: title, MediaType: string(l.MediaType), SHA256: l.Digest.Hex, Size: l.Size})
	}
	return files, m.digest, nil
}

// Blobs reads blobs of any registry, and keeps the connections. It must not be copied and is safe for
// concurrent use; its options must not change once it is used.
type Blobs struct {
	Options Options

	mu      sync.Mutex
	clients map[string]*client
}

// Open opens a blob by reference, "host/repository@sha256:…". No more than size bytes come, and they are
// verified by their end. Where there is no such blob the error wraps [fs.ErrNotExist]; others are [*Error].
func (b *Blobs) Open(ctx context.Context, ref string, size int64) (io.ReadCloser, error) {
	c, digest, err := b.client(ctx, ref)
	if err != nil {
		return nil, err
	}
	r, err := c.openBlob(ctx, v1.Descriptor{Digest: digest, Size: size})
	if err != nil {
		return nil, notThere(c.fail("pulling", ref, err))
	}
	return r, nil
}

// Has says whether a blob is there.
func (b *Blobs) Has(ctx context.Context, ref string) (there bool, err error) {
	c, digest, err := b.client(ctx, ref)
	if err != nil {
		return false, err
	}
	err = c.retry(ctx, "HEAD blob", func() (err error) {
		there, err = c.hasBlob(ctx, c.repo.RepositoryStr(), digest)
		return err
	})
	if err != nil {
		return false, c.fail("pulling", ref, err)
	}
	return there, nil
}

// client connects to a repository, once.
func (b *Blobs) client(ctx context.Context, ref string) (*client, v1.Hash, error) {
	parsed, err := parse(ref, b.Options)
	if err != nil {
		return nil, v1.Hash{}, err
	}
	digest, err := v1.NewHash(parsed.Identifier())
	if err != nil {
		return nil, v1.Hash{}, fmt.Errorf("reading %s: a blob is named by its digest", ref)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	name := parsed.Context().Name()
	if c := b.clients[name]; c != nil {
		return c, digest, nil
	}
	// Later reads use the connection after this call's context has ended.
	c, err := connect(context.WithoutCancel(ctx), "pulling", parsed, transport.PullScope, nil, b.Options)
	if err != nil {
		return nil, v1.Hash{}, err
	}
	if b.clients == nil {
		b.clients = map[string]*client{}
	}
	b.clients[name] = c
	return c, digest, nil
}

// missingBlobError is an error of a registry that does not have a blob.
type missingBlobError struct{ refusal *Error }

func (e *missingBlobError) Error() string   { return e.refusal.Error() }
func (e *missingBlobError) Unwrap() []error { return []error{e.refusal, fs.ErrNotExist} }

func notThere(err error) error {
	if refused, ok := err.(*Error); ok && refused.Reason == NotFound { //nolint:errorlint // it was made here
		return &missingBlobError{refused}
	}
	return err
}
