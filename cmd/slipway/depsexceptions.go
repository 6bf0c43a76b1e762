package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/slipway-build/slipway/internal/release"
)

// exception is something that images take and that is no signed RPM.
type exception struct {
	Name    string   `json:"name"`
	What    string   `json:"what"`
	Reason  string   `json:"reason"`
	Expires string   `json:"expires"`
	Days    int      `json:"days"` // that are left; below 0 it has ended
	Images  []string `json:"images"`
}

func exceptions(s *session, n *release.Needs) ([]exception, error) {
	states, err := s.Exceptions(n)
	if err != nil {
		return nil, err
	}
	var list []exception
	for _, x := range states {
		list = append(list, exception{x.Name.Value, x.What(), x.Reason, x.Expires.Value, x.Days, x.Images})
	}
	return list, nil
}

func writeExceptions(w io.Writer, list []exception) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintln(w, "\nexceptions: what is no signed RPM")
	rows := [][]string{{"  NAME", "UNTIL", "IMAGES", "WHAT", "WHY"}}
	for _, x := range list {
		until := x.Expires
		switch {
		case x.Days < 0:
			until += " (ended)"
		case x.Days <= 14:
			until += fmt.Sprintf(" (%d days left)", x.Days)
		}
		rows = append(rows, []string{"  " + x.Name, until, strings.Join(x.Images, ", "), x.What, x.Reason})
	}
	table(w, rows)
}
