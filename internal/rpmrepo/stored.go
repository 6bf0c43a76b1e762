package rpmrepo

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// stored is a document that is kept in the cache as what was read of it: JSON behind a line that
// names its format, and one with its checksum. format changes with the type and with what parse makes
// of a document.
type stored[T any] struct {
	format string
	parse  func(io.Reader) (T, error)
}

// write parses a document, writes what open reads, and gives what that is.
func (s stored[T]) write(w io.Writer, r io.Reader) (v T, err error) {
	parsed, err := s.parse(r)
	if err != nil {
		return v, err
	}
	data, err := json.Marshal(parsed)
	if err != nil {
		return v, fmt.Errorf("storing %s: %w", s.format, err)
	}
	sum := sha256.Sum256(data)
	_, err = io.WriteString(w, s.format+"\n"+hex.EncodeToString(sum[:])+"\n")
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = json.Unmarshal(data, &v)
	}
	return v, err
}

// open reads what write wrote. Data of another format, or that is damaged, is an error.
func (s stored[T]) open(data []byte) (v T, err error) {
	rest, known := bytes.CutPrefix(data, []byte(s.format+"\n"))
	sum, body, whole := bytes.Cut(rest, []byte("\n"))
	want := sha256.Sum256(body)
	if !known || !whole || string(sum) != hex.EncodeToString(want[:]) {
		return v, errors.New("what is stored is damaged or of another version")
	}
	err = json.Unmarshal(body, &v)
	return v, err
}
