package image_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/oracle"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
)

// sight is what a script saw: "b %post" of three packages that need each other, a first.
type sight struct {
	Script string
	// Files, Users and Links are the packages whose files are there, whose %pre made their user, and whose
	// %post made their link.
	Files, Users, Links string
}

// seeing are the packages. Their files belong to their users where owned.
func seeing(t *testing.T, owned bool) []image.BasePackage {
	t.Helper()
	look := func(name string, kind rpm.ScriptKind, before, after string, conditions ...string) rpm.Script {
		return script(kind, before+`
f= u= l=
for x in a b c; do
  [ ! -e /opt/$x/file ] || f=$f$x
  while IFS=: read -r n rest; do [ "$n" != "user-$x" ] || u=$u$x; done </etc/passwd
  [ ! -h /links/$x ] || l=$l$x
done
echo "`+name+" "+strings.TrimPrefix(kind.String(), "%")+` $f/$u/$l" >>/log
`+after, conditions...)
	}
	specs := []rpmwrite.Spec{shell(t, "ln"), {Name: "setup", Files: []rpmwrite.File{
		rpmwrite.Dir("/links"), rpmwrite.Text("/etc/passwd", "root:x:0:0::/root:/bin/sh\n"), rpmwrite.Text("/etc/group", "root:x:0:\n"),
	}}}
	needs := []string{"shell", "setup"}
	for i, name := range []string{"a", "b", "c"} {
		id := string(rune('1'+i)) + "00"
		file := rpmwrite.Text("/opt/"+name+"/file", name)
		if owned {
			file.Owner, file.Group = "user-"+name, "user-"+name
		}
		s := rpmwrite.Spec{Name: name, Requires: requires(needs...), Files: []rpmwrite.File{rpmwrite.Dir("/opt/" + name), file}, Scripts: []rpm.Script{
			look(name, rpm.ScriptPre, "", "echo user-"+name+":x:"+id+":"+id+"::/:/bin/sh >>/etc/passwd; echo user-"+name+":x:"+id+": >>/etc/group"),
			look(name, rpm.ScriptPost, "", "ln -s ../opt/"+name+" /links/"+name),
			look(name, rpm.ScriptPostTrans, "", ""),
		}}
		if name == "b" {
			s.Scripts = append(s.Scripts, look(name, rpm.ScriptFileTriggerIn, "while read -r path; do :; done", "", "/opt/"),
				look(name, rpm.ScriptTriggerIn, "", "", "c"), look(name, rpm.ScriptTransFileTriggerIn, "", "", "/opt/"))
		}
		specs, needs = append(specs, s), append(needs, name)
	}
	return build(t, specs...)
}

func sights(t *testing.T, root string) (out []sight) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, "log"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		name, seen, _ := strings.Cut(strings.TrimSpace(line), " ")
		kind, seen, _ := strings.Cut(seen, " ")
		f := strings.Split(seen, "/")
		out = append(out, sight{name + " %" + kind, f[0], f[1], f[2]})
	}
	return out
}

// TestWhatScriptsSee has scripts record which packages' files, users and links are there when they run,
// under rpm and here. What differs is what docs/design's page on scriptlets says, and nothing else: files of
// later packages are there from the start; where files belong to users that a %pre makes, every %pre runs
// first, and finds none of these files.
func TestWhatScriptsSee(t *testing.T) {
	oracle.Need(t, "rpm", "umoci")
	for name, owned := range map[string]bool{"root owns": false, "users own the files": true} {
		t.Run(name, func(t *testing.T) {
			packages := seeing(t, owned)
			want, got := sights(t, installed(t, packages)), sights(t, unpacked(t, base(t, builder(t), packages)))
			if len(want) < 12 || want[0] != (sight{"a %pre", "", "", ""}) {
				t.Fatalf("rpm's scripts saw %+v", want)
			}
			pre := func(s sight) bool { return strings.HasSuffix(s.Script, " %pre") }
			if owned {
				// rpm's order, but for every %pre being first.
				slices.SortStableFunc(want, func(x, y sight) int {
					switch {
					case pre(x) == pre(y):
						return 0
					case pre(x):
						return -1
					}
					return 1
				})
			}
			for i := range want {
				w := &want[i]
				switch {
				case !owned:
					w.Files = "abc"
				case pre(*w):
					w.Files, w.Links = "", ""
				default:
					w.Files, w.Users = "abc", "abc"
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("scripts saw something else (-rpm, as far as it should be the same, +ours):\n%s", diff)
			}
		})
	}
}
