package repodata

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Bounds of what a document may hold. Real ones stay far below.
const (
	maxToken      = 4 << 20 // bytes of one tag or one run of text
	maxDepth      = 32      // elements within elements
	maxAttributes = 64      // of one element
	windowSize    = 256 << 10
)

// token is what scanner.next found.
type token uint8

const (
	endOfDocument token = iota
	startTag            // name and attrs are set
	endTag              // name is set
	textRun             // text is set, raw
)

// scanner reads XML as a stream of tags and texts. Byte slices that it hands out are valid until
// the next call. Names are given without their namespace prefix: the documents of repositories mix
// no vocabularies in which a local name would mean two things.
type scanner struct {
	r io.Reader
	// buf[pos:end] is read but not consumed; base is the offset of buf[0] in the document.
	buf      []byte
	pos, end int
	base     int64
	begun    bool // r was read from
	drained  bool // r has no more

	name  []byte
	attrs []attribute
	text  []byte
	// cdata says that text is literal, without entities.
	cdata bool
	// closing says that the start tag just given was <name/>: its end comes next.
	closing bool
	started bool // the root element was seen

	// path holds the full names of the open elements one after another, marks where each begins.
	path  []byte
	marks []int

	scratch, joined []byte
}

type attribute struct{ name, value []byte }

func newScanner(r io.Reader) *scanner {
	return &scanner{r: r, buf: make([]byte, windowSize), marks: make([]int, 0, maxDepth)}
}

// SyntaxError says where a document is not what it should be.
type SyntaxError struct {
	// Offset counts bytes from the document's start, decompressed.
	Offset int64
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("at byte %d: %s", e.Offset, e.Reason) }

func (s *scanner) errorf(format string, args ...any) error {
	return &SyntaxError{Offset: s.base + int64(s.pos), Reason: fmt.Sprintf(format, args...)}
}

// errMore asks for more input: the token is not complete in the window.
var errMore = errors.New("incomplete token")

// fill reads until the window is full, making room first. It returns false when nothing can be
// added because the document ended.
func (s *scanner) fill() (bool, error) {
	if s.drained {
		return false, nil
	}
	if s.pos > 0 {
		copy(s.buf, s.buf[s.pos:s.end])
		s.base += int64(s.pos)
		s.end -= s.pos
		s.pos = 0
	}
	if s.end == len(s.buf) {
		if s.end >= maxToken {
			return false, s.errorf("a tag or text is longer than %d bytes", maxToken)
		}
		s.buf = append(s.buf, make([]byte, len(s.buf))...)
	}
	before := s.end
	for s.end < len(s.buf) {
		n, err := s.r.Read(s.buf[s.end:])
		s.end += n
		if err == io.EOF {
			s.drained = true
			break
		}
		if err != nil {
			return false, err
		}
	}
	return s.end > before, nil
}

// next gives the next token. Comments and processing instructions are passed over.
func (s *scanner) next() (token, error) {
	if s.closing {
		s.closing = false
		s.pop()
		return endTag, nil
	}
	if !s.begun {
		if err := s.begin(); err != nil {
			return 0, err
		}
	}
	for {
		tok, ok, err := s.try()
		switch {
		case err == nil && ok:
			return tok, nil
		case err == nil:
			continue
		case !errors.Is(err, errMore):
			return 0, err
		}
		more, err := s.fill()
		if err != nil {
			return 0, err
		}
		if !more {
			return s.finish()
		}
	}
}

// begin reads the first window and passes over a byte order mark.
func (s *scanner) begin() error {
	s.begun = true
	_, err := s.fill()
	if bytes.HasPrefix(s.buf[:s.end], []byte("\xef\xbb\xbf")) {
		s.pos = 3
	}
	return err
}

// finish is called where the input ended.
func (s *scanner) finish() (token, error) {
	rest := bytes.TrimLeft(s.buf[s.pos:s.end], " \t\r\n")
	if len(rest) > 0 || len(s.marks) > 0 || !s.started {
		return 0, fmt.Errorf("at byte %d: the document is cut off: %w", s.base+int64(s.end), io.ErrUnexpectedEOF)
	}
	return endOfDocument, nil
}

// try reads one token from the window. ok is false when it was one that nobody wants.
func (s *scanner) try() (tok token, ok bool, err error) {
	b := s.buf[s.pos:s.end]
	if len(b) == 0 {
		return 0, false, errMore
	}
	if b[0] != '<' {
		n := bytes.IndexByte(b, '<')
		if n < 0 {
			return 0, false, errMore
		}
		return s.characters(b[:n], n, false)
	}
	if len(b) < 2 {
		return 0, false, errMore
	}
	switch b[1] {
	case '/':
		return s.endTag(b)
	case '?':
		return 0, false, s.instruction(b)
	case '!':
		return s.declaration(b)
	default:
		return s.startTag(b)
	}
}

// characters hands out text of which n bytes of input are used up. Outside of the root there may be
// only space.
func (s *scanner) characters(text []byte, n int, literal bool) (token, bool, error) {
	if len(s.marks) == 0 {
		if len(bytes.TrimLeft(text, " \t\r\n")) > 0 {
			return 0, false, s.errorf("text outside of the root element")
		}
		s.pos += n
		return 0, false, nil
	}
	s.text, s.cdata = text, literal
	s.pos += n
	return textRun, true, nil
}

// instruction passes over <?…?> and refuses an encoding that is not UTF-8.
func (s *scanner) instruction(b []byte) error {
	n := bytes.Index(b, []byte("?>"))
	if n < 0 {
		return errMore
	}
	if decl, ok := bytes.CutPrefix(b[:n], []byte("<?xml ")); ok {
		if _, enc, ok := bytes.Cut(decl, []byte("encoding=")); ok && !utf8Name(string(enc)) {
			return s.errorf("the encoding is %.20s; only UTF-8 is read", enc)
		}
	}
	s.pos += n + 2
	return nil
}

// utf8Name says whether a quoted encoding name means UTF-8.
func utf8Name(quoted string) bool {
	const name = "utf-8"
	return len(quoted) >= len(name)+2 && strings.EqualFold(quoted[1:1+len(name)], name) && quoted[len(name)+1] == quoted[0]
}

// declaration reads what starts with "<!": comments, CDATA, and what is refused.
func (s *scanner) declaration(b []byte) (token, bool, error) {
	const comment, cdata = "<!--", "<![CDATA["
	switch {
	case bytes.HasPrefix(b, []byte(comment)):
		n := bytes.Index(b[len(comment):], []byte("-->"))
		if n < 0 {
			return 0, false, errMore
		}
		s.pos += len(comment) + n + len("-->")
		return 0, false, nil
	case bytes.HasPrefix(b, []byte(cdata)):
		n := bytes.Index(b[len(cdata):], []byte("]]>"))
		if n < 0 {
			return 0, false, errMore
		}
		return s.characters(b[len(cdata):len(cdata)+n], len(cdata)+n+len("]]>"), true)
	case len(b) < len(cdata):
		return 0, false, errMore
	default:
		return 0, false, s.errorf("a document type declaration is not allowed here")
	}
}

func (s *scanner) endTag(b []byte) (token, bool, error) {
	n := bytes.IndexByte(b, '>')
	if n < 0 {
		return 0, false, errMore
	}
	name := bytes.TrimRight(b[2:n], " \t\r\n")
	if len(s.marks) == 0 || !bytes.Equal(name, s.path[s.marks[len(s.marks)-1]:]) {
		return 0, false, s.errorf("the end tag %.40q does not match", name)
	}
	s.name = local(name)
	s.pos += n + 1
	s.pop()
	return endTag, true, nil
}

func (s *scanner) pop() {
	last := len(s.marks) - 1
	s.path = s.path[:s.marks[last]]
	s.marks = s.marks[:last]
}

func (s *scanner) push(name []byte) error {
	if len(s.marks) == 0 && s.started {
		return s.errorf("a second root element")
	}
	if len(s.marks) == maxDepth {
		return s.errorf("elements are nested deeper than %d", maxDepth)
	}
	s.started = true
	s.marks = append(s.marks, len(s.path))
	s.path = append(s.path, name...)
	return nil
}

func (s *scanner) startTag(b []byte) (token, bool, error) {
	i := 1
	for i < len(b) && !isSpace(b[i]) && b[i] != '>' && b[i] != '/' {
		i++
	}
	name := b[1:i]
	s.attrs = s.attrs[:0]
	for {
		for i < len(b) && isSpace(b[i]) {
			i++
		}
		if i >= len(b) {
			return 0, false, errMore
		}
		if b[i] == '>' || b[i] == '/' {
			break
		}
		var err error
		if i, err = s.attribute(b, i); err != nil {
			return 0, false, err
		}
	}
	empty := b[i] == '/'
	if empty {
		if i++; i >= len(b) {
			return 0, false, errMore
		}
	}
	if b[i] != '>' || len(name) == 0 {
		return 0, false, s.errorf("a malformed tag")
	}
	if err := s.push(name); err != nil {
		return 0, false, err
	}
	s.name = local(name)
	s.closing = empty
	s.pos += i + 1
	return startTag, true, nil
}

// attribute reads one attribute at b[i:] and returns where it ends.
func (s *scanner) attribute(b []byte, i int) (int, error) {
	start := i
	for i < len(b) && b[i] != '=' && !isSpace(b[i]) && b[i] != '>' && b[i] != '<' {
		i++
	}
	name := b[start:i]
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	if i < len(b) && (b[i] != '=' || len(name) == 0) {
		return 0, s.errorf("a malformed attribute")
	}
	i++
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	if i >= len(b) {
		return 0, errMore
	}
	quote := b[i]
	if quote != '"' && quote != '\'' {
		return 0, s.errorf("an attribute's value is not quoted")
	}
	i++
	n := bytes.IndexByte(b[i:], quote)
	if n < 0 {
		return 0, errMore
	}
	if len(s.attrs) == maxAttributes {
		return 0, s.errorf("an element has more than %d attributes", maxAttributes)
	}
	s.attrs = append(s.attrs, attribute{local(name), b[i : i+n]})
	return i + n + 1, nil
}

// local cuts a namespace prefix off.
func local(name []byte) []byte {
	if i := bytes.IndexByte(name, ':'); i >= 0 {
		return name[i+1:]
	}
	return name
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
