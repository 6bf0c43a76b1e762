package main

import (
	"strings"
	"testing"
)

// TestMatrixIsSafe has names that would be markup.
func TestMatrixIsSafe(t *testing.T) {
	r := matrixResult{
		Service: "<script>s", Branch: "a", Targets: []string{"t"}, Unmet: []string{"a|b"},
		Rows: []matrixRow{{
			Name:  `x|y<script>*`,
			Cells: []matrixCell{{State: "too old", Text: "too old (has 1, needs >= 2)", Lacking: true}},
			By:    []needer{{File: "a_b.yaml", Line: 3}, {File: "a_b.yaml", Line: 3}},
		}},
	}
	var page, text strings.Builder
	r.html(&page)
	r.markdown(&text)
	if strings.Contains(page.String(), "<script>") || !strings.Contains(page.String(), `<td class="old">▼ too old (has 1, needs &gt;= 2)</td>`) {
		t.Errorf("page:\n%s", page.String())
	}
	want := "| needs | t | by |\n|---|---|---|\n| x\\|y&lt;script&gt;\\* | ✘ too old (has 1, needs &gt;= 2) | a\\_b.yaml:3 |\n\n- not met: a\\|b\n"
	if text.String() != want {
		t.Errorf("markdown:\n%s\nwant:\n%s", text.String(), want)
	}
	if err := r.strict(); err == nil || !strings.Contains(err.Error(), "1 cells") {
		t.Errorf("strict: %v", err)
	}
	if err := (matrixResult{}).strict(); err != nil {
		t.Errorf("strict of nothing: %v", err)
	}
}
