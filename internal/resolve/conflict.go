package resolve

import (
	"fmt"
	"strings"
)

// Conflict says why requests cannot be met: the shortest chain of reasons that was found, from who
// asked to what stands in the way.
type Conflict struct { //nolint:errname // a conflict is the word for it, in the design and for people
	// Requests are those that contradict each other or the repositories; without one of them there
	// would be a solution.
	Requests []Request
	// Reasons are the chain. It starts with what was asked.
	Reasons []Reason
	// OnlyBest says that there is a solution with packages that are not the best ones for the
	// requests (Problem.NoBest). Instead names them.
	OnlyBest bool
	Instead  []string
}

// Reason is a statement, and why what it needs is not to be had.
type Reason struct {
	Text    string
	Because []Reason
}

// Error tells the whole chain, a line a reason, each indented below what it explains.
func (c *Conflict) Error() string {
	var b strings.Builder
	b.WriteString("the requests cannot be met:")
	write(&b, c.Reasons, 1)
	if c.OnlyBest {
		b.WriteString("\n  It would do to take " + enumerate(c.Instead) + " instead of the best.")
	}
	return b.String()
}

func write(b *strings.Builder, reasons []Reason, depth int) {
	for _, r := range reasons {
		fmt.Fprintf(b, "\n%s%s", strings.Repeat("  ", depth), r.Text)
		write(b, r.Because, depth+1)
	}
}

// enumerate joins as a sentence does.
func enumerate(items []string) string {
	switch n := len(items); n {
	case 0:
		return "others"
	case 1:
		return items[0]
	default:
		return strings.Join(items[:n-1], ", ") + " and " + items[n-1]
	}
}
