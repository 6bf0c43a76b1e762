package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/slipway-build/slipway/internal/requirement/specfile"
	"github.com/slipway-build/slipway/internal/requirement/specfile/macroset"
)

const (
	agree   = "agree"
	refused = "refused by rpmspec"
)

// needs maps a package to what it requires; the build requirements are under build,
// and the names of the packages that have files under built.
type needs map[string]map[string]bool

func (n needs) add(pkg, dependency string) {
	if n[pkg] == nil {
		n[pkg] = map[string]bool{}
	}
	if dependency != "" {
		n[pkg][dependency] = true
	}
}

const (
	build = "(build)"
	built = "(packages with files)"
)

// compare reads one spec both ways.
func compare(ctx context.Context, o options, file, macros string) result {
	r := result{file: file}
	data, err := os.ReadFile(file)
	if err != nil {
		r.class, r.detail = refused, err.Error()+"\n"
		return r
	}
	r.dynamic = bytes.Contains(data, []byte("%(")) || bytes.Contains(data, []byte("%{lua:")) || bytes.Contains(data, []byte("<lua>"))
	start := time.Now()
	ours, diagnostics, err := read(o, file, data)
	r.took = time.Since(start)
	want, refusal := rpmspec(ctx, o, file, macros)
	switch {
	case refusal != "":
		r.class, r.detail = refused, refusal
	case err != nil:
		r.class, r.detail = "we give up", "           "+err.Error()+"\n"
	default:
		r.class, r.detail = difference(want, ours, diagnostics)
		for _, d := range diagnostics {
			if r.class == agree && d.Fatal {
				r.class, r.detail = "agree, but we find fault", fmt.Sprintf("           ! %s\n", d)
			}
		}
	}
	return r
}

// read is our side.
func read(o options, file string, data []byte) (needs, []specfile.Diagnostic, error) {
	dir := filepath.Dir(file)
	engine, _ := macroset.Load(o.text, overrides(dir, o))
	spec, err := specfile.Parse(filepath.Base(file), data, specfile.Options{Macros: engine, Files: os.DirFS(dir)})
	if err != nil {
		return nil, nil, err
	}
	n := needs{}
	n.add(build, "")
	for _, d := range spec.BuildRequires {
		n.add(build, d.Text)
	}
	n.add(built, "")
	for _, pkg := range spec.Packages {
		n.add(pkg.Name, "")
		if pkg.Built {
			n.add(built, pkg.Name)
		}
		for _, d := range pkg.Requires {
			n.add(pkg.Name, d.Text)
		}
	}
	return n, spec.Diagnostics, nil
}

// overrides are what the macro files do not say, on both sides: where the sources are, the machine, and the versions of
// the perl and the kernel that rpmspec would find.
func overrides(dir string, o options) map[string]string {
	macros := map[string]string{"_sourcedir": dir, "_specdir": dir, "_target_cpu": "x86_64", "_host_cpu": "x86_64", "_target_os": "linux"}
	if o.perl != "" {
		macros["slipway_perl_version"] = o.perl
	}
	if o.kernel != "" {
		macros["slipway_kernel_release"] = o.kernel
	}
	return macros
}

// rpmspec is the other side. refusal is what it says when it can't parse the spec.
func rpmspec(ctx context.Context, o options, file, macros string) (n needs, refusal string) {
	n = needs{}
	n.add(build, "")
	out, refusal := query(ctx, o, file, macros, "--srpm", "--qf", `[%{REQUIRENEVRS}\n]`)
	if refusal != "" {
		return nil, refusal
	}
	for _, line := range strings.Split(out, "\n") {
		if !strings.HasPrefix(line, "rpmlib(") {
			n.add(build, line)
		}
	}
	out, refusal = query(ctx, o, file, macros, "--qf", `package %{NAME}\n[ %{REQUIRENEVRS}\n]`)
	if refusal != "" {
		return nil, refusal
	}
	pkg := ""
	for _, line := range strings.Split(out, "\n") {
		if name, ok := strings.CutPrefix(line, "package "); ok {
			pkg = name
			n.add(pkg, "")
		} else if line != "" {
			n.add(pkg, strings.TrimPrefix(line, " "))
		}
	}
	n.add(built, "")
	out, refusal = query(ctx, o, file, macros, "--builtrpms", "--qf", `%{NAME}\n`)
	for _, line := range strings.Split(out, "\n") {
		n.add(built, line)
	}
	return n, refusal
}

func query(ctx context.Context, o options, file, macros string, args ...string) (out, refusal string) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	dir := filepath.Dir(file)
	full := []string{"rpmspec", "-q", "--macros", macros, "--define", "_sourcedir " + dir, "--define", "_specdir " + dir}
	full = append(append(full, args...), file)
	if !o.unsafe {
		// The distributions that these specs are written for have bash as their sh.
		sandbox := []string{"bwrap", "--ro-bind", "/", "/", "--ro-bind", "/bin/bash", "/bin/sh", "--dev", "/dev", "--proc", "/proc",
			"--unshare-all", "--die-with-parent"}
		full = append(sandbox, full...)
	}
	cmd := exec.CommandContext(ctx, full[0], full[1:]...)
	cmd.Env = []string{"PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C.UTF-8", "HOME=/nonexistent"}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdout, err := cmd.Output()
	if err != nil || strings.Contains(stderr.String(), "can't parse") {
		return "", "           " + strings.TrimSpace(strings.ReplaceAll(stderr.String(), "\n", "\n           ")) + "\n"
	}
	return string(stdout), ""
}

// difference puts a difference into a class.
func difference(want, got needs, diagnostics []specfile.Diagnostic) (class, detail string) {
	var b strings.Builder
	missing, extra, packages := 0, 0, 0
	for _, pkg := range slices.Sorted(maps.Keys(want)) {
		if got[pkg] == nil {
			packages++
			fmt.Fprintf(&b, "           package %s is missing\n", pkg)
		}
		for _, d := range slices.Sorted(maps.Keys(want[pkg])) {
			if got[pkg] != nil && !got[pkg][d] {
				missing++
				fmt.Fprintf(&b, "           %s: - %s\n", pkg, d)
			}
		}
	}
	for _, pkg := range slices.Sorted(maps.Keys(got)) {
		if want[pkg] == nil {
			packages++
			fmt.Fprintf(&b, "           package %s is too much\n", pkg)
		}
		for _, d := range slices.Sorted(maps.Keys(got[pkg])) {
			if want[pkg] != nil && !want[pkg][d] {
				extra++
				fmt.Fprintf(&b, "           %s: + %s\n", pkg, d)
			}
		}
	}
	if missing+extra+packages == 0 {
		return agree, ""
	}
	class = "differ without a diagnostic"
	if len(diagnostics) > 0 {
		class = "differ, with diagnostics"
	}
	for i, d := range diagnostics {
		if i < 5 {
			fmt.Fprintf(&b, "           ! %s\n", d)
		}
	}
	return class, b.String()
}
