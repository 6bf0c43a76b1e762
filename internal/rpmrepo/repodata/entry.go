package repodata

import (
	"bytes"
	"unsafe"

	"github.com/slipway-build/slipway/internal/rpm"
)

// entries reads the <rpm:entry> elements of a dependency list.
func (p *primaryParser) entries(list int) error {
	for {
		if more, err := p.plainEntries(list); err != nil || !more {
			return err
		}
		more, err := p.child(4)
		if err != nil || !more {
			return err
		}
		if string(p.name) != "entry" {
			continue
		}
		d, err := p.entry()
		if err == nil {
			err = p.append(list, d)
		}
		if err != nil {
			return err
		}
	}
}

func (p *primaryParser) append(list int, d uint32) error {
	if len(p.record.lists[list]) == maxEntries {
		return p.errorf("it has more than %d dependencies of one kind", maxEntries)
	}
	p.record.lists[list] = append(p.record.lists[list], d)
	return nil
}

// plainTag is how an entry begins as createrepo_c writes it.
const plainTag = `<rpm:entry name="`

// plainEntries reads entries as createrepo_c writes them, for as long as there is nothing else: half of
// the document is such. Whatever looks another way it leaves to the caller, which reads any XML. More
// is false where it came to the end of the list.
func (p *primaryParser) plainEntries(list int) (more bool, err error) {
	if p.closing && p.depth() == 5 {
		p.closing = false // the end of an entry that the caller read
		p.pop()
	}
	if p.depth() != 4 || p.closing {
		return true, nil
	}
	n, err := p.listed(p.buf[p.pos:p.end], list)
	p.pos += n
	if err != nil {
		return false, err
	}
	return !p.plainEnd(p.buf[p.pos:p.end]), nil
}

// listed reads entries at the beginning of b, for as long as they are plain, and gives the length of them.
func (p *primaryParser) listed(b []byte, list int) (at int, err error) {
	// What a package provides is mostly its own; what it needs, others need as well. What is not
	// known is taken for new: to look for an equal one costs more than it saves.
	repeats := list != listProvides
	for {
		for at < len(b) && isSpace(b[at]) {
			at++
		}
		rest := b[at:]
		if !hasPrefix(rest, plainTag) {
			return at, nil
		}
		var tag []byte
		var hash uint32
		if repeats {
			// The first > may be inside of a value. Then no tag ends there, and none was remembered
			// that does.
			n := bytes.IndexByte(rest, '>')
			if n < 0 {
				return at, nil
			}
			tag = rest[:n+1]
			d, h, ok := p.memo.find(tag)
			if ok {
				if err := p.append(list, d); err != nil {
					return at, err
				}
				at += len(tag)
				continue
			}
			hash = h
		}
		key, n := p.plainEntry(rest)
		if n == 0 {
			return at, nil
		}
		if key, err = p.ranged(key); err != nil {
			return at, err
		}
		d := p.builder.dependencies.fresh(key)
		if err := p.append(list, d); err != nil {
			return at, err
		}
		if repeats && n == len(tag) {
			p.memo.remember(tag, hash, d)
		}
		at += n
	}
}

// plainEnd passes over the end tag of the open element if that is what comes, as it was begun.
func (p *primaryParser) plainEnd(b []byte) bool {
	name := p.path[p.marks[len(p.marks)-1]:]
	n := len(name) + 3
	if len(b) < n || b[0] != '<' || b[1] != '/' || b[n-1] != '>' || string(b[2:n-1]) != string(name) {
		return false
	}
	p.pos += n
	p.pop()
	return true
}

// plainEntry reads an entry with its attributes in createrepo_c's order, of printable ASCII without
// entities, complete in the window. It gives the length of the tag, and 0 if it is not of that form.
func (p *primaryParser) plainEntry(b []byte) (key dependencyKey, n int) {
	c := cursor{b: b}
	name, ok := c.quoted(plainTag)
	if !ok || len(name) == 0 {
		return key, 0
	}
	var flags, epoch, version, release, pre []byte
	for _, a := range [...]struct {
		before string
		value  *[]byte
	}{{` flags="`, &flags}, {` epoch="`, &epoch}, {` ver="`, &version}, {` rel="`, &release}, {` pre="`, &pre}} {
		if *a.value, ok = c.quoted(a.before); !ok && hasPrefix(b[c.at:], a.before) {
			return key, 0
		}
	}
	if !c.take("/>") {
		return key, 0
	}
	sense, ok := senseOf(text(flags))
	if !ok || len(epoch) > 9 {
		return key, 0
	}
	for _, c := range epoch {
		if c < '0' || c > '9' {
			return key, 0
		}
		key.epoch = 10*key.epoch + uint32(c-'0')
	}
	key.sense = uint32(sense)
	if string(pre) == "1" {
		key.sense |= uint32(rpm.Prereq)
	}
	key.name = p.builder.strings.id(name)
	key.version = p.again(version, &p.lastVersion)
	key.release = p.again(release, &p.lastRelease)
	return key, c.at
}

func hasPrefix(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && string(b[:len(prefix)]) == prefix
}

// text is the bytes as a string, valid as long as they do not change.
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// entry reads the dependency that the present start tag describes.
func (p *primaryParser) entry() (uint32, error) {
	var key dependencyKey
	for i := range p.attrs {
		value, err := p.unescape(p.attrs[i].value)
		if err != nil {
			return 0, err
		}
		switch string(p.attrs[i].name) {
		case "name":
			if len(value) == 0 || hasControl(value) {
				return 0, p.errorf("a dependency's name is %.100q", value)
			}
			key.name = p.builder.strings.id(value)
		case "flags":
			sense, ok := senseOf(string(value))
			if !ok {
				return 0, p.errorf("%.20q is no comparison", value)
			}
			key.sense |= uint32(sense)
		case "epoch":
			if key.epoch, err = p.epoch(value); err != nil {
				return 0, err
			}
		case "ver":
			key.version = p.again(value, &p.lastVersion)
		case "rel":
			key.release = p.again(value, &p.lastRelease)
		case "pre":
			if string(value) == "1" {
				key.sense |= uint32(rpm.Prereq)
			}
		}
	}
	key, err := p.ranged(key)
	if err != nil {
		return 0, err
	}
	return p.builder.dependencies.id(key), nil
}

// ranged checks a dependency that was read, and takes half a range away.
func (p *primaryParser) ranged(key dependencyKey) (dependencyKey, error) {
	if key.name == 0 {
		if p.builder.strings.err != nil {
			return key, p.builder.strings.err
		}
		return key, p.errorf("a dependency has no name")
	}
	if rpm.Sense(key.sense)&rpm.RangeMask == 0 || key.version == 0 {
		// Without both, it is a dependency on any version.
		key = dependencyKey{name: key.name, sense: key.sense &^ uint32(rpm.RangeMask)}
	}
	return key, nil
}

// again numbers a string that most often is the one before: what a package provides has its version.
func (p *primaryParser) again(value []byte, last *uint32) uint32 {
	if !bytes.Equal(value, p.builder.strings.at(*last)) {
		*last = p.builder.strings.id(value)
	}
	return *last
}

func senseOf(flags string) (rpm.Sense, bool) {
	switch flags {
	case "":
		return 0, true
	case "EQ":
		return rpm.Equal, true
	case "GE":
		return rpm.Greater | rpm.Equal, true
	case "LE":
		return rpm.Less | rpm.Equal, true
	case "GT":
		return rpm.Greater, true
	case "LT":
		return rpm.Less, true
	}
	return 0, false
}

func (p *primaryParser) epoch(value []byte) (uint32, error) {
	if len(value) == 0 {
		return 0, nil
	}
	n, err := p.integer(value)
	if err == nil && n != int64(uint32(n)) {
		err = p.errorf("%d is too large for an epoch", n)
	}
	return uint32(n), err
}
