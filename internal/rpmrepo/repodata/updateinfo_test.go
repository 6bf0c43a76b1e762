package repodata_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpmrepo/repodata"
)

const updateinfo = `<?xml version="1.0" encoding="UTF-8"?>
<updates>
  <update from="updates@fedoraproject.org" status="stable" type="security" version="2.0">
    <id>FEDORA-2025-1a2b3c4d5e</id>
    <title>lute-1.3-1.fc43 &amp; more</title>
    <issued date="2025-11-01 10:00:00"/>
    <severity>Important</severity>
    <description>Strings
    break.</description>
    <references>
      <reference href="https://bugzilla.example.org/1" id="1" type="bugzilla" title="CVE-2025-12345 CVE-2025-999 lute: strings break"/>
      <reference href="https://example.org" id="CVE-2025-12345" type="cve" title=""/>
      <reference href="https://example.org" id="XCVE-2025-11111" type="other"/>
    </references>
    <pkglist>
      <collection short="F43">
        <name>Fedora 43</name>
        <module name="x" stream="y" version="1" context="c" arch="x86_64"/>
        <package name="lute" version="1.3" release="1.fc43" epoch="2" arch="x86_64" src="lute.src.rpm"><filename>lute.rpm</filename></package>
        <package name="lute" version="1.3" release="1.fc43" epoch="0" arch="src"><filename>lute.src.rpm</filename></package>
      </collection>
    </pkglist>
  </update>
  <update type="bugfix"><id>FEDORA-2025-0</id><severity>None</severity></update>
</updates>
`

func TestParseUpdateinfo(t *testing.T) {
	got, err := repodata.ParseUpdateinfo(strings.NewReader(updateinfo))
	if err != nil {
		t.Fatal(err)
	}
	want := []repodata.Advisory{
		{
			ID: "FEDORA-2025-1a2b3c4d5e", Type: "security", Severity: "Important", Title: "lute-1.3-1.fc43 & more",
			CVEs: []string{"CVE-2025-12345"},
			Packages: []rpm.NEVRA{
				{Name: "lute", EVR: rpm.EVR{Epoch: 2, Version: "1.3", Release: "1.fc43"}, Arch: "x86_64"},
				{Name: "lute", EVR: rpm.EVR{Version: "1.3", Release: "1.fc43"}, Arch: "src"},
			},
		},
		{ID: "FEDORA-2025-0", Type: "bugfix"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestParseUpdateinfoErrors(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"another document": {"<repomd/>", "root element"},
		"no id":            {"<updates><update/></updates>", "no id"},
		"cut":              {updateinfo[:len(updateinfo)/2], "unexpected EOF"},
		"no name":          {`<updates><update><id>A</id><pkglist><collection><package version="1"/></collection></pkglist></update></updates>`, `advisory "A"`},
		"epoch":            {`<updates><update><id>A</id><pkglist><collection><package name="a" version="1" epoch="x"/></collection></pkglist></update></updates>`, "number"},
		"a bomb":           {`<!DOCTYPE b [<!ENTITY a "aa">]><updates/>`, "document type"},
		"CVEs":             {`<updates><update><id>A</id><references>` + strings.Repeat(`<reference id="CVE-2025-1234"/>`, 2001) + `</references></update></updates>`, "more than 2000 CVEs"},
		"packages":         {`<updates><update><id>A</id><pkglist><collection>` + strings.Repeat(`<package name="a" version="1"/>`, 20_001) + `</collection></pkglist></update></updates>`, "more than 20000 packages"},
		"more behind":      {"<updates/><updates/>", "second root element"},
	} {
		if _, err := repodata.ParseUpdateinfo(strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzUpdateinfo(f *testing.F) {
	f.Add([]byte(updateinfo))
	f.Add([]byte("<updates><update type='\xff'><id>a</id></update></updates>"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := repodata.ParseUpdateinfo(strings.NewReader(string(data)))
		if err != nil {
			return
		}
		for _, a := range list {
			if a.ID == "" || strings.ContainsAny(a.ID+a.Title+a.Severity+a.Type, "\n\t") {
				t.Errorf("got %+v", a)
			}
		}
	})
}
