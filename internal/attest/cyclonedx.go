package attest

import (
	"bytes"
	"fmt"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// CycloneDXType is the media type of what CycloneDX writes.
const CycloneDXType = "application/vnd.cyclonedx+json"

// CycloneDX writes the bill as a CycloneDX 1.6 document (ECMA-424), as JSON.
func (b Bill) CycloneDX() ([]byte, error) {
	bom := cdx.NewBOM()
	bom.SerialNumber = "urn:uuid:" + b.uuid("cyclonedx")
	bom.Metadata = &cdx.Metadata{
		Timestamp: b.date(),
		Tools:     &cdx.ToolsChoice{Components: &[]cdx.Component{{Type: cdx.ComponentTypeApplication, Name: toolName, Version: b.Version}}},
		Component: &cdx.Component{
			BOMRef: b.Image, Type: cdx.ComponentTypeContainer, Name: b.Image, Version: b.Digest,
			Hashes: hashes(b.hex()), PackageURL: b.imagePurl(),
		},
	}
	var components []cdx.Component
	contents := cdx.Dependency{Ref: b.Image, Dependencies: &[]string{}}
	for _, c := range b.sorted() {
		purl := b.purl(c)
		out := cdx.Component{
			BOMRef: purl, Type: cdx.ComponentTypeLibrary, Name: c.name(), Version: c.version(), PackageURL: purl, Hashes: hashes(c.SHA256),
		}
		if c.Kind == File {
			out.Type = cdx.ComponentTypeFile
		}
		if c.Vendor != "" {
			out.Supplier = &cdx.OrganizationalEntity{Name: c.Vendor}
		}
		switch {
		case c.License == "":
		case isExpression(c.License):
			out.Licenses = &cdx.Licenses{{Expression: c.License}}
		default:
			out.Licenses = &cdx.Licenses{{License: &cdx.License{Name: c.License}}}
		}
		if c.URL != "" {
			out.ExternalReferences = &[]cdx.ExternalReference{reference(c)}
		}
		components = append(components, out)
		*contents.Dependencies = append(*contents.Dependencies, purl)
	}
	bom.Components = &components
	bom.Dependencies = &[]cdx.Dependency{contents}
	var buf bytes.Buffer
	e := cdx.NewBOMEncoder(&buf, cdx.BOMFileFormatJSON).SetEscapeHTML(false)
	if err := e.EncodeVersion(bom, cdx.SpecVersion1_6); err != nil {
		return nil, fmt.Errorf("writing the CycloneDX document of %s: %w", b.Image, err)
	}
	return buf.Bytes(), nil
}

func reference(c Component) cdx.ExternalReference {
	if c.Kind == Project {
		return cdx.ExternalReference{Type: cdx.ERTypeVCS, URL: gitURL(c)}
	}
	return cdx.ExternalReference{Type: cdx.ERTypeDistribution, URL: c.URL}
}

func hashes(sha256 string) *[]cdx.Hash {
	if sha256 == "" {
		return nil
	}
	return &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: sha256}}
}
