package s2i

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/slipway-build/slipway/internal/sandbox"
)

// names are the scripts of the contract.
var names = []string{"assemble", "run", "save-artifacts", "usage"}

// scripts are where each script was found.
type scripts struct {
	image  map[string]string // in the image, by name
	folder string            // of those that are not the image's; "" where there are none
	ours   []string          // names of the latter
}

func (s scripts) has(name string) bool { return s.image[name] != "" || slices.Contains(s.ours, name) }

func (s scripts) brought() bool { return len(s.ours) > 0 }

// path is where a script lies while it runs.
func (s scripts) path(name, destination string) string {
	if slices.Contains(s.ours, name) {
		return path.Join(destination, "scripts", name)
	}
	return s.image[name]
}

// mounts has scripts that are not the image's where they run.
func (s scripts) mounts(destination string) []sandbox.Mount {
	if s.folder == "" {
		return nil
	}
	return []sandbox.Mount{{Source: s.folder, Target: path.Join(destination, "scripts"), ReadOnly: true}}
}

// kept is where the result has a script.
func (s scripts) kept(name string) string {
	if slices.Contains(s.ours, name) {
		return path.Join(keptScripts, name)
	}
	return s.image[name]
}

// keep puts scripts that the builder does not have among the changes.
func (s scripts) keep(upper string) error {
	for _, name := range s.ours {
		to := filepath.Join(upper, keptScripts, name)
		data, err := os.ReadFile(filepath.Join(s.folder, name))
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o755)
		}
		if err == nil {
			err = os.WriteFile(to, data, 0o755)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// findScripts looks for each script at the places of the contract, in their order.
func (w *work) findScripts(ctx context.Context) (scripts, error) {
	s := scripts{image: map[string]string{}}
	for _, name := range names {
		for _, place := range []func() (data, at string, err error){
			func() (string, string, error) { return w.at(ctx, w.ScriptsURL, name) },
			func() (string, string, error) {
				text, err := w.sources.control(path.Join(scriptsFolder, name))
				return text, "", err
			},
			func() (string, string, error) { return w.at(ctx, w.contract.scripts, name) },
		} {
			data, at, err := place()
			if err != nil {
				return s, fmt.Errorf("looking for %s: %w", name, err)
			}
			if at != "" {
				s.image[name] = at
				break
			}
			if data == "" {
				continue
			}
			if s.folder == "" {
				if s.folder, err = os.MkdirTemp(w.dir, "scripts-"); err != nil {
					return s, err
				}
				if err := os.Chmod(s.folder, 0o755); err != nil {
					return s, err
				}
			}
			if err := os.WriteFile(filepath.Join(s.folder, name), []byte(data), 0o755); err != nil {
				return s, err
			}
			s.ours = append(s.ours, name)
			break
		}
	}
	return s, nil
}

// at looks for a script below a URL: the text, or where the image has it; nothing where it is not there.
func (w *work) at(ctx context.Context, address, name string) (data, at string, err error) {
	if address == "" {
		return "", "", nil
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", "", fmt.Errorf("%q is no URL", address)
	}
	switch u.Scheme {
	case "image":
		at := path.Join("/", u.Host, u.Path, name)
		if w.inImage(at) {
			return "", at, nil
		}
		return "", "", nil
	case "file":
		text, err := os.ReadFile(filepath.Join(u.Path, name))
		if errors.Is(err, fs.ErrNotExist) {
			return "", "", nil
		}
		return string(text), "", err
	case "http", "https":
		text, err := download(ctx, u.JoinPath(name).String())
		return text, "", err
	}
	return "", "", fmt.Errorf("%q is no place of scripts: image://, file://, http:// and https:// are", address)
}

// inImage tells whether the builder has a file, in its topmost layer that says anything of it.
func (w *work) inImage(at string) bool {
	for _, dir := range w.lower {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return false
		}
		info, err := root.Stat(strings.TrimPrefix(at, "/"))
		_ = root.Close()
		if err == nil {
			return info.Mode().IsRegular()
		}
	}
	return false
}

// downloadTime is how long a script may take to come.
const downloadTime = time.Minute

func download(ctx context.Context, address string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, downloadTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusNotFound:
		return "", nil
	case resp.StatusCode != http.StatusOK:
		return "", fmt.Errorf("%s answered %s", req.URL.Redacted(), resp.Status)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxControl+1))
	if err == nil && len(data) > maxControl {
		err = fmt.Errorf("%s has more than the %d bytes allowed", req.URL.Redacted(), maxControl)
	}
	return string(data), err
}
