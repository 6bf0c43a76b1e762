package attest

import (
	"bytes"
	"fmt"

	"github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdx/v2/v2_3"
)

// SPDXType is the media type of what SPDX writes.
const SPDXType = "application/spdx+json"

const (
	noAssertion = "NOASSERTION"
	imageID     = "Image"
	// namespaces are URIs that need not answer, only be unique (SPDX 2.3, 6.5).
	namespace = "https://slipway.build/spdx/"
)

// SPDX writes the bill as an SPDX 2.3 document (ISO/IEC 5962), as JSON.
func (b Bill) SPDX() ([]byte, error) {
	doc := &v2_3.Document{
		SPDXVersion: v2_3.Version, DataLicense: v2_3.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName: b.Image, DocumentNamespace: namespace + b.uuid("spdx"),
		CreationInfo: &v2_3.CreationInfo{
			Created: b.date(), Creators: []common.Creator{{CreatorType: "Tool", Creator: toolName + "-" + b.Version}},
		},
	}
	doc.Packages = []*v2_3.Package{{
		PackageName: b.Image, PackageSPDXIdentifier: imageID, PackageVersion: b.Digest, PackageDownloadLocation: noAssertion,
		PrimaryPackagePurpose: "CONTAINER", PackageChecksums: checksums(b.hex()), PackageLicenseConcluded: noAssertion,
		PackageLicenseDeclared: noAssertion, PackageCopyrightText: noAssertion, PackageExternalReferences: external(b.imagePurl()),
	}}
	doc.Relationships = []*v2_3.Relationship{relationship("DOCUMENT", "DESCRIBES", imageID)}
	licenses := map[string]string{} // what is no expression -> the name that it has in this document
	for i, c := range b.sorted() {
		id := fmt.Sprintf("%s-%d", c.Kind, i+1)
		p := &v2_3.Package{
			PackageName: c.name(), PackageSPDXIdentifier: common.ElementID(id), PackageVersion: c.version(),
			PackageDownloadLocation: noAssertion, PackageChecksums: checksums(c.SHA256),
			PackageLicenseConcluded: noAssertion, PackageLicenseDeclared: b.license(c.License, licenses, doc),
			PackageCopyrightText: noAssertion, PackageExternalReferences: external(b.purl(c)),
		}
		switch {
		case c.URL == "":
		case c.Kind == Project:
			p.PackageDownloadLocation = gitURL(c)
		default:
			p.PackageDownloadLocation = c.URL
		}
		if c.Vendor != "" {
			p.PackageSupplier = &common.Supplier{SupplierType: "Organization", Supplier: c.Vendor}
		}
		if c.Source != "" {
			p.PackageSourceInfo = "built from " + c.Source
		}
		doc.Packages = append(doc.Packages, p)
		doc.Relationships = append(doc.Relationships, relationship(imageID, "CONTAINS", id))
	}
	var buf bytes.Buffer
	if err := json.Write(doc, &buf); err != nil {
		return nil, fmt.Errorf("writing the SPDX document of %s: %w", b.Image, err)
	}
	return buf.Bytes(), nil
}

// license is a declared licence as SPDX allows it: an expression, or a reference to a text of the
// document's own (SPDX 2.3, 10.1).
func (b Bill) license(text string, known map[string]string, doc *v2_3.Document) string {
	switch {
	case text == "":
		return noAssertion
	case isExpression(text):
		return text
	}
	id, ok := known[text]
	if !ok {
		id = fmt.Sprintf("LicenseRef-%d", len(known)+1)
		known[text] = id
		doc.OtherLicenses = append(doc.OtherLicenses, &v2_3.OtherLicense{LicenseIdentifier: id, ExtractedText: text, LicenseName: text})
	}
	return id
}

func relationship(from, kind, to string) *v2_3.Relationship {
	return &v2_3.Relationship{RefA: common.MakeDocElementID("", from), RefB: common.MakeDocElementID("", to), Relationship: kind}
}

func checksums(sha256 string) []common.Checksum {
	if sha256 == "" {
		return nil
	}
	return []common.Checksum{{Algorithm: common.SHA256, Value: sha256}}
}

func external(purl string) []*v2_3.PackageExternalReference {
	return []*v2_3.PackageExternalReference{{Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL, Locator: purl}}
}
