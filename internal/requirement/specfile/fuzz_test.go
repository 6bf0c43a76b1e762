package specfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/slipway-build/slipway/internal/requirement/specfile"
	"github.com/slipway-build/slipway/internal/requirement/specfile/macroset"
)

func FuzzParse(f *testing.F) {
	specs, err := filepath.Glob("testdata/*.spec")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range specs {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("Name: a\n%if 0\n%elif %{?x}\n%else\nRequires: (b or c), d >= 1\n%endif\n%package -n x\n%files\n"))
	macros := macroset.Engine(macroset.Target{Release: "fedora-43"}, nil)
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := specfile.Parse("x.spec", data, specfile.Options{Macros: macros})
		if err != nil {
			return
		}
		for _, d := range s.BuildRequires {
			if d.Text == "" || d.Line < 1 {
				t.Errorf("an empty dependency, or one without a line: %+v", d)
			}
		}
	})
}
