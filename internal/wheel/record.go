package wheel

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// recordRow is a line of RECORD ("Recording installed projects"): a path relative to the library folder, "sha256=…" in
// URL-safe base64 without padding, and the size; the latter two may be empty.
type recordRow struct{ path, hash, size string }

func parseRecord(data []byte) ([]recordRow, error) {
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	r.FieldsPerRecord = -1
	var rows []recordRow
	for {
		fields, err := r.Read()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading RECORD: %w", err)
		}
		if len(rows) > 2*maxMembers {
			return nil, errors.New("reading RECORD: it is too long")
		}
		row := recordRow{path: fields[0]}
		if len(fields) > 1 {
			row.hash = fields[1]
		}
		if len(fields) > 2 {
			row.size = fields[2]
		}
		rows = append(rows, row)
	}
}

// checkRecord compares RECORD with the files: each is in it once, with its hash, and nothing else is. RECORD itself and
// its signatures have no hash.
func checkRecord(rows []recordRow, members []member, info string) error {
	byPath := map[string]recordRow{}
	for _, row := range rows {
		if _, twice := byPath[row.path]; twice {
			return fmt.Errorf("RECORD lists %q twice", printable(row.path))
		}
		byPath[row.path] = row
	}
	for _, m := range members {
		row, listed := byPath[m.name]
		delete(byPath, m.name)
		if strings.HasPrefix(m.name, info+"/RECORD") && slices.Contains([]string{"", ".jws", ".p7s"}, m.name[len(info+"/RECORD"):]) {
			continue
		}
		if !listed {
			return fmt.Errorf("%q is not in RECORD", m.name)
		}
		if err := checkRow(row, m.content); err != nil {
			return fmt.Errorf("%q: %w", m.name, err)
		}
	}
	for _, path := range sortedKeys(byPath) {
		if path != info+"/RECORD" {
			return fmt.Errorf("RECORD lists %q, which is not there", printable(path))
		}
	}
	return nil
}

func checkRow(row recordRow, content []byte) error {
	algorithm, digest, _ := strings.Cut(row.hash, "=")
	var sum []byte
	switch algorithm {
	case "sha256":
		s := sha256.Sum256(content)
		sum = s[:]
	case "sha384":
		s := sha512.Sum384(content)
		sum = s[:]
	case "sha512":
		s := sha512.Sum512(content)
		sum = s[:]
	case "":
		return errors.New("RECORD has no hash for it")
	default:
		return fmt.Errorf("RECORD has a hash of the kind %q for it, which is unknown or too weak", printable(algorithm))
	}
	if strings.TrimRight(digest, "=") != base64.RawURLEncoding.EncodeToString(sum) {
		return errors.New("it is not what RECORD says")
	}
	if row.size != "" && row.size != strconv.Itoa(len(content)) {
		return fmt.Errorf("it has %d bytes, and RECORD says %q", len(content), printable(row.size))
	}
	return nil
}

// rowOf is the line for a file, as pip writes it.
func rowOf(path string, content []byte) recordRow {
	sum := sha256.Sum256(content)
	return recordRow{path, "sha256=" + base64.RawURLEncoding.EncodeToString(sum[:]), strconv.Itoa(len(content))}
}

// formatRecord writes rows, sorted, as Python's csv module does.
func formatRecord(rows []recordRow) []byte {
	slices.SortFunc(rows, func(a, b recordRow) int {
		return slices.Compare([]string{a.path, a.hash, a.size}, []string{b.path, b.hash, b.size})
	})
	var b bytes.Buffer
	for _, row := range rows {
		for i, field := range []string{row.path, row.hash, row.size} {
			if i > 0 {
				b.WriteByte(',')
			}
			if strings.ContainsAny(field, ",\"\r\n") {
				field = `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
			}
			b.WriteString(field)
		}
		b.WriteString("\r\n")
	}
	return b.Bytes()
}
