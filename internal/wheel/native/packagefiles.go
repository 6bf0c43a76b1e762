package native

import (
	"path"
	"slices"
	"strings"
)

// packageFiles adds the modules and the data of the packages.
func (b *setuptoolsBuild) packageFiles(w *Wheel) error {
	var manifest map[string][]string
	if flag := b.dist.includeData; flag != nil && *flag {
		var err error
		if manifest, err = b.manifestData(); err != nil {
			return err
		}
	}
	for _, pkg := range b.dist.packageNames() {
		if pkg == "" || strings.ContainsAny(pkg, "/ ") || strings.Contains(pkg, "..") {
			return unsupported("it has a package %q", pkg)
		}
		dir := b.dist.dirOf(pkg)
		if dir == "" || dir == "." || !b.tree.dirs[dir] {
			return unsupported("its package %s has no folder of its own", pkg)
		}
		if err := b.packageModules(w, pkg, dir); err != nil {
			return err
		}
		if err := b.data(w, pkg, dir, manifest[pkg]); err != nil {
			return err
		}
	}
	return nil
}

func (b *setuptoolsBuild) packageModules(w *Wheel, pkg, dir string) error {
	to := strings.ReplaceAll(pkg, ".", "/")
	for _, f := range b.tree.below(dir) {
		base := path.Base(f)
		if parent(f) != dir || !strings.HasSuffix(base, ".py") || base[0] == '.' {
			continue
		}
		file, err := b.tree.file(path.Join(to, base), f, false)
		if err != nil {
			return err
		}
		w.add(file)
	}
	return nil
}

// data adds a package's files that are no modules of it.
func (b *setuptoolsBuild) data(w *Wheel, pkg, dir string, files []string) error {
	patterns := append(slices.Clone(b.dist.packageData[""]), b.dist.packageData[pkg]...)
	if b.is.since(69, 0, 0) {
		patterns = append(patterns, "*.pyi", "py.typed")
	}
	files = slices.Clone(files)
	for _, p := range patterns {
		if strings.HasPrefix(p, "/") || strings.Contains(p, "..") || strings.HasSuffix(p, "/") || strings.ContainsAny(dir, "*?[") {
			return unsupported("its package_data has a pattern %q", p)
		}
		found, err := b.tree.glob(path.Join(dir, strings.TrimPrefix(p, "./")), true)
		if err != nil {
			return err
		}
		files = append(files, found...)
	}
	for _, p := range append(slices.Clone(b.dist.excludeData[""]), b.dist.excludeData[pkg]...) {
		re, err := fnmatch(path.Join(dir, p))
		if err != nil {
			return err
		}
		files = slices.DeleteFunc(files, re.MatchString)
	}
	to := strings.ReplaceAll(pkg, ".", "/")
	for _, f := range files {
		as := path.Join(to, strings.TrimPrefix(f, dir+"/"))
		if slices.ContainsFunc(w.Files, func(have File) bool { return have.Name == as }) {
			continue // it was copied as a module, or as data before
		}
		file, err := b.tree.file(as, f, b.tree.exec[f])
		if err != nil {
			return err
		}
		w.Files = append(w.Files, file)
	}
	return nil
}
