package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"html/template"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/config"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/release"
	"github.com/slipway-build/slipway/internal/store"
)

func (a *app) compareCommand() *cobra.Command {
	var env, img, html string
	var runs int
	var markdown bool
	cmd := &cobra.Command{
		Use:   "compare",
		Short: "Build the service in every way there is here, and measure",
		Long: `Compare builds one image of an environment in every way that works on this machine, and prints how long
each took and how large it is: base and final image, cold (nothing made before, the RPMs fetched; final
images with their base there) and warm (the same again); then a commit of one line to the pushed image,
with the bytes sent for it; whether all runs gave the same digest; and whether the image has exactly the
packages of the lock. Times are medians of the runs. What is not available is named with the reason.

Everything is built in a folder that is removed: nothing is recorded, and slipway.lock stays as it is.`,
		Example: "  slipway compare --env stg --image web -n 5 --html compare.html",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if runs < 1 || runs > 100 {
				return usageError{fmt.Errorf("--runs %d: it is 1 to 100", runs)}
			}
			return a.with(cmd.Context(), func(s *session) error {
				name, err := environment(s.Config, env)
				if err != nil {
					return err
				}
				c, err := a.compare(cmd.Context(), s, name, img, runs)
				if err != nil {
					return err
				}
				if html != "" {
					if err := writeComparison(html, c); err != nil {
						return err
					}
				}
				return a.print(c, func(w io.Writer) { printComparison(w, c, markdown) })
			})
		},
	}
	cmd.Flags().StringVarP(&env, "env", "e", "", "environment whose branch is built (needed where there are several)")
	cmd.Flags().StringVar(&img, "image", "", "image to build (default: the environment's first)")
	cmd.Flags().IntVarP(&runs, "runs", "n", 3, "how often each is built")
	cmd.Flags().BoolVar(&markdown, "markdown", false, "print the table as Markdown")
	cmd.Flags().StringVar(&html, "html", "", "write a page with bars to this file, too")
	return cmd
}

func (a *app) compare(ctx context.Context, s *session, env, img string, runs int) (_ *release.Comparison, err error) {
	work, err := os.MkdirTemp(s.Cache.Root(), "compare-")
	if err != nil {
		return nil, fmt.Errorf("making a folder to build in: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(work)) }()
	n := 0
	return s.Compare(ctx, release.Comparing{
		Environment: env, Image: img, Runs: runs, Work: work, Progress: s.screen,
		Open: func(ctx context.Context, c *config.Config) (*release.Pipeline, func() error, error) {
			n++
			return a.fresh(ctx, s, c, filepath.Join(work, fmt.Sprint(n)))
		},
	})
}

// fresh opens a pipeline that has nothing but the RPMs and repositories of the session.
func (a *app) fresh(ctx context.Context, s *session, c *config.Config, dir string) (_ *release.Pipeline, _ func() error, err error) {
	var closers []func() error
	closing := func() error {
		var errs []error
		for i := len(closers) - 1; i >= 0; i-- {
			errs = append(errs, closers[i]())
		}
		return errors.Join(append(errs, os.RemoveAll(dir))...)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closing())
		}
	}()
	made, err := cache.Open(filepath.Join(dir, "cache"))
	if err != nil {
		return nil, nil, err
	}
	closers = append(closers, made.Close)
	records, err := store.Open(ctx, filepath.Join(dir, "records.db"))
	if err != nil {
		return nil, nil, err
	}
	closers = append(closers, records.Close)
	e := &registry.Embedded{Root: filepath.Join(dir, "registry"), Log: s.Log}
	address, err := e.Start(context.WithoutCancel(ctx), "")
	if err != nil {
		return nil, nil, err
	}
	closers = append(closers, e.Close)
	p := *s.Pipeline
	p.Config, p.Cache, p.Records, p.Progress = c, made, records, nil
	p.Images = &image.Builder{Cache: made, Log: s.Log}
	p.Exchange = filepath.Join(dir, "exchange")
	p.Registry = release.Registry{Address: address + "/" + c.Service, Options: registry.Options{Log: s.Log}, Embedded: true}
	return &p, closing, nil
}

// comparisonRows are the table's, with its heading.
func comparisonRows(c *release.Comparison) [][]string {
	rows := [][]string{{"image name", "build time", "again", "size", "one-line change", "pushed", "reproducible", "packages equal"}}
	for _, r := range c.Rows {
		change, pushed, same := "-", "-", "one run"
		if r.Part == "final" {
			change, pushed = seconds(r.Change), size(r.Pushed)
		}
		if r.Reproducible != nil {
			same = yesNo(*r.Reproducible)
		}
		rows = append(rows, []string{r.Name, seconds(r.Cold), seconds(r.Warm), size(r.Size), change, pushed, same, yesNo(r.Equal)})
	}
	return rows
}

func seconds(s float64) string { return fmt.Sprintf("%.3fs", s) }

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func printComparison(w io.Writer, c *release.Comparison, markdown bool) {
	rows := comparisonRows(c)
	if !markdown {
		table(w, rows)
	} else {
		for i, r := range rows {
			fmt.Fprintf(w, "| %s |\n", strings.Join(r, " | "))
			if i == 0 {
				fmt.Fprintf(w, "|%s\n", strings.Repeat("---|", len(r)))
			}
		}
	}
	fmt.Fprintf(w, "\n%d packages; medians of %d runs\n", c.Packages, c.Runs)
	for _, m := range c.Missing {
		fmt.Fprintf(w, "not measured: %s: %s\n", m.Name, m.Reason)
	}
}

//go:embed compare.html
var comparisonText string

// bar is a time, and how long it is drawn.
type bar struct {
	Label  string
	Time   float64
	Length float64 // of 100
	What   string
}

// writeComparison writes a page that needs nothing else to be shown.
func writeComparison(path string, c *release.Comparison) error {
	page := template.Must(template.New("compare").Funcs(template.FuncMap{"seconds": seconds}).Parse(comparisonText))
	what := struct {
		*release.Comparison
		Charts []chart
		Table  [][]string
	}{c, charts(c), comparisonRows(c)}
	var b bytes.Buffer
	if err := page.Execute(&b, what); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	if err := renameio.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("writing the page: %w", err)
	}
	return nil
}

// chart is the bars of one question.
type chart struct {
	Title string
	Bars  []bar
}

func charts(c *release.Comparison) []chart {
	list := []chart{
		{Title: "Base image, from nothing"}, {Title: "Final image, on its base"}, {Title: "A one-line change, from commit to pushed image"},
	}
	for _, r := range c.Rows {
		switch r.Part {
		case "base":
			list[0].Bars = append(list[0].Bars, bar{Label: r.Name, Time: r.Cold, What: "cold"}, bar{Label: r.Name, Time: r.Warm, What: "again"})
		default:
			list[1].Bars = append(list[1].Bars, bar{Label: r.Name, Time: r.Cold, What: "cold"}, bar{Label: r.Name, Time: r.Warm, What: "again"})
			list[2].Bars = append(list[2].Bars, bar{Label: r.Name, Time: r.Change, What: size(r.Pushed) + " pushed"})
		}
	}
	for _, ch := range list {
		longest := 0.0
		for _, b := range ch.Bars {
			longest = max(longest, b.Time)
		}
		for i := range ch.Bars {
			if longest > 0 {
				ch.Bars[i].Length = 100 * ch.Bars[i].Time / longest
			}
		}
	}
	return list
}
