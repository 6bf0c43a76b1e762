package repodata

import (
	"bytes"

	"github.com/slipway-build/slipway/internal/rpm"
)

// entries reads the <rpm:entry> elements of a dependency list.
func (p *primaryParser) entries(list int) error {
	for {
		more, err := p.child(4)
		if err != nil || !more {
			return err
		}
		if string(p.name) != "entry" {
			continue
		}
		if len(p.record.lists[list]) == maxEntries {
			return p.errorf("it has more than %d dependencies of one kind", maxEntries)
		}
		d, err := p.entry()
		if err != nil {
			return err
		}
		p.record.lists[list] = append(p.record.lists[list], d)
	}
}

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
	if key.name == 0 {
		return 0, p.errorf("a dependency has no name")
	}
	if rpm.Sense(key.sense)&rpm.RangeMask == 0 || key.version == 0 {
		// Without both, it is a dependency on any version.
		key = dependencyKey{name: key.name, sense: key.sense &^ uint32(rpm.RangeMask)}
	}
	return p.builder.dependencies.id(key), nil
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
