package transfer

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

func TestStat(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, content[1:], 0o600); err != nil {
		t.Fatal(err)
	}
	onlyGet := func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			w.WriteHeader(http.StatusMethodNotAllowed)
			return
		}
		good(w, r)
	}
	page := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	failures := 0
	passing := func(w http.ResponseWriter, r *http.Request) {
		if failures++; failures == 1 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		good(w, r)
	}
	var (
		there    = serve(t, good).URL
		stubborn = serve(t, onlyGet).URL
		missing  = serve(t, http.NotFound).URL
		html     = serve(t, page).URL
		closed   = serve(t, status(http.StatusUnauthorized)).URL
		weary    = serve(t, passing).URL
	)
	for name, tt := range map[string]struct {
		places []string
		size   int64
		want   string // the place
		err    any
	}{
		"a server":               {[]string{there}, 0, there, nil},
		"one without HEAD":       {[]string{stubborn}, 0, stubborn, nil},
		"the second mirror":      {[]string{missing, there}, 0, there, nil},
		"a failure that passes":  {[]string{weary}, 0, weary, nil},
		"a file":                 {[]string{file}, 0, file, nil},
		"a file URL":             {[]string{"file://" + file}, 0, "file://" + file, nil},
		"nowhere":                {[]string{missing, file + ".gone"}, 0, "", new(*NotFoundError)},
		"a page":                 {[]string{html}, 0, "", new(*ContentError)},
		"another size":           {[]string{there}, 7, "", new(*ChecksumError)},
		"a file of another size": {[]string{short}, 0, "", new(*ChecksumError)},
		"refused":                {[]string{closed}, 0, "", new(*StatusError)},
	} {
		r := request(tt.places...)
		if tt.size > 0 {
			r.Size = tt.size
		}
		place, err := fetcher().Stat(t.Context(), r)
		if place != tt.want || (err == nil) != (tt.err == nil) || err != nil && !errors.As(err, tt.err) {
			t.Errorf("%s: %q, %v; want %q, %T", name, place, err, tt.want, tt.err)
		}
	}

	offline := fetcher()
	offline.Offline = true
	if _, err := offline.Stat(t.Context(), request(there)); !errors.As(err, new(*OfflineError)) {
		t.Errorf("offline: %v", err)
	}
	if _, err := offline.Stat(t.Context(), request(there, file)); err != nil {
		t.Errorf("offline, a file: %v", err)
	}
}
