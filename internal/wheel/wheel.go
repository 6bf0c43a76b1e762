package wheel

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

// Wheel is a checked wheel, in memory. It is safe for concurrent use.
type Wheel struct {
	Path    string   // where the file is
	Digest  string   // SHA-256, hex, over the names, executable bits and contents of its files; no zip's details
	Name    string   // as METADATA writes it
	Version string   // as METADATA writes it
	Tags    []string // of the file name, sorted: "py3-none-any"
	Purelib bool     // Root-Is-Purelib

	info    string // the .dist-info folder's name
	members []member
	record  []recordRow
}

// member is one file in the wheel.
type member struct {
	name    string // slash-separated, relative
	exec    bool
	content []byte
}

var nameShape = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?$`) // "Names and normalization"

// FormatError is a wheel that breaks a rule of the format ("Binary distribution format" of the packaging specifications), or
// one of ours about what may be installed.
type FormatError struct {
	Wheel string // file name
	Err   error
}

func (e *FormatError) Error() string { return fmt.Sprintf("wheel %s: %v", printable(e.Wheel), e.Err) }
func (e *FormatError) Unwrap() error { return e.Err }

// Open reads the wheel at path and checks it: names that stay inside, no duplicates, files only, sizes within bounds, the
// metadata that it must have and that agrees with the file's name, and every file as RECORD says. A wheel that breaks a rule
// is a [*FormatError].
func Open(path string) (*Wheel, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("opening wheel: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("opening wheel: %w", err)
	}
	w := &Wheel{Path: path}
	if err := w.read(f, info.Size()); err != nil {
		return nil, &FormatError{Wheel: filepath.Base(path), Err: err}
	}
	return w, nil
}

func (w *Wheel) read(r io.ReaderAt, size int64) error {
	name, err := parseFilename(filepath.Base(w.Path))
	if err != nil {
		return err
	}
	w.Tags = name.tags
	if w.members, err = readArchive(r, size); err != nil {
		return err
	}
	if w.info, err = infoDir(w.members); err != nil {
		return err
	}
	if err := w.readMetadata(name); err != nil {
		return err
	}
	record := w.find(w.info + "/RECORD")
	if record == nil {
		return errors.New("it has no RECORD")
	}
	if w.record, err = parseRecord(record.content); err != nil {
		return err
	}
	w.Digest = digest(w.members, w.info)
	return checkRecord(w.record, w.members, w.info)
}

// digest is over all but RECORD, which repeats the rest in an order of its own.
func digest(members []member, info string) string {
	sum := sha256.New()
	for _, m := range members {
		if m.name != info+"/RECORD" {
			fmt.Fprintf(sum, "%q %v %d\n", m.name, m.exec, len(m.content))
			sum.Write(m.content)
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// infoDir finds the one .dist-info folder.
func infoDir(members []member) (string, error) {
	found := ""
	for _, m := range members {
		top, _, below := strings.Cut(m.name, "/")
		if !below || !strings.HasSuffix(top, ".dist-info") || top == found {
			continue
		}
		if found != "" {
			return "", fmt.Errorf("it has two .dist-info folders, %s and %s", found, top)
		}
		found = top
	}
	if found == "" {
		return "", errors.New("it has no .dist-info folder")
	}
	return found, nil
}

func (w *Wheel) readMetadata(name filename) error {
	metadata, err := w.header("METADATA")
	if err != nil {
		return err
	}
	w.Name, w.Version = metadata.get("Name"), metadata.get("Version")
	if !nameShape.MatchString(w.Name) {
		return fmt.Errorf("METADATA names it %q, which is no project's name", printable(w.Name))
	}
	if pymeta.NormalizeName(w.Name) != pymeta.NormalizeName(name.name) {
		return fmt.Errorf("METADATA names it %q", printable(w.Name))
	}
	version, err := pymeta.ParseVersion(w.Version)
	if err != nil {
		return fmt.Errorf("METADATA: %w", err)
	}
	if other, err := pymeta.ParseVersion(name.version); err != nil || version.Compare(other) != 0 {
		return fmt.Errorf("METADATA says version %q", printable(w.Version))
	}
	if prefix, _, _ := strings.Cut(w.info, "-"); pymeta.NormalizeName(prefix) != pymeta.NormalizeName(w.Name) {
		return fmt.Errorf("its folder %s is another project's", w.info)
	}
	about, err := w.header("WHEEL")
	if err != nil {
		return err
	}
	if major, _, _ := strings.Cut(about.get("Wheel-Version"), "."); major != "1" {
		return fmt.Errorf("it is of format version %q; only 1 is known", printable(about.get("Wheel-Version")))
	}
	w.Purelib = strings.EqualFold(about.get("Root-Is-Purelib"), "true")
	return nil
}

func (w *Wheel) header(name string) (header, error) {
	m := w.find(w.info + "/" + name)
	if m == nil {
		return nil, fmt.Errorf("it has no %s", name)
	}
	return parseHeader(m.content), nil
}

// find returns a member, nil where there is none.
func (w *Wheel) find(name string) *member {
	for i := range w.members {
		if w.members[i].name == name {
			return &w.members[i]
		}
	}
	return nil
}
