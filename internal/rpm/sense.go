package rpm

// Sense holds the flags of a dependency: which versions it means, and for what
// it is needed (RPMSENSE_* of rpm's rpmds.h).
type Sense uint32

// The flags that Slipway reads or writes. Less, Greater and Equal describe the
// range of versions; the others say where the dependency comes from.
const (
	Less          Sense = 1 << 1
	Greater       Sense = 1 << 2
	Equal         Sense = 1 << 3
	PostTrans     Sense = 1 << 5
	Prereq        Sense = 1 << 6
	PreTrans      Sense = 1 << 7
	Interp        Sense = 1 << 8
	Pre           Sense = 1 << 9
	Post          Sense = 1 << 10
	PreUn         Sense = 1 << 11
	PostUn        Sense = 1 << 12
	Verify        Sense = 1 << 13
	FindRequires  Sense = 1 << 14
	FindProvides  Sense = 1 << 15
	TriggerIn     Sense = 1 << 16
	TriggerUn     Sense = 1 << 17
	TriggerPostUn Sense = 1 << 18
	MissingOK     Sense = 1 << 19
	PreUnTrans    Sense = 1 << 20
	PostUnTrans   Sense = 1 << 21
	RPMLib        Sense = 1 << 24
	TriggerPreIn  Sense = 1 << 25
	Config        Sense = 1 << 28
	Meta          Sense = 1 << 29

	// RangeMask selects the flags that describe the range of versions.
	RangeMask = Less | Greater | Equal
)
