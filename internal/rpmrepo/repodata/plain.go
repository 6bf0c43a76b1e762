package repodata

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// plainRoom is how much of the document is read ahead of a package, so that nearly all lie whole in the
// window.
const plainRoom = 64 << 10

// plainPackage reads the rest of a package whose start tag was just read, if it is written as
// createrepo_c writes it and lies whole in the window: nearly every one. Whatever is unusual, wrong or
// cut off it leaves to the general reader, which then finds everything as though nothing had been
// tried; so it need not say what is wrong.
func (p *primaryParser) plainPackage() bool {
	if p.closing || p.depth() != 2 || string(p.path[p.marks[1]:]) != "package" {
		return false
	}
	c := cursor{b: p.buf[p.pos:p.end]}
	for kind := c.next(); kind != '/'; kind = c.next() {
		if !p.plainField(&c, kind) {
			return false
		}
	}
	if !c.take("</package>") || p.known != sawAll {
		return false
	}
	p.pos += c.at
	p.pop()
	return true
}

// cursor is a place in the window.
type cursor struct {
	b  []byte
	at int
}

// next passes over space and gives the byte after the < that follows it; 0 if there is none.
func (c *cursor) next() byte {
	i := c.at
	for i < len(c.b) && isSpace(c.b[i]) {
		i++
	}
	c.at = i
	if len(c.b)-i < 2 || c.b[i] != '<' {
		return 0
	}
	return c.b[i+1]
}

// take passes over exactly this text.
func (c *cursor) take(text string) bool {
	if !hasPrefix(c.b[c.at:], text) {
		return false
	}
	c.at += len(text)
	return true
}

// content gives what is between a start tag, which may also be an empty element, and an end tag. There
// are no elements in it, but perhaps entities.
func (c *cursor) content(start, empty, end string) ([]byte, bool) {
	if !c.take(start) {
		return nil, c.take(empty)
	}
	return c.until(end)
}

// until passes over text and the end tag that follows it.
func (c *cursor) until(end string) ([]byte, bool) {
	rest := c.b[c.at:]
	n := bytes.IndexByte(rest, '<')
	if n < 0 || !hasPrefix(rest[n:], end) {
		return nil, false
	}
	c.at += n + len(end)
	return rest[:n], true
}

// literal is the content of an element without entities.
func (c *cursor) literal(start, end string) ([]byte, bool) {
	if !c.take(start) {
		return nil, false
	}
	text, ok := c.until(end)
	return text, ok && bytes.IndexByte(text, '&') < 0
}

// quoted passes over before and gives what follows it, up to the next quotation mark: printable
// characters of ASCII and no entities.
func (c *cursor) quoted(before string) ([]byte, bool) {
	if !c.take(before) {
		return nil, false
	}
	n := printable(c.b[c.at:])
	if n < 0 {
		return nil, false
	}
	text := c.b[c.at : c.at+n]
	c.at += n + 1
	return text, true
}

// number is quoted for a number that is written in digits and not too large for any field.
func (c *cursor) number(before string) (n int64, ok bool) {
	digits, ok := c.quoted(before)
	if !ok || len(digits) == 0 || len(digits) > 18 {
		return 0, false
	}
	for _, d := range digits {
		if d < '0' || d > '9' {
			return 0, false
		}
		n = 10*n + int64(d-'0')
	}
	return n, true
}

// printable gives the length of what precedes the first quotation mark; -1 if there is none, if
// something other than printable characters of ASCII or an & precedes it, or if fewer than 8 bytes
// follow its beginning. It looks at eight bytes at a time: each term has the highest bit of a byte set
// where that is one to stop at, and perhaps those of later bytes.
func printable(b []byte) int {
	const low, high = 0x0101010101010101, 0x8080808080808080
	for i := 0; len(b)-i >= 8; i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, amp, del := x^('"'*low), x^('&'*low), x^(0x7f*low)
		stop := ((quote-low)&^quote | (amp-low)&^amp | (del-low)&^del | (x-' '*low)&^x | x) & high
		if stop != 0 {
			i += bits.TrailingZeros64(stop) / 8
			if b[i] != '"' {
				return -1
			}
			return i
		}
	}
	return -1
}

// plainField reads a child of <package>, whose name begins so. It is false at what it does not know.
func (p *primaryParser) plainField(c *cursor, kind byte) bool {
	switch kind {
	case 'n':
		text, ok := c.literal("<name>", "</name>")
		return ok && p.isWord(text, colName, sawName)
	case 'a':
		text, ok := c.literal("<arch>", "</arch>")
		return ok && p.isWord(text, colArch, sawArch)
	case 'v':
		return p.plainVersion(c)
	case 'c':
		text, ok := c.literal(`<checksum type="sha256" pkgid="YES">`, "</checksum>")
		return ok && p.isChecksum(text)
	case 's':
		if hasPrefix(c.b[c.at:], "<size") {
			return p.plainSize(c)
		}
		return p.plainRare(c, colSummary, "<summary>", "<summary/>", "</summary>")
	case 'd':
		_, ok := c.content("<description>", "<description/>", "</description>")
		return ok
	case 'p':
		_, ok := c.content("<packager>", "<packager/>", "</packager>")
		return ok
	case 'u':
		return p.plainRare(c, colURL, "<url>", "<url/>", "</url>")
	case 't':
		_, ok := c.number(`<time file="`)
		if !ok {
			return false
		}
		built, ok := c.number(` build="`)
		p.record.set64(colBuildTime, built)
		return ok && c.take("/>")
	case 'l':
		href, ok := c.quoted(`<location href="`)
		if !ok || !c.take("/>") || !plainLocation(text(href)) {
			return false
		}
		p.record.fields[colLocation] = p.builder.strings.fresh(href)
		p.known |= sawLocation
		return true
	case 'f':
		return p.plainFormat(c)
	}
	return false
}

func (p *primaryParser) plainVersion(c *cursor) bool {
	epoch, ok := c.number(`<version epoch="`)
	if !ok || epoch != int64(uint32(epoch)) {
		return false
	}
	version, ok := c.quoted(` ver="`)
	if !ok || !isWord(version) {
		return false
	}
	release, ok := c.quoted(` rel="`)
	if !ok || !isWord(release) || !c.take("/>") {
		return false
	}
	p.record.fields[colEpoch] = uint32(epoch)
	p.record.fields[colVersion] = p.again(version, &p.last[colVersion])
	p.record.fields[colRelease] = p.again(release, &p.last[colRelease])
	p.known |= sawVersion
	return true
}

func (p *primaryParser) plainSize(c *cursor) bool {
	size, ok := c.number(`<size package="`)
	if !ok {
		return false
	}
	installed, ok := c.number(` installed="`)
	if !ok {
		return false
	}
	p.record.set64(colSize, size)
	p.record.set64(colInstalled, installed)
	_, ok = c.number(` archive="`)
	return ok && c.take("/>")
}

func (p *primaryParser) plainRare(c *cursor, field int, start, empty, end string) bool {
	text, ok := c.content(start, empty, end)
	if !ok {
		return false
	}
	if bytes.IndexByte(text, '&') >= 0 {
		var err error
		if text, err = p.unescape(text); err != nil {
			return false
		}
	}
	p.setRare(field, text)
	return true
}

// plainFormat reads <format> and all that is in it.
func (p *primaryParser) plainFormat(c *cursor) bool {
	if !c.take("<format>") {
		return false
	}
	for {
		kind := c.next()
		if kind == '/' {
			return c.take("</format>")
		}
		ok := false
		if kind == 'f' {
			ok = p.plainFile(c)
		} else if c.take("<rpm:") && c.at < len(c.b) {
			ok = p.plainDetail(c)
		}
		if !ok {
			return false
		}
	}
}

func (p *primaryParser) plainFile(c *cursor) bool {
	path, ok := c.literal("<file>", "</file>")
	if !ok {
		path, ok = c.literal(`<file type="dir">`, "</file>")
	}
	if !ok {
		path, ok = c.literal(`<file type="ghost">`, "</file>")
	}
	if !ok || len(p.record.lists[listFiles]) == maxEntries {
		return false
	}
	p.record.lists[listFiles] = append(p.record.lists[listFiles], p.builder.strings.id(path))
	return true
}

// plainDetail reads a child of <format> after its prefix.
func (p *primaryParser) plainDetail(c *cursor) (ok bool) {
	switch c.b[c.at] {
	case 'l':
		return p.plainRare(c, colLicense, "license>", "license/>", "</rpm:license>")
	case 'v':
		_, ok = c.content("vendor>", "vendor/>", "</rpm:vendor>")
		return ok
	case 'g':
		_, ok = c.content("group>", "group/>", "</rpm:group>")
		return ok
	case 'b':
		_, ok = c.content("buildhost>", "buildhost/>", "</rpm:buildhost>")
		return ok
	case 'h':
		return p.plainRange(c)
	case 's':
		if hasPrefix(c.b[c.at:], "sourcerpm") {
			return p.plainRare(c, colSource, "sourcerpm>", "sourcerpm/>", "</rpm:sourcerpm>")
		}
	}
	return p.plainList(c)
}

func (p *primaryParser) plainRange(c *cursor) bool {
	start, ok := c.number(`header-range start="`)
	if !ok {
		return false
	}
	end, ok := c.number(` end="`)
	p.record.set64(colStart, start)
	p.record.set64(colEnd, end)
	return ok && c.take("/>")
}

// plainList reads a list of dependencies after its prefix, and its end tag.
func (p *primaryParser) plainList(c *cursor) bool {
	rest := c.b[c.at:]
	n := bytes.IndexByte(rest[:min(len(rest), 16)], '>')
	if n < 0 {
		return false
	}
	name := rest[:n]
	if empty, ok := bytes.CutSuffix(name, []byte("/")); ok {
		_, known := listOf(text(empty))
		c.at += n + 1
		return known
	}
	list, known := listOf(text(name))
	if !known {
		return false
	}
	c.at += n + 1
	used, err := p.listed(c.b[c.at:], list)
	c.at += used
	return err == nil && c.take("</rpm:") && c.take(text(name)) && c.take(">")
}
