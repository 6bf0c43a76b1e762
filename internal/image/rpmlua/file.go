package rpmlua

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/slipway-build/slipway/internal/lua"
)

// file is an open file of the script's. What is written goes out at once, so that a fork has nothing
// to write twice.
type file struct {
	id     int
	fd     int    // -1 in a forked process for what its parent had closed
	closed bool   // by the script, also where a forked process repeats its parent's part
	std    bool   // one of the three that cannot be closed
	buf    []byte // read ahead
	ended  bool
	pid    int // of io.popen
}

// handle is an open file as a forked process takes it over.
type handle struct {
	ID, FD int
	Buf    []byte
	Ended  bool
}

// handles are the files that are open, in the order in which a forked process gets them.
func (h *host) handles() []handle {
	var out []handle
	for id := range len(h.files) {
		if f := h.files[id].Value.(*file); !f.std && !f.closed {
			out = append(out, handle{f.id, 3 + len(out), f.buf, f.ended})
		}
	}
	return out
}

func (h *host) newFile(fd int) *lua.Userdata {
	f := &lua.Userdata{Value: &file{id: len(h.files), fd: fd}, Meta: h.fileMeta}
	h.files[len(h.files)] = f
	return f
}

// fileByID gives the file that an answer of the parent's names.
func (h *host) fileByID(id int) *lua.Userdata {
	for len(h.files) <= id {
		h.newFile(-1)
	}
	return h.files[id]
}

// read reads on; false at the end.
func (f *file) read() (bool, error) {
	if f.ended {
		return false, nil
	}
	block := make([]byte, 64<<10)
	for {
		n, err := unix.Read(f.fd, block)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return false, err
		}
		if n == 0 {
			f.ended = true
			return false, nil
		}
		f.buf = append(f.buf, block[:n]...)
		return true, nil
	}
}

// line reads a line; nil at the end.
func (f *file) line(keep bool) (lua.Value, error) {
	for {
		if i := bytes.IndexByte(f.buf, '\n'); i >= 0 {
			text := string(f.buf[:i])
			if keep {
				text = string(f.buf[:i+1])
			}
			f.buf = f.buf[i+1:]
			return text, nil
		}
		more, err := f.read()
		if err != nil {
			return nil, err
		}
		if !more {
			if len(f.buf) == 0 {
				return nil, nil
			}
			text := string(f.buf)
			f.buf = nil
			return text, nil
		}
	}
}

// maxRead bounds what is read at once.
const maxRead = 256 << 20

func (f *file) count(n int64) (lua.Value, error) {
	if n > maxRead {
		return nil, syscall.ENOMEM
	}
	for int64(len(f.buf)) < max(n, 1) {
		more, err := f.read()
		if err != nil {
			return nil, err
		}
		if !more {
			break
		}
	}
	if len(f.buf) == 0 {
		return nil, nil
	}
	n = min(n, int64(len(f.buf)))
	text := string(f.buf[:n])
	f.buf = f.buf[n:]
	return text, nil
}

func (f *file) all() (lua.Value, error) {
	for {
		more, err := f.read()
		if err != nil {
			return nil, err
		}
		if len(f.buf) > maxRead {
			return nil, syscall.ENOMEM
		}
		if !more {
			text := string(f.buf)
			f.buf = nil
			return text, nil
		}
	}
}

// numeral reads a number after white space.
func (f *file) numeral() (lua.Value, error) {
	for {
		f.buf = bytes.TrimLeft(f.buf, " \t\r\n\f\v")
		i := bytes.IndexFunc(f.buf, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEFxXpP.+-", r) })
		if i < 0 {
			more, err := f.read()
			if err != nil {
				return nil, err
			}
			if more {
				continue
			}
			i = len(f.buf)
		}
		text := string(f.buf[:i])
		f.buf = f.buf[i:]
		if n, err := strconv.ParseInt(text, 0, 64); err == nil {
			return n, nil
		}
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return n, nil
		}
		return nil, nil
	}
}

func (f *file) write(text string) error {
	if len(f.buf) > 0 { // what was read ahead was not read, for the position
		if _, err := unix.Seek(f.fd, -int64(len(f.buf)), io.SeekCurrent); err == nil {
			f.buf = nil
		}
	}
	f.ended = false
	for data := []byte(text); len(data) > 0; {
		n, err := unix.Write(f.fd, data)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

func (f *file) seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekCurrent {
		offset -= int64(len(f.buf))
	}
	at, err := unix.Seek(f.fd, offset, whence)
	if err == nil {
		f.buf, f.ended = nil, false
	}
	return at, err
}

// close closes a file; status is that of the program of io.popen.
func (f *file) close() (status syscall.WaitStatus, err error) {
	if f.fd >= 0 {
		err = unix.Close(f.fd)
	}
	if f.pid > 0 {
		return wait(f.pid)
	}
	return 0, err
}

// openFlags are the flags of a mode of fopen(3).
func openFlags(mode string) (flags int, ok bool) {
	mode = strings.Replace(mode, "b", "", 1)
	switch mode {
	case "r":
		return os.O_RDONLY, true
	case "w":
		return os.O_WRONLY | os.O_CREATE | os.O_TRUNC, true
	case "a":
		return os.O_WRONLY | os.O_CREATE | os.O_APPEND, true
	case "r+":
		return os.O_RDWR, true
	case "w+":
		return os.O_RDWR | os.O_CREATE | os.O_TRUNC, true
	case "a+":
		return os.O_RDWR | os.O_CREATE | os.O_APPEND, true
	}
	return 0, false
}
