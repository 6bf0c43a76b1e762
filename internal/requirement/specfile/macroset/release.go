package macroset

import (
	"strconv"
	"strings"
)

// release is what is known of an operating system release.
type release struct {
	python string
	macros [][2]string
}

// newestFedora is what rawhide is taken for: the release after the newest that has branched off.
const newestFedora = 46

// parseRelease reads names such as fedora-43, fedora-rawhide, centos-stream-9, rhel-9, almalinux-9, epel-9.
// Unknown names get no dist tag and the newest Python.
func parseRelease(name string) release {
	name = strings.ToLower(name)
	family, number := name, 0
	if i := strings.LastIndexByte(name, '-'); i >= 0 {
		major, _, _ := strings.Cut(name[i+1:], ".")
		if n, err := strconv.Atoi(major); err == nil && n > 0 {
			family, number = name[:i], n
		}
	}
	switch family {
	case "fedora-rawhide", "rawhide":
		return fedoraRelease(newestFedora)
	case "fedora":
		return fedoraRelease(number)
	case "epel", "rhel", "centos", "centos-stream", "almalinux", "rocky", "rockylinux", "oracle", "oraclelinux", "el":
		return enterprise(family, number)
	}
	return release{python: fedoraPython(newestFedora)}
}

func fedoraRelease(n int) release {
	number := strconv.Itoa(n)
	macros := [][2]string{
		{"fedora", number}, {"fc" + number, "1"}, {"dist", ".fc" + number},
		{"slipway_perl_version", fedoraPerl(n)},
	}
	if n >= 42 { // where /usr/sbin is a link to bin
		macros = append(macros, [2]string{"_sbindir", "%{_exec_prefix}/bin"}, [2]string{"sbin_merge_compat()", "Provides: %{1}"})
	}
	return release{python: fedoraPython(n), macros: macros}
}

// fedoraPerl is the first version of the series of perl in a Fedora release. The package offers the compatibility
// name of every version of its series, perl(:MODULE_COMPAT_5.40.0) and so on, so the first stands for all.
func fedoraPerl(n int) string {
	switch {
	case n >= 45:
		return "5.44.0"
	case n >= 43:
		return "5.42.0"
	case n >= 41:
		return "5.40.0"
	case n >= 39:
		return "5.38.0"
	case n >= 37:
		return "5.36.0"
	case n >= 35:
		return "5.34.0"
	default:
		return "5.32.0"
	}
}

// fedoraPython is the version of python3 in a Fedora release.
func fedoraPython(n int) string {
	switch {
	case n >= 45:
		return "3.15"
	case n >= 43:
		return "3.14"
	case n >= 41:
		return "3.13"
	case n >= 39:
		return "3.12"
	case n >= 37:
		return "3.11"
	case n >= 35:
		return "3.10"
	case n >= 33:
		return "3.9"
	default:
		return "3.8"
	}
}

// enterprise is Red Hat Enterprise Linux and what is built from it.
func enterprise(family string, n int) release {
	number := strconv.Itoa(n)
	python := "3.12"
	switch {
	case n == 0:
		python = "3.12"
	case n <= 8:
		python = "3.6"
	case n == 9:
		python = "3.9"
	}
	macros := [][2]string{{"rhel", number}, {"el" + number, "1"}, {"dist", ".el" + number}}
	switch n {
	case 8:
		macros = append(macros, [2]string{"slipway_perl_version", "5.26.3"})
	case 9:
		macros = append(macros, [2]string{"slipway_perl_version", "5.32.1"})
	case 10:
		macros = append(macros, [2]string{"slipway_perl_version", "5.40.0"})
	}
	if strings.HasPrefix(family, "centos") || family == "epel" {
		macros = append(macros, [2]string{"centos", number})
	}
	if family == "epel" {
		macros = append(macros, [2]string{"epel", number})
	}
	return release{python: python, macros: macros}
}
