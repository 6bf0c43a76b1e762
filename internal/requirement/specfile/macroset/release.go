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

// newestFedora is what rawhide is taken for.
const newestFedora = 44

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
	return release{python: fedoraPython(n), macros: [][2]string{
		{"fedora", number}, {"fc" + number, "1"}, {"dist", ".fc" + number},
		{"__python3_rpmrule", "pep503"},
	}}
}

// fedoraPython is the version of python3 in a Fedora release.
func fedoraPython(n int) string {
	switch {
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
	if strings.HasPrefix(family, "centos") || family == "epel" {
		macros = append(macros, [2]string{"centos", number})
	}
	if family == "epel" {
		macros = append(macros, [2]string{"epel", number})
	}
	return release{python: python, macros: macros}
}
