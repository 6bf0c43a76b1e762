package rpmrepo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/oracle"
)

var testVars = NewVars("9", "x86_64")

func TestParseConfig(t *testing.T) {
	const file = `# a comment
[main]
gpgcheck=0

[base-$releasever]
name=Base $releasever for ${basearch}
baseurl=https://a.example.org/$releasever/$basearch/os/
        http://b.example.org/os, file:///srv/os

	rpms
metadata_expire=6h
`
	_, err := ParseConfig([]byte(file), "/etc/x.repo", testVars)
	if _, ok := errors.AsType[*ConfigError](err); !ok { // the empty line ends the value
		t.Fatal(err)
	}

	const all = `[all]
enabled=No
baseurl = https://a.example.org/os/ rpms
mirrorlist=https://m.example.org/list?repo=x
metalink=https://m.example.org/link?repo=x&arch=$arch
gpgkey=file:///etc/pki/key1 keys/2,https://a.example.org/key3
gpgcheck=false
repo_gpgcheck=1
priority=-3
cost=500
includepkgs=lute* viol
excludepkgs=*-devel,*.i686
exclude = kernel
  kernel-core
username=ada
password=hunter 2
proxy=http://proxy.example.org:3128
proxy_username=bob
proxy_password=hunter3
sslverify=off
sslcacert=ca.pem
sslclientcert=/etc/cert.pem
sslclientkey=/etc/key.pem
unknown_key = whatever
[defaults]
baseurl=/srv/repo
proxy=_none_
`
	got, err := ParseConfig([]byte(all), "/etc/repos/x.repo", testVars)
	if err != nil {
		t.Fatal(err)
	}
	want := []Config{
		{
			ID: "all", Name: "all",
			BaseURL:    []string{"https://a.example.org/os/", "/etc/repos/rpms"},
			MirrorList: "https://m.example.org/list?repo=x", Metalink: "https://m.example.org/link?repo=x&arch=x86_64",
			GPGKey:       []string{"file:///etc/pki/key1", "/etc/repos/keys/2", "https://a.example.org/key3"},
			RepoGPGCheck: true, Priority: -3, Cost: 500,
			Include: []string{"lute*", "viol"}, Exclude: []string{"*-devel", "*.i686", "kernel", "kernel-core"},
			Username: "ada", Password: "hunter 2",
			Proxy: "http://proxy.example.org:3128", ProxyUsername: "bob", ProxyPassword: "hunter3",
			SSLNoVerify: true, SSLCACert: "/etc/repos/ca.pem", SSLClientCert: "/etc/cert.pem", SSLClientKey: "/etc/key.pem",
		},
		{
			ID: "defaults", Name: "defaults", BaseURL: []string{"/srv/repo"},
			GPGCheck: true, Enabled: true, Priority: 99, Cost: 1000, Proxy: NoProxy,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseConfigErrors(t *testing.T) {
	for _, test := range []struct{ file, want string }{
		{"baseurl=x", "x.repo:1: a [section] must come first"},
		{"\n[a\n", "x.repo:2: a section's name lacks its closing bracket"},
		{"[]", "x.repo:1: a section has no name"},
		{"[a] b", "x.repo:1: there is text after the section's name"},
		{"[a]\nbaseurl", `x.repo:2: [a] "baseurl" is not of the form key=value`},
		{"[a]\n= b", "x.repo:2: [a] there is no key"},
		{"[a]\n b=c", "x.repo:2: [a] the line begins with space"},
		{"[a b]\nbaseurl=/x", `x.repo:1: [a b] " " cannot be in the name of a repository`},
		{"[a]\nname=x\n\n[b]\nbaseurl=/x", "x.repo:1: [a] it has none of baseurl, mirrorlist and metalink"},
		{"[a]\nenabled=maybe", `x.repo:2: [a] enabled: "maybe" is neither yes`},
		{"[a]\nbaseurl=/x\ngpgcheck=", `x.repo:3: [a] gpgcheck: "" is neither yes`},
		{"[a]\npriority=high", `x.repo:2: [a] priority: "high" is not a whole number`},
		{"[a]\ncost=1.5", "x.repo:2: [a] cost: "},
		{"[a]\nbaseurl=ftp://host/x", `x.repo:2: [a] baseurl: URLs that begin with "ftp:" are not supported`},
		{"[a]\nbaseurl=http:///x", "x.repo:2: [a] baseurl: the URL http:///x names no host"},
		{"[a]\nbaseurl=file://host/x", "x.repo:2: [a] baseurl: the URL file://host/x is not one of a file on this machine"},
		{"[a]\nmetalink=https://ada:hunter2@[bad", "x.repo:2: [a] metalink: the URL is not valid"},
		{"[a]\nmirrorlist=gopher:x", "x.repo:2: [a] mirrorlist: "},
		{"[a]\ngpgkey=/x ldap://y", "x.repo:2: [a] gpgkey: "},
		{"[a]\nproxy=proxy.example.org:3128", "x.repo:2: [a] proxy: it is not the URL of a proxy"},
		{"[a]\nsslverify=perhaps", "x.repo:2: [a] sslverify: "},
		{"[a]\nexclude=[", `x.repo:2: [a] exclude: the pattern "[" is not valid`},
		{"[a]\nbaseurl=/x\nsslclientkey=/k", "x.repo:1: [a] sslclientkey is of no use without sslclientcert"},
		{"[a]\n" + strings.Repeat("#", maxRepoFile), "the file is larger than"},
	} {
		_, err := ParseConfig([]byte(test.file), "x.repo", testVars)
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.60q: got %v, want %s", test.file, err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%v reveals a password", err)
		}
	}
}

func TestExpand(t *testing.T) {
	vars := Vars{"a": "1", "long_Name2": "2", "empty": ""}
	for text, want := range map[string]string{
		"":                               "",
		"plain $ 5 $":                    "plain $ 5 $",
		"$a$a/$long_Name2-$a.b":          "11/2-1.b",
		"${a}b$ab":                       "1b$ab",
		"$unknown ${unknown} ${a ${} ${": "$unknown ${unknown} ${a ${} ${",
		"$$a \\$a":                       "$1 \\1",
		"${a:-x}${b:-x}${empty:-x}":      "1xx",
		"${a:+x}${b:+x}${empty:+x}":      "x",
		"${a:x} ${a-x}":                  "${a:x} ${a-x}",
		"[$empty]":                       "[]",
	} {
		if got := vars.Expand(text); got != want {
			t.Errorf("%q expands to %q, want %q", text, got, want)
		}
	}
}

func TestNewVars(t *testing.T) {
	want := Vars{"releasever": "9.4", "releasever_major": "9", "releasever_minor": "4", "arch": "i686", "basearch": "i386"}
	if diff := cmp.Diff(want, NewVars("9.4", "i686")); diff != "" {
		t.Error(diff)
	}
	for arch, base := range map[string]string{"x86_64": "x86_64", "aarch64": "aarch64", "armv7hl": "armhfp", "armv7l": "arm", "ppc64le": "ppc64le", "x86_64_v3": "x86_64"} {
		if got := NewVars("1", arch)["basearch"]; got != base {
			t.Errorf("%s is kept under %s, want %s", arch, got, base)
		}
	}
}

func TestSecretIsHidden(t *testing.T) {
	c := Config{Password: "hunter2", ProxyPassword: "hunter2"}
	js, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(c), fmt.Sprintf("%+v", c), fmt.Sprintf("%#v", c), fmt.Sprintf("%q %x", c.Password, c.Password), string(js)} {
		if strings.Contains(shown, "hunter2") || strings.Contains(shown, fmt.Sprintf("%x", "hunter2")) {
			t.Errorf("%s reveals the password", shown)
		}
	}
}

// libdnfINI prints what dnf's library reads from each file that it is given.
const libdnfINI = `
import json, sys, libdnf
for name in sys.argv[1:]:
    p = libdnf.conf.ConfigParser()
    p.setSubstitutions({"releasever": "9", "basearch": "x86_64", "arch": "x86_64"})
    try:
        p.read(name)
        data = p.getData()
        print(json.dumps({s: {k: p.getSubstitutedValue(s, k) for k in data[s] if k[0] != "#"} for s in data}))
    except Exception as e:
        print(json.dumps(None))
`

// Files are read as dnf reads them, or refused as dnf refuses them.
func TestINIAgreesWithDNF(t *testing.T) {
	oracle.Need(t, "/usr/bin/python3")
	if exec.Command("/usr/bin/python3", "-c", "import libdnf").Run() != nil {
		oracle.Missing(t, "python3-libdnf is not installed (.ci/run installs it)")
	}
	files := []string{
		"", "\n", "[a]", "[a]\n", "  [a]\nb=c\n", "[ a ]\nb=c\n", "[a]#x\nb=c", "[a] ; x\nb=c\n", "[a]xy\n", "[a\n", "[]\n",
		"b=c\n[a]\n", " # x\n[a]\n", "# x\n;y\n[a]\nb=c\n", "[a]\nb=c\n#x\nd=e\n", "[a]\nb=c\n  # x\nd=e\n", "[a]\n  # x\n",
		"[a]\nb=c\n  d\n\te=f\n", "[a]\nb=c\n\n  d\n", "[a]\nb=c\n \n d\n", "[a]\nb=c\n# x\n d\n", "[a]\nb=\n  c\n", "[a]\nb=c\n  [d]\ne=f\n",
		"[a]\nb=c\n[d]\n e\n", "[a]\nb\n", "[a]\n=c\n", "[a]\nb=\n", "[a]\nb  =  c  \n", "[a]\nb c=d\n", "[a]\nb=c=d\n", "[a]\nb=c ; d # e\n",
		"[a]\nb=1\nb=2\n", "[a]\nb=1\n[c]\nd=2\n[a]\ne=3\n", "[a]\r\nb=c\r\n d\r\n", "\ufeff[a]\nb=c\n", " \n\t\n[a]\nb=c\n", "[a]\nb=c",
		"[a]\nb=$releasever ${basearch} $x ${x} ${releasever $releaseverx $$arch \\$arch $Arch $\n", "[a]\nb=\"c\"\n", "[a]\nb='c'\n", "[a]\nb=\"\n", "[a]\nb=\"\"\n", "[a]\nb=\"c'\n", "[a]\nb=\"c\n d\"\n", "[a]\nb=\" c \" \n", "[a]\nb=\"c\" \"d\"\n",
		"[a]\nb=c \\\n d\n",
		"[a]\nb:c\n", "[a]\nb=c\n \t\n", "[A]\nB=c\nb=d\n",
	}
	dir := t.TempDir()
	args := []string{"-c", libdnfINI}
	for i, file := range files {
		name := filepath.Join(dir, fmt.Sprintf("%d.repo", i))
		if err := os.WriteFile(name, []byte(file), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, name)
	}
	out, err := exec.Command("/usr/bin/python3", args...).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	if len(lines) != len(files) {
		t.Fatalf("%d answers for %d files", len(lines), len(files))
	}
	for i, file := range files {
		var want map[string]map[string]string
		if err := json.Unmarshal(lines[i], &want); err != nil {
			t.Fatal(err)
		}
		var got map[string]map[string]string
		if sections, err := parseINI([]byte(file), "x.repo"); err == nil {
			got = map[string]map[string]string{}
			for _, s := range sections {
				got[s.name] = map[string]string{}
				for _, k := range s.keys {
					got[s.name][k.key] = testVars.Expand(k.value)
				}
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-dnf +ours)\n%s", file, diff)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add([]byte("[a-$releasever]\nname=x\nbaseurl=https://a/\n  /b\nexclude=c*,d\ncost=5\nproxy=_none_\n"))
	f.Add([]byte("[a]\nmetalink=https://x/\nsslverify=0\npassword=${arch:-x}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		configs, err := ParseConfig(data, "/etc/x.repo", testVars)
		if err != nil {
			if e, ok := errors.AsType[*ConfigError](err); !ok || e.Line < 0 || e.File == "" {
				t.Errorf("%T: %v", err, err)
			}
			return
		}
		for _, c := range configs {
			if c.ID == "" || c.Name == "" || c.Enabled && len(c.BaseURL) == 0 && c.MirrorList == "" && c.Metalink == "" {
				t.Errorf("%+v", c)
			}
		}
	})
}
