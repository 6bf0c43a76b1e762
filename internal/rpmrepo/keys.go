package rpmrepo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo/transfer"
)

// keys are the OpenPGP keys of a repository.
type keys struct {
	ring rpm.Keyring
	// id is a hash of the keys: what was verified with some need not be verified again.
	id string
	// fetched says that they come from where the configuration says, just now, and not from what we
	// remember.
	fetched bool
}

// verify runs a check with the repository's keys. Keys over the network are remembered; only when
// they do not do are they fetched again, since their owner may have renewed them.
func (s *site) verify(ctx context.Context, file string, check func(*keys) error) error {
	wrap := func(err error) error {
		return &SignatureError{Repository: s.config.ID, File: file, Cause: err}
	}
	k, err := s.loadKeys(ctx, false)
	if err != nil {
		return err
	}
	err = check(k)
	if err == nil {
		return nil
	}
	if bad, ok := errors.AsType[*rpm.SignatureError](err); !ok || k.fetched || s.client.Offline ||
		bad.Problem != rpm.UnknownKey && bad.Problem != rpm.ExpiredKey {
		return wrap(err)
	}
	if k, err = s.loadKeys(ctx, true); err != nil {
		return err
	}
	if err := check(k); err != nil {
		return wrap(err)
	}
	return nil
}

// loadKeys reads the keys of the repository, once; again when they are to be fresh.
func (s *site) loadKeys(ctx context.Context, fresh bool) (*keys, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys != nil && (!fresh || s.keys.fetched) {
		return s.keys, nil
	}
	if len(s.config.GPGKey) == 0 {
		return nil, fmt.Errorf("repository %s wants signatures (gpgcheck or repo_gpgcheck) but names no gpgkey to check them with", s.config.ID)
	}
	k := &keys{fetched: true}
	var parts []string
	for _, place := range s.config.GPGKey {
		data, fetched, err := s.oneKey(ctx, place, fresh)
		if _, missing := errors.AsType[*NotFoundError](err); missing && !isRemote(place) {
			return nil, fmt.Errorf("reading a key of repository %s: %w; Slipway has keys of its own for files of that kind of %s, of others gpgkey must name the URL or a file that is there",
				s.config.ID, err, shippedReleases())
		} else if err != nil {
			return nil, fmt.Errorf("reading a key of repository %s: %w", s.config.ID, err)
		}
		ring, err := rpm.ParseKeys(data)
		if err != nil {
			return nil, fmt.Errorf("reading key %s of repository %s: %w", transfer.Redact(place), s.config.ID, err)
		}
		k.ring = k.ring.Merge(ring)
		k.fetched = k.fetched && fetched
		parts = append(parts, string(data))
	}
	if err := s.pin(k); err != nil {
		return nil, err
	}
	k.id = cache.Key(slices.Concat(parts, s.config.Fingerprints)...)
	s.keys = k
	return k, nil
}

// pin leaves the keys that the configuration pins, where it does.
func (s *site) pin(k *keys) error {
	if len(s.config.Fingerprints) == 0 {
		return nil
	}
	pinned := k.ring.Only(s.config.Fingerprints...)
	if len(pinned.Keys()) == 0 {
		var there []string
		for _, key := range k.ring.Keys() {
			there = append(there, key.Fingerprint)
		}
		return fmt.Errorf("the keys of repository %s are %s, none of which its fingerprints name (%s): if its owner has a new key, check it and pin that",
			s.config.ID, strings.Join(there, ", "), strings.Join(s.config.Fingerprints, ", "))
	}
	k.ring = pinned
	return nil
}

// oneKey gives one file of keys: the remembered one if there is and that will do, and for a file
// that this machine lacks the one that we ship.
func (s *site) oneKey(ctx context.Context, place string, fresh bool) (data []byte, fetched bool, err error) {
	name := "key-" + cache.Key(place)
	if isRemote(place) && !fresh {
		if data, err := os.ReadFile(s.client.rememberedPath(name)); err == nil {
			if _, err := rpm.ParseKeys(data); err == nil {
				return data, false, nil
			}
		}
	}
	if file, remote, err := transfer.Local(place); err == nil && !remote {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			if data := shippedKey(file); data != nil {
				return data, true, nil
			}
		}
	}
	data, _, err = s.fetchSmall(ctx, transfer.Request{
		What: "gpgkey " + transfer.Redact(place), Places: []string{place}, Limit: maxKeys, Fresh: fresh,
	}, nil)
	if err != nil {
		return nil, false, err
	}
	if _, err := rpm.ParseKeys(data); err == nil && isRemote(place) {
		if err := s.client.rememberAs(name, data); err != nil {
			return nil, false, err
		}
	}
	return data, true, nil
}

// KeyIDs are the keys by which a repository's packages are signed: the last eight digits of each ID in
// lowercase hex, as build systems name folders of signed copies, in the order of the configuration.
func (c *Client) KeyIDs(ctx context.Context, config Config) ([]string, error) {
	if len(config.GPGKey) == 0 {
		return nil, nil
	}
	s, err := c.site(config)
	if err != nil {
		return nil, err
	}
	k, err := s.loadKeys(ctx, false)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, key := range k.ring.Keys() {
		id := strings.ToLower(key.ID)
		ids = append(ids, id[max(0, len(id)-8):])
	}
	return ids, nil
}
