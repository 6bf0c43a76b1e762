package external_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/crane"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/strategy/external"
)

const (
	commit = "1111111111111111111111111111111111111111"
	other  = "2222222222222222222222222222222222222222"
)

func TestWait(t *testing.T) {
	e := &registry.Embedded{Root: t.TempDir()}
	handler, err := e.Handler()
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(handler)
	t.Cleanup(func() {
		server.Close()
		_ = e.Close()
	})
	host := strings.TrimPrefix(server.URL, "http://")
	push := func(name, label string) string {
		t.Helper()
		img, err := random.Image(100, 1)
		if err == nil && label != "" {
			img, err = mutate.Config(img, v1.Config{Labels: map[string]string{"org.opencontainers.image.revision": label}})
		}
		if err == nil {
			err = crane.Push(img, host+"/"+name)
		}
		if err != nil {
			t.Fatal(err)
		}
		d, err := img.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d.String()
	}
	byTag, byLabel, short := push("a:"+commit, ""), push("b:main", commit), push("c:v-1111111", commit)
	push("d:main", other)
	push("e:main", "")
	push("f:"+commit, other)

	for _, tt := range []struct{ image, tag, digest, last string }{
		{"a", "{commit}", byTag, ""},
		{"b", "main", byLabel, ""},
		{"c", "v-{short}", short, ""},
		{"d", "main", "", "the tag is still of commit " + other},
		{"e", "main", "", "no label that says of which commit"},
		{"g", "{commit}", "", "there is no such tag yet"},
	} {
		t.Run(tt.image, func(t *testing.T) {
			asked := 0
			got, err := external.Wait{
				Image: host + "/" + tt.image, Tag: tt.tag, Commit: commit, Since: time.Now(), Timeout: 300 * time.Millisecond, Interval: 50 * time.Millisecond,
				Waiting: func(time.Duration, string) { asked++ },
			}.Run(t.Context())
			var late *external.TimeoutError
			switch {
			case tt.digest != "" && (err != nil || got != host+"/"+tt.image+"@"+tt.digest):
				t.Errorf("%s, %v", got, err)
			case tt.digest == "" && (!errors.As(err, &late) || !strings.Contains(late.Last, tt.last) || asked < 2):
				t.Errorf("after %d questions: %v", asked, err)
			}
		})
	}

	t.Run("contradiction", func(t *testing.T) {
		_, err := external.Wait{Image: host + "/f", Tag: "{commit}", Commit: commit, Since: time.Now()}.Run(t.Context())
		if !errors.As(err, new(*external.WrongCommitError)) {
			t.Errorf("error: %v", err)
		}
	})
	t.Run("it comes", func(t *testing.T) {
		got, err := external.Wait{
			Image: host + "/h", Tag: "{commit}", Commit: commit, Since: time.Now(), Interval: 20 * time.Millisecond,
			Waiting: func(time.Duration, string) { push("h:"+commit, "") },
		}.Run(t.Context())
		if err != nil || !strings.HasPrefix(got, host+"/h@sha256:") {
			t.Errorf("%s, %v", got, err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := external.Wait{Image: host + "/g", Tag: "x", Commit: commit, Since: time.Now(), Waiting: func(time.Duration, string) { cancel() }}.Run(ctx)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error: %v", err)
		}
	})
	t.Run("since before a restart", func(t *testing.T) {
		_, err := external.Wait{Image: host + "/g", Tag: "x", Commit: commit, Since: time.Now().Add(-2 * time.Hour)}.Run(t.Context())
		var late *external.TimeoutError
		if !errors.As(err, &late) || late.Waited < 2*time.Hour {
			t.Errorf("error: %v", err)
		}
	})
}
