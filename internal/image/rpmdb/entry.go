package rpmdb

import (
	"encoding/binary"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Installed is one installed package.
type Installed struct {
	Header, Signature *rpm.Header
	// States are the values of RPMTAG_FILESTATES, one a file.
	States []byte
}

// installColor is the RPMTAG_INSTALLCOLOR of the architectures that have had a 32-bit sibling: ELF
// files of both word sizes may be installed (%_transaction_color).
const installColor = 3

// signatureTags are the tags of a signature header that an installed header keeps, and what they
// are called there (rpm's headerMergeLegacySigs). Those it does not name are dropped, such as the
// space reserved for signatures.
var signatureTags = map[rpm.Tag]rpm.Tag{
	rpm.SigSize:            rpm.TagSigSize,
	rpm.SigPGP:             rpm.TagSigPGP,
	rpm.SigMD5:             rpm.TagSigMD5,
	rpm.SigGPG:             rpm.TagSigGPG,
	rpm.SigPayloadSize:     rpm.TagArchiveSize,
	rpm.SigDSA:             rpm.SigDSA,
	rpm.SigRSA:             rpm.SigRSA,
	rpm.SigSHA1:            rpm.SigSHA1,
	rpm.SigLongSize:        rpm.SigLongSize,
	rpm.SigLongArchiveSize: rpm.SigLongArchiveSize,
	rpm.SigSHA256:          rpm.SigSHA256,
	rpm.SigFileSignatures:  rpm.TagFileSignatures,
	sigFileSignatureLength: rpm.TagFileSignatureLen,
	rpm.SigOpenPGP:         rpm.SigOpenPGP,
	rpm.SigSHA3:            rpm.SigSHA3,
}

const sigFileSignatureLength rpm.Tag = 275

// blob is the header as the database stores it.
func (p *Installed) blob(time int64) []byte {
	var add []rpm.Entry
	for _, e := range p.Signature.Entries() {
		tag, ok := signatureTags[e.Tag]
		if !ok || p.Header.Has(tag) {
			continue
		}
		e.Tag = tag
		add = append(add, e)
	}
	number := func(tag rpm.Tag, n uint32) {
		add = append(add, rpm.Entry{Tag: tag, Type: rpm.TypeInt32, Count: 1, Data: binary.BigEndian.AppendUint32(nil, n)})
	}
	number(rpm.TagInstallTime, uint32(time))
	number(rpm.TagInstallColor, installColor)
	number(rpm.TagInstallTID, uint32(time))
	if len(p.States) > 0 {
		add = append(add, rpm.Entry{Tag: rpm.TagFileStates, Type: rpm.TypeChar, Count: uint32(len(p.States)), Data: p.States})
	}
	return p.Header.Append(add)
}

// signature gives an entry of the signature header under its own tag.
func (p *Installed) signature(tag rpm.Tag) rpm.Entry {
	e, _ := p.Signature.Entry(tag)
	return e
}
