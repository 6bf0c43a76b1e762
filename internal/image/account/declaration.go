package account

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Declaration is one line of sysusers.d(5).
type Declaration struct {
	// Kind is 'u' for a user and its group, 'g' for a group, 'm' for a membership.
	Kind byte
	Name string
	// ID is the number that is asked for, -1 for any.
	ID int
	// Group is the primary group's name or number, or for 'm' the group. Empty: the user's own.
	Group string
	// Gecos, Home and Shell of a user. Empty: none, / and nologin.
	Gecos, Home, Shell string
}

// Provided gives the declarations in the Provides of a package: the version of user(NAME) and
// group(NAME) is a line of sysusers.d(5) in base64 (rpm 4.19, "User and group handling"). Provides
// of these names without such a version only say that the package makes the user itself.
func Provided(provides []rpm.Dependency) ([]Declaration, error) {
	var out []Declaration
	for _, d := range provides {
		kind, name, ok := strings.Cut(strings.TrimSuffix(d.Name, ")"), "(")
		if !ok || kind != "user" && kind != "group" && kind != "groupmember" || d.EVR.Version == "" {
			continue
		}
		line, err := base64.StdEncoding.DecodeString(d.EVR.Version)
		if err != nil {
			continue // a plain version
		}
		decl, ok, err := parseLine(strings.TrimRight(string(line), "\x00\n"))
		if err != nil {
			return nil, fmt.Errorf("reading %s(%s): %w", kind, name, err)
		}
		if ok {
			out = append(out, decl)
		}
	}
	return out, nil
}

// Parse reads a file of sysusers.d(5). Lines of kinds that declare no user, group or membership are
// passed over.
func Parse(data []byte) ([]Declaration, error) {
	var out []Declaration
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		d, ok, err := parseLine(strings.TrimSpace(line))
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
		if ok {
			out = append(out, d)
		}
	}
	return out, nil
}

func parseLine(line string) (d Declaration, ok bool, err error) {
	if line == "" || line[0] == '#' {
		return d, false, nil
	}
	fields, err := splitFields(line)
	if err != nil {
		return d, false, err
	}
	kind := strings.TrimSuffix(fields[0], "!") // u!: locked, as all are here
	if kind != "u" && kind != "g" && kind != "m" {
		return d, false, nil
	}
	field := func(i int) string {
		if i < len(fields) && fields[i] != "-" {
			return fields[i]
		}
		return ""
	}
	d = Declaration{Kind: kind[0], Name: field(1), ID: -1, Gecos: field(3), Home: field(4), Shell: field(5)}
	if err := checkName(d.Name); err != nil {
		return d, false, err
	}
	for _, text := range []string{d.Gecos, d.Home, d.Shell} {
		if strings.ContainsAny(text, ":\n\x00") {
			return d, false, fmt.Errorf("%q cannot be a field of the user database", text)
		}
	}
	if kind == "m" {
		d.Group = field(2)
		return d, true, checkName(d.Group)
	}
	return d, true, d.setID(field(2))
}

// setID reads "ID", "UID:GID", "UID:GROUP", "-:GROUP" or the path of a file, whose owner is asked
// for and which here means any.
func (d *Declaration) setID(text string) error {
	if strings.HasPrefix(text, "/") {
		return nil
	}
	id, group, _ := strings.Cut(text, ":")
	if id != "" && id != "-" {
		n, err := strconv.ParseUint(id, 10, 31)
		if err != nil {
			return fmt.Errorf("%q is no number of a user or group", id)
		}
		d.ID = int(n)
	}
	d.Group = group
	if group != "" {
		return checkName(group)
	}
	return nil
}

// checkName allows what can be a name of a user or group, or a number in its place.
func checkName(name string) error {
	if name == "" {
		return errors.New("a name is missing")
	}
	if len(name) > 256 || name[0] == '-' || strings.ContainsFunc(name, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(":,/'\"\\", r)
	}) {
		return fmt.Errorf("%q cannot be the name of a user or group", name)
	}
	return nil
}

// splitFields splits at white space; quotes keep fields together.
func splitFields(line string) ([]string, error) {
	var fields []string
	var field strings.Builder
	quote, in := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '"' || r == '\''):
			quote, in = r, true
		case quote == 0 && (r == ' ' || r == '\t'):
			if in {
				fields = append(fields, field.String())
				field.Reset()
			}
			in = false
		default:
			field.WriteRune(r)
			in = true
		}
	}
	if quote != 0 {
		return nil, errors.New("a quote is not closed")
	}
	if in {
		fields = append(fields, field.String())
	}
	if len(fields) == 0 {
		return nil, errors.New("the line is empty")
	}
	return fields, nil
}
