package debian

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseRelations(t *testing.T) {
	got, err := ParseRelations("libc6 (>= 2.36), mawk | awk:any,\n python3:any (<< 3.12), old (< 1:2-3), x [amd64]")
	want := [][]Relation{
		{{Name: "libc6", Operator: ">=", Version: Version{Upstream: "2.36"}}},
		{{Name: "mawk"}, {Name: "awk"}},
		{{Name: "python3", Operator: "<<", Version: Version{Upstream: "3.12"}}},
		{{Name: "old", Operator: "<=", Version: Version{Epoch: 1, Upstream: "2", Revision: "3"}}},
		{{Name: "x"}},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	if got, err := ParseRelations(" \n"); err != nil || len(got) > 0 {
		t.Errorf("an empty field gives %v, %v", got, err)
	}
	for _, field := range []string{"A", "a b", "a (1)", "a (>= )", "a (>= 1", "a | | b", "a (== 1)", "a (>= x:1)"} {
		if got, err := ParseRelations(field); err == nil {
			t.Errorf("ParseRelations(%q) = %v, want an error", field, got)
		}
	}
}

func FuzzParseRelations(f *testing.F) {
	f.Add("libc6 (>= 2.36), mawk | awk:any")
	f.Fuzz(func(t *testing.T, field string) {
		groups, err := ParseRelations(field)
		for _, group := range groups {
			if len(group) == 0 && err == nil {
				t.Errorf("%q has an empty group", field)
			}
		}
	})
}

func TestParseControl(t *testing.T) {
	got := ParseControl("\nPackage: x\nDescription: short\n long\n .\n more\nno field\nDepends: a,\n\tb\n\nPackage: y\n")
	want := Control{"Package": "x", "Description": "short\nlong\n.\nmore", "Depends": "a,\nb"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func FuzzParseControl(f *testing.F) {
	f.Add("Package: x\nDescription: short\n long\n")
	f.Fuzz(func(t *testing.T, text string) { ParseControl(text) })
}

func TestParseURIs(t *testing.T) {
	const hash = "ba4f88f73dbc3ae9055f3c20f4523bfdbaf1ad13ff95e258924f77d20b4fbedf"
	got, err := parseURIs("'http://x/libc6.deb' libc6_2.36_amd64.deb 2759320 SHA256:" + hash + "\nReading…\n")
	if diff := cmp.Diff([]Archive{{"libc6_2.36_amd64.deb", 2759320, hash}}, got); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	for _, out := range []string{
		"", "'http://x' ../x.deb 1 SHA256:" + hash, "'http://x' x.deb 1 MD5Sum:" + hash, "'http://x' x.deb one SHA256:" + hash, "'http://x' x.deb 1 SHA256:ab",
	} {
		if got, err := parseURIs(out); err == nil {
			t.Errorf("parseURIs(%q) = %v, want an error", out, got)
		}
	}
}
