package repodata

import (
	"bytes"
	"io"
	"strconv"
	"unicode/utf8"
)

// root reads up to the root element, which must have that name.
func (s *scanner) root(name string) error {
	tok, err := s.next()
	if err != nil {
		return err
	}
	if tok != startTag || string(s.name) != name {
		return s.errorf("the root element is <%.40s>, not <%s>", s.name, name)
	}
	return nil
}

// child gives the next child element of the element that is open at this depth (the number of open
// elements), passing over text and what remains of earlier children. It returns false at the end
// of the element.
func (s *scanner) child(depth int) (bool, error) {
	for {
		s.toTag()
		tok, err := s.next()
		switch {
		case err != nil:
			return false, err
		case tok == endOfDocument:
			return false, io.ErrUnexpectedEOF
		case tok == startTag && s.depth() == depth+1:
			return true, nil
		case tok == endTag && s.depth() == depth-1:
			return false, nil
		}
	}
}

// toTag passes over text that nobody wants, as far as it is in the window: between elements there is
// nearly always some space.
func (s *scanner) toTag() {
	if s.closing {
		return
	}
	if n := bytes.IndexByte(s.buf[s.pos:s.end], '<'); n > 0 && s.depth() > 0 {
		s.pos += n
	}
}

// depth is the number of open elements.
func (s *scanner) depth() int { return len(s.marks) }

// finished reads the document's end, after its root element.
func (s *scanner) finished() error {
	tok, err := s.next()
	if err == nil && tok != endOfDocument {
		err = s.errorf("something follows the root element")
	}
	return err
}

// content gives the text of the element whose start tag was just read, and reads its end. Child
// elements are passed over.
func (s *scanner) content() ([]byte, error) {
	if text, ok := s.plainContent(); ok {
		return text, nil
	}
	depth := s.depth()
	s.joined = s.joined[:0]
	for {
		tok, err := s.next()
		if err != nil {
			return nil, err
		}
		switch tok {
		case endOfDocument:
			return nil, io.ErrUnexpectedEOF
		case endTag:
			if s.depth() < depth {
				return s.joined, nil
			}
		case startTag: // passed over, up to its end
		case textRun:
			if s.depth() != depth {
				continue
			}
			text := s.text
			if !s.cdata {
				if text, err = s.unescape(text); err != nil {
					return nil, err
				}
			}
			if len(s.joined)+len(text) > maxToken {
				return nil, s.errorf("a text is longer than %d bytes", maxToken)
			}
			s.joined = append(s.joined, text...)
		}
	}
}

// plainContent is content where that is text without entities, up to the end tag, in the window: most
// elements are so.
func (s *scanner) plainContent() ([]byte, bool) {
	if s.closing {
		return nil, false
	}
	b := s.buf[s.pos:s.end]
	n := bytes.IndexByte(b, '<')
	if n < 0 {
		return nil, false
	}
	text, name := b[:n], s.path[s.marks[len(s.marks)-1]:]
	end := n + len(name) + 3
	if len(b) < end || b[n+1] != '/' || b[end-1] != '>' || string(b[n+2:end-1]) != string(name) || bytes.IndexByte(text, '&') >= 0 {
		return nil, false
	}
	s.pos += end
	s.pop()
	return text, true
}

// pass passes over the element whose start tag was just read, if that is quickly done; if not, the next
// call of child does it.
func (s *scanner) pass() { _, _ = s.plainContent() }

// attr gives the value of an attribute of the present start tag, and whether there is one.
func (s *scanner) attr(name string) (value []byte, ok bool, err error) {
	for i := range s.attrs {
		if string(s.attrs[i].name) == name {
			value, err = s.unescape(s.attrs[i].value)
			return value, err == nil, err
		}
	}
	return nil, false, nil
}

// number reads the value of an attribute as a number that is not negative; 0 where there is none.
func (s *scanner) number(name string) (int64, error) {
	value, ok, err := s.attr(name)
	if err != nil || !ok || len(value) == 0 {
		return 0, err
	}
	return s.integer(value)
}

func (s *scanner) integer(value []byte) (int64, error) {
	n, err := strconv.ParseUint(text(bytes.TrimSpace(value)), 10, 63)
	if err != nil {
		return 0, s.errorf("%.40q is not a number in range", value)
	}
	return int64(n), nil
}

// unescape replaces the predefined entities and character references (XML 1.0, sections 4.1 and
// 4.6). The result is valid until the next call.
func (s *scanner) unescape(raw []byte) ([]byte, error) {
	amp := bytes.IndexByte(raw, '&')
	if amp < 0 {
		return raw, nil
	}
	out := s.scratch[:0]
	for amp >= 0 {
		out = append(out, raw[:amp]...)
		raw = raw[amp+1:]
		n := bytes.IndexByte(raw, ';')
		if n < 0 || n > 10 {
			return nil, s.errorf("an & that starts no entity")
		}
		r, ok := entity(string(raw[:n]))
		if !ok {
			return nil, s.errorf("the entity &%s; is not known", raw[:n])
		}
		out = utf8.AppendRune(out, r)
		raw = raw[n+1:]
		amp = bytes.IndexByte(raw, '&')
	}
	s.scratch = append(out, raw...)
	return s.scratch, nil
}

func entity(name string) (rune, bool) {
	switch name {
	case "amp":
		return '&', true
	case "lt":
		return '<', true
	case "gt":
		return '>', true
	case "quot":
		return '"', true
	case "apos":
		return '\'', true
	}
	if len(name) < 2 || name[0] != '#' {
		return 0, false
	}
	digits, base := name[1:], 10
	if digits[0] == 'x' {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || n == 0 || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return 0, false
	}
	return rune(n), true
}
