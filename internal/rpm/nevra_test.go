package rpm_test

import (
	"slices"
	"testing"

	"github.com/slipway-build/slipway/internal/rpm"
)

func TestParseNEVRA(t *testing.T) {
	for _, test := range []struct {
		in   string
		want rpm.NEVRA
		file string
	}{
		{"bash-5.2.15-1.fc38.x86_64", rpm.NEVRA{Name: "bash", EVR: rpm.EVR{Version: "5.2.15", Release: "1.fc38"}, Arch: "x86_64"}, "bash-5.2.15-1.fc38.x86_64.rpm"},
		{"a-b-c-1:2-3.noarch", rpm.NEVRA{Name: "a-b-c", EVR: rpm.EVR{Epoch: 1, Version: "2", Release: "3"}, Arch: "noarch"}, "a-b-c-2-3.noarch.rpm"},
		{"libstdc++-13.1~rc1-1.i686", rpm.NEVRA{Name: "libstdc++", EVR: rpm.EVR{Version: "13.1~rc1", Release: "1"}, Arch: "i686"}, "libstdc++-13.1~rc1-1.i686.rpm"},
	} {
		got, err := rpm.ParseNEVRA(test.in)
		if err != nil || got != test.want {
			t.Errorf("ParseNEVRA(%q) = %+v, %v, want %+v", test.in, got, err, test.want)
		}
		if got.String() != test.in {
			t.Errorf("String() = %q, want %q", got, test.in)
		}
		if got.FileName() != test.file {
			t.Errorf("FileName() = %q, want %q", got.FileName(), test.file)
		}
	}
	for _, in := range []string{"", "bash", "bash.x86_64", "bash-1.x86_64", "-1-2.x86_64", "bash-1-2", "bash-1-2.", "bash-x:1-2.noarch", "../b-1-1.noarch", "a b-1-1.noarch", "a-1-1.no arch"} {
		if got, err := rpm.ParseNEVRA(in); err == nil {
			t.Errorf("ParseNEVRA(%q) = %+v, want an error", in, got)
		}
	}
}

func TestNEVRACompare(t *testing.T) {
	order := []string{"a-1-1.noarch", "a-1-1.x86_64", "a-1-2.noarch", "a-1.0-1.noarch", "a-1.00-1.noarch", "a-1.10-1.noarch", "a-1:0-1.noarch", "b-0-0.noarch"}
	var list []rpm.NEVRA
	for _, s := range order {
		n, err := rpm.ParseNEVRA(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, n)
	}
	slices.Reverse(list)
	slices.SortFunc(list, rpm.NEVRA.Compare)
	for i, n := range list {
		if n.String() != order[i] {
			t.Errorf("place %d has %s, want %s", i, n, order[i])
		}
	}
}

func FuzzParseNEVRA(f *testing.F) {
	for _, s := range []string{"bash-5.2.15-1.fc38.x86_64", "a-b-c-1:2-3.noarch", "a--1.b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		n, err := rpm.ParseNEVRA(s)
		if err != nil {
			return
		}
		again, err := rpm.ParseNEVRA(n.String())
		if err != nil || again != n {
			t.Errorf("%q gives %+v, whose text %q gives %+v, %v", s, n, n, again, err)
		}
	})
}
