package pymeta

// pyValue is what an expression of a setup.py is known to be.
type pyValue struct {
	kind pyKind
	text string // of a string, number or path
	list []pyValue
	keys []string // of a dict, parallel to list
	file string   // where it is written
	line int
}

type pyKind int

const (
	pyUnknown pyKind = iota
	pyNone
	pyBool // text is "True" or "False"
	pyNumber
	pyString
	pyList
	pyDict
	pyPath   // a path inside of the project; text is it
	pyFile   // an open file; text is its path
	pyModule // an imported module or a function of one; text is its dotted name
	pyFunc   // a function of the file whose body is one return
)

// truth is the value's truth. ok is false when it can't be known.
func (v pyValue) truth() (truth, ok bool) {
	switch v.kind {
	case pyNone:
		return false, true
	case pyBool:
		return v.text == "True", true
	case pyString:
		return v.text != "", true
	case pyNumber:
		return v.text != "0", true
	case pyList, pyDict:
		return len(v.list) > 0, true
	}
	return false, false
}

// get returns an entry of a dict.
func (v pyValue) get(key string) (pyValue, bool) {
	for i, k := range v.keys {
		if k == key {
			return v.list[i], true
		}
	}
	return pyValue{}, false
}

// set returns a dict with an entry added or replaced.
func (v pyValue) set(key string, value pyValue) pyValue {
	for i, k := range v.keys {
		if k == key {
			v.list[i] = value
			return v
		}
	}
	v.keys, v.list = append(v.keys, key), append(v.list, value)
	return v
}
