package pymeta

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/oracle"
)

// question is one question to the packaging library.
type question struct {
	kind string
	args []any
}

func (q question) MarshalJSON() ([]byte, error) { return json.Marshal([]any{q.kind, q.args}) }

// askPackaging asks the packaging library of the system's Python. An answer is nil where the library refuses.
func askPackaging(t *testing.T, questions []question) []any {
	t.Helper()
	oracle.Need(t, "/usr/bin/python3")
	input, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", "testdata/packaging_oracle.py")
	cmd.Stdin = bytes.NewReader(input)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	output, err := cmd.Output()
	if err != nil {
		if strings.Contains(stderr.String(), "ModuleNotFoundError") {
			oracle.Missing(t, "the system's Python has no packaging library (python3-packaging)")
		}
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	var reply struct {
		Version string
		Answers []any
	}
	if err := json.Unmarshal(output, &reply); err != nil {
		t.Fatal(err)
	}
	if len(reply.Answers) != len(questions) {
		t.Fatalf("%d answers to %d questions", len(reply.Answers), len(questions))
	}
	t.Logf("packaging %s: %d questions", reply.Version, len(questions))
	return reply.Answers
}

// agree compares our answers with the library's and prints the rate.
func agree(t *testing.T, questions []question, answer func(question) any) {
	t.Helper()
	want := askPackaging(t, questions)
	wrong := 0
	for i, q := range questions {
		got := answer(q)
		a, _ := json.Marshal(got)
		b, _ := json.Marshal(want[i])
		if bytes.Equal(a, b) {
			continue
		}
		if wrong++; wrong <= 20 {
			t.Errorf("%s %q: got %s, packaging says %s", q.kind, q.args, a, b)
		}
	}
	refused := 0
	for _, a := range want {
		if a == nil {
			refused++
		}
	}
	t.Logf("agreement: %d of %d (%d of them refusals)", len(questions)-wrong, len(questions), refused)
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

// randomVersion writes a version in one of the many spellings, sometimes a wrong one.
func randomVersion(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString(pick(r, "", "", "", "", "", "v", "V"))
	if r.IntN(10) == 0 {
		b.WriteString(pick(r, "0!", "1!", "2!"))
	}
	for i := range 1 + r.IntN(4) {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(pick(r, "0", "0", "1", "2", "3", "10", "01", "2024"))
	}
	if r.IntN(3) == 0 {
		b.WriteString(pick(r, "", ".", "-", "_") + pick(r, "a", "b", "rc", "alpha", "beta", "c", "pre", "preview", "RC") + pick(r, "", ".", "-") + pick(r, "", "0", "1", "2", "02"))
	}
	if r.IntN(4) == 0 {
		b.WriteString(pick(r, ".post", "-post", "post", "-", ".rev", "-r", "_post_") + pick(r, "", "0", "1", "2"))
	}
	if r.IntN(4) == 0 {
		b.WriteString(pick(r, ".dev", "-dev", "dev", "_dev.") + pick(r, "", "0", "1", "3"))
	}
	if r.IntN(6) == 0 {
		b.WriteString("+" + pick(r, "local", "1", "ubuntu.1", "Abc-2", "a_b", "007", "1.a", ""))
	}
	if r.IntN(30) == 0 {
		b.WriteString(pick(r, " ", ".", "x", "-", "..1", "\n", "é"))
	}
	return b.String()
}

func randomSpecifier(r *rand.Rand) string {
	op := pick(r, "==", "!=", "<=", ">=", "<", ">", "~=", "===")
	version := randomVersion(r)
	switch {
	case op == "===":
		// What is no version breaks the library in places, and it takes a comma after === for a part of it.
		return op + pick(r, "1.0", "2.0.0", "1.0+local", "V1.0rc1", "1!2.3")
	case op == "~=":
		// Of a version that is not in its normal form the library takes a wrong prefix.
		return op + pick(r, "0.0rc2", "1.4.5", "2.2.post3", "1.4.5a4", "0.1.dev3", "1.0", "0.10", "2024.1.0.0", "1", "1!2.0")
	case r.IntN(5) == 0:
		version = fmt.Sprintf("%d.%d.*", r.IntN(3), r.IntN(3))
	}
	return op + pick(r, "", "", " ") + version
}

func randomSpecifiers(r *rand.Rand) string {
	list := make([]string, 1+r.IntN(3))
	for i := range list {
		list[i] = randomSpecifier(r)
		if strings.HasPrefix(list[i], "===") {
			return list[i]
		}
	}
	return strings.Join(list, pick(r, ",", ", ", " , "))
}

func TestVersionsAgreeWithPackaging(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var questions []question
	for range 4000 {
		questions = append(questions, question{"version", []any{randomVersion(r)}})
		questions = append(questions, question{"compare", []any{randomVersion(r), randomVersion(r)}})
	}
	agree(t, questions, func(q question) any {
		v, err := ParseVersion(q.args[0].(string))
		if err != nil {
			return nil
		}
		if q.kind == "version" {
			return []any{v.String(), v.Public(), v.Base(), v.IsPrerelease()}
		}
		w, err := ParseVersion(q.args[1].(string))
		if err != nil {
			return nil
		}
		switch c := v.Compare(w); {
		case c < 0:
			return -1
		case c > 0:
			return 1
		}
		return 0
	})
}

func TestSpecifiersAgreeWithPackaging(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var questions []question
	for range 8000 {
		kind := pick(r, "contains", "contains-pre")
		specifiers, version := randomSpecifiers(r), randomVersion(r)
		if strings.ContainsAny(specifiers, "*~") && strings.Contains(version, "!") {
			continue // before version 24 the library mistakes epochs in prefixes
		}
		questions = append(questions, question{kind, []any{specifiers, version}})
	}
	agree(t, questions, func(q question) any {
		s, err := ParseSpecifiers(q.args[0].(string))
		if err != nil {
			return nil
		}
		v, err := ParseVersion(q.args[1].(string))
		if err != nil {
			return nil
		}
		return s.Contains(v, q.kind == "contains-pre")
	})
}

func randomMarker(r *rand.Rand, depth int) string {
	if depth > 0 && r.IntN(2) == 0 {
		m := randomMarker(r, depth-1) + pick(r, " and ", " or ", "  and  ") + randomMarker(r, depth-1)
		if r.IntN(2) == 0 {
			m = "(" + m + ")"
		}
		return m
	}
	quote := pick(r, `"`, `'`)
	variable := pick(r, "python_version", "python_full_version", "os_name", "sys_platform", "platform_machine",
		"platform_python_implementation", "implementation_name", "implementation_version", "extra", "os.name", "platform_system",
		"platform_release", "python_implementation", "nonsense")
	value := pick(r, "3.11", "3.9", "3.11.*", "3.12", "2.7", "linux", "win32", "posix", "x86_64", "CPython", "cpython", "Linux", "test",
		"Test_Extra", "test-extra", "6.1.0-13-amd64", "", "3")
	op := pick(r, "==", "!=", "<", "<=", ">", ">=", "~=", "===", " in ", " not in ", "not  in")
	left, right := variable, quote+value+quote
	if r.IntN(6) == 0 {
		left, right = right, left
	}
	return left + pick(r, "", " ") + op + pick(r, "", " ") + right
}

func TestMarkersAgreeWithPackaging(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	var questions []question
	for range 6000 {
		env := LinuxEnvironment(pick(r, "3.11", "3.9", "3.12.1"), "x86_64")
		extra := pick(r, "", "test", "test-extra", "Test.Extra")
		asked := map[string]string{"extra": extra}
		for k, v := range env {
			asked[k] = v
		}
		m := randomMarker(r, 3)
		questions = append(questions, question{"marker", []any{m, asked}})
		if !strings.Contains(m, "extra") { // whose value the library normalises in some places when it prints
			questions = append(questions, question{"marker-text", []any{m}})
		}
	}
	agree(t, questions, func(q question) any {
		m, err := ParseMarker(q.args[0].(string))
		if err != nil {
			return nil
		}
		if q.kind == "marker-text" {
			return m.String()
		}
		env := q.args[1].(map[string]string)
		ok, err := m.Evaluate(env, env["extra"])
		if err != nil {
			return nil
		}
		return ok
	})
}

func randomRequirement(r *rand.Rand) string {
	var b strings.Builder
	b.WriteString(pick(r, "", " ") + pick(r, "requests", "Foo.Bar", "a", "zope.interface", "x_y-z", "-bad", "bad-", "éa", "9lives") + pick(r, "", " "))
	if r.IntN(3) == 0 {
		b.WriteString(pick(r, "[socks]", "[a,b]", "[ a , B ]", "[]", "[a", "[a,]", "[a b]") + pick(r, "", " "))
	}
	switch r.IntN(8) {
	case 0:
		b.WriteString(pick(r, "@ https://x/y.zip", "@https://x/y", "@ git+https://x/y@main", "@"))
	case 1:
	case 2:
		b.WriteString("(" + randomSpecifiers(r) + pick(r, ")", ")", ""))
	default:
		b.WriteString(randomSpecifiers(r))
	}
	b.WriteString(pick(r, "", "", "", " ", ",", "  "))
	if r.IntN(3) == 0 {
		if m := randomMarker(r, 2); !strings.Contains(m, "extra") {
			b.WriteString(pick(r, ";", " ;", " ; ") + m)
		}
	}
	return b.String()
}

func TestRequirementsAgreeWithPackaging(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	var questions []question
	for range 8000 {
		questions = append(questions, question{"requirement", []any{strings.ReplaceAll(randomRequirement(r), "\n", "")}})
	}
	agree(t, questions, func(q question) any {
		req, err := ParseRequirement(q.args[0].(string))
		if err != nil {
			return nil
		}
		return req.String()
	})
}
