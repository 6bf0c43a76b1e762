package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"github.com/slipway-build/slipway/internal/attest"
	"github.com/slipway-build/slipway/internal/image/inspect"
	"github.com/slipway-build/slipway/internal/registry"
)

const imageReferences = `REF is an image of a registry (HOST/NAME:TAG or HOST/NAME@sha256:…), of the embedded one
(embedded/SERVICE/IMAGE:ENV), or oci:FOLDER[:NAME], or docker-archive:FILE.`

func (a *app) inspectImageCommand() *cobra.Command {
	var html, sbom string
	var all bool
	cmd := &cobra.Command{
		Use:   "image REF",
		Short: "What is in an image: layers, packages, sizes",
		Long: `Image reads an image, whoever built it, and tells its layers, and its packages with the bytes that are
theirs. --html writes a page with a drawing of that; --sbom prints the list of parts that was attached
to the image when it was built.

` + imageReferences,
		Example: `  slipway inspect image embedded/greeter/web:stg
  slipway inspect image registry.example.com/greeter/web:stg --html web.html
  slipway inspect image registry.example.com/greeter/web:stg --sbom spdx > web.spdx.json`,
		Args: oneArgument("image"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if sbom != "" {
				return a.printSBOM(cmd.Context(), args[0], sbom)
			}
			return a.inspectImage(cmd.Context(), args[0], html, all)
		},
	}
	cmd.Flags().StringVar(&html, "html", "", "write a page with a drawing to this file")
	cmd.Flags().StringVar(&sbom, "sbom", "", "print the attached list of parts: cyclonedx or spdx")
	cmd.Flags().BoolVarP(&all, "all", "a", false, "list all packages, not the largest only")
	cmd.MarkFlagsMutuallyExclusive("sbom", "html")
	return cmd
}

// inspectedImage is what inspect image says.
type inspectedImage struct {
	Reference string `json:"reference"`
	*inspect.Content
	Attached []attachedDocument `json:"attached,omitempty"`
}

type attachedDocument struct {
	Type   string `json:"type"`
	Digest string `json:"digest"`
}

// largest is how many packages are listed where not all are asked for.
const largest = 20

func (a *app) inspectImage(ctx context.Context, ref, html string, all bool) error {
	return a.withImages(func(o *opener) error {
		r := inspectedImage{Reference: ref}
		var err error
		if r.Content, err = o.content(ctx, ref); err != nil {
			return err
		}
		if r.Attached, err = o.attached(ctx, ref); err != nil {
			return err
		}
		if html != "" {
			var page bytes.Buffer
			if err := r.WriteTreemap(&page, ref); err != nil {
				return err
			}
			if err := renameio.WriteFile(html, page.Bytes(), 0o644); err != nil {
				return fmt.Errorf("writing the page: %w", err)
			}
		}
		return a.print(r, func(w io.Writer) { r.write(w, all) })
	})
}

func (r inspectedImage) write(w io.Writer, all bool) {
	facts := [][]string{
		{"image", r.Reference}, {"digest", r.Digest}, {"platform", r.Platform},
		{"created", r.Created.UTC().Format("2006-01-02 15:04:05Z")},
		{"size", fmt.Sprintf("%s in %d layers, %s unpacked", size(r.Size), len(r.Layers), size(r.Unpacked))},
	}
	for _, d := range r.Attached {
		facts = append(facts, []string{"attached", d.Type})
	}
	table(w, facts)
	if r.Problem != "" {
		fmt.Fprintf(w, "\n%s\n", r.Problem)
	}
	rows := [][]string{{"LAYER", "SIZE", "UNPACKED", "FILES", "DIGEST", "MADE BY"}}
	for i, l := range r.Layers {
		rows = append(rows, []string{strconv.Itoa(i), size(l.Size), size(l.Unpacked), strconv.Itoa(l.Files), shortDigest(l.Digest), shorten(l.CreatedBy)})
	}
	fmt.Fprintln(w)
	table(w, rows)
	parts := slices.Clone(r.Parts)
	slices.SortStableFunc(parts, func(x, y inspect.Part) int { return cmp.Compare(y.Size, x.Size) })
	rows = [][]string{{"PACKAGE", "VERSION", "SIZE", "TO PULL", "FILES", "LAYER"}}
	for i, p := range parts {
		if i == largest && !all {
			break
		}
		rows = append(rows, []string{p.Name, p.Version, size(p.Size), size(p.Compressed), strconv.Itoa(p.Files), strconv.Itoa(p.Layer)})
	}
	fmt.Fprintln(w)
	table(w, rows)
	if n := len(parts) - len(rows) + 1; n > 0 {
		fmt.Fprintf(w, "and %d smaller ones (--all lists them)\n", n)
	}
}

// shorten cuts a long line.
func shorten(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}

// printSBOM prints a document that is attached to an image, as it is.
func (a *app) printSBOM(ctx context.Context, ref, format string) error {
	wanted := map[string]string{"cyclonedx": attest.CycloneDXType, "spdx": attest.SPDXType}[format]
	if wanted == "" {
		return usageError{fmt.Errorf("--sbom %s: it is cyclonedx or spdx", format)}
	}
	return a.withImages(func(o *opener) error {
		list, err := o.attached(ctx, ref)
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(d attachedDocument) bool { return d.Type == wanted })
		if i < 0 {
			return fmt.Errorf("no %s is attached to %s: attestations in slipway.yaml say what is, when it is built", wanted, ref)
		}
		at, err := o.locate(ctx, ref)
		if err != nil {
			return err
		}
		name, _, _ := strings.Cut(at, "@")
		if j := strings.LastIndexByte(name, ':'); j > strings.LastIndexByte(name, '/') {
			name = name[:j]
		}
		document, err := registry.ReadAttachment(ctx, name+"@"+list[i].Digest, registry.Options{})
		if err != nil {
			return err
		}
		_, err = a.out.Write(document)
		return err
	})
}

// opener opens images by what people call them.
type opener struct {
	*app
	screen   *screen
	embedded *registry.Embedded // started when it is needed
	address  string
}

// withImages runs a command's work with an opener.
func (a *app) withImages(work func(*opener) error) (err error) {
	o := &opener{app: a, screen: newScreen(a.err, a.quiet)}
	defer func() {
		if o.embedded != nil {
			err = errors.Join(err, o.embedded.Close())
		}
		err = errors.Join(err, o.screen.Close())
	}()
	return work(o)
}

// embeddedName stands for the embedded registry in references.
const embeddedName = "embedded/"

// locate gives the address of an image of a registry.
func (o *opener) locate(ctx context.Context, ref string) (string, error) {
	rest, ok := strings.CutPrefix(ref, embeddedName)
	if !ok {
		return ref, nil
	}
	if o.embedded == nil {
		e := &registry.Embedded{Root: o.registryDir(), Log: o.logger(o.screen)}
		addr, err := e.Start(context.WithoutCancel(ctx), "")
		if err != nil {
			return "", err
		}
		o.embedded, o.address = e, addr
	}
	return o.address + "/" + rest, nil
}

// content reads what is in an image.
func (o *opener) content(ctx context.Context, ref string) (*inspect.Content, error) {
	dir, err := os.MkdirTemp("", "slipway-inspect-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if inspect.Local(ref) {
		img, err := inspect.Open(ref)
		if err != nil {
			return nil, err
		}
		return inspect.Read(ctx, img, dir, o.screen)
	}
	at, err := o.locate(ctx, ref)
	if err != nil {
		return nil, err
	}
	img, err := registry.Pull(ctx, at, registry.Options{})
	if err != nil {
		return nil, err
	}
	return inspect.Read(ctx, img, dir, o.screen)
}

// attached lists the documents that a registry has about an image.
func (o *opener) attached(ctx context.Context, ref string) ([]attachedDocument, error) {
	if inspect.Local(ref) {
		return nil, nil
	}
	at, err := o.locate(ctx, ref)
	if err != nil {
		return nil, err
	}
	list, err := registry.Attachments(ctx, at, registry.Options{})
	var out []attachedDocument
	for _, d := range list {
		out = append(out, attachedDocument{d.Type, d.Digest.String()})
	}
	return out, err
}
