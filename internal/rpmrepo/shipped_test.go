package rpmrepo

import (
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/rpm"
)

// fingerprints are those that the distributions publish on their security pages.
var fingerprints = map[string]string{
	"fedora-41": "466cf2d8b60bc3057aa9453ed0622462e99d6ad1",
	"fedora-42": "b0f4950458f69e1150c6c5edc8ac4916105ef944",
	"fedora-43": "c6e7f081cf80e13146676e88829b606631645531",
	"fedora-44": "36f612dcf27f7d1a48a835e4dbfcf71c6d9f90a6",
	"fedora-45": "4f50a6114cd5c6976a7f1179655a4b02f577861e",
	"fedora-46": "d924b10d3e810dabdd8b56b596e7e91491211fce",
	"epel-8":    "94e279eb8d8f25b21810adf121ea45ab2f86d6a1",
	"epel-9":    "ff8ad1344597106ece813b918a3872bf3228467c",
	"epel-10":   "7d8d15cbfc4e62688591fb2633d98517e37ed158",
	"centos":    "99db70fae1d7ce227fb6488205b555b38483c65d",
}

func TestShippedKeys(t *testing.T) {
	entries, err := shipped.ReadDir("keys")
	if err != nil || len(entries) != len(fingerprints) {
		t.Fatalf("%d keys, %v", len(entries), err)
	}
	for _, e := range entries {
		data, err := shipped.ReadFile("keys/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		ring, err := rpm.ParseKeys(data)
		if err != nil {
			t.Errorf("%s: %v", e.Name(), err)
			continue
		}
		name := strings.TrimSuffix(e.Name(), ".asc")
		if keys := ring.Keys(); len(keys) != 1 || keys[0].Fingerprint != fingerprints[name] {
			t.Errorf("%s is %+v", name, keys)
		}
	}
}

// The names are those of the files that fedora-repos, epel-release, centos-stream-release and mock's
// configurations speak of.
func TestShippedKeyNames(t *testing.T) {
	for file, want := range map[string]string{
		"/etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-43-x86_64":                              "fedora-43",
		"/etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-44-primary":                             "fedora-44",
		"/usr/share/distribution-gpg-keys/fedora/RPM-GPG-KEY-fedora-42-primary":      "fedora-42",
		"/etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-rawhide-aarch64":                        "fedora-46 fedora-45",
		"/etc/pki/rpm-gpg/RPM-GPG-KEY-EPEL-9":                                        "epel-9",
		"/etc/pki/rpm-gpg/RPM-GPG-KEY-centosofficial":                                "centos",
		"/etc/pki/rpm-gpg/RPM-GPG-KEY-centosofficial-SHA256":                         "centos",
		"/usr/share/distribution-gpg-keys/centos/RPM-GPG-KEY-CentOS-9":               "centos",
		"/etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-38-x86_64":                              "",
		"/etc/pki/rpm-gpg/RPM-GPG-KEY-redhat-release":                                "",
		"/etc/pki/rpm-gpg/../../../srv/RPM-GPG-KEY-EPEL-99":                          "",
		"/srv/keys/RPM-GPG-KEY-EPEL-9":                                               "",
		"/etc/pki/rpm-gpg/RPM-GPG-KEY-fedora-43-x86_64/../../RPM-GPG-KEY-EPEL-9/x":   "",
		"/usr/share/distribution-gpg-keys/centos/RPM-GPG-KEY-CentOS-Official-SHA256": "centos",
		"/usr/share/distribution-gpg-keys/centos/RPM-GPG-KEY-CentOS-SIG-HyperScale":  "",
	} {
		var got []string
		if data := shippedKey(file); data != nil {
			ring, err := rpm.ParseKeys(data)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range ring.Keys() {
				for name, fingerprint := range fingerprints {
					if fingerprint == k.Fingerprint {
						got = append(got, name)
					}
				}
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s is %v, not %s", file, got, want)
		}
	}
}
