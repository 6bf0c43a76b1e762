package local

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

// maxLog is when a log file is rotated, in bytes. One rotated file is kept.
const maxLog = 5 << 20

// logFile is a file that an instance's output goes to. It is safe for concurrent
// use.
type logFile struct {
	path  string
	limit int64

	mu   sync.Mutex
	file *os.File // nil: to be opened
	size int64
}

func openLog(path string, limit int64) (*logFile, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, fmt.Errorf("opening the log: %w", err)
	}
	l := &logFile{path: path, limit: limit}
	if err := l.open(); err != nil {
		return nil, err
	}
	return l, nil
}

func (l *logFile) open() error {
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return fmt.Errorf("opening the log: %w", err)
	}
	l.file, l.size = f, info.Size()
	return nil
}

// Write implements io.Writer. It never fails: what a full disk has no room for is
// lost, and what comes when there is room again is kept.
func (l *logFile) Write(data []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.size > 0 && l.size+int64(len(data)) > l.limit {
		l.rotate()
	}
	if l.file == nil && l.open() != nil {
		return len(data), nil
	}
	n, _ := l.file.Write(data)
	l.size += int64(n)
	return len(data), nil
}

// rotate begins a new file. Where the old one can't be kept, it is emptied.
func (l *logFile) rotate() {
	if err := os.Rename(l.path, l.path+rotatedSuffix); err != nil {
		_ = l.file.Truncate(0)
	} else {
		l.file.Close()
		l.file = nil // opened by the next write, and if need be tried again
	}
	l.size = 0
}

const rotatedSuffix = ".1"

// note adds a line of Slipway's own.
func (l *logFile) note(format string, args ...any) {
	_, _ = fmt.Fprintf(l, "[slipway] "+format+"\n", args...)
}

func (l *logFile) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.file == nil {
		return nil
	}
	return l.file.Close()
}

// tail returns the last n lines of a log and of its rotated part; all when n is
// negative.
func tail(path string, n int) ([]string, error) {
	var data []byte
	for _, name := range []string{path + rotatedSuffix, path} {
		part, err := readEnd(name, n)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("reading the log: %w", err)
		}
		data = append(data, part...)
	}
	text := strings.TrimSuffix(string(data), "\n")
	if text == "" || n == 0 {
		return nil, nil
	}
	lines := strings.Split(text, "\n")
	if n >= 0 && len(lines) > n {
		lines = lines[len(lines)-n:]
	}
	return lines, nil
}

// readEnd reads what is enough of a file's end for n lines of usual length.
func readEnd(name string, n int) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if n >= 0 {
		info, err := f.Stat()
		if err != nil {
			return nil, err
		}
		if _, err := f.Seek(max(0, info.Size()-int64(n)*1000-1000), io.SeekStart); err != nil {
			return nil, err
		}
	}
	return io.ReadAll(f)
}

// maxLine is when a line that does not end is taken for one, in bytes.
const maxLine = 64 << 10

// follower reads the whole lines that are added to a log, across rotations.
type follower struct {
	path    string
	file    *os.File
	partial []byte
}

// lines returns the lines that were added since the last call.
func (f *follower) lines() ([]string, error) {
	var lines []string
	for {
		if f.file == nil {
			file, err := os.Open(f.path)
			if errors.Is(err, fs.ErrNotExist) {
				return lines, nil
			}
			if err != nil {
				return lines, fmt.Errorf("reading the log: %w", err)
			}
			f.file = file
		}
		// The file is looked at before it is read: when it has been rotated
		// away by then, nothing is added to it any more.
		rotated := f.rotated()
		data, err := io.ReadAll(f.file)
		if err != nil {
			return lines, fmt.Errorf("reading the log: %w", err)
		}
		f.partial = append(f.partial, data...)
		for {
			line, rest, ok := bytes.Cut(f.partial, []byte("\n"))
			if !ok && len(line) >= maxLine {
				ok = true
			}
			if !ok {
				break
			}
			lines = append(lines, string(line))
			f.partial = rest
		}
		if !rotated {
			return lines, nil
		}
		f.close()
	}
}

// skip goes to the end of what is there and returns the last n lines.
func (f *follower) skip(n int) ([]string, error) {
	before, err := tail(f.path, n)
	if err != nil {
		return nil, err
	}
	_, err = f.lines()
	return before, err
}

func (f *follower) rotated() bool {
	ours, err1 := f.file.Stat()
	now, err2 := os.Stat(f.path)
	return err1 == nil && err2 == nil && !os.SameFile(ours, now)
}

func (f *follower) close() {
	if f.file != nil {
		f.file.Close()
		f.file = nil
	}
}
