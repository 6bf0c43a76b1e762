package strategy

import (
	"errors"
	"fmt"
	"strings"
)

// maxContainerfile bounds a Containerfile, in bytes.
const maxContainerfile = 1 << 20

// ReplaceFrom gives a Containerfile whose last stage stands on another base: the image of its FROM is
// replaced, or, where that names an earlier stage, the one of that stage (Dockerfile reference, "FROM").
// Everything else stays as it is, byte for byte.
func ReplaceFrom(text, base string) (string, error) {
	if len(text) > maxContainerfile {
		return "", fmt.Errorf("it has more than the %d bytes allowed", maxContainerfile)
	}
	lines := strings.SplitAfter(text, "\n")
	var stages []stage
	continued, heredoc := false, ""
	for i, line := range lines {
		bare := strings.TrimSpace(line)
		switch {
		case heredoc != "":
			if bare == heredoc {
				heredoc = ""
			}
			continue
		case strings.HasPrefix(bare, "#") || bare == "":
			continue // also between continued lines
		case !continued:
			if s, ok := parseFrom(bare); ok {
				s.line = i
				stages = append(stages, s)
			}
			heredoc = heredocOf(bare)
		}
		continued = strings.HasSuffix(bare, `\`)
	}
	if len(stages) == 0 {
		return "", errors.New("it has no FROM")
	}
	at := len(stages) - 1
	for again := true; again; {
		again = false
		for i := range at {
			if stages[i].name != "" && strings.EqualFold(stages[i].name, stages[at].image) {
				at, again = i, true
				break
			}
		}
	}
	s := stages[at]
	if s.image == "" {
		return "", fmt.Errorf("line %d: FROM names no image", s.line+1)
	}
	i := strings.Index(lines[s.line], s.image)
	lines[s.line] = lines[s.line][:i] + base + lines[s.line][i+len(s.image):]
	return strings.Join(lines, ""), nil
}

// stage is a FROM.
type stage struct {
	line        int
	image, name string
}

func parseFrom(line string) (stage, bool) {
	words := strings.Fields(line)
	if !strings.EqualFold(words[0], "FROM") {
		return stage{}, false
	}
	words = words[1:]
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		words = words[1:]
	}
	var s stage
	if len(words) > 0 {
		s.image = words[0]
	}
	if len(words) > 2 && strings.EqualFold(words[1], "AS") {
		s.name = words[2]
	}
	return s, true
}

// heredocOf is the word that ends a here-document which begins in a line, "" where none does.
func heredocOf(line string) string {
	verb, rest, _ := strings.Cut(line, " ")
	if !strings.EqualFold(verb, "RUN") && !strings.EqualFold(verb, "COPY") && !strings.EqualFold(verb, "ADD") {
		return ""
	}
	_, word, ok := strings.Cut(rest, "<<")
	if !ok || strings.HasPrefix(word, "<") {
		return ""
	}
	word, _, _ = strings.Cut(strings.TrimPrefix(word, "-"), " ")
	return strings.Trim(word, `"'`)
}
