package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/slipway-build/slipway/internal/oracle"
)

const inspectedText = `Name: hello
Epoch: 2
Version: 1.2~rc1
Release: 1
Summary: Greets
License: MIT
Requires: zlib, bash >= 5
Requires: aaa >= 2
Requires: aaa
Requires: zlib
Requires: (one or two)
Requires(post): coreutils
BuildRequires: make >= 3, gcc
BuildRequires: autoconf
Provides: greeter = 1
%description
d
%package -n greet-libs
Summary: Its library
Requires: %{name}%{?_isa} = %{epoch}:%{version}-%{release}
%description -n greet-libs
d
%package none
Summary: It has no files
Requires: never
%description none
d
%post
echo hi
%files
%files -n greet-libs
`

// TestInspectAsRpmspec compares the lists with those of rpmspec, line by line.
func TestInspectAsRpmspec(t *testing.T) {
	oracle.Need(t, "rpmspec")
	file := filepath.Join(t.TempDir(), "hello.spec")
	if err := os.WriteFile(file, []byte(inspectedText), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, selector := range []string{"--requires", "--buildrequires", "--provides"} {
		want, err := exec.CommandContext(t.Context(), "rpmspec", "-q", "--target", "x86_64", selector, file).Output()
		if err != nil {
			t.Fatal(err)
		}
		var out, msg strings.Builder
		a := &app{args: []string{"inspect", "spec", file, "--target", "universe-1", selector}, out: &out, err: &msg}
		if status := a.run(t.Context()); status != 0 || msg.Len() > 0 {
			t.Errorf("%s: status %d: %s", selector, status, msg.String())
		}
		if got := out.String(); got != string(want) {
			t.Errorf("%s:\n%s\nrpmspec prints:\n%s", selector, got, want)
		}
	}
}
