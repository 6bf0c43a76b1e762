package specfile

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/slipway-build/slipway/internal/requirement/specfile/macro"
)

// Bounds on what is read. Real specs stay far below them.
const (
	maxSize         = 16 << 20  // bytes of one file
	maxLines        = 1_000_000 // logical lines, included files and expansions counted
	maxIncludeDepth = 32
	maxConditions   = 256 // nested conditionals
)

// source is a file that is being read, or the text that a line expanded to.
type source struct {
	file string
	text string
	line int // of the line that was cut last
}

// reader yields a spec's lines, expanded, with conditionals applied.
type reader struct {
	parser  *parser
	engine  *macro.Engine
	files   fs.FS
	arch    string
	sources []*source
	queue   []string // lines that the last logical line expanded to
	raw     string   // the logical line before expansion
	conds   []condition
	lines   int
}

// next returns the next line that counts. ok is false at the end of the spec.
func (r *reader) next() (line string, ok bool, err error) {
	for {
		if len(r.queue) == 0 {
			more, err := r.fill()
			if err != nil || !more {
				return "", false, err
			}
			continue
		}
		line, r.queue = r.queue[0], r.queue[1:]
		if r.lines++; r.lines > maxLines {
			return "", false, &macro.LimitError{What: "1,000,000 lines"}
		}
		directive, argument := cutDirective(line)
		if directive != "" {
			if err := r.directive(directive, argument); err != nil {
				return "", false, err
			}
			continue
		}
		if r.reading() {
			return line, true, nil
		}
	}
}

// fill reads one logical line into the queue.
func (r *reader) fill() (bool, error) {
	for len(r.sources) > 0 && r.top().text == "" {
		if len(r.sources) == 1 {
			return false, nil
		}
		r.sources = r.sources[:len(r.sources)-1]
	}
	src := r.top()
	first := src.line + 1
	var nesting macro.Nesting
	length := 0
	for length < len(src.text) {
		n := strings.IndexByte(src.text[length:], '\n') + 1
		if n == 0 {
			n = len(src.text) - length
		}
		nesting.Add(src.text[length : length+n])
		length += n
		src.line++
		if !nesting.Open() {
			break
		}
	}
	r.raw, src.text = src.text[:length], src.text[length:]
	last := src.line
	src.line = first // what is said about the logical line is said about its first
	if nesting.Open() && src.text == "" && !strings.HasSuffix(r.raw, "\\\n") {
		r.parser.line = first
		r.parser.fatal("a macro that begins here is not closed")
	}
	text, err := r.expand(r.raw)
	src.line = last
	r.parser.line = first
	if err != nil {
		return false, err
	}
	r.queue = strings.SplitAfter(text, "\n")
	if r.queue[len(r.queue)-1] == "" {
		r.queue = r.queue[:len(r.queue)-1]
	}
	return true, nil
}

// expand expands a logical line, unless it stands in a branch that is not taken.
func (r *reader) expand(raw string) (string, error) {
	r.parser.line = r.top().line
	directive, _ := cutDirective(raw)
	switch directive {
	case "%elif", "%elifarch", "%elifos":
		if !r.undecided() {
			return raw, nil
		}
	default:
		if !r.reading() {
			return raw, nil
		}
	}
	text, err := r.engine.Expand(raw)
	var limit *macro.LimitError
	if errors.As(err, &limit) {
		return "", err
	}
	if err != nil {
		r.parser.fatal("%v", err)
		return unexpanded(directive), nil
	}
	return text, nil
}

// unexpanded is what remains of a logical line that could not be expanded: a conditional must be kept, or the rest
// of the spec would fall apart.
func unexpanded(directive string) string {
	if directive == "" {
		return "\n"
	}
	return directive + " " + macro.Unknown + "\n"
}

func (r *reader) top() *source { return r.sources[len(r.sources)-1] }

// include reads a file in place of an %include line.
func (r *reader) include(name string) error {
	name = strings.TrimSpace(name)
	if len(r.sources) >= maxIncludeDepth {
		return &macro.LimitError{What: "32 nested %include files"}
	}
	if strings.Contains(name, macro.Unknown) {
		r.parser.report("%%include of a file whose name is not known")
		return nil
	}
	for _, p := range []string{strings.TrimPrefix(path.Clean("/"+name), "/"), path.Base(name), path.Join(path.Dir(r.top().file), path.Base(name))} {
		if r.files == nil || !fs.ValidPath(p) {
			continue
		}
		data, err := fs.ReadFile(r.files, p)
		if err != nil || len(data) > maxSize {
			continue
		}
		r.sources = append(r.sources, &source{file: p, text: clean(data)})
		return nil
	}
	r.parser.fatal("included file %s is not in the project", name)
	return nil
}

// clean makes text of a file's bytes: no mark of the unknown, no carriage returns.
func clean(data []byte) string {
	text := strings.ReplaceAll(string(data), macro.Unknown, "")
	return strings.ReplaceAll(text, "\r\n", "\n")
}
