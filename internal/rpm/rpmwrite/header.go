package rpmwrite

import (
	"cmp"
	"math"

	"github.com/slipway-build/slipway/internal/rpm"
)

// rpmVersion is the version of rpm whose rpmbuild the output is like.
const rpmVersion = "4.18.0"

func headerEntries(spec *Spec, files []*entry, pay *payload) []rpm.Entry {
	entries := []rpm.Entry{
		rpm.StringArrayEntry(rpm.TagI18NTable, []string{"C"}),
		rpm.StringEntry(rpm.TagName, spec.Name),
		rpm.StringEntry(rpm.TagVersion, spec.EVR.Version),
		rpm.StringEntry(rpm.TagRelease, spec.EVR.Release),
		rpm.I18NEntry(rpm.TagSummary, cmp.Or(spec.Summary, spec.Name)),
		rpm.I18NEntry(rpm.TagDescription, cmp.Or(spec.Description, spec.Summary, spec.Name)),
		rpm.Int32Entry(rpm.TagBuildTime, uint32(spec.BuildTime)),
		rpm.StringEntry(rpm.TagBuildHost, cmp.Or(spec.BuildHost, "localhost")),
		rpm.StringEntry(rpm.TagLicense, cmp.Or(spec.License, "Unspecified")),
		rpm.I18NEntry(rpm.TagGroup, cmp.Or(spec.Group, "Unspecified")),
		rpm.StringEntry(rpm.TagOS, "linux"),
		rpm.StringEntry(rpm.TagArch, spec.Arch),
		rpm.StringEntry(rpm.TagSourceRPM, spec.SourceRPM),
		rpm.StringEntry(rpm.TagRPMVersion, rpmVersion),
		rpm.StringEntry(rpm.TagPayloadFormat, "cpio"),
		rpm.StringEntry(rpm.TagPlatform, spec.Arch+"-linux-gnu"),
		rpm.StringEntry(rpm.TagEncoding, "utf-8"),
		rpm.StringArrayEntry(rpm.TagPayloadDigest, []string{pay.digest}),
		rpm.Int32Entry(rpm.TagPayloadDigestAlgo, 8),
		rpm.StringArrayEntry(rpm.TagPayloadDigestAlt, []string{pay.plainDigest}),
	}
	if spec.EVR.Epoch != 0 {
		entries = append(entries, rpm.Int32Entry(rpm.TagEpoch, uint32(spec.EVR.Epoch)))
	}
	if spec.Compression != "none" {
		entries = append(entries,
			rpm.StringEntry(rpm.TagPayloadCompressor, spec.Compression),
			rpm.StringEntry(rpm.TagPayloadFlags, payloadFlags(spec.Compression, spec.Level)))
	}
	for tag, text := range map[rpm.Tag]string{
		rpm.TagVendor: spec.Vendor, rpm.TagPackager: spec.Packager,
		rpm.TagURL: spec.URL, rpm.TagDistribution: spec.Distribution,
	} { // BuildHeader sorts
		if text != "" {
			entries = append(entries, rpm.StringEntry(tag, text))
		}
	}
	if size := installedSize(files); size > math.MaxUint32 {
		entries = append(entries, rpm.Int64Entry(rpm.TagLongSize, uint64(size)))
	} else {
		entries = append(entries, rpm.Int32Entry(rpm.TagSize, uint32(size)))
	}
	entries = append(entries, changelogEntries(spec.Changelog)...)
	entries = append(entries, fileEntries(spec, files)...)
	entries = append(entries, scriptEntries(spec.Scripts)...)
	return append(entries, dependencyEntries(spec, files)...)
}

func changelogEntries(changes []Change) []rpm.Entry {
	if len(changes) == 0 {
		return nil
	}
	var times []uint32
	var authors, texts []string
	for _, c := range changes {
		times = append(times, uint32(c.Time))
		authors, texts = append(authors, c.Author), append(texts, c.Text)
	}
	return []rpm.Entry{
		rpm.Int32Entry(rpm.TagChangelogTime, times...),
		rpm.StringArrayEntry(rpm.TagChangelogName, authors),
		rpm.StringArrayEntry(rpm.TagChangelogText, texts),
	}
}
