package rpm_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

func TestFiles(t *testing.T) {
	files, err := read(t, pack(t, sample(t))).Files()
	if err != nil {
		t.Fatal(err)
	}
	byPath := map[string]rpm.File{}
	for _, f := range files {
		byPath[f.Path] = f
	}
	if f := byPath["/usr/bin/sample"]; f.Mode != 0o104755 || f.Caps != "cap_net_raw=ep" || !f.IsRegular() || f.DigestAlgo != 8 || len(f.Digest) != 64 {
		t.Errorf("%+v", f)
	}
	if f := byPath["/usr/bin/link"]; !f.IsLink() || f.Link != "sample" || f.Digest != "" {
		t.Errorf("%+v", f)
	}
	if f := byPath["/etc/sample"]; !f.IsDir() {
		t.Errorf("%+v", f)
	}
	if f := byPath["/var/log/sample"]; !f.IsGhost() {
		t.Errorf("%+v", f)
	}
	if f := byPath["/dev/sample"]; f.Type() != rpm.ModeChar || f.Rdev != 5<<8|7 {
		t.Errorf("%+v", f)
	}
	var linked []string
	for _, i := range byPath["/usr/share/sample/b"].HardLinks {
		linked = append(linked, files[i].Path)
	}
	if diff := cmp.Diff([]string{"/usr/share/sample/a", "/usr/share/sample/b", "/usr/share/sample/c"}, linked); diff != "" {
		t.Errorf("hard links (-want +got):\n%s", diff)
	}
	if f := byPath["/usr/share/sample/empty"]; f.HardLinks != nil {
		t.Errorf("%+v", f)
	}
}

// withPath is a package of one file, whose header says another path.
func withPath(t *testing.T, dir, base string) *rpm.Package {
	return read(t, pack(t, rpmwrite.Spec{
		Name: "x", EVR: rpm.EVR{Version: "1", Release: "1"}, Arch: "noarch",
		Files: []rpmwrite.File{rpmwrite.Text("/a", "a")},
		Hostile: rpmwrite.Hostile{Header: []rpm.Entry{
			rpm.StringArrayEntry(rpm.TagDirNames, []string{dir}), rpm.StringArrayEntry(rpm.TagBaseNames, []string{base}),
		}},
	}))
}

func TestFilesUnsafePath(t *testing.T) {
	for _, path := range [][2]string{
		{"", "a"}, {"", ""}, {"usr/", "a"}, {"./", "a"}, {"/usr/../", "passwd"}, {"/", ".."}, {"/", "."}, {"/usr//", "a"},
		{"//", "a"}, {"/usr/", ""}, {"/", "a/"}, {"/", "../../etc/passwd"}, {"/", "a/../../b"}, {"/a/./", "b"},
		{"/", strings.Repeat("x", 256)}, {"/" + strings.Repeat("d/", 2100), "x"},
	} {
		var unsafe *rpm.UnsafePathError
		if files, err := withPath(t, path[0], path[1]).Files(); !errors.As(err, &unsafe) {
			t.Errorf("%.40q gives %v, %v", path[0]+path[1], files, err)
		}
	}
	for _, path := range [][2]string{{"/", ""}, {"/", "a"}, {"/..a/", "b.."}, {"/", strings.Repeat("x", 255)}, {"/a b/", "ü\n"}} {
		if _, err := withPath(t, path[0], path[1]).Files(); err != nil {
			t.Errorf("%.40q: %v", path[0]+path[1], err)
		}
	}
}

func TestFilesFaults(t *testing.T) {
	for name, hostile := range map[string]rpmwrite.Hostile{
		"directory beyond the list": {Header: []rpm.Entry{rpm.Int32Entry(rpm.TagDirIndexes, 99)}},
		"too few indexes":           {Header: []rpm.Entry{rpm.Int32Entry(rpm.TagDirIndexes, 0, 0)}},
		"too many modes":            {Header: []rpm.Entry{rpm.Int16Entry(rpm.TagFileModes, 1, 2)}},
		"modes of another type":     {Header: []rpm.Entry{rpm.Int32Entry(rpm.TagFileModes, 1)}},
		"no modes":                  {Drop: []rpm.Tag{rpm.TagFileModes}},
		"no sizes":                  {Drop: []rpm.Tag{rpm.TagFileSizes}},
		"no owners":                 {Drop: []rpm.Tag{rpm.TagFileUserName}},
		"no groups":                 {Drop: []rpm.Tag{rpm.TagFileGroupName}},
		"no directories":            {Drop: []rpm.Tag{rpm.TagDirNames}},
		"digests of another count":  {Header: []rpm.Entry{rpm.StringArrayEntry(rpm.TagFileDigests, []string{"a", "b"})}},
		"links of another count":    {Header: []rpm.Entry{rpm.StringArrayEntry(rpm.TagFileLinkTos, []string{"a", "b"})}},
		"names of RPM v3":           {Drop: []rpm.Tag{rpm.TagBaseNames}, Header: []rpm.Entry{rpm.StringArrayEntry(rpm.TagOldFileNames, []string{"/a"})}},
	} {
		spec := rpmwrite.Spec{
			Name: "x", EVR: rpm.EVR{Version: "1", Release: "1"}, Arch: "noarch",
			Files: []rpmwrite.File{rpmwrite.Text("/a", "a")}, Hostile: hostile,
		}
		var fault *rpm.FormatError
		if files, err := read(t, pack(t, spec)).Files(); !errors.As(err, &fault) {
			t.Errorf("%s gives %v, %v", name, files, err)
		}
	}
	none := rpmwrite.Spec{Name: "x", EVR: rpm.EVR{Version: "1", Release: "1"}, Arch: "noarch"}
	if files, err := read(t, pack(t, none)).Files(); err != nil || files != nil {
		t.Errorf("no files give %v, %v", files, err)
	}
}
