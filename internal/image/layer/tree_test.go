package layer_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/image/layer"
	"github.com/slipway-build/slipway/internal/rpm"
)

func reg(path, digest string) rpm.File {
	return rpm.File{Path: path, Mode: rpm.ModeRegular | 0o644, Digest: digest, DigestAlgo: 8, Size: int64(len(digest))}
}

func dir(path string, mode uint32) rpm.File {
	return rpm.File{Path: path, Mode: rpm.ModeDirectory | mode}
}

func link(path, to string) rpm.File {
	return rpm.File{Path: path, Mode: rpm.ModeLink | 0o777, Link: to}
}

func colored(f rpm.File, color uint32) rpm.File {
	f.Color = color
	return f
}

func packages(files ...[]rpm.File) []layer.Package {
	var out []layer.Package
	for i, f := range files {
		out = append(out, layer.Package{Name: string(rune('a' + i)), SHA256: string(rune('a' + i)), Files: f})
	}
	return out
}

func TestPlanRefuses(t *testing.T) {
	huge := reg("/huge", "x")
	huge.Size = 9 << 30
	negative := reg("/negative", "x")
	negative.Size = -1
	for name, c := range map[string]struct {
		files [][]rpm.File
		want  string
	}{
		"relative":       {[][]rpm.File{{reg("etc/x", "1")}}, "absolute"},
		"climbing":       {[][]rpm.File{{reg("/etc/../x", "1")}}, "clean"},
		"trailing slash": {[][]rpm.File{{reg("/etc/", "1")}}, "clean"},
		"NUL":            {[][]rpm.File{{reg("/a\x00b", "1")}}, "clean"},
		"huge":           {[][]rpm.File{{huge}}, "bytes"},
		"negative":       {[][]rpm.File{{negative}}, "bytes"},
		"endless link":   {[][]rpm.File{{link("/a", "b"), link("/b", "a"), reg("/a/x", "1")}}, "symbolic links"},
		"link to itself": {[][]rpm.File{{link("/a", "a/a"), reg("/a/x", "1")}}, "symbolic links"},
		"under a file":   {[][]rpm.File{{reg("/a", "1")}, {reg("/a/b/c", "1")}}, "is a file of package a"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := layer.Plan(packages(c.files...), layer.IDs{}, nil, layer.Filter{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

func TestConflicts(t *testing.T) {
	mode := reg("/f", "1")
	mode.Mode = rpm.ModeRegular | 0o755
	for name, c := range map[string]struct {
		a, b []rpm.File
		ok   bool
	}{
		"same file":         {[]rpm.File{reg("/f", "1")}, []rpm.File{reg("/f", "1")}, true},
		"other content":     {[]rpm.File{reg("/f", "1")}, []rpm.File{reg("/f", "2")}, false},
		"other mode":        {[]rpm.File{reg("/f", "1")}, []rpm.File{mode}, false},
		"same link":         {[]rpm.File{link("/f", "x")}, []rpm.File{link("/f", "x")}, true},
		"other link":        {[]rpm.File{link("/f", "x")}, []rpm.File{link("/f", "y")}, false},
		"file and link":     {[]rpm.File{reg("/f", "1")}, []rpm.File{link("/f", "y")}, false},
		"file and folder":   {[]rpm.File{reg("/f", "1")}, []rpm.File{dir("/f", 0o755)}, false},
		"two folders":       {[]rpm.File{dir("/f", 0o700)}, []rpm.File{dir("/f", 0o755)}, true},
		"folder and link":   {[]rpm.File{dir("/f", 0o755)}, []rpm.File{link("/f", "g"), dir("/g", 0o755)}, true},
		"through a link":    {[]rpm.File{link("/l", "r"), reg("/l/f", "1")}, []rpm.File{reg("/r/f", "2")}, false},
		"two word sizes":    {[]rpm.File{colored(reg("/f", "1"), 1)}, []rpm.File{colored(reg("/f", "2"), 2)}, true},
		"same word size":    {[]rpm.File{colored(reg("/f", "1"), 2)}, []rpm.File{colored(reg("/f", "2"), 2)}, false},
		"word size of none": {[]rpm.File{colored(reg("/f", "1"), 0)}, []rpm.File{colored(reg("/f", "2"), 2)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := layer.Plan(packages(c.a, c.b), layer.IDs{}, nil, layer.Filter{})
			var conflict *layer.ConflictError
			if c.ok && err != nil || !c.ok && !errors.As(err, &conflict) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestStates(t *testing.T) {
	doc := reg("/usr/share/doc/x/README", "1")
	doc.Flags = rpm.FileDoc
	german := reg("/de", "1")
	german.Lang = "de|fr"
	tree, err := layer.Plan(packages(
		[]rpm.File{colored(reg("/f", "1"), 1), doc, dir("/usr/share/doc/x", 0o755), german},
		[]rpm.File{colored(reg("/f", "2"), 2)},
	), layer.IDs{}, nil, layer.Filter{NoDocs: true, Languages: []string{"en_US"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := tree.States(0); !slices.Equal(got, []byte{4, 2, 2, 2}) {
		t.Errorf("states %v", got)
	}
	if got := tree.States(1); !slices.Equal(got, []byte{0}) {
		t.Errorf("states %v", got)
	}
	if tree.Has("/usr/share/doc/x") || !tree.Has("/f") {
		t.Error("the filter left the wrong files")
	}
}

func TestParents(t *testing.T) {
	web := dir("/srv/web", 0o2750)
	web.Owner, web.Group = "web", "nobody-knows"
	tree, err := layer.Plan(packages(
		[]rpm.File{dir("/", 0o555), dir("/srv", 0o711), web, link("/www", "srv/web")},
		[]rpm.File{dir("/srv", 0o755), dir("/www", 0o2751), reg("/www/a/b/c", "1")},
	), layer.IDs{Users: map[string]int{"web": 48}}, layer.Links{"/extra": "srv"}, layer.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	want := []layer.Directory{{"/", 0o555, 0, 0}, {"/srv", 0o755, 0, 0}, {"/srv/web", 0o2751, 0, 0}, {"/srv/web/a", 0o755, 0, 0}, {"/srv/web/a/b", 0o755, 0, 0}}
	if diff := cmp.Diff(want, tree.Parents("/srv/web/a/b/c", "/srv/web")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]layer.UnknownOwner{{"a", "group", "nobody-knows"}}, tree.UnknownOwners()); diff != "" {
		t.Error(diff)
	}
	shape := tree.Shape()
	if diff := cmp.Diff(layer.Shape{Directories: []layer.Directory{{"/", 0o555, 0, 0}, {"/srv/web", 0o2751, 0, 0}}, Links: layer.Links{"/www": "srv/web", "/extra": "srv"}}, shape); diff != "" {
		t.Error(diff)
	}
	if got, err := shape.Resolve("/extra/web/x"); err != nil || got != "/srv/web/x" {
		t.Errorf("resolves to %q, %v", got, err)
	}
}
