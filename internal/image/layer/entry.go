package layer

import (
	"archive/tar"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/slipway-build/slipway/internal/rpm"
)

// Entry is one entry of a layer's tar stream.
type Entry struct {
	// Path is absolute and clean.
	Path string
	// Mode is a st_mode.
	Mode     uint32
	UID, GID int
	// ModTime in seconds since 1970.
	ModTime int64
	// Size of a regular file's content in bytes.
	Size int64
	// Link is the target of a symbolic link as written, or, when HardLink is set, the absolute path
	// of the file whose second name this is.
	Link     string
	HardLink bool
	// Xattrs are extended attributes by name.
	Xattrs map[string]string
}

// DirectoryTime is the modification time of every folder in a layer. A folder's time changes with
// every file that is put into it, so rpm installs none either; a time that varied would change
// layers that did not change. It is the first day that DOS and zip can express, in seconds.
const DirectoryTime = 315619200

// maxHeader is how many bytes paths, links and attributes of one entry may have.
const maxHeader = 1 << 20

// header is the entry as archive/tar writes it: USTAR, or PAX where the values need it. No name of
// a user or group is written, as the numbers are what counts.
func (e *Entry) header() (*tar.Header, error) {
	if err := checkPath(e.Path); err != nil {
		return nil, err
	}
	h := &tar.Header{
		Name:    strings.TrimPrefix(e.Path, "/"),
		Mode:    int64(e.Mode & modePerm),
		Uid:     e.UID,
		Gid:     e.GID,
		ModTime: time.Unix(e.ModTime, 0),
	}
	switch {
	case e.HardLink:
		h.Typeflag, h.Linkname = tar.TypeLink, strings.TrimPrefix(e.Link, "/")
	case e.Mode&rpm.ModeTypeMask == rpm.ModeRegular:
		h.Typeflag, h.Size = tar.TypeReg, e.Size
	case e.Mode&rpm.ModeTypeMask == rpm.ModeDirectory:
		h.Typeflag = tar.TypeDir
		h.Name += "/"
		if e.Path == "/" {
			h.Name = "./"
		}
	case e.Mode&rpm.ModeTypeMask == rpm.ModeLink:
		h.Typeflag, h.Linkname = tar.TypeSymlink, e.Link
	case e.Mode&rpm.ModeTypeMask == rpm.ModeFIFO:
		h.Typeflag = tar.TypeFifo
	default:
		return nil, fmt.Errorf("%s is %s, which an image cannot hold", e.Path, typeName(e.Mode))
	}
	length := len(h.Name) + len(h.Linkname)
	for name, value := range e.Xattrs {
		if h.PAXRecords == nil {
			h.PAXRecords = map[string]string{}
		}
		h.PAXRecords["SCHILY.xattr."+name] = value
		length += len(name) + len(value)
	}
	if length > maxHeader {
		return nil, fmt.Errorf("%.100s…: its name, link and attributes are longer than %d bytes", e.Path, maxHeader)
	}
	return h, nil
}

func typeName(mode uint32) string {
	switch mode & rpm.ModeTypeMask {
	case rpm.ModeChar, rpm.ModeBlock:
		return "a device node"
	case rpm.ModeSocket:
		return "a socket"
	}
	return fmt.Sprintf("of unknown type %#o", mode&rpm.ModeTypeMask)
}

// Archive writes entries to a layer.
type Archive struct {
	tw     *tar.Writer
	sink   Sink // receives the entries, too, where there is one
	buffer []byte
	// linkOnly says that nothing is written: the sink alone receives the entries, and links of files.
	linkOnly bool
}

func newArchive(w io.Writer, sink Sink) *Archive {
	return &Archive{tw: tar.NewWriter(w), sink: sink}
}

// Add writes an entry; content gives a regular file's bytes, exactly Size of them, and may be nil
// for everything else.
func (a *Archive) Add(e Entry, content io.Reader) error {
	h, err := e.header()
	if err != nil {
		return err
	}
	if a.linkOnly {
		return a.link(h, content)
	}
	if err := a.tw.WriteHeader(h); err != nil {
		return fmt.Errorf("writing %s: %w", e.Path, err)
	}
	n, err := a.content(h, content)
	if err != nil {
		return fmt.Errorf("writing %s: %w", e.Path, err)
	}
	if n != h.Size {
		return fmt.Errorf("writing %s: it has %d bytes, not the %d that were announced", e.Path, n, h.Size)
	}
	return nil
}

// link gives the sink an entry, of a regular file with content only where it is.
func (a *Archive) link(h *tar.Header, content io.Reader) error {
	if u, ok := content.(*unpackedFile); ok && h.Typeflag == tar.TypeReg {
		return a.sink.Link(h, u.dir, u.name)
	}
	return a.sink.Add(h, strings.NewReader(""))
}

// content writes an entry's bytes, and gives the entry to the sink.
func (a *Archive) content(h *tar.Header, content io.Reader) (int64, error) {
	if h.Size == 0 {
		content = strings.NewReader("")
	}
	if u, ok := content.(*unpackedFile); ok && a.sink != nil {
		if err := a.sink.Link(h, u.dir, u.name); err != nil {
			return 0, err
		}
	} else if a.sink != nil {
		var n counter
		err := a.sink.Add(h, io.TeeReader(content, io.MultiWriter(a.tw, &n)))
		return n.n, err
	}
	if a.buffer == nil {
		a.buffer = make([]byte, 64<<10)
	}
	return io.CopyBuffer(struct{ io.Writer }{a.tw}, content, a.buffer)
}
