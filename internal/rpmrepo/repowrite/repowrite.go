// Package repowrite turns a directory of RPM packages into a repository, as
// createrepo_c does: repodata/repomd.xml with primary, filelists and other.
//
// It serves archives of locked packages, the RPM universe, and tests. The same packages and options give the
// same bytes: a package's file time is taken to be its build time.
package repowrite

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/google/renameio/v2"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"

	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// Options of Write. The zero value gives gzip metadata without a signature.
type Options struct {
	Signer      *rpmwrite.Signer // signs repomd.xml as repomd.xml.asc; nil: unsigned
	Compression string           // "gz" when empty, "zstd", "xz" or "none"
	Revision    string           // of repomd.xml; the timestamp when empty
	Timestamp   int64            // seconds since 1970; 0 is the newest package's build time
	Modules     []byte           // modules.yaml, as it is to be; none when empty
	UpdateInfo  []byte           // updateinfo.xml, likewise
}

// Write reads every *.rpm below dir and writes dir/repodata. Metadata that is
// there already is replaced; whoever reads repomd.xml meanwhile sees the old
// repository or the new one, whole.
func Write(dir string, opts Options) error {
	if err := write(dir, opts); err != nil {
		return fmt.Errorf("writing repository %s: %w", dir, err)
	}
	return nil
}

func write(dir string, opts Options) error {
	packages, err := scan(dir)
	if err != nil {
		return err
	}
	if opts.Timestamp == 0 {
		for _, p := range packages {
			opts.Timestamp = max(opts.Timestamp, p.buildTime)
		}
	}
	target := filepath.Join(dir, "repodata")
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	index := repomd{
		Namespace: "http://linux.duke.edu/metadata/repo", RPM: rpmNamespace,
		Revision: cmp.Or(opts.Revision, strconv.FormatInt(opts.Timestamp, 10)),
	}
	keep := map[string]bool{"repomd.xml": true, "repomd.xml.asc": opts.Signer != nil}
	var parts []content
	for _, part := range []struct {
		name     string
		document any
	}{
		{"primary", primaryDocument(packages)},
		{"filelists", filelistsDocument(packages)},
		{"other", otherDocument(packages)},
	} {
		plain, err := render(part.document)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		parts = append(parts, content{part.name, part.name + ".xml", plain})
	}
	for _, part := range append(parts, content{"modules", "modules.yaml", opts.Modules}, content{"updateinfo", "updateinfo.xml", opts.UpdateInfo}) {
		if len(part.plain) == 0 {
			continue
		}
		data, err := writePart(target, part, opts)
		if err != nil {
			return fmt.Errorf("%s: %w", part.kind, err)
		}
		keep[filepath.Base(data.Location.Href)] = true
		index.Data = append(index.Data, data)
	}
	if err := writeIndex(target, index, opts); err != nil {
		return err
	}
	return sweep(target, keep)
}

// content is a part of the metadata: its type in repomd.xml, its file's name, and what is in it.
type content struct {
	kind, file string
	plain      []byte
}

// writePart writes one document, compressed, under a name with its checksum.
func writePart(dir string, part content, opts Options) (repomdData, error) {
	plain := part.plain
	stored, suffix, err := compress(plain, opts.Compression)
	if err != nil {
		return repomdData{}, err
	}
	sum := digest(stored)
	file := sum + "-" + part.file + suffix
	if err := renameio.WriteFile(filepath.Join(dir, file), stored, 0o644); err != nil {
		return repomdData{}, err
	}
	return repomdData{
		Type:         part.kind,
		Checksum:     checksum{Type: "sha256", Value: sum},
		OpenChecksum: checksum{Type: "sha256", Value: digest(plain)},
		Location:     location{Href: "repodata/" + file},
		Timestamp:    opts.Timestamp,
		Size:         len(stored),
		OpenSize:     len(plain),
	}, nil
}

// writeIndex writes repomd.xml last of all, and its signature before it: who
// finds the new index finds all that it names.
func writeIndex(dir string, index repomd, opts Options) error {
	data, err := render(index)
	if err != nil {
		return err
	}
	if opts.Signer != nil {
		signature, err := opts.Signer.SignDetached(data, time.Unix(opts.Timestamp, 0))
		if err != nil {
			return err
		}
		if err := renameio.WriteFile(filepath.Join(dir, "repomd.xml.asc"), signature, 0o644); err != nil {
			return err
		}
	}
	return renameio.WriteFile(filepath.Join(dir, "repomd.xml"), data, 0o644)
}

// sweep removes what an earlier Write left.
func sweep(dir string, keep map[string]bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !keep[e.Name()] && !e.IsDir() {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

func render(document any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(xml.Header)
	e := xml.NewEncoder(&b)
	e.Indent("", "  ")
	if err := e.Encode(document); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

func compress(data []byte, name string) (compressed []byte, suffix string, err error) {
	var b bytes.Buffer
	var w io.WriteCloser
	switch name {
	case "", "gz":
		w, suffix = gzip.NewWriter(&b), ".gz"
	case "zstd":
		w, err = zstd.NewWriter(&b, zstd.WithEncoderConcurrency(1))
		suffix = ".zst"
	case "xz":
		w, err = xz.NewWriter(&b)
		suffix = ".xz"
	case "none":
		return data, "", nil
	default:
		err = fmt.Errorf("compression %q is not known: gz, zstd, xz and none are", name)
	}
	if err != nil {
		return nil, "", err
	}
	if _, err := w.Write(data); err != nil {
		return nil, "", err
	}
	if err := w.Close(); err != nil {
		return nil, "", err
	}
	return b.Bytes(), suffix, nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
