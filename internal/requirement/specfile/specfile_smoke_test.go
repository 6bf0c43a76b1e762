package specfile_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/slipway-build/slipway/internal/requirement/specfile"
	"github.com/slipway-build/slipway/internal/requirement/specfile/macroset"
)

func TestSmoke(t *testing.T) {
	data, err := os.ReadFile(os.Getenv("SPEC"))
	if err != nil {
		t.Skip()
	}
	s, err := specfile.Parse("a.spec", data, specfile.Options{Macros: macroset.Engine(macroset.Target{Release: "fedora-43"}, nil)})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range s.Packages {
		fmt.Println(p.Name, p.EVR(), p.Built, p.Arch)
		for _, d := range p.Requires {
			fmt.Printf("  R %s\t%s:%d %s %q %q\n", d.Text, d.File, d.Line, d.Tag, d.Written, d.Condition)
		}
		for _, d := range p.Provides {
			fmt.Println("  P", d.Text)
		}
	}
	for _, d := range s.BuildRequires {
		fmt.Println("BR", d.Text)
	}
	fmt.Println(s.Dynamic)
	for _, d := range s.Diagnostics {
		fmt.Println(d, d.Fatal)
	}
}
