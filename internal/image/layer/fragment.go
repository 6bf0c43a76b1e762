package layer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"github.com/slipway-build/slipway/internal/rpm"
)

// fragmentFormat is part of every fragment's key. It changes when the bytes do that are made of the
// same input, as with another compressor.
const fragmentFormat = "fragment/3"

// Fragment is the part of a layer that one package makes.
type Fragment struct {
	pkg           *Package
	plan          []place
	key           string
	decompressors *rpm.Decompressors
	// ordered is known once the payload was read: its entries come in the order of the header.
	ordered bool
}

// Fragment of the package with this index. Its key is the hash of the RPM and of all that decided
// how its files are placed: a change elsewhere in the set that does not touch them leaves it alone.
func (t *Tree) Fragment(n int) *Fragment {
	f := &Fragment{pkg: &t.packages[n], plan: t.plans[n], decompressors: &t.decompressors}
	text := fmt.Appendf(nil, "%s\n%s\n", fragmentFormat, f.pkg.SHA256)
	for i, p := range f.plan {
		if f.pkg.Files[i].IsDir() {
			continue // folders are in the layer's head
		}
		text = binary.BigEndian.AppendUint64(text, uint64(p.uid))
		text = binary.BigEndian.AppendUint64(text, uint64(p.gid))
		text = append(append(text, p.path...), 0)
	}
	sum := sha256.Sum256(text)
	f.key = hex.EncodeToString(sum[:])
	return f
}

// paths are those of what the fragment's package brings, folders included.
func (f *Fragment) paths() []string {
	var out []string
	for _, p := range f.plan {
		if p.path != "" {
			out = append(out, p.path)
		}
	}
	return out
}

// isText says whether most of the package's bytes are in files that look like no program and no
// library, by their modes and names.
func (f *Fragment) isText() bool {
	var balance int64
	for i := range f.pkg.Files {
		file := &f.pkg.Files[i]
		if !file.IsRegular() || f.plan[i].path == "" {
			continue
		}
		if base := path.Base(file.Path); file.Mode&0o111 != 0 || strings.Contains(base, ".so") || strings.HasSuffix(base, ".a") {
			balance -= file.Size
		} else {
			balance += file.Size
		}
	}
	return balance > 0
}

// content writes the fragment's tar entries, uncompressed and without an end, straight from the
// RPM's payload and in its order. Hard links follow their file.
func (f *Fragment) content(a *Archive) error {
	if err := f.writePayload(a); err != nil {
		return fmt.Errorf("package %s: %w", f.pkg.Name, err)
	}
	return nil
}

func (f *Fragment) writePayload(a *Archive) error {
	p, err := rpm.Open(f.pkg.Path)
	if err != nil {
		return err
	}
	defer p.Close()
	payload, err := p.PayloadWith(f.decompressors)
	if err != nil {
		return err
	}
	defer payload.Close()
	return f.write(a, payload)
}

// source gives the files of a package one after the other, as rpm.Payload does.
type source interface {
	Next() (index int, content io.Reader, err error)
}

func (f *Fragment) write(a *Archive, from source) error {
	done := make([]bool, len(f.plan))
	linked := map[int]int{} // how many of a set of hard links came, by the first of them
	f.ordered = true
	for last := -1; ; {
		i, r, err := from.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if i < 0 || i >= len(f.plan) || done[i] {
			return fmt.Errorf("the payload holds an entry twice, or one that is not in the header")
		}
		done[i] = true
		f.ordered = f.ordered && i > last
		last = i
		if err := f.add(a, i, linked, r); err != nil {
			return err
		}
	}
	for i := range done {
		if f.plan[i].path != "" && !done[i] && !f.pkg.Files[i].IsDir() {
			return fmt.Errorf("the payload lacks %s", f.pkg.Files[i].Path)
		}
	}
	return a.tw.Flush()
}

// add writes what comes of payload entry i. Of files that share an inode, the payload holds the
// content with the last one; all of them are written then, the first of them as the file.
func (f *Fragment) add(a *Archive, i int, linked map[int]int, r io.Reader) error {
	file := &f.pkg.Files[i]
	if file.IsDir() {
		return nil
	}
	set := []int{i}
	if file.IsRegular() && len(file.HardLinks) > 1 {
		set = file.HardLinks
		if linked[set[0]]++; linked[set[0]] < len(set) {
			return nil
		}
	}
	first := ""
	for _, j := range set {
		if f.plan[j].path == "" {
			continue
		}
		e, err := f.entry(j)
		if err != nil {
			return err
		}
		if first != "" {
			e.HardLink, e.Link, e.Xattrs = true, first, nil
		} else {
			e.Size = file.Size
			first = e.Path
		}
		if err := a.Add(e, r); err != nil {
			return err
		}
	}
	return nil
}

func (f *Fragment) entry(i int) (Entry, error) {
	file, at := &f.pkg.Files[i], f.plan[i]
	e := Entry{
		Path: at.path, Mode: file.Mode, UID: at.uid, GID: at.gid,
		ModTime: file.ModTime, Link: file.Link,
	}
	if file.Caps != "" {
		value, err := encodeCapabilities(file.Caps)
		if err != nil {
			return e, fmt.Errorf("%s: %w", file.Path, err)
		}
		if value != nil {
			e.Xattrs = map[string]string{capabilityXattr: string(value)}
		}
	}
	return e, nil
}
