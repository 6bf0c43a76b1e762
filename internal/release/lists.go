package release

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/requirement"
	"github.com/slipway-build/slipway/internal/requirement/pymeta"
	"github.com/slipway-build/slipway/internal/rpm"
)

// listed is what the package lists of an image say.
type listed struct {
	requirements []requirement.Requirement
	warnings     []string // "project/file:line: message", in the order of the lists
}

// lists reads an image's packages-from, with its overrides applied.
func (p *Pipeline) lists(ctx context.Context, c *Candidate, name string, target requirement.Target) (listed, error) {
	var l listed
	img := p.Config.Images[name]
	for _, from := range img.Lists {
		if err := p.list(ctx, c, from, target, &l); err != nil {
			return l, fmt.Errorf("%s:%d: images.%s.packages-from: %w", config.FileName, from.Line, name, err)
		}
	}
	l.override(name, img.Overrides)
	return l, nil
}

// list reads one file, of a project or of the configuration's folder.
func (p *Pipeline) list(ctx context.Context, c *Candidate, from config.Text, target requirement.Target, l *listed) error {
	project, file := from.Source()
	read := func(tree fs.FS, prefix string) error {
		requirements, diagnostics, err := requirement.ReadList(requirement.Project{Name: project, Tree: tree}, path.Clean(file), target)
		if err != nil {
			return err
		}
		l.requirements = append(l.requirements, requirements...)
		for _, d := range diagnostics {
			l.warnings = append(l.warnings, prefix+d.String())
		}
		return nil
	}
	if project == "" {
		root, err := os.OpenRoot(p.Config.Dir())
		if err != nil {
			return fmt.Errorf("reading the configuration's folder: %w", err)
		}
		defer root.Close()
		return read(root.FS(), "")
	}
	tree, err := p.tree(ctx, c, project)
	if err != nil {
		return fmt.Errorf("project %s: %w", project, err)
	}
	defer tree.Close()
	return read(tree, project+"/")
}

// override replaces and drops entries. An override without an entry is a warning: the list has moved
// on.
func (l *listed) override(image string, overrides []config.Override) {
	for _, o := range overrides {
		var kept []requirement.Requirement
		found := false
		for _, q := range l.requirements {
			if !names(q, o.Name.Value) {
				kept = append(kept, q)
				continue
			}
			found = true
			if !o.Drop {
				q.Request = o.Replace
				q.Origin.Section = fmt.Sprintf("%s; replaced by %s:%d: %s", q.Origin.Section, config.FileName, o.Name.Line, o.Reason)
				kept = append(kept, q)
			}
		}
		l.requirements = kept
		if !found {
			l.warnings = append(l.warnings, fmt.Sprintf("%s:%d: images.%s.overrides: no list has an entry %s any more", config.FileName, o.Name.Line, image, o.Name.Value))
		}
	}
}

// names says whether an entry is meant by a name: as it is written, or without its version; Python
// projects by any spelling of theirs.
func names(q requirement.Requirement, name string) bool {
	written := q.Written[:nameEnd(q.Written)]
	if q.Written == name || q.Request == name || written == name {
		return true
	}
	if strings.Contains(q.Request, "dist(") && pymeta.NormalizeName(written) == pymeta.NormalizeName(name) {
		return true
	}
	d, err := rpm.ParseDependency(q.Request)
	return err == nil && !d.IsRich() && d.Name == name
}

// nameEnd is where the name ends that an entry begins with.
func nameEnd(s string) int {
	if i := strings.IndexAny(s, "<>=!~[; "); i >= 0 {
		return i
	}
	return len(s)
}
