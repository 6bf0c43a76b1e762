package rpm

import (
	"encoding/binary"
	"slices"
)

// BuildHeader writes a header with a region around all entries, sorted by tag:
// TagHeaderImmutable for a main header, TagHeaderSignatures for a signature
// header. The result is what ParseHeader reads, without magic. Entries must be
// well formed; each tag may occur once.
func BuildHeader(region Tag, entries []Entry) []byte {
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return int(a.Tag) - int(b.Tag) })
	index := make([]byte, 0, (len(entries)+1)*indexEntryLen)
	var data []byte
	for _, e := range entries {
		index, data = appendEntry(index, data, e)
	}
	head := appendIndex(nil, region, TypeBin, int32(len(data)), indexEntryLen)
	regionLen := int32(len(index) + indexEntryLen)
	data = appendIndex(data, region, TypeBin, -regionLen, indexEntryLen)
	return joinHeader(append(head, index...), data)
}

// Append gives the header's blob with further entries behind those it has,
// outside the immutable region, as rpm adds what an installation brings
// (signature tags, INSTALLTIME and so on) to the header in its database.
func (h *Header) Append(entries []Entry) []byte {
	count := binary.BigEndian.Uint32(h.blob)
	indexEnd := headerPrefix + int(count)*indexEntryLen
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return int(a.Tag) - int(b.Tag) })
	index := slices.Clone(h.blob[headerPrefix:indexEnd])
	data := slices.Clone(h.blob[indexEnd:])
	for _, e := range entries {
		index, data = appendEntry(index, data, e)
	}
	return joinHeader(index, data)
}

func appendEntry(index, data []byte, e Entry) ([]byte, []byte) {
	for len(data)%e.Type.align() != 0 {
		data = append(data, 0)
	}
	index = appendIndex(index, e.Tag, e.Type, int32(len(data)), e.Count)
	return index, append(data, e.Data...)
}

func appendIndex(b []byte, tag Tag, typ Type, offset int32, count uint32) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(tag))
	b = binary.BigEndian.AppendUint32(b, uint32(typ))
	b = binary.BigEndian.AppendUint32(b, uint32(offset))
	return binary.BigEndian.AppendUint32(b, count)
}

func joinHeader(index, data []byte) []byte {
	blob := make([]byte, 0, headerPrefix+len(index)+len(data))
	blob = binary.BigEndian.AppendUint32(blob, uint32(len(index)/indexEntryLen))
	blob = binary.BigEndian.AppendUint32(blob, uint32(len(data)))
	return append(append(blob, index...), data...)
}
