package rpm

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sort"
	"strings"
)

// Bounds of a header, rpm's own (lib/header.c): entries, and bytes of data.
const (
	maxHeaderEntries = 0x0000ffff
	maxHeaderData    = 0x0fffffff
)

const (
	headerMagic   = "\x8e\xad\xe8\x01\x00\x00\x00\x00"
	indexEntryLen = 16
	headerPrefix  = 8 // the two counts in front of the index
)

// Header is one parsed header: entries by tag. Values it returns share no
// memory with it unless said. A tag that is absent, or has another type than
// asked for, gives a zero value: what is required is checked by who requires it.
type Header struct {
	blob    []byte
	part    string  // for errors
	entries []Entry // sorted by tag; data points into blob
	region  Tag     // 0 when the header has none
	whole   bool    // the region covers all entries and all data
}

// ParseHeader reads a header as the RPM database stores it: the counts, the
// index and the data, without the magic of a package file (which is allowed in
// front). Every entry is checked: a known type, data inside the header and
// properly ended, alignment, no tag twice, no overlap, and a region that covers
// what it claims. It keeps data; the caller must not change it.
func ParseHeader(data []byte) (*Header, error) {
	return parseHeader(bytes.TrimPrefix(data, []byte(headerMagic)), "header")
}

func parseHeader(blob []byte, part string) (*Header, error) {
	count, size, err := headerCounts(blob, part)
	if err != nil {
		return nil, err
	}
	if want := headerPrefix + count*indexEntryLen + size; len(blob) != want {
		return nil, malformed(part, "it is %d bytes long where its counts say %d", len(blob), want)
	}
	h := &Header{blob: blob, part: part, entries: make([]Entry, 0, count)}
	data := blob[headerPrefix+count*indexEntryLen:]
	spans := make([]span, 0, count)
	for i := range count {
		raw := indexAt(blob, i)
		if isRegion(raw.tag) {
			covers, err := checkRegion(raw, i, count, data, part)
			if err != nil {
				return nil, err
			}
			h.region = raw.tag
			h.whole = covers == count && int(raw.offset)+indexEntryLen == len(data)
			spans = append(spans, span{int(raw.offset), int(raw.offset) + indexEntryLen, raw.tag})
			continue
		}
		e, end, err := raw.entry(data, part)
		if err != nil {
			return nil, err
		}
		h.entries = append(h.entries, e)
		spans = append(spans, span{int(raw.offset), end, raw.tag})
	}
	if err := checkSpans(spans, part); err != nil {
		return nil, err
	}
	return h, h.sort()
}

// headerCounts reads and bounds the number of entries and the size of the data.
func headerCounts(blob []byte, part string) (count, size int, err error) {
	if len(blob) < headerPrefix {
		return 0, 0, malformed(part, "it ends before its counts")
	}
	c, s := binary.BigEndian.Uint32(blob), binary.BigEndian.Uint32(blob[4:])
	if c > maxHeaderEntries || s > maxHeaderData {
		return 0, 0, malformed(part, "it claims %d entries and %d bytes of data", c, s)
	}
	return int(c), int(s), nil
}

// rawIndex is one index entry as stored.
type rawIndex struct {
	tag    Tag
	typ    Type
	offset int32
	count  uint32
}

func indexAt(blob []byte, i int) rawIndex { return decodeIndex(blob[headerPrefix+i*indexEntryLen:]) }

func decodeIndex(b []byte) rawIndex {
	return rawIndex{
		tag:    Tag(binary.BigEndian.Uint32(b)),
		typ:    Type(binary.BigEndian.Uint32(b[4:])),
		offset: int32(binary.BigEndian.Uint32(b[8:])),
		count:  binary.BigEndian.Uint32(b[12:]),
	}
}

func isRegion(t Tag) bool { return t == TagHeaderSignatures || t == TagHeaderImmutable }

// checkRegion checks the entry that marks the first entries as the immutable
// region: it comes first, and its data is a trailer at the region's end that
// repeats it with the offset negated. covers is how many entries belong to it,
// itself included.
func checkRegion(raw rawIndex, i, count int, data []byte, part string) (covers int, err error) {
	if i != 0 {
		return 0, malformed(part, "region tag %d is not the first entry", raw.tag)
	}
	end := int64(raw.offset) + indexEntryLen
	if raw.typ != TypeBin || raw.count != indexEntryLen || raw.offset < 0 || end > int64(len(data)) {
		return 0, malformed(part, "region tag %d has no trailer", raw.tag)
	}
	trailer := decodeIndex(data[raw.offset:])
	length := -int64(trailer.offset)
	// A signature header's trailer bears the tag of a main header in some old
	// packages; rpm accepts it, and so does this.
	if trailer.typ != TypeBin || trailer.count != indexEntryLen || !isRegion(trailer.tag) {
		return 0, malformed(part, "region tag %d has a damaged trailer", raw.tag)
	}
	if length <= 0 || length%indexEntryLen != 0 || length/indexEntryLen > int64(count) {
		return 0, malformed(part, "region tag %d claims %d bytes of index", raw.tag, length)
	}
	return int(length / indexEntryLen), nil
}

// entry cuts the entry's data out. end is the offset behind it.
func (raw rawIndex) entry(data []byte, part string) (e Entry, end int, err error) {
	fail := func(reason string) (Entry, int, error) {
		return Entry{}, 0, malformed(part, "tag %d %s", raw.tag, reason)
	}
	if raw.tag < TagI18NTable {
		return fail("is not a known tag")
	}
	if raw.typ < TypeChar || raw.typ > TypeI18NString {
		return fail("has no known type")
	}
	if raw.offset < 0 || int(raw.offset) > len(data) || raw.count == 0 || uint64(raw.count) > uint64(len(data)) {
		return fail("points outside the data")
	}
	if int(raw.offset)%raw.typ.align() != 0 {
		return fail("is not aligned")
	}
	rest := data[raw.offset:]
	length := 0
	switch raw.typ {
	case TypeString, TypeStringArray, TypeI18NString:
		if raw.typ == TypeString && raw.count != 1 {
			return fail("is one text but counts several")
		}
		for range raw.count {
			n := bytes.IndexByte(rest[length:], 0)
			if n < 0 {
				return fail("holds a text without an end")
			}
			length += n + 1
		}
	default:
		length = int(raw.count) * raw.typ.size()
		if length > len(rest) {
			return fail("points outside the data")
		}
	}
	return Entry{raw.tag, raw.typ, raw.count, rest[:length:length]}, int(raw.offset) + length, nil
}

type span struct {
	start, end int
	tag        Tag
}

// checkSpans refuses overlapping data: no writer makes it, and it lets a small
// header claim any number of bytes.
func checkSpans(spans []span, part string) error {
	slices.SortFunc(spans, func(a, b span) int {
		if a.start != b.start {
			return a.start - b.start
		}
		return a.end - b.end
	})
	for i := 1; i < len(spans); i++ {
		if spans[i].start < spans[i-1].end {
			return malformed(part, "tags %d and %d share data", spans[i-1].tag, spans[i].tag)
		}
	}
	return nil
}

func (h *Header) sort() error {
	slices.SortFunc(h.entries, func(a, b Entry) int { return int(a.Tag) - int(b.Tag) })
	for i := 1; i < len(h.entries); i++ {
		if h.entries[i].Tag == h.entries[i-1].Tag {
			return malformed(h.part, "tag %d occurs twice", h.entries[i].Tag)
		}
	}
	return nil
}

// Blob is the header as it was read, without magic: what the RPM database
// stores and what header digests and signatures cover (with HeaderMagic in
// front). The caller must not change it.
func (h *Header) Blob() []byte { return h.blob }

// HeaderMagic is what stands in front of a header in a package file, and in
// what header digests and signatures cover.
func HeaderMagic() []byte { return []byte(headerMagic) }

// Region is the tag of the immutable region, 0 when the header has none.
func (h *Header) Region() Tag { return h.region }

// Entries gives all entries, sorted by tag, without the region's. Their data
// may not be changed.
func (h *Header) Entries() []Entry { return slices.Clone(h.entries) }

// Entry gives one entry; its data may not be changed.
func (h *Header) Entry(tag Tag) (Entry, bool) {
	i := sort.Search(len(h.entries), func(i int) bool { return h.entries[i].Tag >= tag })
	if i < len(h.entries) && h.entries[i].Tag == tag {
		return h.entries[i], true
	}
	return Entry{}, false
}

// Has says whether the header has the tag, of whatever type.
func (h *Header) Has(tag Tag) bool {
	_, ok := h.Entry(tag)
	return ok
}

// String gives a text, or the first of several.
func (h *Header) String(tag Tag) string {
	e, ok := h.Entry(tag)
	if !ok || !e.isText() {
		return ""
	}
	s, _ := cutText(e.Data)
	return s
}

// Strings gives all texts of an entry.
func (h *Header) Strings(tag Tag) []string {
	e, ok := h.Entry(tag)
	if !ok || !e.isText() {
		return nil
	}
	// One string holds all: the parts share its memory.
	all := string(e.Data)
	values := make([]string, 0, e.Count)
	for range e.Count {
		n := strings.IndexByte(all, 0)
		values = append(values, all[:n])
		all = all[n+1:]
	}
	return values
}

// I18N gives a translatable text in its first, untranslated form.
func (h *Header) I18N(tag Tag) string { return h.String(tag) }

// Uint16s gives 16-bit numbers.
func (h *Header) Uint16s(tag Tag) []uint16 {
	e, ok := h.Entry(tag)
	if !ok || e.Type != TypeInt16 {
		return nil
	}
	values := make([]uint16, e.Count)
	for i := range values {
		values[i] = binary.BigEndian.Uint16(e.Data[2*i:])
	}
	return values
}

// Uint32s gives 32-bit numbers.
func (h *Header) Uint32s(tag Tag) []uint32 {
	e, ok := h.Entry(tag)
	if !ok || e.Type != TypeInt32 {
		return nil
	}
	values := make([]uint32, e.Count)
	for i := range values {
		values[i] = binary.BigEndian.Uint32(e.Data[4*i:])
	}
	return values
}

// Uint64s gives 64-bit numbers.
func (h *Header) Uint64s(tag Tag) []uint64 {
	e, ok := h.Entry(tag)
	if !ok || e.Type != TypeInt64 {
		return nil
	}
	values := make([]uint64, e.Count)
	for i := range values {
		values[i] = binary.BigEndian.Uint64(e.Data[8*i:])
	}
	return values
}

// Uint32 gives the first of 32-bit numbers; ok says whether there is one.
func (h *Header) Uint32(tag Tag) (n uint32, ok bool) {
	e, ok := h.Entry(tag)
	if !ok || e.Type != TypeInt32 {
		return 0, false
	}
	return binary.BigEndian.Uint32(e.Data), true
}

// Uint64 gives the first of 64-bit numbers; ok says whether there is one.
func (h *Header) Uint64(tag Tag) (n uint64, ok bool) {
	e, ok := h.Entry(tag)
	if !ok || e.Type != TypeInt64 {
		return 0, false
	}
	return binary.BigEndian.Uint64(e.Data), true
}

// Bytes gives the data of a binary entry. The caller must not change it.
func (h *Header) Bytes(tag Tag) []byte {
	e, ok := h.Entry(tag)
	if !ok || e.Type != TypeBin {
		return nil
	}
	return e.Data
}

func (e *Entry) isText() bool {
	return e.Type == TypeString || e.Type == TypeStringArray || e.Type == TypeI18NString
}

func cutText(data []byte) (string, []byte) {
	n := bytes.IndexByte(data, 0)
	return string(data[:n]), data[n+1:]
}
