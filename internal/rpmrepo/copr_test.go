package rpmrepo_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/rpmrepo"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
)

func TestCopr(t *testing.T) {
	for _, tt := range []struct{ spec, chroot, id, base, key string }{
		{"packit/packit-main", "fedora-43-x86_64", "copr:copr.fedorainfracloud.org:packit:packit-main",
			"https://download.copr.fedorainfracloud.org/results/packit/packit-main/fedora-43-x86_64/",
			"https://download.copr.fedorainfracloud.org/results/packit/packit-main/pubkey.gpg"},
		{"@copr/copr-dev", "epel-9-aarch64", "copr:copr.fedorainfracloud.org:group_copr:copr-dev",
			"https://download.copr.fedorainfracloud.org/results/@copr/copr-dev/epel-9-aarch64/",
			"https://download.copr.fedorainfracloud.org/results/@copr/copr-dev/pubkey.gpg"},
		{"packit/packit:pr:17", "fedora-rawhide-x86_64", "copr:copr.fedorainfracloud.org:packit:packit:pr:17",
			"https://download.copr.fedorainfracloud.org/results/packit/packit:pr:17/fedora-rawhide-x86_64/",
			"https://download.copr.fedorainfracloud.org/results/packit/packit:pr:17/pubkey.gpg"},
		{"copr.example.com/ann/tools", "fedora-43-x86_64", "copr:copr.example.com:ann:tools",
			"https://copr.example.com/results/ann/tools/fedora-43-x86_64/", "https://copr.example.com/results/ann/tools/pubkey.gpg"},
		{"http://localhost:8080/@a/b", "fedora-43-x86_64", "copr:localhost:8080:group_a:b",
			"http://localhost:8080/results/@a/b/fedora-43-x86_64/", "http://localhost:8080/results/@a/b/pubkey.gpg"},
	} {
		c, err := rpmrepo.Copr(tt.spec, tt.chroot)
		if err != nil {
			t.Errorf("%s: %v", tt.spec, err)
			continue
		}
		want := rpmrepo.DefaultConfig(tt.id, tt.base)
		want.Name, want.GPGKey = c.Name, []string{tt.key}
		if diff := cmp.Diff(want, c); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.spec, diff)
		}
	}
	for _, spec := range []string{"", "packit", "a/b/c/d", "../b", "a/..", "a/b?x", "ftp://h/a/b", "@/b", "a/b c", "a b/c/d"} {
		if c, err := rpmrepo.Copr(spec, "fedora-43-x86_64"); err == nil || !strings.Contains(err.Error(), "OWNER/PROJECT") {
			t.Errorf("%q gives %+v, %v", spec, c, err)
		}
	}
	if _, err := rpmrepo.Copr("a/b", "../../x"); err == nil {
		t.Error("a chroot may be anything")
	}
}

func TestCoprChroot(t *testing.T) {
	for release, want := range map[string]string{
		"fedora-43": "fedora-43-x86_64", "fedora-rawhide": "fedora-rawhide-x86_64", "centos-stream-9": "centos-stream-9-x86_64",
		"rhel-9": "epel-9-x86_64", "rocky-10": "epel-10-x86_64",
	} {
		if got := rpmrepo.CoprChroot(release, "x86_64"); got != want {
			t.Errorf("%s gives %s", release, got)
		}
	}
}

// A Copr project loads, and its packages are checked with the key that it publishes.
func TestCoprLoads(t *testing.T) {
	signer := key(t)
	dir := repository(t, signer, repowrite.Options{})
	s := serve(t, dir)
	s.Config.Handler = http.StripPrefix("/results/@ann/tools/fedora-43-x86_64", s)
	keys := http.NewServeMux()
	keys.Handle("/", s.Config.Handler)
	keys.HandleFunc("/results/@ann/tools/pubkey.gpg", content(signer.PublicKey()))
	s.Config.Handler = keys

	config, err := rpmrepo.Copr(s.URL+"/@ann/tools", "fedora-43-x86_64")
	if err != nil {
		t.Fatal(err)
	}
	c := client(t)
	r := load(t, c, config)
	if diff := cmp.Diff(allNames, names(r)); diff != "" {
		t.Error(diff)
	}
	if _, err := c.Fetch(t.Context(), []rpmrepo.Artifact{r.Artifact(0)}); err != nil {
		t.Error(err)
	}
}
