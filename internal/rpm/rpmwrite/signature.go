package rpmwrite

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"io"
	"math"
	"slices"

	"github.com/slipway-build/slipway/internal/rpm"
)

// signatureHeader makes the header in front of the main one: digests and a
// signature of the main header, and the digest of all that follows.
func signatureHeader(spec *Spec, header []byte, pay *payload, stored io.ReadSeeker) ([]byte, error) {
	covered := slices.Concat(rpm.HeaderMagic(), header)
	short := sha1.Sum(covered)
	long := sha256.Sum256(covered)
	all, err := md5All(covered, stored)
	if err != nil {
		return nil, err
	}
	entries := []rpm.Entry{
		rpm.StringEntry(rpm.SigSHA1, hexString(short[:])),
		rpm.StringEntry(rpm.SigSHA256, hexString(long[:])),
		rpm.BinEntry(rpm.SigMD5, all),
		sizeEntry(rpm.SigSize, rpm.SigLongSize, int64(len(covered))+pay.size),
		sizeEntry(rpm.SigPayloadSize, rpm.SigLongArchiveSize, pay.plainSize),
	}
	if spec.Key != nil {
		signature, err := spec.Key.sign(bytes.NewReader(covered), spec.BuildTime)
		if err != nil {
			return nil, err
		}
		entries = append(entries, rpm.BinEntry(spec.Key.headerTag(), signature))
	}
	entries = amend(entries, spec.Hostile.Signature, spec.Hostile.DropSignature)
	return rpm.BuildHeader(rpm.TagHeaderSignatures, entries), nil
}

func sizeEntry(short, long rpm.Tag, n int64) rpm.Entry {
	if n > math.MaxUint32 {
		return rpm.Int64Entry(long, uint64(n))
	}
	return rpm.Int32Entry(short, uint32(n))
}

func md5All(header []byte, payload io.ReadSeeker) ([]byte, error) {
	if _, err := payload.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	sum := md5.New()
	sum.Write(header)
	_, err := io.Copy(sum, payload)
	return sum.Sum(nil), err
}
