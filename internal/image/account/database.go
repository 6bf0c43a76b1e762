package account

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Paths of the files, in the order in which they are written.
const (
	PasswdPath  = "/etc/passwd"
	GroupPath   = "/etc/group"
	ShadowPath  = "/etc/shadow"
	GShadowPath = "/etc/gshadow"
)

// Database is what the four files hold. The zero value knows nobody.
type Database struct {
	passwd, group, shadow, gshadow []string // lines
	users, groups                  map[string]int
}

// Load reads the files; nil stands for one that does not exist. Lines that make no sense stay as
// they are and define nothing.
func Load(passwd, group, shadow, gshadow []byte) *Database {
	d := &Database{
		passwd: lines(passwd), group: lines(group), shadow: lines(shadow), gshadow: lines(gshadow),
		users: map[string]int{}, groups: map[string]int{},
	}
	numbers(d.passwd, d.users)
	numbers(d.group, d.groups)
	return d
}

// numbers reads the names and numbers of passwd(5) or group(5): fields one and three of both.
func numbers(lines []string, to map[string]int) {
	for _, l := range lines {
		f := strings.Split(l, ":")
		if len(f) < 4 || f[0] == "" {
			continue
		}
		n, err := strconv.ParseUint(f[2], 10, 31)
		if _, dup := to[f[0]]; err == nil && !dup {
			to[f[0]] = int(n)
		}
	}
}

func lines(data []byte) []string {
	text := strings.TrimRight(string(data), "\n")
	if text == "" {
		return nil
	}
	return strings.Split(text, "\n")
}

func unlines(lines []string) []byte {
	if len(lines) == 0 {
		return nil
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}

// Users are the numbers of users by name. The map must not be changed.
func (d *Database) Users() map[string]int { return d.users }

// Groups are the numbers of groups by name. The map must not be changed.
func (d *Database) Groups() map[string]int { return d.groups }

// Files gives the content of /etc/passwd, /etc/group, /etc/shadow and /etc/gshadow.
func (d *Database) Files() (passwd, group, shadow, gshadow []byte) {
	return unlines(d.passwd), unlines(d.group), unlines(d.shadow), unlines(d.gshadow)
}

// Recorded are numbers that users and groups had before.
type Recorded struct{ Users, Groups map[string]int }

// Declare adds what is declared and not there yet. day is that of the last password change in
// shadow(5), in days since 1970. changed says whether anything was added.
func (d *Database) Declare(declarations []Declaration, recorded Recorded, day int64) (changed bool, err error) {
	// Groups first, then users, then memberships, as systemd-sysusers does.
	for _, kind := range []byte("gum") {
		for _, decl := range declarations {
			if decl.Kind != kind {
				continue
			}
			added, err := d.declare(decl, recorded, day)
			if err != nil {
				return changed, fmt.Errorf("user or group %q: %w", decl.Name, err)
			}
			changed = changed || added
		}
	}
	return changed, nil
}

func (d *Database) declare(decl Declaration, recorded Recorded, day int64) (bool, error) {
	switch decl.Kind {
	case 'g':
		_, ok := d.groups[decl.Name]
		if ok {
			return false, nil
		}
		_, err := d.addGroup(decl.Name, decl.ID, recorded)
		return true, err
	case 'u':
		if _, ok := d.users[decl.Name]; ok {
			return false, nil
		}
		return true, d.addUser(decl, recorded, day)
	}
	// A membership makes both sides where they are missing.
	var changed bool
	for _, side := range []Declaration{{Kind: 'u', Name: decl.Name, ID: -1}, {Kind: 'g', Name: decl.Group, ID: -1}} {
		added, err := d.declare(side, recorded, day)
		if err != nil {
			return changed, err
		}
		changed = changed || added
	}
	return d.join(decl.Name, decl.Group) || changed, nil
}

func (d *Database) addGroup(name string, want int, recorded Recorded) (int, error) {
	id, err := d.number(d.groups, candidates(want, recorded.Groups, name))
	if err != nil {
		return 0, err
	}
	d.groups[name] = id
	d.group = append(d.group, fmt.Sprintf("%s:x:%d:", name, id))
	d.gshadow = append(d.gshadow, name+":!*::")
	return id, nil
}

func (d *Database) addUser(decl Declaration, recorded Recorded, day int64) error {
	gid, err := d.primaryGroup(decl, recorded)
	if err != nil {
		return err
	}
	wanted := candidates(decl.ID, recorded.Users, decl.Name)
	if decl.Group == "" {
		wanted = append(wanted, gid) // the number of the user's own group
	}
	uid, err := d.number(d.users, wanted)
	if err != nil {
		return err
	}
	home, shell := decl.Home, decl.Shell
	if home == "" {
		home = "/"
	}
	if shell == "" {
		shell = "/usr/sbin/nologin"
	}
	d.users[decl.Name] = uid
	d.passwd = append(d.passwd, fmt.Sprintf("%s:x:%d:%d:%s:%s:%s", decl.Name, uid, gid, decl.Gecos, home, shell))
	d.shadow = append(d.shadow, fmt.Sprintf("%s:!*:%d::::::", decl.Name, day))
	return nil
}

// primaryGroup finds a user's group, making the one of the user's own name and number.
func (d *Database) primaryGroup(decl Declaration, recorded Recorded) (int, error) {
	name := decl.Group
	if name == "" {
		name = decl.Name
	} else if n, err := strconv.ParseUint(name, 10, 31); err == nil {
		if taken(d.groups, int(n)) {
			return int(n), nil
		}
		_, err := d.addGroup(decl.Name, int(n), recorded)
		return int(n), err
	}
	if gid, ok := d.groups[name]; ok {
		return gid, nil
	}
	return d.addGroup(name, decl.ID, recorded)
}

// join adds a user to a group's members and says whether it was not one.
func (d *Database) join(user, group string) bool {
	joined := false
	for _, file := range []*[]string{&d.group, &d.gshadow} {
		for i, line := range *file {
			f := strings.Split(line, ":")
			if len(f) != 4 || f[0] != group {
				continue
			}
			members := strings.FieldsFunc(f[3], func(r rune) bool { return r == ',' })
			if slices.Contains(members, user) {
				continue
			}
			f[3] = strings.Join(append(members, user), ",")
			(*file)[i] = strings.Join(f, ":")
			joined = true
		}
	}
	return joined
}

// The numbers that distributions give to system users that do not ask for one.
const (
	lastSystemID  = 999
	firstSystemID = 101
)

// candidates are the number that is asked for, unless negative, and the one that was recorded.
func candidates(want int, recorded map[string]int, name string) []int {
	var out []int
	if want >= 0 {
		out = append(out, want)
	}
	if id, ok := recorded[name]; ok {
		out = append(out, id)
	}
	return out
}

// number picks the first candidate that is free among mine, else the highest that no user and no
// group has.
func (d *Database) number(mine map[string]int, candidates []int) (int, error) {
	for _, id := range candidates {
		if !taken(mine, id) {
			return id, nil
		}
	}
	for id := lastSystemID; id >= firstSystemID; id-- {
		if !taken(d.users, id) && !taken(d.groups, id) {
			return id, nil
		}
	}
	return 0, fmt.Errorf("no number between %d and %d is free", firstSystemID, lastSystemID)
}

func taken(m map[string]int, id int) bool {
	for _, have := range m {
		if have == id {
			return true
		}
	}
	return false
}
