package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// blob is one to be pushed.
type blob struct {
	digest v1.Hash
	size   int64
	open   func() (io.ReadCloser, error)
}

// hasBlob asks whether the named repository of this registry holds digest.
func (c *client) hasBlob(ctx context.Context, repository string, digest v1.Hash) (bool, error) {
	u := c.url("")
	u.Path = "/v2/" + repository + "/blobs/" + digest.String()
	return c.head(ctx, u)
}

func (c *client) head(ctx context.Context, u *url.URL) (bool, error) {
	ctx, _, release := watch(ctx, c.patience.stall)
	defer release()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, u.String(), nil)
	if err != nil {
		return false, err
	}
	resp, err := c.do(req, http.StatusOK, http.StatusNotFound)
	if err != nil {
		return false, err
	}
	drain(resp)
	return resp.StatusCode == http.StatusOK, nil
}

// startUpload opens an upload of digest. With from, the registry is asked to take the blob out of that repository: when it
// could, mounted is true and there is nothing more to do.
func (c *client) startUpload(ctx context.Context, digest v1.Hash, from string) (location *url.URL, mounted bool, err error) {
	ctx, _, release := watch(ctx, c.patience.stall)
	defer release()
	u := c.url("/blobs/uploads/")
	if from != "" {
		u.RawQuery = url.Values{"mount": {digest.String()}, "from": {from}}.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), nil)
	if err != nil {
		return nil, false, err
	}
	resp, err := c.do(req, http.StatusCreated, http.StatusAccepted)
	if err != nil {
		return nil, false, err
	}
	defer drain(resp)
	if resp.StatusCode == http.StatusCreated {
		return nil, true, nil
	}
	location, err = resp.Location()
	if err != nil {
		return nil, false, fmt.Errorf("reading the upload's address: %w", err)
	}
	return location, false, nil
}

// upload sends b to location in one request (OCI distribution specification, "POST then PUT"). sent hears of bytes.
func (c *client) upload(ctx context.Context, b blob, location *url.URL, sent func(n int)) error {
	ctx, dog, release := watch(ctx, c.patience.stall)
	defer release()
	query := location.Query()
	query.Set("digest", b.digest.String())
	location.RawQuery = query.Encode()

	body := func() (io.ReadCloser, error) {
		rc, err := b.open()
		if err != nil {
			return nil, &readError{err}
		}
		return &sentReader{rc, func(n int) { dog.touch(); sent(n) }}, nil
	}
	content, err := body()
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, location.String(), content)
	if err != nil {
		content.Close()
		return err
	}
	req.GetBody = body
	req.ContentLength = b.size
	if b.size == 0 {
		content.Close()
		req.Body = http.NoBody
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	resp, err := c.do(req, http.StatusCreated)
	if err != nil {
		return err
	}
	drain(resp)
	return nil
}

// sentReader tells of what was read and marks errors of reading as our own.
type sentReader struct {
	io.ReadCloser
	sent func(n int)
}

func (r *sentReader) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	r.sent(n)
	if err != nil && err != io.EOF {
		err = &readError{err}
	}
	return n, err
}
