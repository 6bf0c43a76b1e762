package debian

import (
	"fmt"
	"regexp"
	"strings"
)

// Relation is one package that a relation field names, with a bound or without.
type Relation struct {
	Name     string
	Operator string // "<<", "<=", "=", ">=", ">>", or "" without a bound
	Version  Version
}

var relationSyntax = regexp.MustCompile(`^([a-z0-9][a-z0-9+.\-]*)(?::[a-z0-9\-]+)?\s*(?:\(\s*(<<|<=|=|>=|>>|<|>)\s*([^)\s]+)\s*\))?\s*(?:\[[^\]]*\]\s*)?$`)

// ParseRelations reads a relation field: groups that must all hold, each of
// alternatives of which one must. Architecture qualifiers are left out: a
// universe has one architecture.
func ParseRelations(field string) ([][]Relation, error) {
	var groups [][]Relation
	for group := range strings.SplitSeq(strings.ReplaceAll(field, "\n", " "), ",") {
		if strings.TrimSpace(group) == "" {
			continue
		}
		var alternatives []Relation
		for text := range strings.SplitSeq(group, "|") {
			r, err := parseRelation(strings.TrimSpace(text))
			if err != nil {
				return nil, err
			}
			alternatives = append(alternatives, r)
		}
		groups = append(groups, alternatives)
	}
	return groups, nil
}

func parseRelation(text string) (Relation, error) {
	m := relationSyntax.FindStringSubmatch(text)
	if m == nil {
		return Relation{}, fmt.Errorf("parsing relation %q: it is not NAME (OPERATOR VERSION)", text)
	}
	r := Relation{Name: m[1], Operator: m[2]}
	if r.Operator == "" {
		return r, nil
	}
	// The single forms are old and mean the inclusive ones.
	switch r.Operator {
	case "<", ">":
		r.Operator += "="
	}
	var err error
	if r.Version, err = ParseVersion(m[3]); err != nil {
		return Relation{}, fmt.Errorf("parsing relation %q: %w", text, err)
	}
	return r, nil
}
