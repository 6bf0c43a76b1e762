package wheel

import (
	"encoding/hex"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"unicode/utf8"
)

// Locked is a wheel by address and checksum.
type Locked struct {
	URL    string
	SHA256 string // lowercase hex
	Line   int    // of the file that says so
}

// Bounds of a requirements file.
const (
	maxClosure      = 1 << 20
	maxClosureLines = 5000
)

// ParseClosure reads a requirements file of pip in which each line is a wheel by URL with its sha256:
//
//	NAME @ https://host/NAME-VERSION-py3-none-any.whl --hash=sha256:HEX
//	https://host/NAME-VERSION-py3-none-any.whl#sha256=HEX
//
// with comments, blank lines and lines continued by a backslash ("Requirements File Format" of pip's
// documentation). Anything else is an error with its line: what has no hash or no address is not locked.
// name is what errors call the file.
func ParseClosure(data []byte, name string) ([]Locked, error) {
	if len(data) > maxClosure || !utf8.Valid(data) {
		return nil, fmt.Errorf("%s: it is no requirements file: more than %d bytes, or not UTF-8", name, maxClosure)
	}
	lines := strings.Split(strings.ReplaceAll(string(data), "\r\n", "\n"), "\n")
	if len(lines) > maxClosureLines {
		return nil, fmt.Errorf("%s: it has more than %d lines", name, maxClosureLines)
	}
	var list []Locked
	for i := 0; i < len(lines); i++ {
		at, text := i+1, lines[i]
		for strings.HasSuffix(text, `\`) && i+1 < len(lines) {
			i++
			text = strings.TrimSuffix(text, `\`) + " " + lines[i]
		}
		l, err := parseLocked(text)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, at, err)
		}
		if l == nil {
			continue
		}
		l.Line = at
		if slices.ContainsFunc(list, func(o Locked) bool { return o.SHA256 == l.SHA256 }) {
			return nil, fmt.Errorf("%s:%d: this wheel is there twice", name, at)
		}
		list = append(list, *l)
	}
	return list, nil
}

// parseLocked reads one line; nil for one without a wheel.
func parseLocked(text string) (*Locked, error) {
	if i := strings.Index(" "+text, " #"); i >= 0 {
		text = text[:i]
	}
	var words, sums []string
	for _, word := range strings.Fields(text) {
		switch sum, ok := strings.CutPrefix(word, "--hash="); {
		case ok:
			sums = append(sums, sum)
		case strings.HasPrefix(word, "-"):
			return nil, fmt.Errorf("the option %q is not supported", printable(word))
		default:
			words = append(words, word)
		}
	}
	if len(words) == 0 && len(sums) == 0 {
		return nil, nil
	}
	if len(words) == 3 && words[1] == "@" {
		words = words[2:]
	}
	if len(words) != 1 {
		return nil, fmt.Errorf("a wheel is NAME @ URL --hash=sha256:HEX")
	}
	address, fragment, _ := strings.Cut(words[0], "#")
	if sum, ok := strings.CutPrefix(fragment, "sha256="); ok {
		sums = append(sums, "sha256:"+sum)
	}
	u, err := url.Parse(address)
	switch {
	case err != nil, u.Scheme != "https" && u.Scheme != "http", u.Host == "", !strings.HasSuffix(u.Path, ".whl"):
		return nil, fmt.Errorf("a wheel needs its whole address: NAME @ https://…/NAME-VERSION-….whl --hash=sha256:HEX")
	case u.User != nil:
		return nil, fmt.Errorf("an address with a login would end in the image")
	case len(sums) != 1:
		return nil, fmt.Errorf("a wheel needs one hash, --hash=sha256:HEX")
	}
	sum, ok := strings.CutPrefix(sums[0], "sha256:")
	if raw, err := hex.DecodeString(sum); !ok || err != nil || len(raw) != 32 || sum != strings.ToLower(sum) {
		return nil, fmt.Errorf("%q is not sha256: and 64 hex digits", printable(sums[0]))
	}
	return &Locked{URL: address, SHA256: sum}, nil
}

// FileName is the last part of the wheel's address.
func (l Locked) FileName() string {
	u, err := url.Parse(l.URL)
	if err != nil {
		return ""
	}
	return path.Base(u.Path)
}

// Fits says whether a wheel's tags allow a CPython of a version ("3.13") on Linux of an architecture, as RPM
// names it ("Platform compatibility tags"). The age of the C library is not looked at.
func (w *Wheel) Fits(python, arch string) bool {
	plain := strings.ReplaceAll(python, ".", "")
	return slices.ContainsFunc(w.Tags, func(tag string) bool {
		part := strings.Split(tag, "-")
		if len(part) != 3 {
			return false
		}
		interpreter, abi, platform := part[0], part[1], part[2]
		if platform != "any" && (!strings.Contains(platform, "linux") || !strings.HasSuffix(platform, "_"+arch)) {
			return false
		}
		switch abi {
		case "none":
			return interpreter == "py3" || interpreter == "py"+plain || interpreter == "cp"+plain || older(interpreter, "py3", plain)
		case "abi3":
			return interpreter == "cp"+plain || older(interpreter, "cp3", plain)
		}
		return interpreter == "cp"+plain && abi == interpreter
	})
}

// older says whether an interpreter's tag, of that beginning, is of an earlier minor version.
func older(tag, prefix, plain string) bool {
	minor, ok := strings.CutPrefix(tag, prefix)
	have, of := strings.CutPrefix(plain, "3")
	return ok && of && minor != "" && (len(minor) < len(have) || len(minor) == len(have) && minor < have)
}
