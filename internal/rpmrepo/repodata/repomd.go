package repodata

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"

	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
)

// Repomd is repomd.xml: which metadata a repository has.
type Repomd struct {
	// Revision is mostly the seconds since 1970, but any text may stand there.
	Revision string
	// Timestamp is the newest of the parts', in seconds since 1970.
	Timestamp int64
	// Data are the parts in order. Of several of one type the first counts.
	Data []Data
}

// Data is one part of the metadata.
type Data struct {
	// Type is "primary", "filelists", "updateinfo", "modules", …
	Type string
	// Location is its path below the repository's base URL, or the whole URL.
	Location string
	// Checksum is that of the file. OpenChecksum is said to be that of its decompressed content, which
	// follows from the file; zero if not given.
	Checksum, OpenChecksum Checksum
	// Size and OpenSize in bytes; 0 if not given.
	Size, OpenSize int64
	Timestamp      int64
}

// Find gives the part of that type.
func (r *Repomd) Find(kind string) (Data, bool) {
	for _, d := range r.Data {
		if d.Type == kind {
			return d, true
		}
	}
	return Data{}, false
}

// Checksum is a checksum and how it is made.
type Checksum struct {
	// Kind is "sha256", "sha512", …; see NewHash.
	Kind string
	// Hex is lowercase.
	Hex string
}

// IsZero says that there is none.
func (c Checksum) IsZero() bool { return c == Checksum{} }

// NewHash starts a checksum of that kind. ok is false for a kind that is not known.
func NewHash(kind string) (h hash.Hash, ok bool) {
	switch kind {
	case "md5":
		return md5.New(), true
	case "sha", "sha1":
		return sha1.New(), true
	case "sha224":
		return sha256.New224(), true
	case "sha256":
		return sha256.New(), true
	case "sha384":
		return sha512.New384(), true
	case "sha512":
		return sha512.New(), true
	}
	return nil, false
}

// Trusted says whether a checksum of that kind protects against somebody who wants to deceive, and
// not only against accidents.
func Trusted(kind string) bool {
	return strings.HasPrefix(kind, "sha") && kind != "sha" && kind != "sha1"
}

// ParseChecksum checks that text is a checksum of that kind.
func ParseChecksum(kind, text string) (Checksum, error) {
	h, ok := NewHash(kind)
	if !ok {
		return Checksum{}, fmt.Errorf("checksums of kind %.20q are not supported", kind)
	}
	text = strings.ToLower(strings.TrimSpace(text))
	if raw, err := hex.DecodeString(text); err != nil || len(raw) != h.Size() {
		return Checksum{}, fmt.Errorf("%.150q is not a %s checksum", text, kind)
	}
	return Checksum{kind, text}, nil
}

// maxData bounds the parts that repomd.xml may name.
const maxData = 1000

// ParseRepomd reads repomd.xml. Parts that a newer createrepo_c may add are kept, zchunk variants
// (primary_zck, …) are left out. Each part has a location and a checksum that is at least SHA-224.
func ParseRepomd(data []byte) (*Repomd, error) {
	s := newScanner(bytes.NewReader(data))
	repomd, err := s.repomd()
	if err != nil {
		return nil, fmt.Errorf("parsing repomd.xml: %w", err)
	}
	return repomd, nil
}

func (s *scanner) repomd() (*Repomd, error) {
	if err := s.root("repomd"); err != nil {
		return nil, err
	}
	var out Repomd
	for {
		more, err := s.child(1)
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
		switch string(s.name) {
		case "revision":
			text, err := s.content()
			if err != nil {
				return nil, err
			}
			out.Revision = strings.ToValidUTF8(strings.TrimSpace(string(text)), "\uFFFD")
		case "data":
			d, err := s.data()
			if err != nil {
				return nil, err
			}
			if strings.HasSuffix(d.Type, "_zck") {
				continue
			}
			if len(out.Data) == maxData {
				return nil, s.errorf("it names more than %d parts", maxData)
			}
			out.Data = append(out.Data, d)
			out.Timestamp = max(out.Timestamp, d.Timestamp)
		}
	}
	return &out, s.finished()
}

func (s *scanner) data() (Data, error) {
	kind, _, err := s.attr("type")
	if err != nil {
		return Data{}, err
	}
	d := Data{Type: string(kind)}
	for {
		more, err := s.child(2)
		if err == nil && more {
			err = s.dataField(&d)
		}
		if err != nil {
			return d, fmt.Errorf("data of type %.40q: %w", d.Type, err)
		}
		if !more {
			break
		}
	}
	switch {
	case d.Type == "":
		return d, s.errorf("a part has no type")
	case d.Location == "":
		return d, s.errorf("data of type %.40q has no location", d.Type)
	case d.Checksum.IsZero():
		return d, s.errorf("data of type %.40q has no checksum", d.Type)
	}
	return d, nil
}

func (s *scanner) dataField(d *Data) error {
	switch name := string(s.name); name {
	case "location":
		return s.dataLocation(d)
	case "checksum", "open-checksum":
		kind, _, err := s.attr("type")
		if err != nil {
			return err
		}
		sum := Checksum{Kind: string(kind)}
		text, err := s.content()
		if err != nil {
			return err
		}
		if sum, err = ParseChecksum(sum.Kind, string(text)); err != nil {
			return s.errorf("%v", err)
		}
		if !Trusted(sum.Kind) {
			return s.errorf("it is named by its %s, which is not safe any more; at least sha256 is needed", sum.Kind)
		}
		if name == "checksum" {
			d.Checksum = sum
		} else {
			d.OpenChecksum = sum
		}
	case "size":
		return s.dataNumber(&d.Size)
	case "open-size":
		return s.dataNumber(&d.OpenSize)
	case "timestamp":
		return s.dataNumber(&d.Timestamp)
	}
	return nil
}

// dataNumber reads the element's text. Some tools write timestamps with a fraction, which is cut off.
func (s *scanner) dataNumber(into *int64) error {
	text, err := s.content()
	if err != nil {
		return err
	}
	whole, _, _ := bytes.Cut(bytes.TrimSpace(text), []byte("."))
	*into, err = s.integer(whole)
	return err
}

func (s *scanner) dataLocation(d *Data) error {
	href, _, err := s.attr("href")
	if err != nil {
		return err
	}
	d.Location, err = s.place(string(href))
	return err
}

// place joins the href of a <location> with its xml:base, if there is one.
func (s *scanner) place(href string) (string, error) {
	base, ok, err := s.attr("base")
	if err != nil {
		return "", err
	}
	if !ValidLocation(href) {
		return "", s.errorf("%.200q is not a path inside of the repository", href)
	}
	if !ok || len(base) == 0 {
		return href, nil
	}
	whole := strings.TrimSuffix(string(base), "/") + "/" + href
	if scheme, _, isURL := strings.Cut(whole, "://"); hasControl(base) || !isURL && !ValidLocation(whole) || isURL && !isScheme(scheme) {
		return "", s.errorf("%.200q is neither a URL nor a path inside of the repository", base)
	}
	return whole, nil
}

func isScheme(s string) bool { return s == "https" || s == "http" || s == "file" }
