package release_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/release"
)

// shop serves files that no repository of packages has.
func (w *world) shop(files map[string][]byte) (address string) {
	w.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		data, ok := files[path.Base(r.URL.Path)]
		if !ok {
			http.NotFound(rw, r)
			return
		}
		_, _ = rw.Write(data)
	}))
	w.Cleanup(server.Close)
	return server.URL
}

func sum(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

// tarOf makes a compressed tar of headers and contents.
func tarOf(t *testing.T, entries ...any) []byte {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	w := tar.NewWriter(z)
	for _, e := range entries {
		switch e := e.(type) {
		case tar.Header:
			if e.Typeflag == 0 {
				e.Typeflag = tar.TypeReg
			}
			if err := w.WriteHeader(&e); err != nil {
				t.Fatal(err)
			}
		case string:
			if _, err := w.Write([]byte(e)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := errors.Join(w.Close(), z.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func zipOf(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		f, err := w.Create(name)
		if err == nil {
			_, err = f.Write([]byte(files[name]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// except adds an exception to the configuration's text, with a checksum put in for SUM.
func except(text, address string, data []byte, entry string) string {
	return text + "  - {" + strings.NewReplacer("URL", address, "SUM", sum(data)).Replace(entry) + ", reason: there is no package, expires: 2026-01-20}\n"
}

// TestExceptionFiles holds that files and archives come into the image, and that it says so.
func TestExceptionFiles(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	client := []byte("#!/bin/sh\n")
	tarball := tarOf(t, tar.Header{Name: "oc-4/", Typeflag: tar.TypeDir, Mode: 0o700}, tar.Header{Name: "oc-4/bin/oc", Size: 2, Mode: 0o4711, Uid: 7}, "oc",
		tar.Header{Name: "oc-4/bin/kubectl", Typeflag: tar.TypeLink, Linkname: "oc-4/bin/oc"}, tar.Header{Name: "oc-4/README", Size: 1, Mode: 0o600}, "x",
		tar.Header{Name: "oc-4/bin/client", Typeflag: tar.TypeSymlink, Linkname: "../bin/oc"})
	zipped := zipOf(t, map[string]string{"fonts/a.ttf": "a", "fonts/b/c.ttf": "c"})
	shop := w.shop(map[string][]byte{"client": client, "oc.tar.gz": tarball, "fonts.zip": zipped})
	text := except(plain, shop+"/client", client, `name: client, images: [web], file: {url: "URL", sha256: SUM, to: /usr/bin/client, mode: "0755"}`)
	text = except(text, shop+"/oc.tar.gz", tarball, `name: oc, images: [web], archive: {url: "URL", sha256: SUM, to: /opt/oc, strip: 1, only: [bin]}`)
	text = except(text, shop+"/fonts.zip", zipped, `name: fonts, images: [web], archive: {url: "URL", sha256: SUM, to: /usr/share/fonts}`)
	w.write("slipway.yaml", text)
	w.load()
	b := w.build("stg")
	w.expect("files", slices.DeleteFunc(w.files(b.Snapshot, "web"), func(line string) bool { return strings.HasSuffix(line, "/") }),
		"0777 0:0 opt/oc/bin/client ../bin/oc", "0755 0:0 opt/oc/bin/kubectl oc", "0755 0:0 opt/oc/bin/oc oc",
		"0755 0:0 usr/bin/client #!/bin/sh", "0644 0:0 usr/bin/run.sh #!/bin/sh", "0644 0:0 usr/share/fonts/fonts/a.ttf a", "0644 0:0 usr/share/fonts/fonts/b/c.ttf c")
	img, _ := b.Snapshot.Image("web")
	pulled, err := registry.Pull(t.Context(), w.p.Registry.Address+"/web@"+img.Digest, registry.Options{})
	w.ok(err)
	m, err := pulled.Manifest()
	w.ok(err)
	if got := m.Annotations["build.slipway.exception.client"]; got != "file "+shop+"/client sha256:"+sum(client)+": there is no package" {
		t.Errorf("annotation: %q", got)
	}
	if got := m.Annotations["build.slipway.exception.tiny"]; got != "unsigned packages of repository tiny: made for tests" {
		t.Errorf("annotation: %q", got)
	}

	// Another machine takes the same bytes or none.
	w.forgetCache()
	w.write("slipway.yaml", strings.Replace(text, sum(client), sum(zipped), 1))
	w.load()
	if _, err := w.tryBuild("stg"); err == nil || !strings.Contains(err.Error(), "exception client: ") || !strings.Contains(err.Error(), "sha256") {
		t.Errorf("another file: %v", err)
	}
}

// TestHostileArchives holds that nothing of an archive gets out of its folder.
func TestHostileArchives(t *testing.T) {
	t.Parallel()
	link := func(to string) tar.Header { return tar.Header{Name: "a", Typeflag: tar.TypeSymlink, Linkname: to} }
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"up":            {tarOf(t, tar.Header{Name: "../x", Size: 1}, "x"), "leaves the archive"},
		"absolute":      {tarOf(t, tar.Header{Name: "/etc/x", Size: 1}, "x"), "leaves the archive"},
		"link up":       {tarOf(t, link("../../etc")), "leaves the archive"},
		"absolute link": {tarOf(t, link("/etc")), "leaves the archive"},
		"below a link":  {tarOf(t, tar.Header{Name: "b/c", Size: 1}, "x", link("b"), tar.Header{Name: "a/x", Size: 1}, "x"), "is no folder"},
		"device":        {tarOf(t, tar.Header{Name: "a", Typeflag: tar.TypeChar, Devmajor: 1}), "neither a file"},
		"hard link":     {tarOf(t, tar.Header{Name: "a", Typeflag: tar.TypeLink, Linkname: "../../etc/shadow"}), "leaves the archive"},
		"hard link out": {tarOf(t, tar.Header{Name: "a", Typeflag: tar.TypeLink, Linkname: "etc/shadow"}), "no file before it"},
		"zip up":        {zipOf(t, map[string]string{"../x": "x"}), "leaves the archive"},
		"control":       {tarOf(t, tar.Header{Name: "a\x1b[2J", Size: 1}, "x"), "leaves the archive"},
		"no archive":    {[]byte("hello, this is a text that is no archive"), "no tar or zip archive"},
		"short":         {[]byte("x"), "it is no archive"},
		"empty":         {tarOf(t), "nothing of it is taken"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, plain)
			w.write("slipway.yaml", except(plain, w.shop(map[string][]byte{"x": tt.data})+"/x", tt.data, `name: x, images: [web], archive: {url: "URL", sha256: SUM, to: /opt}`))
			w.load()
			if _, err := w.tryBuild("stg"); err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "exception x") {
				t.Errorf("error: %v\nwant: %s", err, tt.want)
			}
		})
	}
}

// TestExceptionsEnd holds that an exception is warned of before its last day and stops everything after it.
func TestExceptionsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	data := []byte("x")
	text := except(plain, w.shop(map[string][]byte{"x": data})+"/x", data, `name: x, images: [web], file: {url: "URL", sha256: SUM, to: /opt/x}`)
	w.write("slipway.yaml", text)
	w.load()
	var log bytes.Buffer
	w.p.Log = slog.New(slog.NewTextHandler(&log, nil))
	at := func(day string) error {
		t.Helper()
		when, err := time.Parse(time.RFC3339, day)
		w.ok(err)
		w.p.Now = func() time.Time { return when }
		log.Reset()
		c, err := w.p.Candidate(t.Context(), "stg")
		w.ok(err)
		n, err := w.p.Needs(t.Context(), c)
		w.ok(err)
		l, _, err := w.p.UpdateLock(t.Context(), n, release.LockOptions{})
		if err != nil {
			return err
		}
		_, err = w.p.Build(t.Context(), c, n, l, release.BuildOptions{})
		return err
	}
	w.ok(at("2026-01-06T23:59:59Z"))
	if strings.Contains(log.String(), "ends soon") {
		t.Errorf("too early: %s", &log)
	}
	w.ok(at("2026-01-07T00:00:00Z"))
	if !strings.Contains(log.String(), "ends soon") || !strings.Contains(log.String(), "name=x") {
		t.Errorf("no warning: %s", &log)
	}
	w.ok(at("2026-01-20T23:59:59Z"))
	var refused *release.ExceptionError
	if err := at("2026-01-21T00:00:00Z"); !errors.As(err, &refused) || !strings.Contains(err.Error(), `the exception "x" ended on 2026-01-20 (file http://`) || !strings.Contains(err.Error(), "there is no package") {
		t.Errorf("after its end: %v", err)
	}
	// The lock is held against it, too, and an image without it is not.
	c, err := w.p.Candidate(t.Context(), "stg")
	w.ok(err)
	n, err := w.p.Needs(t.Context(), c)
	w.ok(err)
	if _, _, err := w.p.UpdateLock(t.Context(), n, release.LockOptions{Update: true}); !errors.As(err, &refused) {
		t.Errorf("locking: %v", err)
	}
	states, err := w.p.Exceptions(n)
	w.ok(err)
	if len(states) != 2 || states[1].Name.Value != "x" || states[1].Days != -1 || !slices.Equal(states[0].Images, []string{"web"}) {
		t.Errorf("%+v", states)
	}
}

// TestUnsignedRepositories holds that packages without signatures need an exception.
func TestUnsignedRepositories(t *testing.T) {
	t.Parallel()
	w := newWorld(t, plain)
	w.lock("stg", release.LockOptions{})
	w.write("slipway.yaml", strings.Replace(plain, "repository: tiny", "repository: other", 1))
	w.load()
	c, err := w.p.Candidate(t.Context(), "stg")
	w.ok(err)
	n, err := w.p.Needs(t.Context(), c)
	w.ok(err)
	l, err := w.p.ReadLock()
	w.ok(err)
	const want = "packages of repository tiny are taken unsigned (gpgcheck is off), which needs an exception"
	for name, f := range map[string]func() error{
		"lock":  func() error { _, _, err := w.p.UpdateLock(t.Context(), n, release.LockOptions{}); return err },
		"build": func() error { _, err := w.p.Build(t.Context(), c, n, l, release.BuildOptions{}); return err },
		"check": func() error { _, _, err := w.p.CheckLock(t.Context(), n, l); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
