package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/cache"
)

// kinds says in a few words what the cache has of each kind.
var kinds = map[string]string{
	"components": "Python distributions found in images, for bills of materials",
	"fragment":   "packages, compressed as parts of layers",
	"image":      "records of images that were built",
	"index":      "what was read of repositories' metadata",
	"layer":      "layers of images",
	"metadata":   "what build backends say of projects",
	"mirrors":    "git repositories",
	"remembered": "repositories' metadata and keys as seen last, for --offline",
	"rpm":        "packages",
	"scheme":     "where Pythons install to",
	"scripts":    "what scriptlets of packages left",
	"unpacked":   "layers, unpacked to be run",
	"verified":   "whose signatures were verified",
	"wheel":      "wheels of projects",
	"wheelbase":  "projects' last wheels, from which the next ones are made",
}

type cacheReport struct {
	Folder string        `json:"folder"`
	Bytes  int64         `json:"bytes"`
	Kinds  []cacheReckon `json:"kinds"`
}

type cacheReckon struct {
	Kind     string    `json:"kind"`
	What     string    `json:"what,omitempty"`
	Entries  int       `json:"entries"`
	Bytes    int64     `json:"bytes"`
	LastUsed time.Time `json:"lastUsed"`
}

func (a *app) cacheCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cache",
		Short: "What the cache has, and how much room it takes",
		Long: `Cache lists what can be made again and was kept to save time, by kind, with the room that it takes on the
disk and when it was used last. "slipway cache prune" makes room.`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withCache(func(dir *cache.Dir) error { return a.showCache(cmd.Context(), dir) })
		},
	}
	cmd.AddCommand(a.cachePruneCommand())
	return cmd
}

// withCache opens the cache for a command's work.
func (a *app) withCache(work func(*cache.Dir) error) (err error) {
	dir, err := cache.Open(a.cacheDir)
	if err != nil {
		return fmt.Errorf("%w (--cache names another folder)", err)
	}
	defer func() { err = errors.Join(err, dir.Close()) }()
	return work(dir)
}

func (a *app) showCache(ctx context.Context, dir *cache.Dir) error {
	usage, err := dir.Usage(ctx)
	if err != nil {
		return err
	}
	r := cacheReport{Folder: dir.Root(), Kinds: reckon(usage)}
	for _, k := range r.Kinds {
		r.Bytes += k.Bytes
	}
	return a.print(r, func(w io.Writer) {
		rows := [][]string{{"KIND", "ENTRIES", "SIZE", "LAST USED", "WHAT"}}
		for _, k := range r.Kinds {
			rows = append(rows, []string{k.Kind, strconv.Itoa(k.Entries), size(k.Bytes), ago(k.LastUsed, time.Now()), k.What})
		}
		if len(r.Kinds) > 0 {
			table(w, rows)
		}
		fmt.Fprintf(w, "%s in %s\n", size(r.Bytes), r.Folder)
	})
}

func reckon(usage []cache.Usage) []cacheReckon {
	out := make([]cacheReckon, 0, len(usage))
	for _, u := range usage {
		out = append(out, cacheReckon{Kind: u.Kind, What: kinds[u.Kind], Entries: u.Entries, Bytes: u.Bytes, LastUsed: u.LastUsed.UTC()})
	}
	return out
}

type pruneReport struct {
	Folder  string        `json:"folder"`
	DryRun  bool          `json:"dryRun"`
	Bytes   int64         `json:"bytes"` // removed
	Removed []cacheReckon `json:"removed"`
	Held    []cacheReckon `json:"held"` // by what runs on this machine
}

func (a *app) cachePruneCommand() *cobra.Command {
	var l cache.Limits
	var olderThan, maxSize string
	cmd := &cobra.Command{
		Use:   "prune",
		Short: "Remove what was not used for long, or the least recently used",
		Long: `Prune removes entries of the cache: with --older-than those that were not used for so long, with --max-size
those that were used longest ago, until no more is left than that, with --all everything. What it
removes is made again, or fetched again, when it is needed: packages too, so a repository that has
dropped them is then asked in vain.

It runs only while no other slipway uses the cache, and one that begins meanwhile waits for it. What
environments on this machine run from stays.`,
		Example: `  slipway cache prune --older-than 30d
  slipway cache prune --max-size 20GB --dry-run`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if olderThan == "" && maxSize == "" && !l.All {
				return usageError{errors.New("say what goes: --older-than, --max-size or --all")}
			}
			if l.OlderThan, err = parseAge(olderThan); err != nil {
				return usageError{fmt.Errorf("--older-than: %w", err)}
			}
			if l.MaxBytes, err = parseSize(maxSize); err != nil {
				return usageError{fmt.Errorf("--max-size: %w", err)}
			}
			return a.withCache(func(dir *cache.Dir) error { return a.pruneCache(cmd.Context(), dir, l) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&olderThan, "older-than", "", "remove what was not used for so long, such as 12h or 30d")
	f.StringVar(&maxSize, "max-size", "", "leave at most so much, such as 500MB or 20GB")
	f.BoolVar(&l.All, "all", false, "remove everything")
	f.BoolVar(&l.DryRun, "dry-run", false, "only say what would be removed")
	f.DurationVar(&l.Wait, "wait", 0, "how long to wait for others to end, such as 10m")
	return cmd
}

func (a *app) pruneCache(ctx context.Context, dir *cache.Dir, l cache.Limits) error {
	p, err := dir.Prune(ctx, l)
	if errors.Is(err, cache.ErrInUse) {
		return fmt.Errorf("pruning %s: %w (--wait 10m waits for it)", dir.Root(), err)
	} else if err != nil {
		return err
	}
	r := pruneReport{Folder: dir.Root(), DryRun: l.DryRun, Removed: reckon(p.Removed), Held: reckon(p.Held)}
	for _, k := range r.Removed {
		r.Bytes += k.Bytes
	}
	return a.print(r, r.write)
}

func (r pruneReport) write(w io.Writer) {
	verb := "removed"
	if r.DryRun {
		verb = "would remove"
	}
	for _, k := range r.Removed {
		fmt.Fprintf(w, "%s %d of %s, %s\n", verb, k.Entries, k.Kind, size(k.Bytes))
	}
	for _, k := range r.Held {
		fmt.Fprintf(w, "kept %d of %s, %s: environments on this machine run from them\n", k.Entries, k.Kind, size(k.Bytes))
	}
	fmt.Fprintf(w, "%s %s of %s\n", verb, size(r.Bytes), r.Folder)
}

var (
	ageForm  = regexp.MustCompile(`^([0-9]{1,5})(m|h|d|w)$`)
	sizeForm = regexp.MustCompile(`^([0-9]{1,9})(B|kB|MB|GB|TB|KiB|MiB|GiB|TiB)$`)
)

// parseAge reads a time span of minutes, hours, days or weeks; nothing is 0.
func parseAge(text string) (time.Duration, error) {
	m := ageForm.FindStringSubmatch(text)
	if m == nil && text != "" {
		return 0, fmt.Errorf("%q is not a time span such as 12h, 30d or 8w", text)
	} else if m == nil {
		return 0, nil
	}
	n, err := strconv.Atoi(m[1])
	unit := map[string]time.Duration{"m": time.Minute, "h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour}[m[2]]
	if err == nil && n == 0 {
		err = errors.New("0 would remove everything: that is --all")
	}
	return time.Duration(n) * unit, err
}

// parseSize reads a number of bytes; nothing is 0.
func parseSize(text string) (int64, error) {
	m := sizeForm.FindStringSubmatch(text)
	if m == nil && text != "" {
		return 0, fmt.Errorf("%q is not a size such as 500MB or 20GB", text)
	} else if m == nil {
		return 0, nil
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	unit := map[string]int64{
		"B": 1, "kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	}[m[2]]
	switch {
	case err == nil && n == 0:
		err = errors.New("0 would remove everything: that is --all")
	case n > (1<<62)/unit:
		err = fmt.Errorf("%s is more than any disk has", text)
	}
	return n * unit, err
}
