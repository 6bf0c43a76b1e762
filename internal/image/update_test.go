package image_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/validate"

	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// TestUpdateFromUnpacked updates one package of a layer: what is known of the others comes from the
// folder to which the layer was unpacked, and the image is the one that is made of nothing, also
// where somebody has meddled with that folder.
func TestUpdateFromUnpacked(t *testing.T) {
	older := append(sample(), shell(t), talkative("a"), talkative("b"))
	newer := slices.Clone(older)
	newer[len(newer)-1].Files = append(slices.Clone(newer[len(newer)-1].Files), rpmwrite.Text("/opt/b/deeper/new", "new"))
	together := func(packages []image.BasePackage) []image.BasePackage {
		for i := range packages {
			packages[i].Layer = "all"
		}
		return packages
	}
	before, after := together(build(t, older...)), together(build(t, newer...))
	fresh := builder(t)
	wanted := base(t, fresh, after)
	wantedDirs, err := fresh.Unpack(t.Context(), wanted)
	if err != nil {
		t.Fatal(err)
	}
	for name, meddle := range map[string]func(string) error{
		"as it was": func(string) error { return nil },
		"changed":   func(file string) error { return os.WriteFile(file, []byte("Content of /usr/bin/two"), 0o755) },
		"shorter":   func(file string) error { return os.Truncate(file, 3) },
		"longer":    func(file string) error { return os.Truncate(file, 1<<20) },
		"missing":   os.Remove,
		"all gone":  func(file string) error { return os.RemoveAll(filepath.Dir(filepath.Dir(file))) },
		"a link":    func(file string) error { return os.Symlink("su", file+".new") },
	} {
		t.Run(name, func(t *testing.T) {
			b := builder(t)
			dirs, err := b.Unpack(t.Context(), base(t, b, before))
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dirs[len(dirs)-1], "usr/bin/two")
			if err := meddle(file); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(file+".new", file); err != nil && name == "a link" {
				t.Fatal(err)
			}
			img := base(t, b, after)
			if got, want := digest(t, img), digest(t, wanted); got != want {
				t.Errorf("the image is %s, made of nothing %s", got, want)
			}
			if err := validate.Image(img); err != nil {
				t.Error(err)
			}
			if name != "as it was" {
				return
			}
			// What scripts see is the same as well, and mostly the very same files.
			got, err := b.Unpack(t.Context(), img)
			if err != nil {
				t.Fatal(err)
			}
			again, err := os.Stat(filepath.Join(got[len(got)-1], "usr/bin/two"))
			if first, _ := os.Stat(file); err != nil || !os.SameFile(first, again) {
				t.Errorf("%s was unpacked again", file)
			}
			if diff := cmp.Diff(tree(t, wantedDirs), tree(t, got)); diff != "" {
				t.Errorf("unpacked (-of nothing +updated):\n%s", diff)
			}
		})
	}
}

// TestUpdateFromDamagedBlob changes bytes of the layer whose beginning the new one shares.
func TestUpdateFromDamagedBlob(t *testing.T) {
	older := append(sample(), shell(t), talkative("a"), talkative("b"))
	newer := slices.Clone(older)
	newer[len(newer)-1].Files = append(slices.Clone(newer[len(newer)-1].Files), rpmwrite.Text("/opt/b/deeper/new", "new"))
	before, after := build(t, older...), build(t, newer...)
	for i := range before {
		before[i].Layer, after[i].Layer = "all", "all"
	}
	want := digest(t, base(t, builder(t), after))
	b := builder(t)
	blob := base(t, b, before).BlobLayers()[0].Path()
	data, err := os.ReadFile(blob)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/3] ^= 1
	if err := os.WriteFile(blob, data, 0o644); err != nil {
		t.Fatal(err)
	}
	img := base(t, b, after)
	if got := digest(t, img); got != want {
		t.Errorf("the image is %s, made of nothing %s", got, want)
	}
	if err := validate.Image(img); err != nil {
		t.Error(err)
	}
}

// tree describes what is in folders: modes, times, sizes and links by path.
func tree(t *testing.T, dirs []string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for i, dir := range dirs {
		err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
			if err != nil || name == dir { // a layer need not say what its root is
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			target, _ := os.Readlink(name)
			line := info.Mode().String() + " " + info.ModTime().UTC().String() + " " + target
			if info.Mode().IsRegular() {
				data, err := os.ReadFile(name)
				if err != nil {
					return err
				}
				line += string(data[:min(len(data), 64)])
			}
			out[string(rune('0'+i))+name[len(dir):]] = line
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}
