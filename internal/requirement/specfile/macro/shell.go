package macro

import (
	"regexp"
	"strconv"
	"strings"
)

// shell gives the output of a shell command that only transforms text, or asks for something that the target's macros
// know; otherwise [Unknown] and a report.
func (e *Engine) shell(command string) string {
	if err := e.spend(len(command)); err != nil {
		return Unknown // the caller's next step meets the limit
	}
	command = strings.TrimSpace(command)
	if out, ok := e.fact(command); ok {
		return out
	}
	if !strings.Contains(command, Unknown) {
		if out, ok := computeShell(command); ok {
			return strings.TrimRight(out, "\n")
		}
	}
	e.report("%%(%s) is not run, so its output is not known", excerpt(command))
	return Unknown
}

// Macros by which a target says what commands would find out. They are looked up only here.
const (
	perlVersion   = "slipway_perl_version"
	kernelRelease = "slipway_kernel_release"
	pythonSitelib = "python3_sitelib"
	pythonArchlib = "python3_sitearch"
	pythonVersion = "python3_version"
)

var (
	perlVersionCommand = regexp.MustCompile("^eval \"?(?:`(?:/usr/bin/)?perl -V:version`|\\$\\((?:/usr/bin/)?perl -V:version\\))\"? *; *")
	perlAtLeast        = regexp.MustCompile(`^(?:/usr/bin/)?perl -e ["']print (?:\(\( *)?\$\] *(>=?|<) *(5\.\d{3,6})(?: *\) *\? *1 *: *0 *\))?;?["']$`)
	pythonLib          = regexp.MustCompile(`^(?:/usr/bin/)?python3? +(?:-[a-zA-Z]+ +)*-c +["'](?:from distutils\.sysconfig import get_python_lib;|import sys;| )*(?:print|sys\.stdout\.write)[ (]*get_python_lib\(([^()]*)\)[ );]*["']$`)
	pythonVersionQuery = regexp.MustCompile(`^(?:/usr/bin/)?python3? +(?:-[a-zA-Z]+ +)*-c +["']import sys; *(?:sys\.stdout\.write|print) ?\( ?sys\.version\[:3\] ?\);?["']$`)
	rpmEval            = regexp.MustCompile(`^rpm (?:-E|--eval) ["']?([^"'|;&]+)["']?$`)
)

// fixedFacts are commands whose output is the same on every target, or a macro's value.
var fixedFacts = map[string]string{
	"uname -s": "Linux",
	"uname -m": "%{_host_cpu}",
	"arch":     "%{_host_cpu}",
	"pkg-config --variable=completionsdir bash-completion":                    "%{_datadir}/bash-completion/completions",
	"pkg-config --variable=systemdsystemunitdir systemd":                      "%{_unitdir}",
	"pkg-config --variable=udevdir udev":                                      "%{_prefix}/lib/udev",
	"d=/usr/lib/rpm/macros.d; [ -d $d ] || d=/etc/rpm; echo $d":               "/usr/lib/rpm/macros.d",
	"d=/usr/lib/rpm/macros.d; [ -d $d ] || d=/etc/rpm; echo $d/":              "/usr/lib/rpm/macros.d/",
	"d=%{_rpmconfigdir}/macros.d; [ -d $d ] || d=%{_sysconfdir}/rpm; echo $d": "/usr/lib/rpm/macros.d",
}

// fact answers commands that ask for what the target's macros say.
func (e *Engine) fact(command string) (string, bool) {
	command, _, _ = strings.Cut(command, " 2>/dev/null")
	command, _, _ = strings.Cut(command, " 2> /dev/null")
	if text, ok := fixedFacts[command]; ok {
		return e.answer(text)
	}
	if rest, ok := strings.CutPrefix(command, "uname -r"); ok {
		release, known := e.Body(kernelRelease)
		out, computed := computeShell("echo '" + release + "'" + rest)
		return strings.TrimRight(out, "\n"), known && computed
	}
	if asked := perlVersionCommand.FindString(command); asked != "" {
		version, ok := e.Body(perlVersion)
		out, computed := computeShell("version='" + version + "'; " + command[len(asked):])
		return strings.TrimRight(out, "\n"), ok && computed
	}
	if m := perlAtLeast.FindStringSubmatch(command); m != nil {
		return e.perlCompare(m[1], m[2], strings.Contains(command, "?"))
	}
	if m := pythonLib.FindStringSubmatch(command); m != nil {
		switch strings.ReplaceAll(m[1], " ", "") {
		case "", "0", "plat_specific=False":
			return e.answer("%{" + pythonSitelib + "}")
		case "1", "True", "plat_specific=True", "plat_specific=1":
			return e.answer("%{" + pythonArchlib + "}")
		}
		return "", false
	}
	if pythonVersionQuery.MatchString(command) {
		version, ok := e.answer("%{" + pythonVersion + "}")
		return version[:min(len(version), 3)], ok
	}
	if m := rpmEval.FindStringSubmatch(command); m != nil {
		return e.answer(m[1])
	}
	return "", false
}

// answer expands text; it is no answer when a macro in it is not defined.
func (e *Engine) answer(text string) (string, bool) {
	out, err := e.Expand(text)
	return out, err == nil && !strings.Contains(out, "%")
}

// perlCompare computes what perl prints for $] against a number such as 5.017 or 5.019006.
func (e *Engine) perlCompare(op, number string, always bool) (string, bool) {
	body, ok := e.Body(perlVersion)
	parts := strings.Split(body, ".")
	if !ok || len(parts) != 3 {
		return "", false
	}
	n := 0
	for _, part := range parts {
		i, err := strconv.Atoi(part)
		if err != nil || i > 999 {
			return "", false
		}
		n = n*1000 + i
	}
	digits := strings.ReplaceAll(number, ".", "")
	wanted, err := strconv.Atoi(digits + strings.Repeat("0", 7-len(digits)))
	if err != nil {
		return "", false
	}
	holds := map[string]bool{">": n > wanted, ">=": n >= wanted, "<": n < wanted}[op]
	switch {
	case holds:
		return "1", true
	case always:
		return "0", true
	default:
		return "", true // perl prints its false as nothing
	}
}

// lua reports Lua code, which is never run.
func (e *Engine) lua(code string) string {
	if out, ok := e.computeLua(strings.TrimSpace(code)); ok {
		return out
	}
	e.report("%%{lua:%s} is not run, so its output is not known", excerpt(code))
	return Unknown
}

// known expands text; the result must not hang on anything unknown.
func (e *Engine) known(text string) (string, bool) {
	out, err := e.Expand(text)
	return out, err == nil && !strings.Contains(out, Unknown)
}
