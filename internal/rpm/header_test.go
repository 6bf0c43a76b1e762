package rpm_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/rpm"
)

func TestHeaderValues(t *testing.T) {
	blob := rpm.BuildHeader(rpm.TagHeaderImmutable, []rpm.Entry{
		rpm.StringEntry(2000, "text"),
		rpm.StringArrayEntry(2001, []string{"a", "", "c"}),
		rpm.I18NEntry(2002, "translated"),
		rpm.Int16Entry(2003, 1, 65535),
		rpm.Int32Entry(2004, 7, 1<<31),
		rpm.Int64Entry(2005, 1<<40),
		rpm.BinEntry(2006, []byte{0, 1, 2}),
		rpm.CharEntry(2007, []byte{9}),
	})
	h, err := rpm.ParseHeader(slices.Concat(rpm.HeaderMagic(), blob))
	if err != nil {
		t.Fatal(err)
	}
	for name, diff := range map[string]string{
		"string":   cmp.Diff("text", h.String(2000)),
		"strings":  cmp.Diff([]string{"a", "", "c"}, h.Strings(2001)),
		"first":    cmp.Diff("a", h.String(2001)),
		"i18n":     cmp.Diff("translated", h.I18N(2002)),
		"16 bit":   cmp.Diff([]uint16{1, 65535}, h.Uint16s(2003)),
		"32 bit":   cmp.Diff([]uint32{7, 1 << 31}, h.Uint32s(2004)),
		"64 bit":   cmp.Diff([]uint64{1 << 40}, h.Uint64s(2005)),
		"bytes":    cmp.Diff([]byte{0, 1, 2}, h.Bytes(2006)),
		"blob":     cmp.Diff(blob, h.Blob()),
		"not text": cmp.Diff("", h.String(2004)),
		"not 32":   cmp.Diff([]uint32(nil), h.Uint32s(2003)),
		"absent":   cmp.Diff([]string(nil), h.Strings(3000)),
	} {
		if diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if n, ok := h.Uint32(2004); n != 7 || !ok {
		t.Errorf("the first number is %d, %v", n, ok)
	}
	if _, ok := h.Uint32(2000); ok {
		t.Error("a text is a number")
	}
	if _, ok := h.Uint64(3000); ok {
		t.Error("what is absent is a number")
	}
	if !h.Has(2007) || h.Has(2008) || h.Region() != rpm.TagHeaderImmutable || len(h.Entries()) != 8 {
		t.Errorf("has %v, region %d, %d entries", h.Has(2007), h.Region(), len(h.Entries()))
	}
}

func TestHeaderAppend(t *testing.T) {
	blob := rpm.BuildHeader(rpm.TagHeaderImmutable, []rpm.Entry{rpm.StringEntry(rpm.TagName, "x"), rpm.Int32Entry(rpm.TagSize, 5)})
	h, err := rpm.ParseHeader(blob)
	if err != nil {
		t.Fatal(err)
	}
	grown := h.Append([]rpm.Entry{rpm.Int32Entry(rpm.TagInstallTime, 99), rpm.StringEntry(rpm.SigSHA1, "abc")})
	g, err := rpm.ParseHeader(grown)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := g.Uint32(rpm.TagInstallTime); n != 99 || g.String(rpm.TagName) != "x" || g.String(rpm.SigSHA1) != "abc" {
		t.Errorf("the grown header has %v", g.Entries())
	}
	// The region, index and data, stays as it was, byte for byte.
	oldIndex, oldData := split(blob)
	newIndex, newData := split(grown)
	if !bytes.HasPrefix(newIndex, oldIndex) || !bytes.HasPrefix(newData, oldData) {
		t.Error("the immutable region changed")
	}
}

func split(blob []byte) (index, data []byte) {
	n := binary.BigEndian.Uint32(blob)
	return blob[8 : 8+16*n], blob[8+16*n:]
}

// rawHeader makes a header without a region out of numbers: tag, type, offset
// and count of each entry.
func rawHeader(data string, entries ...[4]uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(entries)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	for _, e := range entries {
		for _, n := range e {
			b = binary.BigEndian.AppendUint32(b, n)
		}
	}
	return append(b, data...)
}

func TestParseHeaderFaults(t *testing.T) {
	const minus32 = 1<<32 - 32
	trailer := func(tag, typ, offset, count uint32) string {
		return string(rawHeader("", [4]uint32{tag, typ, offset, count})[8:])
	}
	for name, blob := range map[string][]byte{
		"empty":                      nil,
		"only counts":                {0, 0, 0, 1, 0, 0, 0, 4},
		"too many entries":           {0, 1, 0, 0, 0, 0, 0, 0},
		"too much data":              {0, 0, 0, 0, 0x10, 0, 0, 0},
		"counts of everything":       bytes.Repeat([]byte{0xff}, 64),
		"more bytes than counted":    append(rawHeader(""), 0),
		"unknown type":               rawHeader("x\x00", [4]uint32{1000, 10, 0, 1}),
		"no type":                    rawHeader("x\x00", [4]uint32{1000, 0, 0, 1}),
		"low tag":                    rawHeader("x\x00", [4]uint32{5, 6, 0, 1}),
		"no values":                  rawHeader("x\x00", [4]uint32{1000, 6, 0, 0}),
		"text without an end":        rawHeader("xy", [4]uint32{1000, 6, 0, 1}),
		"texts without an end":       rawHeader("x\x00y", [4]uint32{1000, 8, 0, 2}),
		"text counted twice":         rawHeader("x\x00", [4]uint32{1000, 6, 0, 2}),
		"offset outside":             rawHeader("x\x00", [4]uint32{1000, 6, 9, 1}),
		"negative offset":            rawHeader("x\x00", [4]uint32{1000, 6, 1<<32 - 1, 1}),
		"number outside":             rawHeader("\x00\x00\x00\x00", [4]uint32{1000, 4, 0, 2}),
		"count wraps":                rawHeader("\x00\x00\x00\x00", [4]uint32{1000, 4, 0, 1 << 30}),
		"bytes outside":              rawHeader("ab", [4]uint32{1000, 7, 1, 2}),
		"misaligned":                 rawHeader("\x00\x00\x00\x00\x00", [4]uint32{1000, 4, 1, 1}),
		"tag twice":                  rawHeader("x\x00y\x00", [4]uint32{1000, 6, 0, 1}, [4]uint32{1000, 6, 2, 1}),
		"shared data":                rawHeader("x\x00", [4]uint32{1000, 6, 0, 1}, [4]uint32{1001, 6, 0, 1}),
		"overlap":                    rawHeader("xy\x00", [4]uint32{1000, 6, 0, 1}, [4]uint32{1001, 6, 1, 1}),
		"region not first":           rawHeader("x\x00"+trailer(63, 7, minus32, 16), [4]uint32{1000, 6, 0, 1}, [4]uint32{63, 7, 2, 16}),
		"region without trailer":     rawHeader("x\x00", [4]uint32{63, 7, 2, 16}, [4]uint32{1000, 6, 0, 1}),
		"region of another type":     rawHeader("x\x00"+trailer(63, 7, minus32, 16), [4]uint32{63, 6, 2, 16}, [4]uint32{1000, 6, 0, 1}),
		"trailer of another type":    rawHeader("x\x00"+trailer(63, 6, minus32, 16), [4]uint32{63, 7, 2, 16}, [4]uint32{1000, 6, 0, 1}),
		"trailer of another tag":     rawHeader("x\x00"+trailer(1000, 7, minus32, 16), [4]uint32{63, 7, 2, 16}, [4]uint32{1000, 6, 0, 1}),
		"trailer with positive size": rawHeader("x\x00"+trailer(63, 7, 32, 16), [4]uint32{63, 7, 2, 16}, [4]uint32{1000, 6, 0, 1}),
		"trailer with odd size":      rawHeader("x\x00"+trailer(63, 7, 1<<32-33, 16), [4]uint32{63, 7, 2, 16}, [4]uint32{1000, 6, 0, 1}),
		"region larger than header":  rawHeader("x\x00"+trailer(63, 7, 1<<32-48, 16), [4]uint32{63, 7, 2, 16}, [4]uint32{1000, 6, 0, 1}),
		"entry inside the trailer":   rawHeader("x\x00"+trailer(63, 7, minus32, 16), [4]uint32{63, 7, 2, 16}, [4]uint32{1000, 7, 4, 2}),
	} {
		var fault *rpm.FormatError
		if h, err := rpm.ParseHeader(blob); !errors.As(err, &fault) {
			t.Errorf("%s: %v, %v", name, h, err)
		}
	}
}

func FuzzParseHeader(f *testing.F) {
	f.Add(rpm.BuildHeader(rpm.TagHeaderImmutable, []rpm.Entry{rpm.StringEntry(1000, "x"), rpm.Int32Entry(1009, 1, 2), rpm.StringArrayEntry(1117, []string{"a", "b"})}))
	f.Add(rawHeader("x\x00", [4]uint32{1000, 6, 0, 1}))
	f.Add(read(f, pack(f, sample(f))).Blob())
	f.Fuzz(func(t *testing.T, blob []byte) {
		h, err := rpm.ParseHeader(blob)
		if err != nil {
			return
		}
		size := 0
		for _, e := range h.Entries() {
			size += len(e.Data)
			h.String(e.Tag)
			h.Strings(e.Tag)
			h.Uint16s(e.Tag)
			h.Uint32s(e.Tag)
			h.Uint64s(e.Tag)
			h.Bytes(e.Tag)
		}
		if size > len(blob) {
			t.Errorf("the entries of %d bytes hold %d", len(blob), size)
		}
		h.Files()
		h.Scripts()
		if h.Region() != 0 { // what was read can be written again
			if _, err := rpm.ParseHeader(rpm.BuildHeader(h.Region(), h.Entries())); err != nil {
				t.Error(err)
			}
		}
	})
}
