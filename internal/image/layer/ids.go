package layer

// IDs are the numbers of users and groups by name.
type IDs struct {
	Users, Groups map[string]int
}

// user gives the number of a user; root is 0 whatever the map says. ok is false for an unknown
// name, whose files are root's, as rpm does it.
func (ids IDs) user(name string) (id int, ok bool) { return lookup(ids.Users, name) }

func (ids IDs) group(name string) (id int, ok bool) { return lookup(ids.Groups, name) }

func lookup(m map[string]int, name string) (int, bool) {
	if name == "root" || name == "" {
		return 0, true
	}
	id, ok := m[name]
	return id, ok
}
