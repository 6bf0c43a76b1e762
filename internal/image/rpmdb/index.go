package rpmdb

import (
	"encoding/binary"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// index is one of rpm's tables from a tag's values to headers.
type index struct {
	table string
	// column is the type that rpm gives the key's column.
	column string
	// byKey and byPackage say which of rpm's two SQL indexes the table has.
	byKey, byPackage bool
	rows             func(p *Installed, tid uint32) []row
}

// row is a value and its index in the header.
type row struct {
	key any // string or []byte
	idx int
}

// indexes are all of rpm's, in the order in which it makes them.
var indexes = []index{
	{"Name", "TEXT", true, false, texts(rpm.TagName)},
	{"Basenames", "TEXT", true, true, texts(rpm.TagBaseNames)},
	{"Group", "TEXT", true, false, group},
	{"Requirename", "TEXT", true, true, requires},
	{"Providename", "TEXT", true, true, texts(rpm.TagProvideName)},
	{"Conflictname", "TEXT", true, true, texts(rpm.TagConflictName)},
	{"Obsoletename", "TEXT", true, true, texts(rpm.TagObsoleteName)},
	{"Triggername", "TEXT", true, true, triggers},
	{"Dirnames", "TEXT", true, true, texts(rpm.TagDirNames)},
	{"Installtid", "BLOB", false, false, installTID},
	{"Sigmd5", "BLOB", false, false, md5},
	{"Sha1header", "TEXT", true, false, sha1},
	{"Filetriggername", "TEXT", true, true, fileTriggers(rpm.TagFileTriggerName, rpm.TagFileTriggerIndex)},
	{"Transfiletriggername", "TEXT", true, true, fileTriggers(rpm.TagTransFileTriggerName, rpm.TagTransFileTriggerIndex)},
	{"Recommendname", "TEXT", true, true, texts(rpm.TagRecommendName)},
	{"Suggestname", "TEXT", true, true, texts(rpm.TagSuggestName)},
	{"Supplementname", "TEXT", true, true, texts(rpm.TagSupplementName)},
	{"Enhancename", "TEXT", true, true, texts(rpm.TagEnhanceName)},
}

func texts(tag rpm.Tag) func(*Installed, uint32) []row {
	return func(p *Installed, _ uint32) []row {
		values := p.Header.Strings(tag)
		rows := make([]row, len(values))
		for i, v := range values {
			rows[i] = row{v, i}
		}
		return rows
	}
}

func group(p *Installed, _ uint32) []row {
	if g := p.Header.I18N(rpm.TagGroup); g != "" {
		return []row{{g, 0}}
	}
	return []row{{"Unknown", 0}}
}

// requires leaves out what is needed for installing alone: nobody asks for it afterwards (rpm's
// isInstallPreReq and isErasePreReq).
func requires(p *Installed, _ uint32) []row {
	const (
		keyring    = 1 << 26
		installing = rpm.Pre | rpm.Post | rpm.RPMLib | keyring | rpm.PreTrans | rpm.PostTrans
		erasing    = rpm.PreUn | rpm.PostUn | rpm.PreUnTrans | rpm.PostUnTrans
	)
	flags := p.Header.Uint32s(rpm.TagRequireFlags)
	var rows []row
	for i, name := range p.Header.Strings(rpm.TagRequireName) {
		if i < len(flags) && rpm.Sense(flags[i])&installing != 0 && rpm.Sense(flags[i])&erasing == 0 {
			continue
		}
		rows = append(rows, row{name, i})
	}
	return rows
}

// triggers names every package once that a trigger waits for.
func triggers(p *Installed, _ uint32) []row {
	seen := map[string]bool{}
	var rows []row
	for i, name := range p.Header.Strings(rpm.TagTriggerName) {
		if !seen[name] {
			seen[name] = true
			rows = append(rows, row{name, i})
		}
	}
	return rows
}

// fileTriggers lead to the trigger that a path prefix belongs to, not to the prefix's own place.
func fileTriggers(name, at rpm.Tag) func(*Installed, uint32) []row {
	return func(p *Installed, _ uint32) []row {
		which := p.Header.Uint32s(at)
		var rows []row
		for i, prefix := range p.Header.Strings(name) {
			if i < len(which) {
				rows = append(rows, row{prefix, int(which[i])})
			}
		}
		return rows
	}
}

// installTID is in the byte order of the machine that reads it; all that rpm has today are
// little-endian but s390x, where the table is merely not found in.
func installTID(_ *Installed, tid uint32) []row {
	return []row{{binary.LittleEndian.AppendUint32(nil, tid), 0}}
}

func md5(p *Installed, _ uint32) []row {
	if e := p.signature(rpm.SigMD5); len(e.Data) > 0 {
		return []row{{e.Data, 0}}
	}
	return nil
}

func sha1(p *Installed, _ uint32) []row {
	if e := p.signature(rpm.SigSHA1); len(e.Data) > 0 {
		return []row{{strings.TrimRight(string(e.Data), "\x00"), 0}}
	}
	return nil
}
