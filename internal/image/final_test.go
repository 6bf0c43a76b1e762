package image_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/rpm"
)

func finalSpec(base *image.Image) image.FinalSpec {
	return image.FinalSpec{
		Base: base,
		Files: []image.FileEntry{
			{Path: "/usr/lib/python3/site-packages/x.py", Mode: 0o644, ModTime: 5, Content: []byte("x = 1\n")},
			{Path: "/bin/run", Mode: 0o755, ModTime: 5, Content: []byte("#!/bin/sh\n")},
			{Path: "/root/.config", Mode: rpm.ModeDirectory | 0o700},
			{Path: "/tmp/link", Mode: rpm.ModeLink | 0o777, ModTime: 5, Link: "/usr/bin/run"},
			{Path: "/srv/own", Mode: 0o600, UID: 1001, GID: 1002, Content: []byte("o")},
		},
		Config: image.Config{
			Env: map[string]string{"B": "2", "A": "1"}, User: "1001", WorkDir: "/srv", Entrypoint: []string{"/bin/run"}, Cmd: []string{"x"},
			Ports: []int{8080, 80}, Labels: map[string]string{"commit": "<abc>"}, Created: time.Unix(1710000000, 5).In(time.FixedZone("x", 3600)),
		},
	}
}

func TestFinal(t *testing.T) {
	b := builder(t)
	root := base(t, b, build(t, sample()...))
	img, err := b.Final(t.Context(), finalSpec(root))
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Image(img); err != nil {
		t.Error(err)
	}
	layers, _ := img.Layers()
	want := []string{
		"5 0550 0:0 315619200 root/",
		"5 0700 0:0 315619200 root/.config/",
		"5 0755 0:0 315619200 srv/",
		`0 0600 1001:1002 0 srv/own "o"`,
		"5 1777 0:0 315619200 tmp/",
		"2 0777 0:0 5 tmp/link -> /usr/bin/run",
		"5 0755 0:0 315619200 usr/",
		"5 0755 0:0 315619200 usr/bin/",
		`0 0755 0:0 5 usr/bin/run "#!/bin/sh\n"`,
		"5 0755 0:0 315619200 usr/lib/",
		"5 0755 0:0 315619200 usr/lib/python3/",
		"5 0755 0:0 315619200 usr/lib/python3/site-packages/",
		`0 0644 0:0 5 usr/lib/python3/site-packages/x.py "x = 1\n"`,
	}
	if diff := cmp.Diff(want, listing(t, layers[len(layers)-1])); diff != "" {
		t.Error(diff)
	}
	config, _ := img.ConfigFile()
	if diff := cmp.Diff(v1.Config{
		Env: []string{"A=1", "B=2", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin"}, User: "1001", WorkingDir: "/srv",
		Entrypoint: []string{"/bin/run"}, Cmd: []string{"x"}, Labels: map[string]string{"commit": "<abc>"},
		ExposedPorts: map[string]struct{}{"80/tcp": {}, "8080/tcp": {}},
	}, config.Config); diff != "" {
		t.Error(diff)
	}
	if got := config.Created.Format(time.RFC3339Nano); got != "2024-03-09T16:00:00Z" {
		t.Errorf("created %s", got)
	}
	manifest, _ := img.Manifest()
	if manifest.Annotations["commit"] != "<abc>" {
		t.Errorf("annotations %v", manifest.Annotations)
	}
	if len(config.History) != len(layers) {
		t.Errorf("%d history entries for %d layers", len(config.History), len(layers))
	}
}

// TestFinalReadsNoBase takes the base's blobs away.
func TestFinalReadsNoBase(t *testing.T) {
	b := builder(t)
	root := base(t, b, build(t, sample()...))
	for _, l := range root.BlobLayers() {
		if err := os.Remove(l.Path()); err != nil {
			t.Fatal(err)
		}
	}
	spec := finalSpec(root)
	first, err := b.Final(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(spec.Files)
	second, err := b.Final(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	if digest(t, first) != digest(t, second) {
		t.Error("the order of files matters")
	}
}

func TestFinalRefuses(t *testing.T) {
	b := builder(t)
	root := base(t, b, build(t, sample()...))
	file := func(path string) image.FileEntry { return image.FileEntry{Path: path, Content: []byte("x")} }
	for name, c := range map[string]struct {
		change func(*image.FinalSpec)
		want   string
	}{
		"no base":       {func(s *image.FinalSpec) { s.Base = nil }, "no base"},
		"relative":      {func(s *image.FinalSpec) { s.Files = append(s.Files, file("x")) }, "absolute"},
		"climbing":      {func(s *image.FinalSpec) { s.Files = append(s.Files, file("/a/../../x")) }, "clean"},
		"twice":         {func(s *image.FinalSpec) { s.Files = append(s.Files, file("/usr/bin/run")) }, "twice"},
		"in a file":     {func(s *image.FinalSpec) { s.Files = append(s.Files, file("/usr/bin/run/x")) }, "no folder"},
		"device":        {func(s *image.FinalSpec) { s.Files[0].Mode = rpm.ModeChar | 0o666 }, "neither"},
		"deletion":      {func(s *image.FinalSpec) { s.Files = append(s.Files, file("/usr/.wh.bin")) }, "deletion"},
		"port":          {func(s *image.FinalSpec) { s.Config.Ports = []int{0} }, "port 0"},
		"variable name": {func(s *image.FinalSpec) { s.Config.Env = map[string]string{"A=B": "1"} }, "A=B"},
	} {
		t.Run(name, func(t *testing.T) {
			spec := finalSpec(root)
			c.change(&spec)
			if _, err := b.Final(t.Context(), spec); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

// TestFoldersOfOnePlace: /lib is a link to usr/lib in the base.
func TestFoldersOfOnePlace(t *testing.T) {
	b := builder(t)
	root := base(t, b, build(t, sample()...))
	folder := func(path string, mode uint32) image.FileEntry {
		return image.FileEntry{Path: path, Mode: rpm.ModeDirectory | mode}
	}
	last := func(files ...image.FileEntry) ([]string, error) {
		img, err := b.Final(t.Context(), image.FinalSpec{Base: root, Files: files})
		if err != nil {
			return nil, err
		}
		layers, _ := img.Layers()
		return listing(t, layers[len(layers)-1]), nil
	}
	got, err := last(folder("/lib/x", 0o750), folder("/usr/lib/x", 0o750), folder("/usr/lib/x", 0o750), folder("/lib", 0o755))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"5 0755 0:0 315619200 usr/", "5 0755 0:0 315619200 usr/lib/", "5 0750 0:0 315619200 usr/lib/x/"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, other := range []image.FileEntry{
		folder("/usr/lib/x", 0o755),
		{Path: "/usr/lib/x", Mode: rpm.ModeDirectory | 0o750, UID: 7},
		{Path: "/usr/lib/x", Mode: 0o750},
		{Path: "/usr/lib/x", Mode: rpm.ModeLink | 0o777, Link: "y"},
	} {
		for _, files := range [][]image.FileEntry{{folder("/lib/x", 0o750), other}, {other, folder("/lib/x", 0o750)}} {
			_, err := last(files...)
			if err == nil || !strings.Contains(err.Error(), "/lib/x") || !strings.Contains(err.Error(), "twice") {
				t.Errorf("%+v: error %v", other, err)
			}
		}
	}
}

func TestWriteLayout(t *testing.T) {
	b := builder(t)
	root := base(t, b, build(t, sample()...))
	img, err := b.Final(t.Context(), finalSpec(root))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	index := func() map[string]string {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(dir, "index.json"))
		if err != nil {
			t.Fatal(err)
		}
		var m v1.IndexManifest
		if err := json.Unmarshal(data, &m); err != nil {
			t.Fatal(err)
		}
		out := map[string]string{}
		for _, d := range m.Manifests {
			out[d.Digest.String()] += "[" + d.Annotations["org.opencontainers.image.ref.name"] + "]"
		}
		return out
	}
	write := func(tag string, images ...*image.Image) {
		t.Helper()
		if err := image.WriteLayout(dir, tag, images...); err != nil {
			t.Fatal(err)
		}
	}
	write("one", img, root)
	if diff := cmp.Diff(map[string]string{digest(t, img): "[one]", digest(t, root): "[]"}, index()); diff != "" {
		t.Error(diff)
	}
	write("one", root)
	write("two", root)
	write("", img)
	if diff := cmp.Diff(map[string]string{digest(t, root): "[one][two]", digest(t, img): "[]"}, index()); diff != "" {
		t.Error(diff)
	}
	path, err := layout.FromPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	read, err := path.ImageIndex()
	if err != nil {
		t.Fatal(err)
	}
	if err := validate.Index(read); err != nil {
		t.Error(err)
	}
	blobs, err := filepath.Glob(filepath.Join(dir, "blobs/sha256/*"))
	if err != nil || len(blobs) != len(img.BlobLayers())+4 {
		t.Errorf("%d blobs for %d layers and two images, %v", len(blobs), len(img.BlobLayers()), err)
	}
}

// TestFinalGroups has the files of two projects, of which one changes.
func TestFinalGroups(t *testing.T) {
	b := builder(t)
	root := base(t, b, build(t, sample()...))
	layers := func(img *image.Image) (digests []v1.Hash) {
		m, err := img.Manifest()
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range m.Layers {
			digests = append(digests, l.Digest)
		}
		return digests
	}
	final := func(projects int, text string) []v1.Hash {
		files := []image.FileEntry{{Path: "/etc/own", Mode: 0o644, Content: []byte("own")}}
		for i := range projects {
			files = append(files, image.FileEntry{Path: fmt.Sprintf("/usr/lib/p%d/one.py", i), Mode: 0o644, Content: []byte("1"), Group: fmt.Sprint("project ", i)})
		}
		files[1].Content = []byte(text)
		img, err := b.Final(t.Context(), image.FinalSpec{Base: root, Files: files})
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(img); err != nil {
			t.Error(err)
		}
		return layers(img)
	}
	own := len(layers(root))
	for projects, want := range map[int]int{2: 3, 31: 32, 200: 33} {
		before, after := final(projects, "2"), final(projects, "3")
		if len(before)-own > want || projects < 100 && len(before)-own != want {
			t.Errorf("%d projects are %d layers, want %d", projects, len(before)-own, want)
		}
		changed := 0
		for i := range before {
			if before[i] != after[i] {
				changed++
			}
		}
		if changed != 1 {
			t.Errorf("of %d projects one changed, and %d layers with it", projects, changed)
		}
	}
}
