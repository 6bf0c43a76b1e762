package s2i

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/slipway-build/slipway/internal/image"
)

// Dockerfile writes a folder from which an engine builds the same: upload/src with the sources, upload/scripts
// with scripts that are not the builder's, and a Dockerfile. The folder must not exist, or be empty. What
// save-artifacts would give is not in it.
func Dockerfile(ctx context.Context, images *image.Builder, r Request, dir string) (err error) {
	if found, err := os.ReadDir(dir); err == nil && len(found) > 0 {
		return fmt.Errorf("source-to-image: %s is not empty: name another folder", dir)
	}
	w, err := open(ctx, images, r)
	if err != nil {
		return fmt.Errorf("source-to-image: %w", err)
	}
	defer func() { err = errors.Join(err, w.close()) }()
	if !w.scripts.has("assemble") || !w.scripts.has("run") {
		return errors.New("source-to-image: there is no assemble and run")
	}
	src := filepath.Join(dir, "upload", "src")
	if err := os.MkdirAll(src, 0o755); err != nil {
		return err
	}
	if err := w.sources.copyTo(src, os.Getuid(), os.Getgid()); err != nil {
		return err
	}
	if err := w.scripts.keep(filepath.Join(dir, "upload")); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "Dockerfile"), []byte(w.dockerfile()), 0o644)
}

func (w *work) dockerfile() string {
	var b strings.Builder
	at := w.contract.destination
	fmt.Fprintf(&b, "FROM %s\nLABEL \"%s\"=\"%s\"\n", w.Name, labelBuiltBy, w.Name)
	for _, v := range mergeEnv(w.sources.env, w.Env) {
		name, value, _ := strings.Cut(v, "=")
		fmt.Fprintf(&b, "ENV %s=\"%s\"\n", name, strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`).Replace(value))
	}
	fmt.Fprintf(&b, "USER root\nCOPY upload/src %s\n", path.Join(at, "src"))
	if w.scripts.brought() {
		fmt.Fprintf(&b, "COPY upload%s %s\n", keptScripts, keptScripts)
	}
	if !isRoot(w.user.name) {
		fmt.Fprintf(&b, "RUN chown -R %s %s\nUSER %s\n", w.user.name, path.Join(at, "src"), w.user.name)
	}
	fmt.Fprintf(&b, "RUN %s\n", w.scripts.kept("assemble"))
	if w.config.User != "" && w.config.User != w.user.name {
		fmt.Fprintf(&b, "USER %s\n", w.config.User)
	}
	fmt.Fprintf(&b, "CMD [\"%s\"]\n", w.scripts.kept("run"))
	return b.String()
}
