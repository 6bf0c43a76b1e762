package wheel

// Scheme says where a Python wants the parts of a wheel (sysconfig's names). All are absolute.
type Scheme struct {
	Purelib string `json:"purelib"`
	Platlib string `json:"platlib"`
	Scripts string `json:"scripts"`
	Data    string `json:"data"`
	Headers string `json:"headers"` // without the project's name
	Python  string `json:"python"`  // the interpreter, for script headers
}

// Direct is where a wheel came from (PEP 610, direct_url.json).
type Direct struct {
	URL      string // of the git repository; credentials are removed
	Commit   string // full hash
	Revision string // what was asked for: the branch; "" leaves it out
}

// File is one file of an installed wheel.
type File struct {
	Path    string // absolute, clean
	Mode    uint32 // permission bits
	Content []byte
}

// Install lays w out in scheme as pip would, sorted by path.
func (w *Wheel) Install(s Scheme, d Direct) ([]File, error) { panic("body follows") }
