package debian

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Limits on what a package may hold. They are far above any real one.
const (
	maxControlFile = 16 << 20
	maxData        = 4 << 30
	maxEntries     = 1 << 20
)

// Deb is an opened package. The contents of its files lie in a spool file until
// Close; nothing is unpacked.
type Deb struct {
	Control   Control
	Name      string
	Arch      string // as Debian writes it: "amd64", "all"
	Source    string // name of the source package
	Version   Version
	Conffiles map[string]bool
	Scripts   map[string]string // maintainer scripts: "postinst" and so on
	Entries   []Entry           // in the package's order

	spool *os.File
}

// Entry is one path of a package.
type Entry struct {
	Path         string // absolute and clean; "/" is left out
	Mode         uint32 // st_mode
	Owner, Group string
	ModTime      int64 // seconds since 1970
	Size         int64 // of a regular file
	Link         string
	HardLink     string // path of the entry it is a hard link to
	Rdev         uint32

	offset int64 // of the content in the spool
}

// Open reads a .deb file by way of dpkg-deb, which checks and decompresses it.
// The spool file is made in the folder spool. Close the result.
func Open(ctx context.Context, file, spool string) (*Deb, error) {
	d := &Deb{Conffiles: map[string]bool{}, Scripts: map[string]string{}}
	if err := d.readControl(ctx, file); err != nil {
		return nil, fmt.Errorf("reading %s: %w", filepath.Base(file), err)
	}
	f, err := os.CreateTemp(spool, "data-*")
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", filepath.Base(file), err)
	}
	d.spool = f
	if err := d.readData(ctx, file); err != nil {
		return nil, errors.Join(fmt.Errorf("reading %s: %w", filepath.Base(file), err), d.Close())
	}
	return d, nil
}

// Close removes the spool file.
func (d *Deb) Close() error {
	return errors.Join(d.spool.Close(), os.Remove(d.spool.Name()))
}

// Content reads the content of a regular file of the package. Safe for
// concurrent use.
func (d *Deb) Content(e Entry) *io.SectionReader {
	return io.NewSectionReader(d.spool, e.offset, e.Size)
}

func (d *Deb) readControl(ctx context.Context, file string) error {
	err := pipeTar(ctx, file, "--ctrl-tarfile", func(r io.Reader) error {
		files := tar.NewReader(r)
		for {
			h, err := files.Next()
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return err
			}
			if h.Typeflag != tar.TypeReg {
				continue
			}
			if h.Size > maxControlFile {
				return fmt.Errorf("control file %q is too large: %d bytes", h.Name, h.Size)
			}
			text, err := io.ReadAll(files)
			if err != nil {
				return err
			}
			d.controlFile(path.Base(h.Name), string(text))
		}
	})
	if err != nil {
		return err
	}
	d.Name, d.Arch = d.Control["Package"], d.Control["Architecture"]
	if d.Name == "" || d.Arch == "" {
		return errors.New("its control file names no package or no architecture")
	}
	d.Source, _, _ = strings.Cut(d.Control["Source"], " ")
	if d.Source == "" {
		d.Source = d.Name
	}
	d.Version, err = ParseVersion(d.Control["Version"])
	return err
}

func (d *Deb) controlFile(name, text string) {
	switch name {
	case "control":
		d.Control = ParseControl(text)
	case "conffiles":
		for line := range strings.Lines(text) {
			// A flag such as remove-on-upgrade stands before the path.
			if fields := strings.Fields(line); len(fields) > 0 {
				d.Conffiles[fields[len(fields)-1]] = len(fields) == 1
			}
		}
	case "preinst", "postinst", "prerm", "postrm":
		d.Scripts[name] = text
	}
}

func (d *Deb) readData(ctx context.Context, file string) error {
	return pipeTar(ctx, file, "--fsys-tarfile", func(r io.Reader) error {
		w := bufio.NewWriterSize(d.spool, 1<<18)
		count := &counter{Reader: io.TeeReader(r, w)}
		files := tar.NewReader(count)
		for {
			h, err := files.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			if len(d.Entries) == maxEntries {
				return fmt.Errorf("it holds more than %d files", maxEntries)
			}
			e, err := entryOf(h)
			if err != nil {
				return err
			}
			e.offset = count.n
			if e.Path != "/" {
				d.Entries = append(d.Entries, e)
			}
		}
		// What follows the end marker is read so that dpkg-deb can end.
		if _, err := io.Copy(io.Discard, r); err != nil {
			return err
		}
		return w.Flush()
	})
}

// counter counts what was read: the tar reader reads no further than it must,
// so after each header the count is where the content begins.
type counter struct {
	io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	if c.n += int64(n); c.n > maxData {
		return n, fmt.Errorf("it unpacks to more than %d bytes", int64(maxData))
	}
	return n, err
}

func entryOf(h *tar.Header) (Entry, error) {
	e := Entry{
		Path: absolute(h.Name), Mode: uint32(h.Mode) & 0o7777, Owner: h.Uname, Group: h.Gname,
		ModTime: h.ModTime.Unix(), Size: h.Size,
	}
	// Names rule; packages built without names mean root, the one id that is known.
	for _, owner := range []struct {
		name *string
		id   int
	}{{&e.Owner, h.Uid}, {&e.Group, h.Gid}} {
		if *owner.name == "" {
			if owner.id != 0 {
				return Entry{}, fmt.Errorf("%s belongs to id %d, which has no name", e.Path, owner.id)
			}
			*owner.name = "root"
		}
	}
	switch h.Typeflag {
	case tar.TypeReg:
		e.Mode |= rpm.ModeRegular
	case tar.TypeDir:
		e.Mode |= rpm.ModeDirectory
	case tar.TypeSymlink:
		e.Mode, e.Link = rpm.ModeLink|0o777, h.Linkname
	case tar.TypeLink:
		e.Mode |= rpm.ModeRegular
		e.HardLink = absolute(h.Linkname)
	case tar.TypeFifo:
		e.Mode |= rpm.ModeFIFO
	case tar.TypeChar, tar.TypeBlock:
		e.Mode |= rpm.ModeChar
		if h.Typeflag == tar.TypeBlock {
			e.Mode = e.Mode&^rpm.ModeTypeMask | rpm.ModeBlock
		}
		e.Rdev = uint32(h.Devmajor)<<8 | uint32(h.Devminor)
	default:
		return Entry{}, fmt.Errorf("%s is of a kind (%q) that no package should hold", e.Path, h.Typeflag)
	}
	return e, nil
}

// absolute makes "./usr/bin/x" and "usr/bin/x/" to "/usr/bin/x"; nothing leaves
// the root.
func absolute(name string) string { return path.Clean("/" + name) }

// pipeTar runs dpkg-deb and has read consume the tar stream that it writes.
func pipeTar(ctx context.Context, file, option string, read func(io.Reader) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, "dpkg-deb", option, "--", file)
	var message strings.Builder
	cmd.Stderr = &message
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	if err := read(bufio.NewReaderSize(out, 1<<18)); err != nil {
		cancel()
		_ = cmd.Wait()
		if text := strings.TrimSpace(message.String()); text != "" {
			return fmt.Errorf("%w (%s)", err, text)
		}
		return err
	}
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("running dpkg-deb: %w: %s", err, strings.TrimSpace(message.String()))
	}
	return nil
}
