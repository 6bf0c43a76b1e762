package account_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/image/account"
	"github.com/slipway-build/slipway/internal/rpm"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		line string
		want account.Declaration
	}{
		{`u dbus 81 "System Message Bus" - -`, account.Declaration{Kind: 'u', Name: "dbus", ID: 81, Gecos: "System Message Bus"}},
		{`u! x - 'It''s' /var/x /bin/sh`, account.Declaration{Kind: 'u', Name: "x", ID: -1, Gecos: "Its", Home: "/var/x", Shell: "/bin/sh"}},
		{`u x 12:34`, account.Declaration{Kind: 'u', Name: "x", ID: 12, Group: "34"}},
		{`u x -:users`, account.Declaration{Kind: 'u', Name: "x", ID: -1, Group: "users"}},
		{`u x /usr/bin/owner`, account.Declaration{Kind: 'u', Name: "x", ID: -1}},
		{`g kvm 36`, account.Declaration{Kind: 'g', Name: "kvm", ID: 36}},
		{`g x -`, account.Declaration{Kind: 'g', Name: "x", ID: -1}},
		{`m x kvm`, account.Declaration{Kind: 'm', Name: "x", ID: -1, Group: "kvm"}},
	} {
		got, err := account.Parse([]byte("# comment\n\nr - 500-900\n" + c.line + "\n"))
		if err != nil || len(got) != 1 || got[0] != c.want {
			t.Errorf("%s: got %+v, %v", c.line, got, err)
		}
	}
	for _, bad := range []string{
		`u`, `u -`, `u a:b 1`, `u x 99999999999`, `u x minus`, `u x 1 "open`, `m x`, `u x 1 "a:b"`, "u x 1 \"a\x00b\"", `u x 1:a,b`, `u ../../x 1`, `u x -5`,
	} {
		if got, err := account.Parse([]byte(bad)); err == nil {
			t.Errorf("%s: accepted as %+v", bad, got)
		}
	}
}

func TestProvided(t *testing.T) {
	provide := func(name, line string) rpm.Dependency {
		return rpm.Dependency{Name: name, Sense: rpm.Equal, EVR: rpm.EVR{Version: base64.StdEncoding.EncodeToString([]byte(line))}}
	}
	got, err := account.Provided([]rpm.Dependency{
		{Name: "user(old)"},
		{Name: "user(versioned)", Sense: rpm.Equal, EVR: rpm.EVR{Version: "1.0"}},
		{Name: "config(x)", Sense: rpm.Equal, EVR: rpm.EVR{Version: "1.0"}},
		provide("user(web)", "u web 48 \"Web\" /srv -\x00"),
		provide("group(web)", "g web 48\x00"),
		provide("groupmember(web/mail)", "m web mail\x00"),
	})
	want := []account.Declaration{
		{Kind: 'u', Name: "web", ID: 48, Gecos: "Web", Home: "/srv"}, {Kind: 'g', Name: "web", ID: 48}, {Kind: 'm', Name: "web", ID: -1, Group: "mail"},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
	if _, err := account.Provided([]rpm.Dependency{provide("user(x)", "u a:b 1")}); err == nil || !strings.Contains(err.Error(), "user(x)") {
		t.Errorf("error %v", err)
	}
}

const (
	passwd = "root:x:0:0:root:/root:/bin/sh\nbin:x:1:1:bin:/bin:/sbin/nologin\nnonsense\nbig:x:999:999::/:/x\n"
	group  = "root:x:0:\nbin:x:1:\nmail:x:12:postfix\nbig:x:999:\n"
)

func TestDeclare(t *testing.T) {
	for _, c := range []struct {
		name         string
		lines        string
		recorded     account.Recorded
		passwd, grp  string // what is added, or for groups all from mail on
		shadow, gshd string
	}{
		{
			name: "nothing new", lines: "u bin 1\ng mail 12\n",
			grp: "mail:x:12:postfix\nbig:x:999:\n",
		},
		{
			name: "asked for", lines: "u web 48 \"Web\" /srv /bin/x\n",
			passwd: "web:x:48:48:Web:/srv:/bin/x\n", grp: "mail:x:12:postfix\nbig:x:999:\nweb:x:48:\n", shadow: "web:!*:19000::::::\n", gshd: "web:!*::\n",
		},
		{
			name: "from the top, groups first", lines: "u a -\ng b -\nu c -\n",
			passwd: "a:x:997:997::/:/usr/sbin/nologin\nc:x:996:996::/:/usr/sbin/nologin\n",
			grp:    "mail:x:12:postfix\nbig:x:999:\nb:x:998:\na:x:997:\nc:x:996:\n",
			shadow: "a:!*:19000::::::\nc:!*:19000::::::\n", gshd: "b:!*::\na:!*::\nc:!*::\n",
		},
		{
			name: "recorded", lines: "u a -\nu c -\n", recorded: account.Recorded{Users: map[string]int{"c": 200}, Groups: map[string]int{"c": 201, "a": 999}},
			passwd: "a:x:998:998::/:/usr/sbin/nologin\nc:x:200:201::/:/usr/sbin/nologin\n",
			grp:    "mail:x:12:postfix\nbig:x:999:\na:x:998:\nc:x:201:\n",
			shadow: "a:!*:19000::::::\nc:!*:19000::::::\n", gshd: "a:!*::\nc:!*::\n",
		},
		{
			name: "group of another name", lines: "u a 70:mail\nu b 71:72\n",
			passwd: "a:x:70:12::/:/usr/sbin/nologin\nb:x:71:72::/:/usr/sbin/nologin\n",
			grp:    "mail:x:12:postfix\nbig:x:999:\nb:x:72:\n", shadow: "a:!*:19000::::::\nb:!*:19000::::::\n", gshd: "b:!*::\n",
		},
		{
			name: "member", lines: "m bin mail\nm bin mail\n",
			grp: "mail:x:12:postfix,bin\nbig:x:999:\n",
		},
		{
			name: "taken", lines: "u a 1\n",
			passwd: "a:x:998:998::/:/usr/sbin/nologin\n", grp: "mail:x:12:postfix\nbig:x:999:\na:x:998:\n", shadow: "a:!*:19000::::::\n", gshd: "a:!*::\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			decl, err := account.Parse([]byte(c.lines))
			if err != nil {
				t.Fatal(err)
			}
			d := account.Load([]byte(passwd), []byte(group), nil, nil)
			changed, err := d.Declare(decl, c.recorded, 19000)
			if err != nil {
				t.Fatal(err)
			}
			p, g, s, gs := d.Files()
			if want := passwd + c.passwd; string(p) != want {
				t.Error(cmp.Diff(want, string(p)))
			}
			if want := group[:strings.Index(group, "mail")] + c.grp; string(g) != want {
				t.Error(cmp.Diff(want, string(g)))
			}
			if string(s) != c.shadow || string(gs) != c.gshd {
				t.Errorf("shadow %q, gshadow %q", s, gs)
			}
			if changed != (string(p)+string(g) != passwd+group) {
				t.Errorf("changed: %v", changed)
			}
		})
	}
}

func TestNumbersRunOut(t *testing.T) {
	var lines strings.Builder
	for i := range 900 {
		fmt.Fprintf(&lines, "g g%d -\n", i)
	}
	decl, err := account.Parse([]byte(lines.String()))
	if err != nil {
		t.Fatal(err)
	}
	d := account.Load(nil, nil, nil, nil)
	if _, err := d.Declare(decl, account.Recorded{}, 0); err == nil {
		t.Error("900 groups have numbers among 899")
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("u dbus 81 \"System Message Bus\" - -\nm a b\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		decl, err := account.Parse(data)
		if err != nil {
			return
		}
		d := account.Load([]byte(passwd), []byte(group), nil, nil)
		if _, err := d.Declare(decl, account.Recorded{}, 1); err != nil {
			return
		}
		p, g, _, _ := d.Files()
		again := account.Load(p, g, nil, nil)
		if diff := cmp.Diff(d.Users(), again.Users()); diff != "" {
			t.Errorf("what was written is read differently: %s", diff)
		}
		if diff := cmp.Diff(d.Groups(), again.Groups()); diff != "" {
			t.Errorf("what was written is read differently: %s", diff)
		}
	})
}
