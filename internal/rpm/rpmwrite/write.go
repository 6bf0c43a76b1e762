package rpmwrite

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Write writes the package that the spec describes.
func Write(w io.Writer, spec Spec) error {
	return write(w, spec, "")
}

// WriteFile writes the package to a file, atomically. The compressed payload
// is kept beside it meanwhile.
func WriteFile(path string, spec Spec) error {
	f, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("writing package %s: %w", spec.Name, err)
	}
	defer func() { _ = f.Cleanup() }()
	w := bufio.NewWriterSize(f, 1<<18)
	if err := write(w, spec, filepath.Dir(path)); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return fmt.Errorf("writing package %s: %w", spec.Name, err)
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("writing package %s: %w", spec.Name, err)
	}
	return nil
}

func write(w io.Writer, spec Spec, scratch string) error {
	if err := writePackage(w, spec, scratch); err != nil {
		return fmt.Errorf("writing package %s: %w", spec.Name, err)
	}
	return nil
}

func writePackage(w io.Writer, spec Spec, scratch string) error {
	if err := check(&spec); err != nil {
		return err
	}
	files, err := layOut(spec.Files)
	if err != nil {
		return err
	}
	spool, err := os.CreateTemp(scratch, ".rpmwrite-*")
	if err != nil {
		return err
	}
	defer os.Remove(spool.Name())
	defer spool.Close()

	pay, err := writePayload(spool, &spec, files)
	if err != nil {
		return err
	}
	entries := headerEntries(&spec, files, pay)
	if err := checkTexts(entries); err != nil {
		return err
	}
	header := rpm.BuildHeader(rpm.TagHeaderImmutable, amend(entries, spec.Hostile.Header, spec.Hostile.Drop))
	signature, err := signatureHeader(&spec, header, pay, spool)
	if err != nil {
		return err
	}
	front := [][]byte{lead(&spec), rpm.HeaderMagic(), signature,
		make([]byte, -len(signature)&7), rpm.HeaderMagic(), header}
	if _, err := w.Write(bytes.Join(front, nil)); err != nil {
		return err
	}
	if _, err := spool.Seek(0, io.SeekStart); err != nil {
		return err
	}
	_, err = io.Copy(w, spool)
	return err
}

// check fills in what may be left out and refuses what no package can have.
func check(spec *Spec) error {
	switch {
	case spec.Name == "":
		return errors.New("it has no name")
	case spec.EVR.Version == "" || spec.EVR.Release == "":
		return errors.New("it has no version or no release")
	case spec.Arch == "":
		return errors.New("it has no architecture")
	}
	if err := checkScripts(spec.Scripts); err != nil {
		return err
	}
	if spec.Compression == "" {
		spec.Compression = "zstd"
	}
	if spec.SourceRPM == "" {
		spec.SourceRPM = rpm.NEVRA{Name: spec.Name, EVR: spec.EVR, Arch: "src"}.FileName()
	}
	return nil
}

// checkTexts refuses texts that hold NUL: they would be taken for several.
func checkTexts(entries []rpm.Entry) error {
	for _, e := range entries {
		text := e.Type == rpm.TypeString || e.Type == rpm.TypeStringArray || e.Type == rpm.TypeI18NString
		if text && bytes.Count(e.Data, []byte{0}) != int(e.Count) {
			return fmt.Errorf("a text of %v holds NUL", e)
		}
	}
	return nil
}

// lead is the obsolete block in front; only file(1) looks at it.
func lead(spec *Spec) []byte {
	b := make([]byte, 96)
	copy(b, "\xed\xab\xee\xdb\x03\x00\x00\x00\x00\x01")
	nevra := rpm.NEVRA{Name: spec.Name, EVR: rpm.EVR{Version: spec.EVR.Version, Release: spec.EVR.Release}}
	copy(b[10:75], nevra.Name+"-"+nevra.EVR.String())
	b[77], b[79] = 1, 5 // Linux; a signature header follows
	return b
}

// amend replaces entries by tag, adds those that are new, and drops others.
func amend(entries, changed []rpm.Entry, drop []rpm.Tag) []rpm.Entry {
	replaced := map[rpm.Tag]bool{}
	for _, e := range changed {
		replaced[e.Tag] = true
	}
	for _, tag := range drop {
		replaced[tag] = true
	}
	var out []rpm.Entry
	for _, e := range entries {
		if !replaced[e.Tag] {
			out = append(out, e)
		}
	}
	return append(out, changed...)
}

func hexString(sum []byte) string { return hex.EncodeToString(sum) }
