package image

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image/account"
)

// accountFiles are the files of the user database, in the order of account.Database.Files.
var accountFiles = [...]string{account.PasswdPath, account.GroupPath, account.ShadowPath, account.GShadowPath}

// declareAccounts gathers the users and groups that packages bring or declare. Those that were
// added make the first of the assembly's uppers.
func (a *assembly) declareAccounts(ctx context.Context) error {
	had, err := a.packages.contents(func(p string) bool { return slices.Contains(accountFiles[:], p) })
	if err != nil {
		return err
	}
	a.accounts = account.Load(had[account.PasswdPath], had[account.GroupPath], had[account.ShadowPath], had[account.GShadowPath])
	declared, err := a.declarations()
	if err != nil {
		return err
	}
	recorded := account.Recorded{Users: a.spec.Recorded.Users, Groups: a.spec.Recorded.Groups}
	const secondsPerDay = 24 * 60 * 60
	changed, err := a.accounts.Declare(declared, recorded, a.epoch/secondsPerDay)
	if err != nil || !changed {
		return err
	}
	return a.layAccounts(ctx, had)
}

// declarations are those of the packages' Provides, in the order of installation, and then what
// files of sysusers.d say of owners that are not known otherwise.
func (a *assembly) declarations() ([]account.Declaration, error) {
	var out []account.Declaration
	known := map[string]bool{"u root": true, "g root": true}
	for name := range a.accounts.Users() {
		known["u "+name] = true
	}
	for name := range a.accounts.Groups() {
		known["g "+name] = true
	}
	for i := range a.packages {
		list, err := account.Provided(a.packages[i].rpm.Provides())
		if err != nil {
			return nil, fmt.Errorf("package %s: %w", a.packages[i].NEVRA, err)
		}
		for _, d := range list {
			known["g "+d.Name] = true // a user has a group of its name
			known[string(d.Kind)+" "+d.Name] = true
		}
		out = append(out, list...)
	}
	unknown := map[string]bool{}
	for i := range a.packages {
		user, group := "root", "root"
		for _, f := range a.packages[i].files {
			if f.Owner == user && f.Group == group {
				continue // as the one before
			}
			user, group = f.Owner, f.Group
			for _, owner := range []string{"u " + user, "g " + group} {
				if !known[owner] {
					unknown[owner] = true
				}
			}
		}
	}
	if len(unknown) == 0 {
		return out, nil
	}
	more, err := a.fileDeclarations(unknown)
	return append(out, more...), err
}

func (a *assembly) fileDeclarations(unknown map[string]bool) ([]account.Declaration, error) {
	files, err := a.packages.contents(func(p string) bool {
		return path.Dir(p) == "/usr/lib/sysusers.d" && strings.HasSuffix(p, ".conf")
	})
	if err != nil {
		return nil, err
	}
	var out []account.Declaration
	for _, name := range slices.Sorted(maps.Keys(files)) {
		list, err := account.Parse(files[name])
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		for _, d := range list {
			if unknown["u "+d.Name] || unknown["g "+d.Name] {
				out = append(out, d)
			}
		}
	}
	return out, nil
}

// layAccounts writes the files that were added to into a folder that lies over the packages. Modes
// and owners are those that the packages' files have.
func (a *assembly) layAccounts(ctx context.Context, had map[string][]byte) error {
	var now [len(accountFiles)][]byte
	now[0], now[1], now[2], now[3] = a.accounts.Files()
	parts := []string{"accounts/1"}
	for _, data := range now {
		parts = append(parts, string(data))
	}
	kept := a.accountOwners()
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		parts = append(parts, fmt.Sprintf("%s %+v", name, kept[name]))
	}
	dir, _, err := a.Cache.Tree(ctx, "scripts", cache.Key(parts...), func(dir string) error {
		if err := os.Chmod(dir, 0o755); err != nil { // whatever the umask: it is the scripts' /
			return err
		}
		etc := filepath.Join(dir, "etc")
		if err := os.Mkdir(etc, 0o755); err != nil {
			return err
		}
		if err := kept["/etc"].apply(etc); err != nil {
			return err
		}
		for i, name := range accountFiles {
			if string(now[i]) == string(had[name]) {
				continue
			}
			file := filepath.Join(dir, name)
			if err := os.WriteFile(file, now[i], 0o600); err != nil {
				return err
			}
			if err := kept[name].apply(file); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("adding users and groups: %w", err)
	}
	a.uppers = append(a.uppers, dir)
	return nil
}

// access is who may do what with a file.
type access struct {
	Mode     uint32
	UID, GID int
}

func (x access) apply(name string) error {
	if os.Geteuid() == 0 {
		if err := os.Chown(name, x.UID, x.GID); err != nil {
			return err
		}
	}
	return os.Chmod(name, os.FileMode(x.Mode))
}

// accountOwners are modes and owners of the files and their folder: the packages', or the usual
// ones.
func (a *assembly) accountOwners() map[string]access {
	out := map[string]access{
		"/etc":             {Mode: 0o755},
		account.PasswdPath: {Mode: 0o644}, account.GroupPath: {Mode: 0o644}, account.ShadowPath: {}, account.GShadowPath: {},
	}
	for i := range a.packages {
		for _, f := range a.packages[i].files {
			if _, ok := out[f.Path]; ok && (f.IsRegular() || f.IsDir()) {
				out[f.Path] = access{f.Mode & 0o777, a.accounts.Users()[f.Owner], a.accounts.Groups()[f.Group]}
			}
		}
	}
	return out
}

// readAccounts takes over what early scripts made of the user database: the topmost upper's files.
func (a *assembly) readAccounts(upper string) error {
	root, err := os.OpenRoot(upper)
	if err != nil {
		return err
	}
	defer root.Close()
	var now [len(accountFiles)][]byte
	now[0], now[1], now[2], now[3] = a.accounts.Files()
	for i, name := range accountFiles {
		data, err := root.ReadFile(name[1:])
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("reading %s after the scripts: %w", name, err)
		}
		now[i] = data
	}
	a.accounts = account.Load(now[0], now[1], now[2], now[3])
	return nil
}
