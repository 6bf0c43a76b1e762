package ansible

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestHostileFilesEnd reads files that nest deeply or repeat much. They must end, with or without an error.
func TestHostileFilesEnd(t *testing.T) {
	var indented strings.Builder
	for i := range 700 {
		indented.WriteString(strings.Repeat(" ", i) + "- \n")
	}
	for name, data := range map[string]string{
		"lists":       "- " + strings.Repeat("[", maxFile-10),
		"maps":        strings.Repeat("{a: ", maxFile/4-1),
		"indentation": indented.String(),
		"dashes":      strings.Repeat("- ", 1000),
		"anchors":     "- a: &a [x,x,x,x]\n" + strings.Repeat("- b: [*a,*a,*a,*a]\n", 1000),
		"loops":       "- dnf: {name: '{{ item }}'}\n  loop: [" + strings.Repeat("a,", 50_000) + "a]\n",
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := Read(fstest.MapFS{"a": {Data: []byte(data)}}, "a"); err != nil && len(err.Error()) < 200 {
				t.Log(err)
			}
		})
	}
}
