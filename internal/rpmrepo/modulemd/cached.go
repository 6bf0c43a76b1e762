package modulemd

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// cachedFormat begins a file that Write wrote; it changes with the types of this package, and with
// what Parse makes of a document.
const cachedFormat = "slipway modules 1\n"

// Write parses a modules.yaml and writes what Open reads.
func Write(w io.Writer, r io.Reader) error {
	index, err := Parse(r)
	if err != nil {
		return err
	}
	data, err := json.Marshal(index)
	if err != nil {
		return fmt.Errorf("writing modular metadata: %w", err)
	}
	sum := sha256.Sum256(data)
	_, err = io.Copy(w, io.MultiReader(bytes.NewReader([]byte(cachedFormat+hex.EncodeToString(sum[:])+"\n")), bytes.NewReader(data)))
	return err
}

// Open reads what Write wrote. Data of another format, or that is damaged, is an error.
func Open(data []byte) (*Index, error) {
	rest, ok := bytes.CutPrefix(data, []byte(cachedFormat))
	sum, body, ok2 := bytes.Cut(rest, []byte("\n"))
	want := sha256.Sum256(body)
	if !ok || !ok2 || string(sum) != hex.EncodeToString(want[:]) {
		return nil, errors.New("reading stored modular metadata: it is damaged or of another version")
	}
	index := &Index{}
	if err := json.Unmarshal(body, index); err != nil {
		return nil, fmt.Errorf("reading stored modular metadata: %w", err)
	}
	return index, nil
}
