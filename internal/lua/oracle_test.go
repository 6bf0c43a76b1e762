package lua_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/lua"
	"github.com/slipway-build/slipway/internal/oracle"
)

// driver runs chunks, each protected, and prints what comes out.
const driver = `
local function show(v)
  local t = type(v)
  if t == "table" or t == "function" or t == "thread" then return t end
  return string.format(t == "string" and "%q" or "%s", t == "string" and v or tostring(v))
end
for i, chunk in ipairs(chunks) do
  local out
  local fn, err = load(chunk, "=t")
  if fn then
    out = table.pack(pcall(fn))
  else
    out = {n = 1, err}
  end
  for j = 1, out.n do out[j] = show(out[j]) end
  print(i, table.concat(out, "\t"))
end
`

// program is a chunk that runs others by the driver.
func program(chunks []string) string {
	var b strings.Builder
	b.WriteString("local chunks = {\n")
	for _, c := range chunks {
		b.WriteByte('"')
		for _, ch := range []byte(c) {
			fmt.Fprintf(&b, "\\%03d", ch)
		}
		b.WriteString("\",\n")
	}
	b.WriteString("}\n" + driver)
	return b.String()
}

// ours runs a program and gives its output and error.
func ours(t testing.TB, source string, limits lua.Limits) (string, error) {
	t.Helper()
	s := lua.New(limits)
	defer s.Close()
	var out bytes.Buffer
	s.Output = &out
	fn, err := s.Load(source, "=p")
	if err != nil {
		return "", err
	}
	_, err = s.Call(fn)
	return out.String(), err
}

// theirs runs a program with the reference implementation.
func theirs(t testing.TB, source string) string {
	t.Helper()
	cmd := exec.Command("lua5.4", "-")
	cmd.Stdin = strings.NewReader(source)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("lua5.4: %v\n%s", err, out)
	}
	return string(out)
}

// TestLanguage runs small chunks here and in the reference implementation: results and messages are
// the same.
func TestLanguage(t *testing.T) {
	oracle.Need(t, "lua5.4")
	data, err := os.ReadFile("testdata/language.txt")
	if err != nil {
		t.Fatal(err)
	}
	chunks := strings.Split(strings.TrimSuffix(string(data), "\n"), "\n----\n")
	source := program(chunks)
	got, err := ours(t, source, lua.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := strings.Split(theirs(t, source), "\n")
	for i, line := range strings.Split(got, "\n") {
		if i < len(want) && line != want[i] {
			number, _, _ := strings.Cut(line, "\t")
			n, _ := strconv.Atoi(number)
			t.Errorf("chunk %s: %s\n%s", number, chunks[max(n, 1)-1], cmp.Diff(want[i], line))
		}
	}
}
