package rpmrepo_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/slipway-build/slipway/internal/progress"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/internal/rpmrepo"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
)

// signed makes a repository of signed packages and the configuration that checks them.
func signed(t testing.TB) (dir string, config rpmrepo.Config, signer *rpmwrite.Signer) {
	t.Helper()
	signer = key(t)
	dir = repository(t, signer, repowrite.Options{})
	config = rpmrepo.DefaultConfig("test", dir)
	config.GPGKey = []string{keyFile(t, signer)}
	return dir, config, signer
}

// artifacts gives all packages of a repository, as reached through config.
func artifacts(t testing.TB, dir string, config rpmrepo.Config) (out []rpmrepo.Artifact) {
	t.Helper()
	r := load(t, client(t), rpmrepo.DefaultConfig(config.ID, dir))
	for i := range r.All() {
		a := r.Artifact(i)
		a.Config = config
		out = append(out, a)
	}
	return out
}

// fetched fetches and compares with the originals.
func fetched(t testing.TB, c *rpmrepo.Client, dir string, wanted []rpmrepo.Artifact) []string {
	t.Helper()
	paths, err := c.Fetch(t.Context(), wanted)
	if err != nil {
		t.Fatal(err)
	}
	if len(paths) != len(wanted) {
		t.Fatalf("%d paths for %d artifacts", len(paths), len(wanted))
	}
	for i, a := range wanted {
		if !bytes.Equal(read(t, paths[i]), read(t, filepath.Join(dir, a.Location))) {
			t.Errorf("%s is not what the repository has", paths[i])
		}
	}
	return paths
}

// fetchFails wants an error of a type.
func fetchFails[E error](t *testing.T, c *rpmrepo.Client, wanted []rpmrepo.Artifact) E {
	t.Helper()
	paths, err := c.Fetch(t.Context(), wanted)
	e, ok := errors.AsType[E](err)
	if !ok {
		t.Fatalf("got %v, %T: %v", paths, err, err)
	}
	return e
}

func TestFetch(t *testing.T) {
	dir, config, _ := signed(t)
	s := serve(t, dir)
	for _, base := range []string{dir, "file://" + dir, s.URL} {
		config.BaseURL = []string{base}
		fetched(t, client(t), dir, artifacts(t, dir, config))
	}
	// What is in the cache is not fetched again.
	c := client(t)
	wanted := artifacts(t, dir, config)
	fetched(t, c, dir, wanted)
	before := s.times(".rpm")
	fetched(t, c, dir, wanted)
	if after := s.times(".rpm"); after != before {
		t.Errorf("%d packages were fetched again", after-before)
	}
	// Not even when it is asked for twice.
	c = client(t)
	before = s.times(".rpm")
	fetched(t, c, dir, append(wanted, wanted...))
	if after := s.times(".rpm"); after != before+len(wanted) {
		t.Errorf("%d packages were fetched, not %d", after-before, len(wanted))
	}
}

// meter adds up what it is told.
type meter struct {
	mu    sync.Mutex
	total map[string]int64
	done  map[string]int64
}

func (m *meter) Start(name string, total int64, unit progress.Unit) progress.Task {
	m.mu.Lock()
	defer m.mu.Unlock()
	if unit == progress.Bytes {
		m.total[name] = total
	}
	return &metered{m, name}
}

type metered struct {
	*meter
	name string
}

func (m *metered) Add(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.done[m.name] += n
}

func (m *metered) Done(error) {}

func TestFetchProgress(t *testing.T) {
	dir, config, _ := signed(t)
	config.BaseURL = []string{serve(t, dir).URL}
	c := client(t)
	m := &meter{total: map[string]int64{}, done: map[string]int64{}}
	c.Progress = m
	load(t, c, config)
	wanted := artifacts(t, dir, config)
	fetched(t, c, dir, wanted)
	sum := int64(0)
	for _, a := range wanted {
		sum += a.Size
	}
	if m.total["downloading packages"] != sum || m.done["downloading packages"] != sum {
		t.Errorf("progress is %d of %d, not %d", m.done["downloading packages"], m.total["downloading packages"], sum)
	}
	const primary = "primary metadata of repository test"
	if m.total[primary] == 0 || m.done[primary] != m.total[primary] {
		t.Errorf("progress is %d of %d", m.done[primary], m.total[primary])
	}
}

// A damaged package in the cache is fetched again.
func TestFetchDamagedCache(t *testing.T) {
	dir, config, _ := signed(t)
	c := client(t)
	wanted := artifacts(t, dir, config)
	paths := fetched(t, c, dir, wanted)
	flip(t, paths[0])
	cut(t, paths[1])
	write(t, paths[2], nil)
	fetched(t, c, dir, wanted)
}

// What is known to be whole is not read again, unless something was done to it, even in a way that
// leaves its size and its time of modification.
func TestFetchDamagedBehindOurBack(t *testing.T) {
	dir, config, _ := signed(t)
	c := client(t)
	wanted := artifacts(t, dir, config)
	paths := fetched(t, c, dir, wanted)
	for range 2 { // the first looks and notes, once the file's times tell more than a moment
		for _, path := range paths {
			st, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Until(st.ModTime().Add(time.Second / 4)))
		}
		fetched(t, c, dir, wanted)
	}
	st, err := os.Stat(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	flip(t, paths[0])
	if err := os.Chtimes(paths[0], st.ModTime(), st.ModTime()); err != nil {
		t.Fatal(err)
	}
	fetched(t, c, dir, wanted)
}

// A file of this machine that changes later does not change what was fetched.
func TestFetchSourceChanges(t *testing.T) {
	dir, config, _ := signed(t)
	c := client(t)
	wanted := artifacts(t, dir, config)
	paths := fetched(t, c, dir, wanted)
	for i, a := range wanted {
		good := read(t, paths[i])
		f, err := os.OpenFile(filepath.Join(dir, a.Location), os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("other bytes"), 0); err != nil {
			t.Fatal(err)
		}
		f.Close()
		if !bytes.Equal(read(t, paths[i]), good) {
			t.Error("the cache shares the file")
		}
	}
	if err := fetchFails[*rpmrepo.TransferError](t, client(t), wanted); !strings.Contains(err.Error(), "of repository test") {
		t.Error(err)
	}
}

func TestFetchDamaged(t *testing.T) {
	for name, damage := range map[string]func(*testing.T, string){"flipped": flip, "cut": cut} {
		t.Run(name, func(t *testing.T) {
			dir, config, _ := signed(t)
			wanted := artifacts(t, dir, config)
			damage(t, filepath.Join(dir, wanted[1].Location))
			err := fetchFails[*rpmrepo.ChecksumError](t, client(t), wanted)
			if !strings.Contains(err.URL, wanted[1].Location) {
				t.Error(err)
			}
		})
	}
}

func TestFetchSignatures(t *testing.T) {
	dir, config, _ := signed(t)
	unsigned := repository(t, nil, repowrite.Options{})
	mallory := key(t)
	forged := repository(t, mallory, repowrite.Options{})

	with := func(base string) rpmrepo.Config {
		c := config
		c.BaseURL = []string{base}
		return c
	}
	for name, test := range map[string]struct {
		dir     string
		problem rpm.SignatureProblem
	}{"unsigned": {unsigned, rpm.Unsigned}, "unknown key": {forged, rpm.UnknownKey}} {
		wanted := artifacts(t, test.dir, with(test.dir))
		err := fetchFails[*rpmrepo.SignatureError](t, client(t), wanted)
		cause, ok := errors.AsType[*rpm.SignatureError](err)
		if !ok || cause.Problem != test.problem || err.Repository != "test" || !strings.HasSuffix(err.File, ".rpm") {
			t.Errorf("%s: %v", name, err)
		}

		// Without the check it is taken; what was taken so is still refused with it.
		c := client(t)
		unchecked := with(test.dir)
		unchecked.GPGCheck = false
		fetched(t, c, test.dir, artifacts(t, test.dir, unchecked))
		fetchFails[*rpmrepo.SignatureError](t, c, wanted)
	}
	// Several keys: any will do.
	both := with(forged)
	both.GPGKey = append(both.GPGKey, keyFile(t, mallory))
	fetched(t, client(t), forged, artifacts(t, forged, both))

	config.GPGKey = nil
	if _, err := client(t).Fetch(t.Context(), artifacts(t, dir, config)); err == nil || !strings.Contains(err.Error(), "no gpgkey") {
		t.Errorf("got %v", err)
	}
	config.GPGKey = []string{filepath.Join(dir, "no-such-key")}
	fetchFails[*rpmrepo.NotFoundError](t, client(t), artifacts(t, dir, config))
}

// A key file of a distribution is there on every machine; one that we do not ship says what to do.
func TestFetchShippedKey(t *testing.T) {
	dir, config, _ := signed(t)
	config.GPGKey = []string{"file:///etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-43-x86_64"}
	err := fetchFails[*rpmrepo.SignatureError](t, client(t), artifacts(t, dir, config))
	if cause, ok := errors.AsType[*rpm.SignatureError](err); !ok || cause.Problem != rpm.UnknownKey {
		t.Errorf("got %v", err)
	}
	config.GPGKey = []string{"file:///etc/pki/rpm-gpg/RPM-GPG-KEY-hobbyists"}
	if _, err := client(t).Fetch(t.Context(), artifacts(t, dir, config)); err == nil ||
		!strings.Contains(err.Error(), "fedora-43") || !strings.Contains(err.Error(), "gpgkey must name") {
		t.Errorf("got %v", err)
	}
}

// Of the keys of a repository only those that are pinned are trusted.
func TestFetchPinnedKey(t *testing.T) {
	dir, config, signer := signed(t)
	other := key(t)
	both := filepath.Join(t.TempDir(), "keys")
	write(t, both, bytes.Join([][]byte{other.PublicKey(), signer.PublicKey()}, []byte("\n")))
	ring, err := rpm.ParseKeys(read(t, both))
	if err != nil {
		t.Fatal(err)
	}
	config.GPGKey = []string{both}
	theirs, ours := ring.Keys()[0].Fingerprint, ring.Keys()[1].Fingerprint

	config.Fingerprints = []string{ours}
	fetched(t, client(t), dir, artifacts(t, dir, config))
	config.Fingerprints = []string{theirs}
	if err := fetchFails[*rpmrepo.SignatureError](t, client(t), artifacts(t, dir, config)); !strings.Contains(err.Error(), "not among the trusted keys") {
		t.Errorf("got %v", err)
	}
	config.Fingerprints = []string{strings.Repeat("ab", 20)}
	if _, err := client(t).Fetch(t.Context(), artifacts(t, dir, config)); err == nil || !strings.Contains(err.Error(), ours) {
		t.Errorf("got %v", err)
	}
}

// A key over the network is remembered, and fetched again when it does not do any more.
func TestFetchKeyRotation(t *testing.T) {
	dir, config, first := signed(t)
	second := key(t)
	renewed := repository(t, second, repowrite.Options{})
	s := serve(t, t.TempDir())
	s.on("key.asc", content(first.PublicKey()))
	config.GPGKey = []string{s.URL + "/key.asc"}

	root := filepath.Join(t.TempDir(), "cache")
	fetched(t, clientAt(t, root), dir, artifacts(t, dir, config))
	fetched(t, clientAt(t, root), dir, artifacts(t, dir, config))
	if n := s.times("key.asc"); n != 1 {
		t.Errorf("the key was fetched %d times", n)
	}
	s.on("key.asc", content(second.PublicKey()))
	config.BaseURL = []string{renewed}
	wanted := artifacts(t, renewed, config)
	offline := clientAt(t, root)
	offline.Offline = true
	fetchFails[*rpmrepo.SignatureError](t, offline, wanted)
	fetched(t, clientAt(t, root), renewed, wanted)
	if n := s.times("key.asc"); n != 2 {
		t.Errorf("the key was fetched %d times", n)
	}
	s.on("key.asc", html)
	config.GPGKey = []string{s.URL + "/other/key.asc"}
	fetchFails[*rpmrepo.ContentError](t, client(t), artifacts(t, renewed, config))
}

// Servers that misbehave are left for the next mirror, and named when there is none.
func TestFetchMirrors(t *testing.T) {
	dir, config, _ := signed(t)
	good := serve(t, dir)
	wanted := artifacts(t, dir, config)
	for name, test := range map[string]struct {
		h    http.HandlerFunc
		want string
	}{
		"missing":   {status(404), "does not exist"},
		"forbidden": {status(403), "403 Forbidden"},
		"broken":    {status(500), "500 Internal Server Error"},
		"html":      {html, "HTML page"},
		"text":      {content([]byte("hello")), "its size is 5"},
		"loops":     {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path, http.StatusFound) }, "redirects"},
		"hangs":     {func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "sent nothing"},
		"not an RPM": {func(w http.ResponseWriter, r *http.Request) {
			w.Write(bytes.Repeat([]byte("x"), 2000))
		}, "not an RPM package"},
	} {
		t.Run(name, func(t *testing.T) {
			bad := serve(t, dir)
			bad.on(".rpm", test.h)
			with := func(bases ...string) []rpmrepo.Artifact {
				out := append([]rpmrepo.Artifact(nil), wanted...)
				for i := range out {
					out[i].Config.BaseURL = bases
					if name == "not an RPM" {
						out[i].Size = 0
					}
				}
				return out
			}
			c := client(t)
			if name == "hangs" {
				c.Stall, c.Attempts = 200*time.Millisecond, 10
			}
			fetched(t, c, dir, with(bad.URL, good.URL))
			c = client(t)
			if name == "hangs" {
				c.Stall = 200 * time.Millisecond
			}
			if err := fetchFails[*rpmrepo.TransferError](t, c, with(bad.URL)); !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %s", err, test.want)
			}
		})
	}
}

// A transfer that breaks goes on where it stopped.
func TestFetchResumes(t *testing.T) {
	dir, config, _ := signed(t)
	s := serve(t, dir)
	config.BaseURL = []string{s.URL}
	wanted := artifacts(t, dir, config)[:1]
	if wanted[0].Size < 400_000 {
		t.Fatalf("the package is too small: %d bytes", wanted[0].Size)
	}
	data := read(t, filepath.Join(dir, wanted[0].Location))
	var broke, resumed atomic.Bool
	s.on(".rpm", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		if broke.CompareAndSwap(false, true) {
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			w.Write(data[:300_000])
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
		resumed.Store(r.Header.Get("Range") != "")
		content(data)(w, r)
	})
	c := client(t)
	c.Attempts = 2
	fetched(t, c, dir, wanted)
	if !resumed.Load() {
		t.Error("everything was fetched again")
	}
}

func TestFetchOffline(t *testing.T) {
	dir, config, _ := signed(t)
	s := serve(t, dir)
	config.BaseURL = []string{s.URL}
	wanted := artifacts(t, dir, config)
	online := client(t)
	fetched(t, online, dir, wanted[:2])

	c := clientAt(t, online.Cache.Root())
	c.Offline = true
	fetched(t, c, dir, wanted[:2])
	err := fetchFails[*rpmrepo.OfflineError](t, c, wanted)
	if name := filepath.Base(wanted[2].Location); !strings.Contains(err.Error(), name) {
		t.Errorf("%v does not name %s", err, name)
	}
	for i := range wanted {
		wanted[i].Config.BaseURL = []string{s.URL, dir}
	}
	fetched(t, c, dir, wanted)
}

func TestFetchRefuses(t *testing.T) {
	dir, config, _ := signed(t)
	good := artifacts(t, dir, config)[0]
	for _, spoil := range []func(*rpmrepo.Artifact){
		func(a *rpmrepo.Artifact) { a.SHA256 = "" },
		func(a *rpmrepo.Artifact) { a.SHA256 = strings.ToUpper(a.SHA256) },
		func(a *rpmrepo.Artifact) { a.SHA256 = "../" + a.SHA256[3:] },
		func(a *rpmrepo.Artifact) { a.Location = "../x.rpm" },
		func(a *rpmrepo.Artifact) { a.Location = "/etc/passwd" },
		func(a *rpmrepo.Artifact) { a.Location = "" },
		func(a *rpmrepo.Artifact) { a.Config.BaseURL = nil },
	} {
		a := good
		spoil(&a)
		if _, err := client(t).Fetch(t.Context(), []rpmrepo.Artifact{a}); err == nil {
			t.Errorf("%+v was fetched", a)
		}
	}
	if paths, err := client(t).Fetch(t.Context(), nil); len(paths) != 0 || err != nil {
		t.Error(paths, err)
	}
}

// The first error ends all downloads.
func TestFetchStopsAtError(t *testing.T) {
	dir, config, _ := signed(t)
	s := serve(t, dir)
	config.BaseURL = []string{s.URL}
	wanted := artifacts(t, dir, config)
	s.on(".rpm", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	s.on(filepath.Base(wanted[0].Location), status(404))
	fetchFails[*rpmrepo.NotFoundError](t, client(t), wanted)
}

// Proxy, certificates, password and User-Agent reach the server as configured.
func TestFetchConnection(t *testing.T) {
	dir, config, _ := signed(t)
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ada" || password != "hunter2" {
			w.WriteHeader(401)
			return
		}
		if r.UserAgent() != "slipway/1.2.3" {
			t.Errorf("User-Agent is %s", r.UserAgent())
		}
		http.FileServer(http.Dir(dir)).ServeHTTP(w, r)
	}))
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	config.BaseURL = []string{secure.URL}
	version := func() *rpmrepo.Client {
		c := client(t)
		c.Version = "1.2.3"
		return c
	}
	wanted := func() []rpmrepo.Artifact { return artifacts(t, dir, config) }

	if err := fetchFails[*rpmrepo.TransferError](t, version(), wanted()); !strings.Contains(err.Error(), "certificate") {
		t.Error(err)
	}
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, certificatePEM(secure.Certificate().Raw))
	config.SSLCACert = ca
	err := fetchFails[*rpmrepo.StatusError](t, version(), wanted())
	if err.Code != 401 {
		t.Error(err)
	}
	config.Username, config.Password = "ada", "hunter3"
	if _, err := version().Fetch(t.Context(), wanted()); err == nil || strings.Contains(err.Error(), "hunter3") {
		t.Errorf("got %v", err)
	}
	config.Password = "hunter2"
	fetched(t, version(), dir, wanted())
	config.SSLCACert, config.SSLNoVerify = "", true
	fetched(t, version(), dir, wanted())

	config.SSLCACert = filepath.Join(dir, "none.pem")
	if _, err := version().Fetch(t.Context(), wanted()); err == nil || !strings.Contains(err.Error(), "CA certificates") {
		t.Errorf("got %v", err)
	}
	write(t, config.SSLCACert, []byte("nothing"))
	if _, err := version().Fetch(t.Context(), wanted()); err == nil || !strings.Contains(err.Error(), "no PEM certificate") {
		t.Errorf("got %v", err)
	}
	config.SSLCACert, config.SSLClientCert = "", config.SSLCACert
	if _, err := version().Fetch(t.Context(), wanted()); err == nil || !strings.Contains(err.Error(), "client certificate") {
		t.Errorf("got %v", err)
	}
}

func TestFetchProxy(t *testing.T) {
	dir, config, _ := signed(t)
	var asked atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Proxy-Authorization") == "" {
			w.WriteHeader(407)
			return
		}
		http.FileServer(http.Dir(dir)).ServeHTTP(w, r)
	}))
	t.Cleanup(proxy.Close)
	config.BaseURL = []string{"http://repository.example.org/"}
	config.Proxy = proxy.URL
	err := fetchFails[*rpmrepo.StatusError](t, client(t), artifacts(t, dir, config))
	if err.Code != 407 || !strings.Contains(err.Error(), "proxy_username") {
		t.Error(err)
	}
	config.ProxyUsername, config.ProxyPassword = "bob", "hunter2"
	fetched(t, client(t), dir, artifacts(t, dir, config))

	// _none_ overrides what the program's transport would do.
	s := serve(t, dir)
	c := client(t)
	c.Transport = &http.Transport{Proxy: func(*http.Request) (*url.URL, error) { return url.Parse(proxy.URL) }}
	config.BaseURL, config.Proxy = []string{s.URL}, rpmrepo.NoProxy
	before := asked.Load()
	fetched(t, c, dir, artifacts(t, dir, config))
	if asked.Load() != before {
		t.Error("the proxy was asked")
	}
	c = client(t)
	c.Transport = roundTripper{}
	if _, err := c.Fetch(t.Context(), artifacts(t, dir, config)); err == nil || !strings.Contains(err.Error(), "transport") {
		t.Errorf("got %v", err)
	}
}

type roundTripper struct{}

func (roundTripper) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, errors.New("not to be used")
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// As many packages as the client allows come at the same time, and no more.
func TestFetchParallel(t *testing.T) {
	dir, config, _ := signed(t)
	s := serve(t, dir)
	wanted := artifacts(t, dir, config)
	for i := range wanted {
		wanted[i].Config.BaseURL = []string{s.URL}
	}
	var now, most atomic.Int64
	both := make(chan struct{})
	var two sync.Once
	s.on(".rpm", func(w http.ResponseWriter, r *http.Request) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		if n == 2 {
			two.Do(func() { close(both) })
		}
		select { // until there are two
		case <-both:
		case <-r.Context().Done():
		}
		http.ServeFile(w, r, filepath.Join(dir, r.URL.Path))
	})
	c := client(t)
	c.Parallel = 2
	fetched(t, c, dir, wanted)
	if most.Load() != 2 {
		t.Errorf("%d came at the same time", most.Load())
	}
}
