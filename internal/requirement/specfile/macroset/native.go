package macroset

import (
	"strings"
	"unicode"

	"github.com/slipway-build/slipway/internal/requirement/specfile/macro"
)

// nativeNames are the macros that native adds.
var nativeNames = []string{
	"py_provides", "python_provide", "py_dist_name", "py3_dist", "py_dist", "pypi_source", "python_extras_subpkg", "fontpkg", "fontmetapkg",
}

// native adds the macros that the distributions write in Lua.
func native(e *macro.Engine) {
	e.Func("py_provides", pyProvides)
	e.Func("python_provide", pythonProvide)
	e.Func("py_dist_name", func(_ *macro.Engine, args []string) (string, error) {
		return distName(strings.Join(args, " ")), nil
	})
	e.Func("py3_dist", func(_ *macro.Engine, args []string) (string, error) { return pyDist("3", args), nil })
	e.Func("py_dist", func(_ *macro.Engine, args []string) (string, error) { return pyDist("", args), nil })
	e.Func("pypi_source", pypiSource)
	e.Func("python_extras_subpkg", extrasPackages)
	for _, name := range []string{"fontpkg", "fontmetapkg"} {
		e.Func(name, func(e *macro.Engine, _ []string) (string, error) {
			if e.Report != nil {
				e.Report("%" + name + " makes packages of fonts, which are not read")
			}
			return "", nil
		})
	}
}

// evr is the version of the package whose preamble is read.
func evr(e *macro.Engine) (string, error) {
	return e.Expand("%{?epoch:%{epoch}:}%{version}-%{release}")
}

// pyProvides is %py_provides NAME [EVR]: the name and its names under the other Python prefixes.
func pyProvides(e *macro.Engine, args []string) (string, error) {
	if len(args) == 0 {
		return "", &macro.Error{Message: "%py_provides needs the name of a package"}
	}
	version, err := evr(e)
	if len(args) > 1 {
		version = args[1]
	}
	if err != nil {
		return "", err
	}
	names := append([]string{args[0]}, alternatives(e, args[0])...)
	return providesLines(names, version), nil
}

// pythonProvide is the older %python_provide NAME, which also obsoletes the unversioned name.
func pythonProvide(e *macro.Engine, args []string) (string, error) {
	if len(args) == 0 {
		return "", &macro.Error{Message: "%python_provide needs the name of a package"}
	}
	version, err := evr(e)
	if err != nil {
		return "", err
	}
	lines := providesLines(alternatives(e, args[0]), version)
	if rest, ok := strings.CutPrefix(args[0], "python3-"); ok && !strings.HasSuffix(rest, ")") {
		lines += "Obsoletes: python-" + rest + " < " + version + "\n"
	}
	return lines, nil
}

func providesLines(names []string, version string) string {
	var b strings.Builder
	for _, name := range names {
		b.WriteString("Provides: " + name + " = " + version + "\n")
	}
	return b.String()
}

// alternatives are the other names that a Python package goes by: python-x, python3-x and python3.13-x.
func alternatives(e *macro.Engine, name string) []string {
	version, _ := e.Expand("%{?slipway_python_default}%{!?slipway_python_default:%{?__default_python3_version}%{!?__default_python3_version:%{?python3_version}}}")
	prefixes := []string{"python-", "python3-", "python" + version + "-"}
	for _, prefix := range prefixes {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		var names []string
		for _, other := range prefixes {
			if other != prefix {
				names = append(names, other+rest)
			}
		}
		return names
	}
	return nil
}

// distName is the name of a Python project as the packaging guidelines normalise it.
func distName(name string) string {
	var b strings.Builder
	dash := false
	for _, c := range strings.ToLower(name) {
		if c == '-' || c == '_' || c == '.' {
			dash = true
			continue
		}
		if dash {
			b.WriteByte('-')
			dash = false
		}
		b.WriteRune(c)
	}
	if dash {
		b.WriteByte('-')
	}
	return b.String()
}

func pyDist(major string, args []string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		name, extras, found := strings.Cut(arg, "[")
		words[i] = "python" + major + "dist(" + distName(name)
		if found {
			words[i] += "[" + strings.ToLower(extras)
		}
		words[i] += ")"
	}
	return strings.Join(words, " ")
}

// pypiSource is %pypi_source [NAME [VERSION [EXTENSION]]], the address of a source archive. Only its file name is given:
// nothing that is read here depends on where the archive comes from.
func pypiSource(e *macro.Engine, args []string) (string, error) {
	expand := func(i int, fallback string) (string, error) {
		if i < len(args) {
			return args[i], nil
		}
		return e.Expand(fallback)
	}
	name, err := expand(0, "%{?pypi_name}%{!?pypi_name:%{?srcname}%{!?srcname:%{name}}}")
	if err != nil {
		return "", err
	}
	if len(args) == 0 {
		name = strings.TrimPrefix(name, "python-")
	}
	version, err := expand(1, "%{?pypi_version}%{!?pypi_version:%{version}}")
	if err != nil {
		return "", err
	}
	extension, err := expand(2, "tar.gz")
	if err != nil {
		return "", err
	}
	version = strings.ReplaceAll(version, "~", "")
	return name + "-" + version + "." + extension, nil
}

// extrasPackages is %python_extras_subpkg -n NAME … EXTRA…: a package for each extra, which only requires.
func extrasPackages(e *macro.Engine, args []string) (string, error) {
	name := ""
	var extras []string
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "-n" || arg == "-i" || arg == "-f":
			i++
			if arg == "-n" && i < len(args) {
				name = args[i]
			}
		case strings.HasPrefix(arg, "-n"):
			name = arg[2:]
		case strings.HasPrefix(arg, "-"):
		default:
			extras = append(extras, strings.FieldsFunc(arg, func(c rune) bool { return c == ',' || unicode.IsSpace(c) })...)
		}
	}
	if name == "" {
		return "", &macro.Error{Message: "%python_extras_subpkg needs -n with the name of the base package"}
	}
	version, err := evr(e)
	if err != nil {
		return "", err
	}
	isa, err := e.Expand("%{?_isa}")
	if err != nil {
		return "", err
	}
	if arch, ok := e.Body("_target_cpu"); ok && arch == "noarch" {
		isa = ""
	}
	var b strings.Builder
	for _, extra := range extras {
		sub := name + "+" + extra
		b.WriteString("%package -n " + sub + "\nSummary: Metapackage for " + name + ": " + extra + " extras\n")
		b.WriteString("Requires: " + name + isa + " = " + version + "\n")
		b.WriteString("%description -n " + sub + "\n\n%files -n " + sub + "\n")
	}
	return b.String(), nil
}
