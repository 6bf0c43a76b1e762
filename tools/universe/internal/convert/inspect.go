package convert

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/tools/universe/internal/debian"
)

// inspect looks into the files for what they provide and need.
func (p *pkg) inspect() error {
	for _, e := range p.deb.Entries {
		if e.Mode&rpm.ModeTypeMask != rpm.ModeRegular || e.HardLink != "" {
			continue
		}
		content := p.deb.Content(e)
		start := make([]byte, 256)
		n, err := content.ReadAt(start, 0)
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("reading %s: %w", e.Path, err)
		}
		switch start := start[:n]; {
		case bytes.HasPrefix(start, []byte(elf.ELFMAG)):
			p.inspectELF(e)
		case bytes.HasPrefix(start, []byte("#!")) && e.Mode&0o111 != 0 && documentFlags(merged(e.Path)) == 0:
			if program := interpreter(start); program != "" {
				p.interpreters = append(p.interpreters, program)
			}
		case distributionMetadata(e.Path):
			if err := p.inspectDistribution(e); err != nil {
				return fmt.Errorf("reading %s: %w", e.Path, err)
			}
		}
	}
	return nil
}

// interpreter gives the absolute path that a script's first line names.
func interpreter(start []byte) string {
	line, _, _ := bytes.Cut(start[2:], []byte("\n"))
	words := strings.Fields(string(line))
	if len(words) == 0 || !path.IsAbs(words[0]) {
		return ""
	}
	return words[0]
}

// inspectELF finds the sonames and symbol versions that a program or library
// provides and needs. What cannot be read as ELF (a relocatable object, another
// architecture's file in a test suite) has none.
func (p *pkg) inspectELF(e debian.Entry) {
	f, err := elf.NewFile(p.deb.Content(e))
	if err != nil || f.Type != elf.ET_DYN && f.Type != elf.ET_EXEC {
		return
	}
	bits := ""
	if f.Class == elf.ELFCLASS64 {
		bits = "(64bit)"
	}
	dependency := func(soname, version string) string { return soname + "(" + version + ")" + bits }

	if names, err := f.DynString(elf.DT_SONAME); err == nil && len(names) == 1 && strings.Contains(names[0], ".so") {
		p.provide(dependency(names[0], ""))
		versions, _ := f.DynamicVersions()
		for _, v := range versions {
			if v.Flags&elf.VER_FLG_BASE == 0 {
				p.provide(dependency(names[0], v.Name))
			}
		}
	}
	needed, err := f.ImportedLibraries()
	if err != nil || f.Type == elf.ET_DYN && isProgram(f) && e.Mode&0o111 == 0 {
		return
	}
	for _, name := range needed {
		p.sonames = append(p.sonames, dependency(name, ""))
	}
	needs, _ := f.DynamicVersionNeeds()
	for _, need := range needs {
		for _, v := range need.Needs {
			p.sonames = append(p.sonames, dependency(need.Name, v.Dep))
		}
	}
	if hashedTheNewWayOnly(f) && len(needed) > 0 {
		p.sonames = append(p.sonames, "rtld(GNU_HASH)")
	}
}

func isProgram(f *elf.File) bool {
	return slices.ContainsFunc(f.Progs, func(s *elf.Prog) bool { return s.Type == elf.PT_INTERP })
}

// hashedTheNewWayOnly says whether the file has a GNU hash table and no other.
func hashedTheNewWayOnly(f *elf.File) bool {
	gnu, _ := f.DynValue(elf.DT_GNU_HASH)
	old, _ := f.DynValue(elf.DT_HASH)
	return len(gnu) > 0 && len(old) == 0
}

// provide adds a Provide without a version that was found in a file.
func (p *pkg) provide(name string) {
	p.spec.Provides = append(p.spec.Provides, rpm.Dependency{Name: name, Sense: rpm.FindProvides})
}
