package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func testFile(t *testing.T, title, content string) File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte(content))
	return File{Title: title, MediaType: "text/plain", SHA256: hex.EncodeToString(sum[:]), Size: int64(len(content)), Path: path}
}

// TestFiles holds that files come back under their names, that equal ones are stored once, and that
// those which are there are not sent again.
func TestFiles(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	ref := f.host() + "/greeter/rpms"
	files := []File{testFile(t, "a/one", "some"), testFile(t, "b/one", "some"), testFile(t, "two", "other")}
	pushed, err := PushFiles(t.Context(), ref+":first", "application/vnd.test", files, hasty())
	if err != nil || pushed.Uploaded != 3 { // two contents and the empty configuration
		t.Fatalf("%+v, %v", pushed, err)
	}
	pushed, err = PushFiles(t.Context(), ref+":second", "application/vnd.test", append(files, testFile(t, "three", "more")), hasty())
	if err != nil || pushed.Uploaded != 1 {
		t.Fatalf("%+v, %v", pushed, err)
	}
	list, digest, err := PullFiles(t.Context(), ref+":second", hasty())
	if err != nil || digest != pushed.Digest || len(list) != 4 {
		t.Fatalf("%+v, %s, %v", list, digest, err)
	}
	blobs := &Blobs{Options: hasty()}
	for _, file := range list {
		r, err := blobs.Open(t.Context(), ref+"@sha256:"+file.SHA256, file.Size)
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(r)
		r.Close()
		i := slices.IndexFunc(files, func(f File) bool { return f.Title == file.Title })
		if err != nil || i >= 0 && files[i].SHA256 != file.SHA256 || int64(len(content)) != file.Size {
			t.Errorf("%s: %q, %v", file.Title, content, err)
		}
	}
	missing := ref + "@sha256:" + strings.Repeat("a", 64)
	if _, err := blobs.Open(t.Context(), missing, 1); !errors.Is(err, fs.ErrNotExist) || !errors.As(err, new(*Error)) {
		t.Errorf("a blob that is not there: %v", err)
	}
	for _, tt := range []struct {
		ref  string
		want bool
	}{{missing, false}, {ref + "@sha256:" + files[0].SHA256, true}} {
		if there, err := blobs.Has(t.Context(), tt.ref); err != nil || there != tt.want {
			t.Errorf("%s: %v, %v", tt.ref, there, err)
		}
	}
	if _, err := blobs.Has(t.Context(), ref+":first"); err == nil {
		t.Error("a tag passes for a blob")
	}
}

// TestPullFilesRefuses holds that names which lead elsewhere, and what is no artifact, are errors.
func TestPullFilesRefuses(t *testing.T) {
	t.Parallel()
	f := serve(t, nil)
	if _, err := PushFiles(t.Context(), f.host()+"/a:b", "application/vnd.test", []File{testFile(t, "../up", "x")}, hasty()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := PullFiles(t.Context(), f.host()+"/a:b", hasty()); err == nil || !strings.Contains(err.Error(), `"../up"`) {
		t.Errorf("error: %v", err)
	}
	if _, _, err := PullFiles(t.Context(), f.host()+"/a:none", hasty()); !errors.As(err, new(*Error)) {
		t.Errorf("error: %v", err)
	}
	gone := testFile(t, "gone", "y")
	if err := os.Remove(gone.Path); err != nil {
		t.Fatal(err)
	}
	if _, err := PushFiles(t.Context(), f.host()+"/a:c", "application/vnd.test", []File{gone}, hasty()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is gone: %v", err)
	}
}
