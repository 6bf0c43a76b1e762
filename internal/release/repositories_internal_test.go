package release

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/rpmrepo"
)

// TestRepositories reads entries of all kinds.
func TestRepositories(t *testing.T) {
	dir := t.TempDir()
	pin := strings.Repeat("AB", 20)
	text := `service: s
projects: {p: {git: p}}
targets:
  f:
    release: fedora-43
    repositories:
      - {file: a.repo, gpgkey: [keys/a.asc], fingerprints: [` + pin + `]}
      - copr: "@packit/main"
        priority: 5
      - {copr: packit/main, chroot: epel-9-x86_64, id: mine, gpgkey: [keys/mine.asc]}
      - {id: plain, baseurl: rpms, gpgcheck: false}
images: {i: {projects: [p]}}
`
	for name, content := range map[string]string{
		config.FileName: text,
		"a.repo":        "[one]\nbaseurl=http://a/$releasever\ngpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-a\n[two]\nbaseurl=http://b\n[off]\nbaseurl=http://c\nenabled=0\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	conf, err := config.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := (&Pipeline{Config: conf}).repositories("f")
	if err != nil {
		t.Fatal(err)
	}
	with := func(c rpmrepo.Config, change func(*rpmrepo.Config)) rpmrepo.Config {
		change(&c)
		return c
	}
	pinned := func(c *rpmrepo.Config) {
		c.GPGKey, c.Fingerprints = []string{filepath.Join(dir, "keys/a.asc")}, []string{strings.ToLower(pin)}
	}
	copr := "https://download.copr.fedorainfracloud.org/results/"
	want := []rpmrepo.Config{
		with(rpmrepo.DefaultConfig("one", "http://a/43"), pinned),
		with(rpmrepo.DefaultConfig("two", "http://b"), pinned),
		with(rpmrepo.DefaultConfig("copr:copr.fedorainfracloud.org:group_packit:main", copr+"@packit/main/fedora-43-x86_64/"), func(c *rpmrepo.Config) {
			c.Name, c.Priority, c.GPGKey = "Copr repo for main owned by @packit", 5, []string{copr + "@packit/main/pubkey.gpg"}
		}),
		with(rpmrepo.DefaultConfig("mine", copr+"packit/main/epel-9-x86_64/"), func(c *rpmrepo.Config) {
			c.GPGKey = []string{filepath.Join(dir, "keys/mine.asc")}
		}),
		with(rpmrepo.DefaultConfig("plain", filepath.Join(dir, "rpms")), func(c *rpmrepo.Config) { c.GPGCheck = false }),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
