package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/rpm"
	"github.com/slipway-build/slipway/internal/rpm/rpmwrite"
	"github.com/slipway-build/slipway/internal/rpmrepo/repowrite"
)

// tinyRepo makes or extends a repository of empty packages: tinyrepo DIR NEVRA..., with the modules.yaml
// and updateinfo.xml that DIR has, if any.
func tinyRepo(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 1)
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o755))
	for _, text := range args[1:] {
		n, err := rpm.ParseNEVRA(text)
		ts.Check(err)
		ts.Check(rpmwrite.WriteFile(filepath.Join(dir, n.FileName()), rpmwrite.Spec{
			Name: n.Name, EVR: n.EVR, Arch: n.Arch, License: "MIT", BuildTime: 1_700_000_000, Compression: "none",
			Files: []rpmwrite.File{rpmwrite.Text("/usr/share/"+n.Name, text)},
		}))
	}
	var o repowrite.Options
	for name, into := range map[string]*[]byte{"modules.yaml": &o.Modules, "updateinfo.xml": &o.UpdateInfo} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if !errors.Is(err, fs.ErrNotExist) {
			ts.Check(err)
		}
		*into = data
	}
	ts.Check(repowrite.Write(dir, o))
}

// holdCache opens a cache until the script ends: held DIR.
func holdCache(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 1)
	d, err := cache.Open(ts.MkAbs(args[0]))
	ts.Check(err)
	ts.Defer(func() { ts.Check(d.Close()) })
}

// mirror serves a folder over HTTP, its address in $VAR: mirror VAR DIR [FAULT [PART]]. The fault is
// that of the files whose path has PART in it:
//
//	html      a page for people instead
//	cut       half of the file, and then the connection's end
//	flip      a bit in the middle is another one
//	loop      a redirection to itself, without end
//	hang      nothing is ever sent
//	missing   it is not there
//	bomb      XML that would grow without end
//	changes   the first answer is that of the folder DIR.old
func mirror(ts *testscript.TestScript, _ bool, args []string) {
	need(ts, args, 2)
	fault, part := "", ""
	if len(args) > 2 {
		fault = args[2]
	}
	if len(args) > 3 {
		part = args[3]
	}
	m := &mirrorServer{dir: ts.MkAbs(args[1]), fault: fault, part: part}
	s := httptest.NewServer(m)
	ts.Setenv(args[0], s.URL)
	ts.Defer(func() {
		s.CloseClientConnections()
		s.Close()
	})
}

type mirrorServer struct {
	dir, fault, part string
	answers          atomic.Int64
}

func (m *mirrorServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := filepath.Join(m.dir, filepath.FromSlash(r.URL.Path))
	if m.fault == "" || !strings.Contains(r.URL.Path, m.part) {
		http.ServeFile(w, r, path)
		return
	}
	data, err := os.ReadFile(path)
	switch m.fault {
	case "html":
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<!DOCTYPE html><html><title>Please log in</title></html>")
	case "cut":
		w.Header().Set("Content-Length", fmt.Sprint(len(data)))
		_, _ = w.Write(data[:len(data)/2])
	case "flip":
		if err == nil {
			data[len(data)/2] ^= 1
		}
		http.ServeContent(w, r, "", time.Time{}, strings.NewReader(string(data)))
	case "loop":
		http.Redirect(w, r, r.URL.Path, http.StatusFound)
	case "hang":
		<-r.Context().Done()
	case "missing":
		http.NotFound(w, r)
	case "bomb":
		fmt.Fprint(w, `<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><repomd>&b;</repomd>`)
	case "changes":
		if m.answers.Add(1) == 1 {
			path = filepath.Join(m.dir+".old", filepath.FromSlash(r.URL.Path))
		}
		http.ServeFile(w, r, path)
	default:
		http.Error(w, "no such fault", http.StatusTeapot)
	}
}
