package inspect

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipway-build/slipway/internal/image/rpmdb"
	"github.com/slipway-build/slipway/internal/progress"
	"github.com/slipway-build/slipway/internal/rpm"
)

// Content is what is in an image.
type Content struct {
	Digest   string            `json:"digest"`
	Created  time.Time         `json:"created,omitzero"`
	Platform string            `json:"platform"` // "linux/amd64"
	Labels   map[string]string `json:"labels,omitempty"`
	Size     int64             `json:"size"`     // bytes of all layers, compressed
	Unpacked int64             `json:"unpacked"` // bytes of the files that a container sees
	Layers   []Layer           `json:"layers"`   // the lowest first
	// Parts are the RPMs and Python projects, and what belongs to none of them, by kind and name.
	Parts []Part `json:"parts"`
	// Problem says why the RPMs are not known, where they are not.
	Problem string `json:"problem,omitempty"`

	files []File // by path
}

// Layer is one layer.
type Layer struct {
	Digest    string `json:"digest"`
	Size      int64  `json:"size"`     // compressed
	Unpacked  int64  `json:"unpacked"` // of the files in it
	Files     int    `json:"files"`
	CreatedBy string `json:"createdBy,omitempty"`
}

// Kind tells what a part is.
type Kind string

// The kinds of parts.
const (
	RPM    Kind = "rpm"
	Python Kind = "python" // a distribution that no RPM brought
	Rest   Kind = "rest"   // files that belong to neither
)

// Part is a package of an image with the bytes that are its.
type Part struct {
	Kind    Kind   `json:"kind"`
	Name    string `json:"name"`
	Version string `json:"version,omitempty"` // with release, and the epoch where there is one
	Arch    string `json:"arch,omitempty"`
	License string `json:"license,omitempty"`
	Commit  string `json:"commit,omitempty"` // of the repository that a Python distribution says it was installed from
	Files   int    `json:"files"`
	Size    int64  `json:"size"` // bytes of its files, of each hard link's once
	// Compressed is its share of the layers' compressed bytes: what it costs to pull.
	Compressed int64 `json:"compressed"`
	// Layer is the index of the layer that has most of it.
	Layer int `json:"layer"`
}

// Read finds out what is in an image. dir is a folder for a copy of the RPM database.
func Read(ctx context.Context, img v1.Image, dir string, p progress.Reporter) (*Content, error) {
	c, err := describe(img)
	if err != nil {
		return nil, err
	}
	t, err := c.layers(ctx, img, dir, p)
	if err != nil {
		return nil, err
	}
	for _, f := range t.files {
		c.files = append(c.files, f)
		c.Unpacked += f.Size
	}
	slices.SortFunc(c.files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	o := newOwners(t)
	if err := c.rpms(ctx, t, o); err != nil {
		return nil, err
	}
	o.distributions()
	c.Parts = o.weigh(c)
	return c, nil
}

// describe reads what the image says of itself.
func describe(img v1.Image) (*Content, error) {
	digest, err := img.Digest()
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	m, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	c := &Content{Digest: digest.String(), Created: config.Created.Time, Platform: config.OS + "/" + config.Architecture, Labels: config.Config.Labels}
	var made []string
	for _, h := range config.History {
		if !h.EmptyLayer {
			made = append(made, h.CreatedBy)
		}
	}
	for i, d := range m.Layers {
		l := Layer{Digest: d.Digest.String(), Size: d.Size}
		if len(made) == len(m.Layers) {
			l.CreatedBy = made[i]
		}
		c.Layers = append(c.Layers, l)
		c.Size += d.Size
	}
	return c, nil
}

// layers lays all layers on each other.
func (c *Content) layers(ctx context.Context, img v1.Image, dir string, p progress.Reporter) (_ *tree, err error) {
	list, err := img.Layers()
	if err != nil {
		return nil, err
	}
	if len(list) != len(c.Layers) {
		return nil, errors.New("the image's configuration and manifest disagree about its layers")
	}
	task := progress.Or(p).Start("reading layers", c.Size, progress.Bytes)
	defer func() { task.Done(err) }()
	t := newTree(dir)
	for i, l := range list {
		if err := c.layer(ctx, t, i, l); err != nil {
			return nil, fmt.Errorf("layer %s: %w", c.Layers[i].Digest, err)
		}
		task.Add(c.Layers[i].Size)
	}
	return t, nil
}

func (c *Content) layer(ctx context.Context, t *tree, i int, l v1.Layer) (err error) {
	r, err := l.Uncompressed()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	c.Layers[i].Files, c.Layers[i].Unpacked, err = t.lay(ctx, i, r)
	return err
}

// databases are the places of the RPM database (%_dbpath).
var databases = []string{"/usr/lib/sysimage/rpm/", "/var/lib/rpm/"}

func isDatabase(name string) bool {
	dir, ok := strings.CutSuffix(name, rpmdb.FileName)
	return ok && slices.Contains(databases, dir)
}

// rpms reads the RPM database and gives each package its files.
func (c *Content) rpms(ctx context.Context, t *tree, o *owners) error {
	if t.database == "" {
		c.Problem = "there is no RPM database in SQLite's format: packages are not told apart"
		return nil
	}
	defer os.Remove(t.database)
	headers, err := rpmdb.Read(ctx, t.database)
	if err != nil {
		c.Problem = err.Error()
		return ctx.Err()
	}
	for _, h := range headers {
		n := h.NEVRA()
		if n.Name == "gpg-pubkey" {
			continue
		}
		files, err := h.Files()
		if err != nil {
			c.Problem = fmt.Sprintf("package %s: %v", n, err)
			continue
		}
		part := o.part(Part{Kind: RPM, Name: n.Name, Version: n.EVR.String(), Arch: n.Arch, License: h.String(rpm.TagLicense)})
		for _, f := range files {
			o.take(part, f.Path)
		}
	}
	return nil
}

// Files are the files that a container of the image sees, by path.
func (c *Content) Files() []File { return c.files }
