package inspect_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/slipway-build/slipway/internal/image/inspect"
	"github.com/slipway-build/slipway/internal/image/rpmdb"
	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// entry is a line of a layer: "path", "path/" for a folder, "path -> target" for a link, and a text.
type entry struct{ name, text string }

func layerOf(t *testing.T, entries ...entry) v1.Layer {
	t.Helper()
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(e.text))}
		if name, target, ok := strings.Cut(e.name, " -> "); ok {
			h.Name, h.Linkname, h.Typeflag, h.Size = name, target, tar.TypeSymlink, 0
		} else if strings.HasSuffix(e.name, "/") {
			h.Typeflag, h.Mode = tar.TypeDir, 0o755
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(w, e.text); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	l, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func imageOf(t *testing.T, layers ...v1.Layer) v1.Image {
	t.Helper()
	img, err := mutate.AppendLayers(empty.Image, layers...)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func read(t *testing.T, img v1.Image) *inspect.Content {
	t.Helper()
	c, err := inspect.Read(t.Context(), img, t.TempDir(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func paths(c *inspect.Content) []string {
	var list []string
	for _, f := range c.Files() {
		list = append(list, f.Path)
	}
	return list
}

func TestLayersAreLaidOnEachOther(t *testing.T) {
	c := read(t, imageOf(t,
		layerOf(t, entry{"a/", ""}, entry{"a/gone", "1"}, entry{"a/kept", "1"}, entry{"b/", ""}, entry{"b/hidden", "1"}, entry{"b/c/", ""}, entry{"b/c/deep", "1"}, entry{"d/", ""}, entry{"d/was", "1"}),
		layerOf(t, entry{"a/.wh.gone", ""}, entry{"b/.wh..wh..opq", ""}, entry{"b/new", "2"}, entry{"d", "a file now"}),
	))
	if got, want := paths(c), []string{"/a", "/a/kept", "/b", "/b/new", "/d"}; !slices.Equal(got, want) {
		t.Errorf("files %q, want %q", got, want)
	}
	if c.Unpacked != 1+1+10 || c.Layers[0].Files != 9 || c.Layers[1].Unpacked != 11 {
		t.Errorf("%+v", c)
	}
	if !strings.Contains(c.Problem, "no RPM database") {
		t.Errorf("problem %q", c.Problem)
	}
}

// database is an RPM database with these packages.
func database(t *testing.T, specs ...rpmwrite.Spec) string {
	t.Helper()
	var list []rpmdb.Installed
	dir := t.TempDir()
	for i, s := range specs {
		file := filepath.Join(dir, fmt.Sprint(i)+".rpm")
		if err := rpmwrite.WriteFile(file, s); err != nil {
			t.Fatal(err)
		}
		p, err := rpm.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		list = append(list, rpmdb.Installed{Header: p.Header, Signature: p.Signature, States: make([]byte, len(p.Strings(rpm.TagBaseNames)))})
	}
	file := filepath.Join(dir, rpmdb.FileName)
	if err := rpmdb.Write(t.Context(), file, list, 1_700_000_000); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func spec(name, version string, files ...rpmwrite.File) rpmwrite.Spec {
	return rpmwrite.Spec{Name: name, EVR: rpm.EVR{Version: version, Release: "1"}, Arch: "noarch", Files: files}
}

// service is an image with two RPMs, one of whose files is named by way of a link, and a project.
func service(t *testing.T, version, text string) v1.Image {
	t.Helper()
	const lib = "usr/lib/python3.13/site-packages/"
	return imageOf(t,
		layerOf(t, entry{"bin -> usr/bin", ""}, entry{"usr/bin/tool", "0123456789"}, entry{"usr/share/data", "01234"},
			entry{"var/lib/rpm/rpmdb.sqlite", database(t, spec("tool", "1", rpmwrite.Text("/bin/tool", "0123456789")), spec("data", version, rpmwrite.Text("/usr/share/data", "01234")))}),
		layerOf(t, entry{lib + "app.py", text}, entry{lib + "app-2.dist-info/METADATA", "Name: app\nVersion: 2\n\nName: not this\n"},
			entry{lib + "app-2.dist-info/RECORD", "app.py,,\napp-2.dist-info/METADATA,,\n\"../../../bin/app\",,\n"}, entry{"usr/bin/app", "run"}),
	)
}

func TestParts(t *testing.T) {
	c := read(t, service(t, "1", "code"))
	if c.Problem != "" {
		t.Fatal(c.Problem)
	}
	var got []string
	for _, p := range c.Parts {
		if p.Kind != inspect.Rest {
			got = append(got, fmt.Sprintf("%s %s %s: %d files, %d bytes, layer %d", p.Kind, p.Name, p.Version, p.Files, p.Size, p.Layer))
		}
	}
	want := []string{
		"rpm data 1-1: 1 files, 5 bytes, layer 0",
		"rpm tool 1-1: 1 files, 10 bytes, layer 0",
		"python app 2: 3 files, 44 bytes, layer 1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("parts\n%s", strings.Join(got, "\n"))
	}
	if last := c.Parts[len(c.Parts)-1]; last.Kind != inspect.Rest || last.Files != 3 { // the link, the database, RECORD
		t.Errorf("the rest: %+v", last)
	}
}

func TestDiff(t *testing.T) {
	a, b := read(t, service(t, "1", "code")), read(t, service(t, "2", "longer code"))
	d := inspect.Diff(a, b)
	if len(d.Parts) != 1 || d.Parts[0].Name != "data" || d.Parts[0].From != "1-1" || d.Parts[0].To != "2-1" || d.Parts[0].Change != inspect.Changed {
		t.Errorf("parts %+v", d.Parts)
	}
	var files []string
	for _, f := range d.Files {
		files = append(files, fmt.Sprintf("%s %s %v", f.Change, f.Path, f.What))
	}
	want := []string{"changed /usr/lib/python3.13/site-packages/app.py [content]", "changed /var/lib/rpm/rpmdb.sqlite [content]"}
	if !slices.Equal(files, want) || d.Shared != 0 {
		t.Errorf("files %q, %d layers shared", files, d.Shared)
	}
	if same := inspect.Diff(a, a); len(same.Parts) != 0 || len(same.Files) != 0 || same.Shared != 2 || same.Pull != 0 {
		t.Errorf("an image and itself: %+v", same)
	}
}

func TestTreemap(t *testing.T) {
	c := read(t, service(t, "1", "code"))
	var page strings.Builder
	if err := c.WriteTreemap(&page, "<b>web</b>"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"<td>tool</td>", "&lt;b&gt;web&lt;/b&gt;", "<rect "} {
		if !strings.Contains(page.String(), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	var area float64
	for _, m := range strings.Split(page.String(), "<rect ")[1:] {
		var x, y, w, h float64
		if _, err := fmt.Sscanf(m, "x=%q", new(string)); err != nil {
			t.Fatal(err)
		}
		for name, v := range map[string]*float64{"x": &x, "y": &y, "width": &w, "height": &h} {
			_, rest, _ := strings.Cut(" "+m, " "+name+`="`)
			if _, err := fmt.Sscanf(rest, "%f", v); err != nil {
				t.Fatal(err)
			}
		}
		if x < 0 || y < 0 || x+w > 1200.1 || y+h > 700.1 {
			t.Errorf("a tile is outside: %v %v %v %v", x, y, w, h)
		}
		area += w * h
	}
	if math.Abs(area-1200*700) > 1200 {
		t.Errorf("the tiles cover %.0f", area)
	}
}

func TestHostileLayers(t *testing.T) {
	for name, l := range map[string]v1.Layer{
		"long path":   layerOf(t, entry{strings.Repeat("a/", 3000) + "b", ""}),
		"no database": layerOf(t, entry{"var/lib/rpm/rpmdb.sqlite", "SQLite format 3\x00 or not"}),
		"link circle": layerOf(t, entry{"bin -> /bin", ""}, entry{"var/lib/rpm/rpmdb.sqlite", database(t, spec("tool", "1", rpmwrite.Text("/bin/tool", "x")))}),
		"outside":     layerOf(t, entry{"../../../etc/passwd", "root"}),
	} {
		t.Run(name, func(t *testing.T) {
			c, err := inspect.Read(t.Context(), imageOf(t, l), t.TempDir(), nil)
			switch name {
			case "long path":
				if err == nil {
					t.Error("it is taken")
				}
			case "no database":
				if err != nil || c.Problem == "" {
					t.Errorf("%v, %+v", err, c)
				}
			case "outside":
				if err != nil || !slices.Equal(paths(c), []string{"/etc/passwd"}) {
					t.Errorf("%v, %+v", err, c)
				}
			default:
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestOpen(t *testing.T) {
	oracle.Need(t, "skopeo")
	dir := t.TempDir()
	img := imageOf(t, layerOf(t, entry{"a", "1"}))
	archive := filepath.Join(dir, "web.tar")
	if err := tarball.WriteToFile(archive, nil, img); err != nil {
		t.Fatal(err)
	}
	skopeo(t, "docker-archive:"+archive, "oci:"+dir+"/layout:one")
	for _, ref := range []string{"docker-archive:" + archive, "oci:" + dir + "/layout", "oci:" + dir + "/layout:one"} {
		got, err := inspect.Open(ref)
		if err != nil {
			t.Fatal(err)
		}
		if !inspect.Local(ref) || !slices.Equal(paths(read(t, got)), []string{"/a"}) {
			t.Errorf("%s is not what was put there", ref)
		}
	}
	skopeo(t, "docker-archive:"+archive, "oci:"+dir+"/layout:two")
	if _, err := inspect.Open("oci:" + dir + "/layout"); err == nil || !strings.Contains(err.Error(), "one, two") {
		t.Errorf("two images, none named: %v", err)
	}
	if inspect.Local("registry.example.com/web:oci") {
		t.Error("a registry's image is taken for a local one")
	}
}

func skopeo(t *testing.T, from, to string) {
	t.Helper()
	if out, err := exec.CommandContext(context.WithoutCancel(t.Context()), "skopeo", "--insecure-policy", "copy", from, to).CombinedOutput(); err != nil {
		t.Fatalf("skopeo: %v\n%s", err, out)
	}
}

func TestJSON(t *testing.T) {
	data, err := json.Marshal(read(t, service(t, "1", "code")))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Parts []struct{ Kind, Name string }
	}
	if err := json.Unmarshal(data, &got); err != nil || len(got.Parts) != 4 || got.Parts[2].Kind != "python" {
		t.Errorf("%v, %s", err, data)
	}
}
