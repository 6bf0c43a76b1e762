package rpm

import (
	"encoding/binary"
	"fmt"
)

// Type is the type of a header entry's data (rpm documentation, "RPM header
// format").
type Type uint32

// The types of header entries. Numbers are stored big endian; a String is one
// NUL-terminated text, a StringArray and an I18NString are several.
const (
	TypeNull Type = iota
	TypeChar
	TypeInt8
	TypeInt16
	TypeInt32
	TypeInt64
	TypeString
	TypeBin
	TypeStringArray
	TypeI18NString
)

// size is the length of one value in bytes, 0 where it varies.
func (t Type) size() int {
	switch t {
	case TypeChar, TypeInt8, TypeBin:
		return 1
	case TypeInt16:
		return 2
	case TypeInt32:
		return 4
	case TypeInt64:
		return 8
	default:
		return 0
	}
}

// align is the boundary that a value of the type starts on.
func (t Type) align() int {
	switch t {
	case TypeInt16, TypeInt32, TypeInt64:
		return t.size()
	default:
		return 1
	}
}

// Entry is one tag of a header with its data as the header stores it. Count is
// the number of values: of bytes for TypeBin, always 1 for TypeString.
type Entry struct {
	Tag   Tag
	Type  Type
	Count uint32
	Data  []byte
}

// StringEntry makes an entry of one text. The text may not hold NUL.
func StringEntry(tag Tag, s string) Entry {
	return Entry{tag, TypeString, 1, append([]byte(s), 0)}
}

// StringArrayEntry makes an entry of several texts, none of which may hold NUL.
func StringArrayEntry(tag Tag, values []string) Entry {
	var data []byte
	for _, s := range values {
		data = append(append(data, s...), 0)
	}
	return Entry{tag, TypeStringArray, uint32(len(values)), data}
}

// I18NEntry makes a translatable entry that has only its untranslated text.
func I18NEntry(tag Tag, s string) Entry {
	e := StringEntry(tag, s)
	e.Type = TypeI18NString
	return e
}

// BinEntry makes an entry of bytes.
func BinEntry(tag Tag, data []byte) Entry {
	return Entry{tag, TypeBin, uint32(len(data)), data}
}

// Int16Entry makes an entry of 16-bit numbers.
func Int16Entry(tag Tag, values ...uint16) Entry {
	data := make([]byte, 0, 2*len(values))
	for _, v := range values {
		data = binary.BigEndian.AppendUint16(data, v)
	}
	return Entry{tag, TypeInt16, uint32(len(values)), data}
}

// Int32Entry makes an entry of 32-bit numbers.
func Int32Entry(tag Tag, values ...uint32) Entry {
	data := make([]byte, 0, 4*len(values))
	for _, v := range values {
		data = binary.BigEndian.AppendUint32(data, v)
	}
	return Entry{tag, TypeInt32, uint32(len(values)), data}
}

// Int64Entry makes an entry of 64-bit numbers.
func Int64Entry(tag Tag, values ...uint64) Entry {
	data := make([]byte, 0, 8*len(values))
	for _, v := range values {
		data = binary.BigEndian.AppendUint64(data, v)
	}
	return Entry{tag, TypeInt64, uint32(len(values)), data}
}

// CharEntry makes an entry of characters, as FILESTATES uses.
func CharEntry(tag Tag, values []byte) Entry {
	return Entry{tag, TypeChar, uint32(len(values)), values}
}

// String describes the entry without its data.
func (e Entry) String() string {
	return fmt.Sprintf("tag %d (type %d, %d values)", e.Tag, e.Type, e.Count)
}
