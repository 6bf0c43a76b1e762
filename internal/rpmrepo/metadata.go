package rpmrepo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/slipway-build/slipway/internal/rpmrepo/repodata"
	"github.com/slipway-build/slipway/internal/rpmrepo/transfer"
)

// metadata is repomd.xml and where it came from.
type metadata struct {
	*repodata.Repomd
	sha256  string
	mirrors *mirrors
	// remembered says that it is the one that was seen last, because we are offline.
	remembered bool
}

// findRepomd gives repomd.xml as it is now; when fresh, whatever caches on the way hold. Offline it
// gives the last one that was seen.
func (s *site) findRepomd(ctx context.Context, fresh bool) (*metadata, error) {
	m, err := s.findMirrors(ctx, true)
	if _, offline := errors.AsType[*OfflineError](err); offline {
		return s.rememberedRepomd()
	}
	if err != nil {
		return nil, err
	}
	data, place, err := s.fetchSmall(ctx, transfer.Request{
		What: "repomd.xml", Places: m.places(repomdPath), Limit: maxRepomd, Fresh: fresh,
		Checked: len(m.versions) > 0 || s.config.RepoGPGCheck,
	}, func(data []byte, place string) error { return s.checkRepomd(ctx, m, data, place) })
	if err != nil {
		return nil, err
	}
	repomd, err := repodata.ParseRepomd(data)
	if err != nil {
		return nil, err
	}
	s.prefer(m.baseOf(place, repomdPath))
	if m, err = s.findMirrors(ctx, false); err != nil {
		return nil, err
	}
	if s.remote() && !s.client.Offline {
		if err := s.remember(data); err != nil {
			return nil, err
		}
	}
	return &metadata{Repomd: repomd, sha256: sha256Hex(data), mirrors: m}, nil
}

// remote says whether the repository is reached over the network.
func (s *site) remote() bool {
	places := append([]string{s.config.Metalink, s.config.MirrorList}, s.config.BaseURL...)
	return slices.ContainsFunc(places, func(p string) bool { return p != "" && isRemote(p) })
}

// checkRepomd looks at repomd.xml as a mirror has it: whether it is one at all, whether the metalink
// vouches for it, and whether it is signed.
func (s *site) checkRepomd(ctx context.Context, m *mirrors, data []byte, place string) error {
	if len(m.versions) > 0 {
		if err := vouched(m.versions, data, place); err != nil {
			return err
		}
	}
	if s.config.RepoGPGCheck {
		if err := s.checkSignature(ctx, data, place); err != nil {
			return err
		}
	}
	if _, err := repodata.ParseRepomd(data); err != nil {
		return fmt.Errorf("%s: %w", transfer.Redact(place), err)
	}
	return nil
}

// vouched checks repomd.xml against what the metalink says of it.
func vouched(versions []repodata.MetalinkVersion, data []byte, place string) error {
	var mismatch error
	for _, v := range versions {
		sum := v.Checksums[0]
		h, _ := repodata.NewHash(sum.Kind)
		h.Write(data)
		got := fmt.Sprintf("%x", h.Sum(nil))
		if got == sum.Hex {
			return nil
		}
		if mismatch == nil {
			mismatch = &ChecksumError{URL: transfer.Redact(place), Kind: sum.Kind, Want: sum.Hex, Got: got}
		}
	}
	return mismatch
}

// checkSignature fetches the detached signature that stands beside repomd.xml and verifies it.
func (s *site) checkSignature(ctx context.Context, data []byte, place string) error {
	signature, _, err := s.fetchSmall(ctx, transfer.Request{
		What: "the signature of repomd.xml", Places: []string{beside(place, ".asc")}, Limit: maxKeys, Fresh: true, Checked: true,
	}, nil)
	if err != nil {
		return &SignatureError{Repository: s.config.ID, File: "repomd.xml", Cause: err}
	}
	return s.verify(ctx, "repomd.xml", func(k *keys) error {
		_, err := k.ring.VerifyDetached(data, signature)
		return err
	})
}

// beside gives the place of the file whose name has something at its end.
func beside(place, end string) string {
	if !isRemote(place) {
		return place + end
	}
	path, query, ok := strings.Cut(place, "?")
	if ok {
		query = "?" + query
	}
	return path + end + query
}

// The documents that were seen last are in a folder of their own: they have names, not checksums,
// and the newest replaces the one before.
const rememberedKind = "remembered"

func (c *Client) rememberedPath(name string) string {
	return filepath.Join(c.Cache.Root(), rememberedKind, name)
}

func (c *Client) rememberAs(name string, data []byte) error {
	path := c.rememberedPath(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("storing %s: %w", name, err)
	}
	return renameio.WriteFile(path, data, 0o644)
}

func (s *site) remember(repomd []byte) error {
	return s.client.rememberAs("repomd-"+s.name, repomd)
}

func (s *site) rememberedRepomd() (*metadata, error) {
	missing := &OfflineError{What: "the metadata of repository " + s.config.ID}
	data, err := os.ReadFile(s.client.rememberedPath("repomd-" + s.name))
	if err != nil {
		return nil, missing
	}
	repomd, err := repodata.ParseRepomd(data)
	if err != nil {
		return nil, missing
	}
	return &metadata{Repomd: repomd, sha256: sha256Hex(data), mirrors: &mirrors{}, remembered: true}, nil
}
