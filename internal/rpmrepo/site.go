package rpmrepo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/rpmrepo/repodata"
	"github.com/slipway-build/slipway/internal/rpmrepo/transfer"
)

// site is a repository as a client reaches it.
type site struct {
	client  *Client
	config  Config
	name    string // of the site in the cache
	fetcher *transfer.Fetcher

	mu sync.Mutex
	// mirrors is nil until they are known.
	mirrors *mirrors
	keys    *keys
}

// mirrors are the places of a repository, best first.
type mirrors struct {
	bases []string
	// versions are the states of repomd.xml that a metalink vouches for; empty without one.
	versions []repodata.MetalinkVersion
}

// site gives the site of a configuration, the same for all that differ only in what is done with
// the packages.
func (c *Client) site(config Config) (*site, error) {
	// Two sites differ in all of this; what is kept on disk is named without the secrets in it.
	named := []string{config.ID, transfer.Redact(config.MirrorList), transfer.Redact(config.Metalink), fmt.Sprint(config.RepoGPGCheck)}
	for _, place := range slices.Concat(config.BaseURL, config.GPGKey) {
		named = append(named, transfer.Redact(place))
	}
	key := cache.Key(slices.Concat(named, config.BaseURL, config.GPGKey, config.Fingerprints, []string{
		config.MirrorList, config.Metalink, config.Username, string(config.Password),
		config.Proxy, config.ProxyUsername, string(config.ProxyPassword),
		config.SSLCACert, config.SSLClientCert, config.SSLClientKey, fmt.Sprint(config.SSLNoVerify),
	})...)
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.sites[key]; s != nil {
		return s, nil
	}
	s := &site{client: c, config: config, name: cache.Key(named...)}
	if err := s.connect(); err != nil {
		return nil, s.explain(err)
	}
	if c.sites == nil {
		c.sites = map[string]*site{}
	}
	c.sites[key] = s
	return s, nil
}

func (s *site) connect() error {
	c, config := s.client, &s.config
	connection := transfer.Connection{
		NoProxy: config.Proxy == NoProxy, CACert: config.SSLCACert,
		ClientCert: config.SSLClientCert, ClientKey: config.SSLClientKey, NoVerify: config.SSLNoVerify,
	}
	if config.Proxy != "" && config.Proxy != NoProxy {
		u, err := url.Parse(config.Proxy)
		if err != nil {
			return fmt.Errorf("the URL of the proxy is not valid")
		}
		if config.ProxyUsername != "" {
			u.User = url.UserPassword(config.ProxyUsername, string(config.ProxyPassword))
		}
		connection.Proxy = u
	}
	transport, err := transfer.NewTransport(c.transport(), connection)
	if err != nil {
		return err
	}
	version := c.Version
	if version == "" {
		version = "dev"
	}
	s.fetcher = &transfer.Fetcher{
		Client:    &http.Client{Transport: transport},
		UserAgent: "slipway/" + version,
		Username:  config.Username, Password: string(config.Password), Hosts: hosts(config),
		Stall: c.Stall, Attempts: c.Attempts, Offline: c.Offline, Blobs: c.Blobs, Log: c.Log,
	}
	return nil
}

// hosts are those that the configuration itself names: mirrors that somebody else lists do not get
// the repository's password.
func hosts(config *Config) []string {
	var out []string
	for _, place := range append([]string{config.MirrorList, config.Metalink}, config.BaseURL...) {
		if u, err := url.Parse(place); err == nil && u.Host != "" {
			out = append(out, u.Host)
		}
	}
	return out
}

// Bounds of small documents, in bytes.
const (
	maxMirrorDocument = 16 << 20
	maxRepomd         = 16 << 20
	maxKeys           = 4 << 20
)

// fetchSmall brings a document into memory. check, if any, sees it before it is accepted.
func (s *site) fetchSmall(ctx context.Context, r transfer.Request, check func(data []byte, place string) error) ([]byte, string, error) {
	var buf transfer.Buffer
	if check != nil {
		r.Check = func(place string) error { return check(buf.Bytes(), place) }
	}
	place, err := s.fetcher.Fetch(ctx, r, &buf)
	return buf.Bytes(), place, err
}

// findMirrors gives the places of the repository. They are asked for once; fresh asks again. Offline
// they are those on this machine.
func (s *site) findMirrors(ctx context.Context, fresh bool) (*mirrors, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mirrors != nil && !fresh {
		return s.mirrors, nil
	}
	m := &mirrors{bases: slices.Clone(s.config.BaseURL)}
	if s.client.Offline {
		m.bases = slices.DeleteFunc(m.bases, isRemote)
		if len(m.bases) == 0 {
			return nil, &OfflineError{What: "the metadata of repository " + s.config.ID}
		}
		return m, nil
	}
	switch {
	case s.config.Metalink != "":
		if err := s.addMetalink(ctx, m); err != nil {
			return nil, err
		}
	case s.config.MirrorList != "":
		if err := s.addMirrorList(ctx, m); err != nil {
			return nil, err
		}
	}
	if len(m.bases) == 0 {
		return nil, fmt.Errorf("no mirror of it is known")
	}
	s.mirrors = m
	return m, nil
}

const repomdPath = "repodata/repomd.xml"

func (s *site) addMetalink(ctx context.Context, m *mirrors) error {
	data, _, err := s.fetchSmall(ctx, transfer.Request{
		What: "the metalink", Places: []string{s.config.Metalink}, Limit: maxMirrorDocument,
	}, nil)
	if err != nil {
		return err
	}
	return m.metalink(data)
}

func (m *mirrors) metalink(data []byte) error {
	link, err := repodata.ParseMetalink(data, "repomd.xml")
	if err != nil {
		return err
	}
	m.versions = link.Versions
	for _, u := range link.URLs {
		if base, ok := strings.CutSuffix(u, repomdPath); ok {
			m.bases = append(m.bases, base)
		}
	}
	return nil
}

// addMirrorList reads a list of URLs. As with dnf, it may also turn out to be a metalink. Where
// there are other places it may be missing.
func (s *site) addMirrorList(ctx context.Context, m *mirrors) error {
	data, _, err := s.fetchSmall(ctx, transfer.Request{
		What: "the mirror list", Places: []string{s.config.MirrorList}, Limit: maxMirrorDocument,
	}, nil)
	if err != nil {
		if len(m.bases) > 0 && ctx.Err() == nil {
			s.client.debug(ctx, "mirror list cannot be had", "repository", s.config.ID, "error", err)
			return nil
		}
		return err
	}
	if strings.HasPrefix(strings.TrimSpace(string(data)), "<") {
		return m.metalink(data)
	}
	urls, err := repodata.ParseMirrorList(data)
	m.bases = append(m.bases, urls...)
	return err
}

// prefer puts the place that just served well first.
func (s *site) prefer(base string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mirrors == nil || s.mirrors.bases[0] == base {
		return
	}
	if i := slices.Index(s.mirrors.bases, base); i > 0 {
		bases := slices.Delete(slices.Clone(s.mirrors.bases), i, i+1)
		s.mirrors = &mirrors{bases: slices.Insert(bases, 0, base), versions: s.mirrors.versions}
	}
}

// places gives where a file of the repository is, for each mirror. A location that is a whole URL
// (from an xml:base) is the only place; it leads to this machine's files only from a repository that
// is on this machine itself.
func (m *mirrors) places(location string) []string {
	if !strings.Contains(location, "://") {
		out := make([]string, len(m.bases))
		for i, base := range m.bases {
			out[i] = join(base, location)
		}
		return out
	}
	if _, remote, err := transfer.Local(location); err == nil && !remote && slices.ContainsFunc(m.bases, isRemote) {
		return nil
	}
	return []string{location}
}

func isRemote(place string) bool {
	_, remote, err := transfer.Local(place)
	return remote || err != nil
}

// join puts a path below a base, which is a URL, perhaps with a query, or a path.
func join(base, location string) string {
	if path, remote, err := transfer.Local(base); err == nil && !remote {
		return filepath.Join(path, filepath.FromSlash(location))
	}
	base, query, ok := strings.Cut(base, "?")
	base = strings.TrimSuffix(base, "/") + "/" + location
	if ok {
		base += "?" + query
	}
	return base
}

// baseOf tells which mirror a place belongs to.
func (m *mirrors) baseOf(place, location string) string {
	for _, base := range m.bases {
		if join(base, location) == place {
			return base
		}
	}
	return ""
}

func sha256Hex(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }
