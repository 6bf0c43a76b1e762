package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"golang.org/x/sync/errgroup"

	"github.com/slipway-build/slipway/internal/progress"
)

// uploads is how many blobs are sent at the same time.
const uploads = 4

// Pushed says what a push did.
type Pushed struct {
	Repository string  // with the registry's host: "127.0.0.1:5055/greeter/web"
	Digest     v1.Hash // of the image or index
	Tags       []string
	Uploaded   int   // blobs sent
	Mounted    int   // blobs taken from another repository
	Present    int   // blobs that were there, or are known to be
	Bytes      int64 // sent, of blobs and manifests
}

// Reference is the pushed image by digest, "host/repository@sha256:…".
func (p Pushed) Reference() string { return p.Repository + "@" + p.Digest.String() }

// Push sends image to ref ("host/repository", with or without a tag or a digest): first its blobs, then its manifest, then
// the tags, so that a reader never sees something of which a part is missing. Pushing what is there costs a few small
// requests. Errors of the registry are [*Error].
func Push(ctx context.Context, image Artifact, ref string, o Options) (Pushed, error) {
	parsed, err := parse(ref, o)
	if err != nil {
		return Pushed{}, err
	}
	cargo, err := load(image)
	if err != nil {
		return Pushed{}, fmt.Errorf("reading the image for %s: %w", ref, err)
	}
	tags, err := wantedTags(parsed.Identifier(), o.Tags, cargo.root().digest)
	if err != nil {
		return Pushed{}, fmt.Errorf("pushing %s: %w", ref, err)
	}
	c, err := connect(ctx, "pushing", parsed, transport.PushScope, o.Mount, o)
	if err != nil {
		return Pushed{}, err
	}
	p := &push{client: c, cargo: cargo, mount: o.Mount, known: o.Known, result: Pushed{
		Repository: c.repo.Name(), Digest: cargo.root().digest, Tags: tags,
	}}
	task := progress.Or(o.Progress).Start("pushing "+c.repo.Name(), cargo.size(), progress.Bytes)
	err = p.run(ctx, tags, task)
	task.Done(err)
	if err != nil {
		return Pushed{}, c.fail("pushing", ref, err)
	}
	return p.result, nil
}

// wantedTags lists the tags to move: the reference's own, if it has one, then the others.
func wantedTags(identifier string, tags []string, digest v1.Hash) ([]string, error) {
	if h, err := v1.NewHash(identifier); err == nil {
		if h != digest {
			return nil, fmt.Errorf("the image is %s, not what the reference says", digest)
		}
	} else if identifier != "" {
		tags = append([]string{identifier}, tags...)
	}
	var wanted []string
	for _, tag := range tags {
		if !tagShape.MatchString(tag) {
			return nil, fmt.Errorf("%q cannot be a tag: letters, digits, '_', '.' and '-', at most 128", tag)
		}
		if !slices.Contains(wanted, tag) {
			wanted = append(wanted, tag)
		}
	}
	return wanted, nil
}

// push is one push under way.
type push struct {
	*client
	cargo cargo
	mount []string
	known []v1.Hash

	mu     sync.Mutex
	result Pushed
}

func (p *push) run(ctx context.Context, tags []string, task progress.Task) error {
	root := p.cargo.root()
	there, err := p.there(ctx, root.digest.String(), root.digest)
	if err != nil {
		return err
	}
	if there { // and so, by the registry's own rules, is all that it refers to
		p.result.Present = len(p.cargo.blobs)
		task.Add(p.cargo.size())
		return p.tag(ctx, tags, root)
	}
	err = p.send(ctx, task)
	var answer *transport.Error
	if errors.As(err, &answer) && len(p.known) > 0 && has(answer, transport.ManifestBlobUnknownErrorCode, transport.BlobUnknownErrorCode) {
		p.log.Warn("the registry lost blobs that were known to be there", "repository", p.repo.Name())
		p.known = nil
		p.result.Uploaded, p.result.Mounted, p.result.Present = 0, 0, 0
		err = p.send(ctx, progress.None.Start("", 0, progress.Bytes))
	}
	if err != nil {
		return err
	}
	return p.tag(ctx, tags, root)
}

// there tells whether identifier names digest already.
func (p *push) there(ctx context.Context, identifier string, digest v1.Hash) (there bool, err error) {
	err = p.retry(ctx, "HEAD manifest", func() error {
		found, ok, err := p.headManifest(ctx, identifier)
		there = ok && found == digest
		return err
	})
	return there, err
}

// send puts blobs, several at a time, and then the manifests, those of an index's images before its own.
func (p *push) send(ctx context.Context, task progress.Task) error {
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(uploads)
	for _, b := range p.cargo.blobs {
		if slices.Contains(p.known, b.digest) {
			p.count(&p.result.Present, 0)
			task.Add(b.size)
			continue
		}
		group.Go(func() error {
			meter := &meter{task: task}
			err := p.retry(groupCtx, "push "+b.digest.String(), func() error { return p.blob(groupCtx, b, meter) })
			if err != nil {
				return fmt.Errorf("blob %s: %w", b.digest, err)
			}
			meter.finish(b.size)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, m := range p.cargo.manifests {
		if err := p.put(ctx, m, m.digest.String()); err != nil {
			return err
		}
	}
	return nil
}

func (p *push) put(ctx context.Context, m manifest, identifier string) error {
	err := p.retry(ctx, "PUT manifest", func() error { return p.putManifest(ctx, m, identifier) })
	if err == nil {
		p.count(nil, int64(len(m.raw)))
	}
	return err
}

// tag moves those tags that are not there yet.
func (p *push) tag(ctx context.Context, tags []string, root manifest) error {
	for _, tag := range tags {
		there, err := p.there(ctx, tag, root.digest)
		if err == nil && !there {
			err = p.put(ctx, root, tag)
		}
		if err != nil {
			return fmt.Errorf("tag %s: %w", tag, err)
		}
	}
	return nil
}

// blob makes b be in the repository: it is there, or can be mounted, or is sent.
func (p *push) blob(ctx context.Context, b blob, meter *meter) error {
	there, err := p.hasBlob(ctx, p.repo.RepositoryStr(), b.digest)
	if err != nil {
		return err
	}
	if there {
		p.count(&p.result.Present, 0)
		return nil
	}
	from := p.holder(ctx, b.digest)
	location, mounted, err := p.startUpload(ctx, b.digest, from)
	if err != nil && from != "" { // some registries answer an error where they cannot mount
		location, mounted, err = p.startUpload(ctx, b.digest, "")
	}
	if err != nil {
		return err
	}
	if mounted {
		p.count(&p.result.Mounted, 0)
		return nil
	}
	meter.restart()
	if err := p.upload(ctx, b, location, meter.add); err != nil {
		return err
	}
	p.count(&p.result.Uploaded, b.size)
	return nil
}

// holder finds a repository that can give the blob, "" for none. Not being allowed to look is no reason to fail.
func (p *push) holder(ctx context.Context, digest v1.Hash) string {
	for _, repository := range p.mount {
		if repository == p.repo.RepositoryStr() {
			continue
		}
		if there, err := p.hasBlob(ctx, repository, digest); err == nil && there {
			return repository
		}
	}
	return ""
}

func (p *push) count(n *int, bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n != nil {
		*n++
	}
	p.result.Bytes += bytes
}

// meter reports the bytes of one blob. A blob that is sent again from its start adds nothing until it is past what was
// reported before.
type meter struct {
	task           progress.Task
	sent, reported atomic.Int64
}

func (m *meter) restart() { m.sent.Store(0) }

func (m *meter) add(n int) {
	if more := m.sent.Add(int64(n)) - m.reported.Load(); more > 0 {
		m.reported.Add(more)
		m.task.Add(more)
	}
}

// finish reports what was not sent because it was there.
func (m *meter) finish(size int64) {
	if more := size - m.reported.Load(); more > 0 {
		m.task.Add(more)
	}
}
