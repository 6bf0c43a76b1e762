package source

import (
	"bytes"
	"context"
	"fmt"
	"path"
	"regexp"
	"strings"
	"sync"
)

const gitattributes = ".gitattributes"

// Bounds of export-subst.
const (
	maxAttributes = 1 << 20
	maxFormats    = 50 // of one commit
)

var (
	// substForm is made when it is needed: that takes longer than to start some commands.
	substForm = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\$Format:([^$\n]{0,1000})\$`) })
	// signatureForm asks git to check signatures, for which it starts other programs.
	signatureForm = regexp.MustCompile(`%[-+ ]?G`)
)

// substitute writes files with the attribute export-subst as git archive does: "$Format:…$" becomes
// what git log says of the commit. Branches are not among its decorations, since the same commit has to
// give the same files later on; and %(describe) works everywhere, not only the first time. Patterns of .gitattributes are names or paths with *, ? and […].
func (m *Mirror) substitute(ctx context.Context, t *Tree, r Revision) error {
	formats := 0
	for name, e := range t.entries {
		if e.name != gitattributes || !e.mode.IsRegular() || e.size > maxAttributes || e.reader.dir != m.dir {
			continue
		}
		text, err := e.read()
		if err != nil {
			return err
		}
		for _, pattern := range substPatterns(string(text)) {
			for file, f := range t.entries {
				if !f.mode.IsRegular() || f.content != nil || f.reader.dir != m.dir || !matches(pattern, path.Dir(name), file) {
					continue
				}
				if err := m.substituteFile(ctx, f, r, &formats); err != nil {
					return fmt.Errorf("%s: %w", file, err)
				}
			}
		}
	}
	return nil
}

// substPatterns are the patterns of the lines that set export-subst (gitattributes(5)).
func substPatterns(text string) []string {
	var list []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		for _, attribute := range f[min(1, len(f)):] {
			if attribute == "export-subst" && !strings.HasPrefix(f[0], "#") {
				list = append(list, f[0])
			}
		}
	}
	return list
}

// matches tells whether the pattern of a .gitattributes in folder dir is for a file.
func matches(pattern, dir, file string) bool {
	rel := file
	if dir != "." {
		var ok bool
		if rel, ok = strings.CutPrefix(file, dir+"/"); !ok {
			return false
		}
	}
	pattern = strings.TrimPrefix(pattern, "**/")
	if !strings.Contains(pattern, "/") {
		rel = path.Base(rel)
	}
	ok, err := path.Match(strings.TrimPrefix(pattern, "/"), rel)
	return err == nil && ok
}

func (m *Mirror) substituteFile(ctx context.Context, f *entry, r Revision, formats *int) error {
	data, err := f.read()
	if err != nil {
		return err
	}
	var failed error
	out := substForm().ReplaceAllFunc(data, func(match []byte) []byte {
		format := string(substForm().FindSubmatch(match)[1])
		if failed != nil || signatureForm.MatchString(format) {
			return match
		}
		if *formats++; *formats > maxFormats {
			failed = fmt.Errorf("more than %d times $Format", maxFormats)
			return match
		}
		said, err := git(ctx, m.dir, "-c", "core.abbrev=7", "log", "-1", "--decorate-refs=refs/tags/", "--format=tformat:"+format, "--end-of-options", r.Commit, "--")
		if err != nil {
			failed = err
			return match
		}
		return []byte(strings.TrimSuffix(said, "\n"))
	})
	if failed == nil && !bytes.Equal(out, data) {
		f.content, f.size = out, int64(len(out))
	}
	return failed
}
