package source

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Bounds of one commit.
const (
	maxFiles    = 200_000
	maxFileSize = 512 << 20
	maxPath     = 4096 // bytes of a path, and of what a symbolic link says
	maxLinks    = 20   // symbolic links followed on the way to a file
)

// Tree is the files of a commit, an fs.FS (also ReadDirFS, ReadFileFS, StatFS and ReadLinkFS).
// Symbolic links are followed by Open, Stat and ReadFile as long as they stay in the tree; Lstat and
// ReadLink see them. Submodules are folders with the files of the commit that is named, and files with
// the attribute export-subst are as git archive would write them. Every time is the commit's. Safe for
// concurrent use; Close ends the git processes that read.
type Tree struct {
	entries map[string]*entry
	time    time.Time
	readers []*blobReader
}

type entry struct {
	name     string // base name
	mode     fs.FileMode
	blob     string
	size     int64
	reader   *blobReader // of the repository that has the blob
	content  []byte      // instead of the blob, where it is not nil
	children []string    // names of a folder's entries, sorted
}

// read gives the content of a file, or what a symbolic link says.
func (e *entry) read() ([]byte, error) {
	if e.content != nil {
		return e.content, nil
	}
	return e.reader.read(e.blob)
}

// Tree opens the files below folder ("" or "." for all) of a commit. Submodules that are not mirrored
// yet at their commit are fetched.
func (m *Mirror) Tree(ctx context.Context, r Revision, folder string) (*Tree, error) {
	t := &Tree{time: r.Time, entries: map[string]*entry{".": {name: ".", mode: fs.ModeDir | 0o755}}}
	prefix := ""
	if folder = path.Clean(folder); folder != "." {
		prefix = folder + "/"
	}
	err := m.lay(ctx, t, r.Tree, prefix, "", 0)
	if err == nil && prefix != "" && len(t.entries) == 1 {
		err = fmt.Errorf("there is no folder %q", folder)
	}
	if err == nil {
		for _, e := range t.entries {
			slices.Sort(e.children)
		}
		err = m.substitute(ctx, t, r)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading tree of %s at %s: %w", m.URL(), r.Short(), err), t.Close())
	}
	return t, nil
}

// lay adds the files of a tree of git's to t: those below prefix, at the folder at ("" or with a slash
// at its end). depth counts submodules in submodules.
func (m *Mirror) lay(ctx context.Context, t *Tree, tree, prefix, at string, depth int) error {
	known, ok := m.knownTree(tree)
	out := known.List
	if !ok {
		var err error
		if out, err = git(ctx, m.dir, "ls-tree", "-r", "-z", "-l", "--full-tree", "--end-of-options", tree); err != nil {
			return err
		}
	}
	l := layer{Tree: t, reader: &blobReader{dir: m.dir, loaded: known.Blobs}, prefix: prefix, at: at, modules: map[string]*entry{}}
	t.readers = append(t.readers, l.reader)
	if !ok && prefix == "" {
		l.reader.keep = func(blobs map[string][]byte) { m.keepTree(tree, keptTree{List: out, Blobs: blobs}) }
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(out, "\x00"), "\x00") {
		if line == "" {
			continue
		}
		if err := l.add(line); err != nil {
			return err
		}
	}
	return m.submodules(ctx, &l, depth)
}

// layer is a repository's part of a tree.
type layer struct {
	*Tree
	reader     *blobReader
	prefix, at string
	modules    map[string]*entry // by path in the repository; their blobs are commits
	gitmodules *entry            // the file that says where they are
}

// add takes a line of ls-tree: "<mode> <type> <id> <size>\t<path>".
func (l *layer) add(line string) error {
	meta, full, ok := strings.Cut(line, "\t")
	f := strings.Fields(meta)
	if !ok || len(f) != 4 {
		return fmt.Errorf("git answered %q", line)
	}
	name, inside := strings.CutPrefix(full, l.prefix)
	if !inside && full != gitmodules {
		return nil
	}
	if !fs.ValidPath(name) || name == "." || len(name) > maxPath || inGitFolder(name) {
		return fmt.Errorf("path %.200q is not allowed", name)
	}
	if len(l.entries) >= maxFiles {
		return fmt.Errorf("more than %d files", maxFiles)
	}
	e := &entry{name: path.Base(name), blob: f[2], reader: l.reader}
	switch f[0] {
	case "100644", "100664":
		e.mode = 0o644
	case "100755":
		e.mode = 0o755
	case "120000":
		e.mode = fs.ModeSymlink | 0o777
	case "160000":
		e.mode = fs.ModeDir | 0o755
		l.modules[full] = e
	default:
		return fmt.Errorf("%q: mode %q is not known", name, f[0])
	}
	if e.mode.IsRegular() || e.mode&fs.ModeSymlink != 0 {
		size, err := strconv.ParseInt(f[3], 10, 64)
		if err != nil || size > maxFileSize || size > maxPath && !e.mode.IsRegular() {
			return fmt.Errorf("%q: a size of %s bytes is not allowed", name, f[3])
		}
		e.size = size
	}
	if full == gitmodules {
		l.gitmodules = e
	}
	if !inside {
		return nil
	}
	return l.insert(l.at+name, e)
}

// Add puts a file into the tree that the commit does not have; one that it has stays as it is. Not safe
// beside other calls.
func (t *Tree) Add(name string, content []byte) error {
	if _, ok := t.entries[name]; ok {
		return nil
	}
	if !fs.ValidPath(name) || name == "." {
		return &fs.PathError{Op: "add", Path: name, Err: fs.ErrInvalid}
	}
	e := &entry{name: path.Base(name), mode: 0o644, content: append([]byte{}, content...), size: int64(len(content))}
	if err := t.insert(name, e); err != nil {
		return err
	}
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		slices.Sort(t.entries[dir].children)
		if dir == "." {
			return nil
		}
	}
}

// inGitFolder says whether a path is in a .git folder, which git itself lets nobody commit.
func inGitFolder(name string) bool {
	return slices.ContainsFunc(strings.Split(name, "/"), func(part string) bool { return strings.EqualFold(part, ".git") })
}

// insert adds an entry and the folders above it. A tree of git's own making has each path once.
func (t *Tree) insert(name string, e *entry) error {
	if _, ok := t.entries[name]; ok {
		return fmt.Errorf("path %q stands twice", name)
	}
	t.entries[name] = e
	for name != "." {
		parent := path.Dir(name)
		p, ok := t.entries[parent]
		if ok && (!p.mode.IsDir() || p.blob != "") {
			return fmt.Errorf("path %q is below %q, which is no folder", name, parent)
		}
		if !ok {
			p = &entry{name: path.Base(parent), mode: fs.ModeDir | 0o755}
			t.entries[parent] = p
		}
		p.children = append(p.children, path.Base(name))
		if ok {
			break
		}
		name = parent
	}
	return nil
}

// Close ends the readers. The tree can't be read afterwards, unless it is loaded.
func (t *Tree) Close() error {
	var errs []error
	for _, r := range t.readers {
		errs = append(errs, r.close())
	}
	return errors.Join(errs...)
}

// Load reads all files into memory if they are at most limit bytes together; loaded says so. No process is needed for a
// loaded tree from then on, and it can be read after Close.
func (t *Tree) Load(ctx context.Context, limit int64) (loaded bool, err error) {
	ids := map[*blobReader][]string{}
	for _, e := range t.entries {
		if limit -= e.size; limit < 0 {
			return false, nil
		}
		if e.blob != "" && !e.mode.IsDir() {
			ids[e.reader] = append(ids[e.reader], e.blob)
		}
	}
	for reader, list := range ids {
		slices.Sort(list)
		if list = slices.DeleteFunc(slices.Compact(list), reader.has); len(list) == 0 {
			continue
		}
		if err := reader.load(ctx, list); err != nil {
			return false, err
		}
		if reader.keep != nil {
			reader.keep(reader.loaded)
		}
	}
	return true, nil
}

// find looks an entry up; follow says whether a symbolic link at the end is followed. Links on the
// way always are.
func (t *Tree) find(op, name string, follow bool) (*entry, string, error) {
	fail := func(err error) (*entry, string, error) {
		return nil, "", &fs.PathError{Op: op, Path: name, Err: err}
	}
	if !fs.ValidPath(name) {
		return fail(fs.ErrInvalid)
	}
	if e, ok := t.entries[name]; ok && (!follow || e.mode&fs.ModeSymlink == 0) {
		return e, name, nil
	}
	cur, rest, links := ".", strings.Split(name, "/"), 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		next := path.Join(cur, part)
		if part == ".." && cur == "." {
			return fail(errors.New("a symbolic link leads out of the repository"))
		}
		e, ok := t.entries[next]
		if !ok {
			return fail(fs.ErrNotExist)
		}
		if e.mode&fs.ModeSymlink == 0 || !follow && len(rest) == 0 {
			cur = next
			continue
		}
		if links++; links > maxLinks {
			return fail(errors.New("too many symbolic links"))
		}
		target, err := e.read()
		if err != nil {
			return fail(err)
		}
		if path.IsAbs(string(target)) {
			return fail(errors.New("a symbolic link leads out of the repository"))
		}
		rest = append(strings.Split(string(target), "/"), rest...)
		rest = slices.DeleteFunc(rest, func(s string) bool { return s == "" || s == "." })
	}
	return t.entries[cur], cur, nil
}

// Open implements fs.FS.
func (t *Tree) Open(name string) (fs.File, error) {
	e, at, err := t.find("open", name, true)
	if err != nil {
		return nil, err
	}
	f := &file{info: t.info(e)}
	if e.mode.IsDir() {
		f.dir, err = t.list(e, at)
	} else {
		f.data, err = e.read()
	}
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f.r = bytes.NewReader(f.data)
	return f, nil
}

// ReadFile implements fs.ReadFileFS.
func (t *Tree) ReadFile(name string) ([]byte, error) {
	e, _, err := t.find("read", name, true)
	if err != nil {
		return nil, err
	}
	if e.mode.IsDir() {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("is a folder")}
	}
	b, err := e.read()
	if err != nil {
		return nil, &fs.PathError{Op: "read", Path: name, Err: err}
	}
	return b, nil
}

// ReadDir implements fs.ReadDirFS.
func (t *Tree) ReadDir(name string) ([]fs.DirEntry, error) {
	e, at, err := t.find("readdir", name, true)
	if err != nil {
		return nil, err
	}
	return t.list(e, at)
}

// Stat implements fs.StatFS.
func (t *Tree) Stat(name string) (fs.FileInfo, error) {
	e, _, err := t.find("stat", name, true)
	if err != nil {
		return nil, err
	}
	return t.info(e), nil
}

// Lstat implements fs.ReadLinkFS.
func (t *Tree) Lstat(name string) (fs.FileInfo, error) {
	e, _, err := t.find("lstat", name, false)
	if err != nil {
		return nil, err
	}
	return t.info(e), nil
}

// ReadLink implements fs.ReadLinkFS.
func (t *Tree) ReadLink(name string) (string, error) {
	e, _, err := t.find("readlink", name, false)
	if err != nil {
		return "", err
	}
	if e.mode&fs.ModeSymlink == 0 {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: fs.ErrInvalid}
	}
	b, err := e.read()
	if err != nil {
		return "", &fs.PathError{Op: "readlink", Path: name, Err: err}
	}
	return string(b), nil
}

func (t *Tree) list(e *entry, at string) ([]fs.DirEntry, error) {
	if !e.mode.IsDir() {
		return nil, errors.New("not a folder")
	}
	list := make([]fs.DirEntry, len(e.children))
	for i, c := range e.children {
		list[i] = fs.FileInfoToDirEntry(t.info(t.entries[path.Join(at, c)]))
	}
	return list, nil
}

func (t *Tree) info(e *entry) fs.FileInfo { return info{e, t.time} }

type info struct {
	*entry
	time time.Time
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() fs.FileMode  { return i.mode }
func (i info) ModTime() time.Time { return i.time }
func (i info) IsDir() bool        { return i.mode.IsDir() }
func (i info) Sys() any           { return nil }

type file struct {
	info fs.FileInfo
	data []byte
	r    *bytes.Reader
	dir  []fs.DirEntry
	next int
}

func (f *file) Stat() (fs.FileInfo, error) { return f.info, nil }
func (f *file) Close() error               { return nil }

func (f *file) Read(p []byte) (int, error) {
	if f.info.IsDir() {
		return 0, &fs.PathError{Op: "read", Path: f.info.Name(), Err: errors.New("is a folder")}
	}
	return f.r.Read(p)
}

// ReadDir implements fs.ReadDirFile.
func (f *file) ReadDir(n int) ([]fs.DirEntry, error) {
	left := f.dir[f.next:]
	if n <= 0 {
		f.next = len(f.dir)
		return left, nil
	}
	if len(left) == 0 {
		return nil, io.EOF
	}
	left = left[:min(n, len(left))]
	f.next += len(left)
	return left, nil
}

// blobReader reads objects through one `git cat-file --batch`, started when first needed.
type blobReader struct {
	dir string

	mu     sync.Mutex
	cmd    *exec.Cmd
	stop   context.CancelFunc
	in     io.WriteCloser
	out    *bufio.Reader
	closed bool
	loaded map[string][]byte             // what is read already, by id
	keep   func(blobs map[string][]byte) // stores a tree that is loaded whole; may be nil
}

// load reads objects all at once.
func (b *blobReader) load(ctx context.Context, ids []string) error {
	cmd := gitCommand(ctx, b.dir, "cat-file", "--batch")
	var out bytes.Buffer
	cmd.Stdin, cmd.Stdout = strings.NewReader(strings.Join(ids, "\n")+"\n"), &limited{buf: &out, left: maxOutput}
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("reading objects from git: %w", err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.loaded == nil {
		b.loaded = make(map[string][]byte, len(ids))
	}
	r := bufio.NewReader(&out)
	for _, id := range ids {
		data, err := readObject(r, id)
		if err != nil {
			return err
		}
		b.loaded[id] = data
	}
	return nil
}

// has tells whether an object is loaded.
func (b *blobReader) has(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.loaded[id]
	return ok
}

func (b *blobReader) read(id string) ([]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if data, ok := b.loaded[id]; ok {
		return bytes.Clone(data), nil
	}
	if err := b.start(); err != nil {
		return nil, err
	}
	data, err := b.ask(id)
	if err != nil {
		// What it says next may belong to this answer: the next read begins with another process.
		b.stop()
		_ = b.end()
	}
	return data, err
}

// ask has one object from the process.
func (b *blobReader) ask(id string) ([]byte, error) {
	if _, err := io.WriteString(b.in, id+"\n"); err != nil {
		return nil, fmt.Errorf("asking git for object %s: %w", id, err)
	}
	return readObject(b.out, id)
}

// readObject reads one answer of cat-file.
func readObject(r *bufio.Reader, id string) ([]byte, error) {
	head, err := r.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("reading object %s from git: %w", id, err)
	}
	f := strings.Fields(head) // "<id> <type> <size>", or "<id> missing"
	if len(f) != 3 {
		return nil, fmt.Errorf("object %s is missing in the mirror", id)
	}
	size, err := strconv.ParseInt(f[2], 10, 64)
	if err != nil || size > maxFileSize {
		return nil, fmt.Errorf("object %s: a size of %s bytes is not allowed", id, f[2])
	}
	data := make([]byte, size+1)
	if _, err := io.ReadFull(r, data); err != nil {
		return nil, fmt.Errorf("reading object %s from git: %w", id, err)
	}
	return data[:size], nil
}

func (b *blobReader) start() error {
	if b.closed {
		return fs.ErrClosed
	}
	if b.cmd != nil {
		return nil
	}
	ctx, stop := context.WithCancel(context.Background()) // it ends with Close, or with this process
	cmd := gitCommand(ctx, b.dir, "cat-file", "--batch")
	// No death signal here: the kernel sends it when the thread ends that started the process, and
	// this one outlives the call. It ends by itself when its input is closed.
	cmd.SysProcAttr.Pdeathsig = 0
	in, err := cmd.StdinPipe()
	if err == nil {
		var out io.ReadCloser
		if out, err = cmd.StdoutPipe(); err == nil {
			b.out = bufio.NewReaderSize(out, 64<<10)
			err = cmd.Start()
		}
	}
	if err != nil {
		stop()
		return fmt.Errorf("starting git: %w", err)
	}
	b.cmd, b.in, b.stop = cmd, in, stop
	return nil
}

func (b *blobReader) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	if b.cmd == nil {
		return nil
	}
	return b.end()
}

// end waits for the process, which ends when its input does.
func (b *blobReader) end() error {
	b.in.Close()
	err := b.cmd.Wait()
	b.stop()
	b.cmd = nil
	return err
}
