package macro

// nesting counts the macro brackets that a text leaves open, and whether it ends in a continued line. A logical
// line of a spec or macro file goes on while anything is open.
type nesting struct {
	braces, parens, brackets int
	continued                bool
}

func (n *nesting) open() bool { return n.braces > 0 || n.parens > 0 || n.brackets > 0 || n.continued }

func (n *nesting) scan(text string) {
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\\':
			if i+1 < len(text) {
				i++
				n.continued = text[i] == '\n'
			}
		case '\n':
			n.continued = false
		case '%':
			if i+1 < len(text) && n.openAt(text[i+1]) {
				i++
			}
		default:
			n.bracket(text[i])
		}
	}
}

// openAt counts the bracket that follows a percent sign and says whether there was one (or a second percent).
func (n *nesting) openAt(c byte) bool {
	switch c {
	case '{':
		n.braces++
	case '(':
		n.parens++
	case '[':
		n.brackets++
	case '%':
	default:
		return false
	}
	return true
}

// bracket counts a bracket inside an open macro of the same kind.
func (n *nesting) bracket(c byte) {
	count := func(v *int, by int) {
		if *v > 0 {
			*v += by
		}
	}
	switch c {
	case '{':
		count(&n.braces, 1)
	case '}':
		count(&n.braces, -1)
	case '(':
		count(&n.parens, 1)
	case ')':
		count(&n.parens, -1)
	case '[':
		count(&n.brackets, 1)
	case ']':
		count(&n.brackets, -1)
	}
}

// Nesting tells whether a spec's line is complete, for readers that put logical lines together.
type Nesting struct{ n nesting }

// Add counts one more physical line, with its newline.
func (n *Nesting) Add(line string) { n.n.scan(line) }

// Open says whether the lines so far leave a macro open or end in a backslash.
func (n *Nesting) Open() bool { return n.n.open() }

// matching returns the index of the bracket that closes the one at text[start], skipping escaped characters, or -1.
func matching(text string, start int, opening, closing byte) int {
	level := 0
	for i := start; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case opening:
			level++
		case closing:
			level--
			if level == 0 {
				return i
			}
		}
	}
	return -1
}
