package pymeta

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
	"strings"
)

// Describe is what version control says of a commit, as far as versions are made of it.
type Describe struct {
	Tag      string // the newest tag with a digit that leads to the commit; empty: there is none
	Distance int    // commits since the tag, or since the beginning
	Node     string // the commit, shortened as git does
	Date     string // of the commit, in UTC: "20260304050607"
}

// SCMVersion gives the version that a project's build takes from version control: what setuptools-scm,
// hatch-vcs or versioningit make of the commit with the settings in pyproject.toml. Of a project with
// other settings, or none, it is what setuptools-scm makes of it by default. Settings that depend on
// more than the commit (the name of a branch, the day of the build) or are programs are errors, as are
// tags that are no versions.
func SCMVersion(tree fs.FS, d Describe) (string, error) {
	text, _, err := (&reader{tree: tree}).open(pyprojectName)
	if err != nil {
		return "", err
	}
	doc, err := parseTOML(text)
	if err != nil {
		doc = newTable(1) // the reader of metadata tells what is wrong with it
	}
	tool := doc.get("tool")
	if n := tool.get("versioningit"); n != nil {
		return versioningit(n, d)
	}
	settings := tool.get("setuptools_scm")
	if h := tool.get("hatch", "version"); h != nil && h.get("source").str() == "vcs" {
		settings = h.get("raw-options")
		if settings == nil {
			settings = newTable(h.line)
		}
		for key, setting := range map[string]string{"tag-pattern": "tag_regex", "fallback-version": "fallback_version"} {
			if n := h.get(key); n != nil {
				settings.fields[setting] = n
			}
		}
	}
	return setuptoolsSCM(settings, d)
}

// tagForm is setuptools-scm's default tag_regex.
var tagForm = regexp.MustCompile(`^(?:[\w-]+-)?(?P<version>[vV]?\d+(?:\.\d+){0,2}[^\+]*)(?:\+.*)?$`)

func setuptoolsSCM(settings *tomlNode, d Describe) (string, error) {
	for _, key := range []string{"git_describe_command", "parse", "version_class"} {
		if n := settings.get(key); n != nil {
			return "", fmt.Errorf("%s:%d: the setting %s of setuptools-scm is not known: %s", pyprojectName, n.line, key, scmAdvice)
		}
	}
	tag, err := scmTag(settings, d)
	if err != nil {
		return "", err
	}
	if tag == "" {
		if fallback := settings.get("fallback_version").str(); fallback != "" && d.Distance == 0 {
			return fallback, nil
		}
		tag = "0.0"
	}
	exact := d.Distance == 0 && d.Tag != ""
	version, err := scmVersion(settings, tag, exact, d)
	if err != nil {
		return "", err
	}
	switch scheme := settings.get("local_scheme").str(); scheme {
	case "", "node-and-date", "node-and-timestamp": // a commit is clean: its date is not told
		if !exact {
			version += "+g" + d.Node
		}
	case "no-local-version", "dirty-tag":
	default:
		return "", fmt.Errorf("%s:%d: local_scheme %q of setuptools-scm is not known: %s", pyprojectName, settings.get("local_scheme").line, scheme, scmAdvice)
	}
	return version, nil
}

// scmAdvice is what can be done about settings that are not known.
const scmAdvice = "use one of node-and-date, no-local-version, guess-next-dev, no-guess-dev, post-release, python-simplified-semver, only-version"

// scmTag is the version that the tag names, in PEP 440's normal form.
func scmTag(settings *tomlNode, d Describe) (string, error) {
	if d.Tag == "" {
		return "", nil
	}
	form := tagForm
	if n := settings.get("tag_regex"); n.str() != "" {
		own, err := regexp.Compile(n.str())
		if err != nil {
			return "", fmt.Errorf("%s:%d: tag_regex is not understood: %w", pyprojectName, n.line, err)
		}
		form = own
	}
	m := form.FindStringSubmatch(d.Tag)
	if m == nil {
		return "", fmt.Errorf("tag %s does not have the form of a version", d.Tag)
	}
	group := form.SubexpIndex("version")
	if group < 0 {
		group = min(1, len(m)-1)
	}
	v, err := ParseVersion(m[group])
	if err != nil {
		return "", fmt.Errorf("tag %s: %w", d.Tag, err)
	}
	return v.String(), nil
}

// scmVersion applies a version_scheme to the tag's version.
func scmVersion(settings *tomlNode, tag string, exact bool, d Describe) (string, error) {
	n := settings.get("version_scheme")
	dev := ".dev" + strconv.Itoa(d.Distance)
	switch scheme := n.str(); scheme {
	case "", "guess-next-dev":
		if exact {
			return tag, nil
		}
		next, err := nextVersion(tag)
		return next + dev, err
	case "no-guess-dev":
		if exact {
			return tag, nil
		}
		base, _, _ := strings.Cut(tag, "+")
		if before, number, ok := strings.Cut(base, ".dev"); ok {
			if number != "0" {
				return "", fmt.Errorf("tag %s: only .dev0 can be counted on from", d.Tag)
			}
			return before + dev, nil
		}
		return base + ".post1" + dev, nil
	case "post-release":
		if exact {
			return tag, nil
		}
		return tag + ".post" + strconv.Itoa(d.Distance), nil
	case "only-version":
		return tag, nil
	case "python-simplified-semver":
		next, err := semver(tag, exact)
		if err != nil || exact {
			return next, err
		}
		return next + dev, nil
	default:
		return "", fmt.Errorf("%s:%d: version_scheme %q of setuptools-scm is not known: %s", pyprojectName, n.line, scheme, scmAdvice)
	}
}

// nextVersion is the version that a tag's is followed by: its last number, increased by one.
func nextVersion(tag string) (string, error) {
	base, _, _ := strings.Cut(tag, "+")
	if before, number, ok := strings.Cut(base, ".dev"); ok {
		if number != "0" {
			return "", fmt.Errorf("version %s: only .dev0 can be counted on from", tag)
		}
		return before, nil
	}
	digits := strings.TrimRight(base, "0123456789")
	n, err := strconv.Atoi(base[len(digits):])
	if err != nil {
		return "", fmt.Errorf("version %s does not end in a number", tag)
	}
	return digits + strconv.Itoa(n+1), nil
}

// semver is a version of three numbers, the last increased by one unless it is exact.
func semver(tag string, exact bool) (string, error) {
	parts := strings.Split(tag, ".")
	parts = parts[:min(3, len(parts))]
	for len(parts) < 3 {
		parts = append(parts, "0")
	}
	last := len(parts) - 1
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil {
			return "", fmt.Errorf("version %s is not made of numbers only", tag)
		}
		if i == last && !exact {
			parts[i] = strconv.Itoa(n + 1)
		}
	}
	return strings.Join(parts, "."), nil
}

// PlainVersion is what setuptools-scm makes of the commit by default; empty where the tag is no version.
func PlainVersion(d Describe) string {
	v, err := setuptoolsSCM(nil, d)
	if err != nil {
		return ""
	}
	return v
}

// versioningitField is a field of one of versioningit's formats: {name}, or {name:format} of a date.
var versioningitField = regexp.MustCompile(`\{([a-z_]+)(?::([^}]*))?\}`)

// versioningit follows the settings of versioningit's default methods (its documentation,
// "Configuration"): the tag without "v", and format.distance where there were commits since.
func versioningit(settings *tomlNode, d Describe) (string, error) {
	for _, key := range []string{"vcs", "tag2version", "next-version", "template-fields"} {
		if n := settings.get(key); n != nil && (key != "vcs" || n.get("method").str() != "git" || len(n.keys) > 1) {
			return "", fmt.Errorf("%s:%d: the setting %s of versioningit is not known", pyprojectName, n.line, key)
		}
	}
	if d.Tag == "" {
		if v := settings.get("default-version").str(); v != "" {
			return v, nil
		}
		return "", errors.New("versioningit needs a tag: there is none that leads to the commit")
	}
	base := strings.TrimPrefix(d.Tag, "v")
	if d.Distance == 0 {
		return base, nil
	}
	format := cmp.Or(settings.get("format", "distance").str(), "{base_version}.post{distance}+{vcs}{rev}")
	next, err := nextMinor(base)
	if err != nil && strings.Contains(format, "{next_version}") {
		return "", err
	}
	fields := map[string]string{
		"base_version": base, "next_version": next, "distance": strconv.Itoa(d.Distance), "vcs": "g", "vcs_name": "git", "rev": d.Node,
	}
	var unknown string
	out := versioningitField.ReplaceAllStringFunc(format, func(field string) string {
		m := versioningitField.FindStringSubmatch(field)
		if v, ok := fields[m[1]]; ok && m[2] == "" {
			return v
		}
		if v, ok := strftime(m[2], d.Date); ok && m[1] == "committer_date" {
			return v
		}
		unknown = cmp.Or(unknown, field)
		return ""
	})
	if unknown != "" {
		return "", fmt.Errorf("%s:%d: the field %s of versioningit's format is not known", pyprojectName, settings.line, unknown)
	}
	return out, nil
}

// nextMinor is what versioningit's default method "minor" makes of a version.
func nextMinor(base string) (string, error) {
	v, err := ParseVersion(base)
	if err != nil {
		return "", err
	}
	release := v.Release()
	if len(release) < 2 {
		release = append(release, "0")
	}
	minor, err := strconv.Atoi(release[1])
	if err != nil {
		return "", fmt.Errorf("version %s: its numbers are too large", base)
	}
	epoch := ""
	if e := v.Epoch(); e != "" && e != "0" {
		epoch = e + "!"
	}
	return fmt.Sprintf("%s%s.%d.0", epoch, release[0], minor+1), nil
}

// strftime writes a date in the few forms that versions have.
func strftime(format, date string) (string, bool) {
	if len(date) != len("20060102150405") {
		return "", false
	}
	out := strings.NewReplacer("%Y", date[:4], "%m", date[4:6], "%d", date[6:8], "%H", date[8:10], "%M", date[10:12], "%S", date[12:]).Replace(format)
	return out, format != "" && !strings.Contains(out, "%")
}
