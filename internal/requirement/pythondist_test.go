package requirement

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/requirement/pymeta"
)

func TestFromPython(t *testing.T) {
	fedora := Target{Release: "fedora-43"}
	el9 := Target{Release: "centos-stream-9"}
	for _, tt := range []struct {
		target      Target
		requirement string
		want        string
	}{
		{fedora, "Flask", "python3dist(flask)"},
		{fedora, "zope.interface>=5.0", "python3dist(zope-interface) >= 5"},
		{fedora, "a_b__c.D", "python3dist(a-b-c-d)"},
		{fedora, "x<2", "python3dist(x) < 2~~"},
		{el9, "x<2", "python3dist(x) < 2"},
		{fedora, "x<2.0rc1", "python3dist(x) < 2~rc1"},
		{fedora, "x>1", "python3dist(x) > 1.0"},
		{el9, "x>1", "python3dist(x) > 1"},
		{fedora, "x>1.post2", "python3dist(x) > 1^post2"},
		{fedora, "x==1.2.0", "python3dist(x) = 1.2"},
		{fedora, "x==1.2.*", "(python3dist(x) >= 1.2 with python3dist(x) < 1.3)"},
		{fedora, "x~=1.4.2", "(python3dist(x) >= 1.4.2 with python3dist(x) < 1.5)"},
		{fedora, "x!=1.3", "(python3dist(x) < 1.3 or python3dist(x) > 1.3)"},
		{fedora, "x!=1.3.*", "(python3dist(x) < 1.3~~ or python3dist(x) >= 1.4)"},
		{el9, "x!=1.3.*", "(python3dist(x) < 1.3 or python3dist(x) > 1.4)"},
		{fedora, "x>=1,<3,!=2", "((python3dist(x) < 2 or python3dist(x) > 2) with python3dist(x) < 3~~ with python3dist(x) >= 1)"},
		{fedora, "x>=1.0.dev5", "python3dist(x) >= 1~~dev5"},
		{fedora, "x>=1!2.0", "python3dist(x) >= 1:2"},
		{fedora, "x===2.0", "python3dist(x) = 2"},
		{fedora, "requests[Socks,use_chardet]>=2", "python3dist(requests) >= 2; python3dist(requests[socks]) >= 2; python3dist(requests[use_chardet]) >= 2"},
		{Target{Release: "universe-12"}, "requests[socks]>=2", "python3dist(requests) >= 2"},
		{Target{Release: "rhel-8"}, "zope.interface", "python3dist(zope.interface)"},
		{Target{Release: "centos-stream-9", Python: "3.11", AlternativePython: true}, "x>=1", "python3.11dist(x) >= 1"},
		{Target{Names: map[string]string{"pyyaml": "python3-yaml"}}, "PyYAML>=5", "python3-yaml"},
		{Target{Names: map[string]string{"pyyaml": ""}}, "PyYAML>=5", ""},
	} {
		r, err := pymeta.ParseRequirement(tt.requirement)
		if err != nil {
			t.Fatal(err)
		}
		got, err := FromPython(r, tt.target)
		if err != nil {
			t.Errorf("%s: %v", tt.requirement, err)
		}
		if s := strings.Join(got, "; "); s != tt.want {
			t.Errorf("%s for %s: got %s, want %s", tt.requirement, tt.target.Release, s, tt.want)
		}
	}
}

// rangeVersion writes a version that a generator may meet in a requirement.
func rangeVersion(r *rand.Rand) string {
	pick := func(list ...string) string { return list[r.IntN(len(list))] }
	var b strings.Builder
	if r.IntN(12) == 0 {
		b.WriteString(pick("1!", "0!", "2!"))
	}
	for i := range 1 + r.IntN(4) {
		if i > 0 {
			b.WriteByte('.')
		}
		b.WriteString(pick("0", "0", "1", "2", "9", "10", "2024"))
	}
	b.WriteString(pick("", "", "", "", "a1", "b2", "rc1", ".post1", ".dev3", "rc2.dev4", ".post3.dev1", "a0", ".0"))
	return b.String()
}

// agreeWithGenerator compares thousands of ranges with a generator.
func agreeWithGenerator(t *testing.T, generator string, d dialect) {
	oracle.Need(t, "/usr/bin/python3")
	r := rand.New(rand.NewPCG(9, 10))
	var questions [][2]string
	for range 6000 {
		var clauses []string
		for range 1 + r.IntN(3) {
			op := []string{"==", "!=", "<=", ">=", "<", ">", "~=", "==="}[r.IntN(8)]
			version := rangeVersion(r)
			if (op == "==" || op == "!=") && r.IntN(3) == 0 {
				version = fmt.Sprintf("%d.%d.*", r.IntN(3), r.IntN(11))
			}
			if _, err := pymeta.ParseSpecifiers(op + version); err == nil {
				clauses = append(clauses, op+version)
			}
		}
		questions = append(questions, [2]string{"python3dist(x)", strings.Join(clauses, ",")})
	}
	input, err := json.Marshal(questions)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", "testdata/distdeps_oracle.py", generator)
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
	var want []*string
	if err := json.Unmarshal(output, &want); err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for i, q := range questions {
		specifiers, err := pymeta.ParseSpecifiers(q[1])
		if err != nil {
			t.Fatal(err)
		}
		got, err := versioned(q[0], specifiers, d)
		if (err != nil) != (want[i] == nil) || err == nil && got != *want[i] {
			if wrong++; wrong < 20 {
				w := "a refusal"
				if want[i] != nil {
					w = *want[i]
				}
				t.Errorf("%s: got %s (%v), the generator says %s", q[1], got, err, w)
			}
		}
	}
	t.Logf("agreement with %s: %d of %d", generator, len(questions)-wrong, len(questions))
}

func TestRangesAgreeWithTheGenerator(t *testing.T) {
	const generator = "/usr/lib/rpm/pythondistdeps.py"
	if _, err := os.Stat(generator); err != nil {
		oracle.Missing(t, "rpm's Python dependency generator is not installed (rpm)")
	}
	agreeWithGenerator(t, generator, dialect{})
}

// TestRangesAgreeWithANewerGenerator checks the rules since Fedora 36 against a copy of that generator, which is in
// no package of the machines that test: name it in SLIPWAY_DISTDEPS.
func TestRangesAgreeWithANewerGenerator(t *testing.T) {
	generator := os.Getenv("SLIPWAY_DISTDEPS")
	if generator == "" {
		t.Skip("SLIPWAY_DISTDEPS names no pythondistdeps.py of Fedora 36 or newer")
	}
	agreeWithGenerator(t, generator, dialect{strictRanges: true})
}
