package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/cache"
	"github.com/slipway-build/slipway/internal/image"
	"github.com/slipway-build/slipway/internal/image/inspect"
	"github.com/slipway-build/slipway/internal/registry"
	"github.com/slipway-build/slipway/internal/strategy/s2i"
)

func (a *app) s2iCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "s2i", Short: "Build images as source-to-image does: a builder image and sources", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.s2iBuildCommand(), a.s2iUsageCommand())
	return cmd
}

// s2iOptions are the flags.
type s2iOptions struct {
	request               s2i.Request
	layout, tag, previous string
	dockerfile            string
}

func (a *app) s2iBuildCommand() *cobra.Command {
	var o s2iOptions
	cmd := &cobra.Command{
		Use:   "build SOURCE BUILDER",
		Short: "Have a builder image assemble sources",
		Long: `Build runs the assemble script of a builder image over the sources in a folder, and writes the image that
comes of it to an OCI image layout. It follows the contract of OpenShift's builder images: labels, scripts of
the image, of a URL or of .s2i/bin, .s2iignore, .s2i/environment, save-artifacts. No program s2i and no Docker is
needed: scripts run in a sandbox, without network, and are stopped after --time.

` + imageReferences,
		Example: `  slipway s2i build ./web registry.example.com/python-builder:3.13 -o out --tag web
  slipway s2i build ./web oci:builders:python -o out --tag web --incremental oci:out:web`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usageError{fmt.Errorf("a folder and a builder image are wanted, there are %d arguments", len(args))}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if (o.layout == "") == (o.dockerfile == "") {
				return usageError{errors.New("say either --output, for the image, or --as-dockerfile")}
			}
			o.request.Source, o.request.Name = args[0], args[1]
			return a.s2iBuild(cmd.Context(), o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.layout, "output", "o", "", "folder of the OCI image layout to write to")
	f.StringVar(&o.tag, "tag", "latest", "name of the image in the layout")
	f.StringVar(&o.previous, "incremental", "", "image of an earlier build, whose save-artifacts is used")
	f.StringVar(&o.request.ScriptsURL, "scripts-url", "", "where scripts are looked for first: image://, file://, http:// or https://")
	f.StringVar(&o.request.User, "assemble-user", "", "user that assemble runs as, in place of the builder's")
	f.BoolVar(&o.request.AllowRoot, "allow-root", false, "let assemble run as root")
	f.StringArrayVarP(&o.request.Env, "env", "e", nil, "NAME=VALUE for assemble and the image; may be repeated")
	f.DurationVar(&o.request.Time, "time", 10*time.Minute, "how long a script may run")
	f.StringVar(&o.dockerfile, "as-dockerfile", "", "write a folder with a Dockerfile that does the same, and build nothing")
	return cmd
}

func (a *app) s2iUsageCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "usage BUILDER",
		Short: "Have a builder image say how it is used",
		Long:  "Usage runs a builder image's script of that name.\n\n" + imageReferences,
		Args:  oneArgument("image"),
		RunE: func(cmd *cobra.Command, args []string) error {
			nothing, err := os.MkdirTemp("", "slipway-s2i-")
			if err != nil {
				return err
			}
			defer os.RemoveAll(nothing)
			return a.withS2I(cmd.Context(), s2i.Request{Name: args[0], Source: nothing, Output: a.out, AllowRoot: true}, "", s2i.Usage)
		},
	}
}

// withS2I opens the builder image and what builds stand on.
func (a *app) withS2I(ctx context.Context, r s2i.Request, previous string, work func(context.Context, *image.Builder, s2i.Request) error) error {
	return a.withImages(func(o *opener) (err error) {
		dir, err := cache.Open(a.cacheDir)
		if err != nil {
			return fmt.Errorf("%w (--cache names another folder)", err)
		}
		defer func() { err = errors.Join(err, dir.Close()) }()
		if r.Builder, err = o.image(ctx, r.Name); err != nil {
			return err
		}
		if previous != "" {
			if r.Previous, err = o.image(ctx, previous); err != nil {
				return err
			}
		}
		return work(ctx, &image.Builder{Cache: dir, Progress: o.screen, Log: a.logger(o.screen)}, r)
	})
}

// image opens an image by what people call it.
func (o *opener) image(ctx context.Context, ref string) (s2i.Image, error) {
	if inspect.Local(ref) {
		return inspect.Open(ref)
	}
	at, err := o.locate(ctx, ref)
	if err != nil {
		return nil, err
	}
	return registry.Pull(ctx, at, registry.Options{})
}

// sourceDate is the date of what is built: SOURCE_DATE_EPOCH, in seconds since 1970, or 1970, so that a build can be repeated.
func sourceDate() (time.Time, error) {
	text := os.Getenv("SOURCE_DATE_EPOCH")
	if text == "" {
		return time.Unix(0, 0), nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, usageError{fmt.Errorf("SOURCE_DATE_EPOCH is %q, which is no number of seconds", text)}
	}
	return time.Unix(n, 0), nil
}

// s2iResult is what s2i build says.
type s2iResult struct {
	Digest string `json:"digest"`
	Layers int    `json:"layers"`
	Size   int64  `json:"size"`
}

func (a *app) s2iBuild(ctx context.Context, o s2iOptions) error {
	if a.verbose {
		o.request.Output = a.err
	}
	return a.withS2I(ctx, o.request, o.previous, func(ctx context.Context, b *image.Builder, r s2i.Request) error {
		if o.dockerfile != "" {
			return s2i.Dockerfile(ctx, b, r, o.dockerfile)
		}
		var err error
		if r.Created, err = sourceDate(); err != nil {
			return err
		}
		img, err := s2i.Build(ctx, b, r)
		if err != nil {
			return err
		}
		if err := image.WriteLayout(o.layout, o.tag, img); err != nil {
			return err
		}
		digest, err := img.Digest()
		if err != nil {
			return err
		}
		m, err := img.Manifest()
		if err != nil {
			return err
		}
		result := s2iResult{Digest: digest.String(), Layers: len(m.Layers)}
		for _, l := range m.Layers {
			result.Size += l.Size
		}
		return a.print(result, func(w io.Writer) {
			fmt.Fprintf(w, "built %s, %s in %d layers: oci:%s:%s\n", result.Digest, size(result.Size), result.Layers, o.layout, o.tag)
		})
	})
}
