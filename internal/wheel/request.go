package wheel

import (
	"io/fs"
	"log/slog"
	"time"
)

// Request is one project to build.
type Request struct {
	Project string // the project's name, for messages and for SETUPTOOLS_SCM_PRETEND_VERSION_FOR_…
	Version string // what a version taken from tags comes to; "" leaves it to the backend
	Tree    fs.FS  // the project's files at the commit; symbolic links where it is an [fs.ReadLinkFS]
	Epoch   int64  // SOURCE_DATE_EPOCH and the files' time: the commit's, in seconds since 1970
	Root    Root   // where the backend runs
	Limits  Limits
	// RunBackend has the backend run even where its wheel can be written without.
	RunBackend bool
	Log        *slog.Logger // hears the backend's output, and why it ran, at debug level; nil discards
}

func (r Request) log() *slog.Logger {
	if r.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return r.Log
}

// Root is a root filesystem with a Python in it.
type Root struct {
	Lowers []string // directories of the layers, topmost first; never changed
	Key    string   // identifies their content in cache keys, for example the lock's digest of that root
	Python string   // absolute path inside; "" is /usr/bin/python3
}

func (r Root) python() string {
	if r.Python == "" {
		return "/usr/bin/python3"
	}
	return r.Python
}

// Limits bound a build. Zero fields are the defaults.
type Limits struct {
	Memory    int64         // bytes, of processes and of what they write together; default 4 GiB
	Processes int           // default 512
	Time      time.Duration // default 10 minutes
	Disk      int64         // bytes that can be written; default 2 GiB
	Source    int64         // bytes of the project's files; default 1 GiB
	Wheel     int64         // bytes of the wheel, unpacked; default 512 MiB
}

func (l Limits) withDefaults() Limits {
	set := func(field *int64, value int64) {
		if *field == 0 {
			*field = value
		}
	}
	set(&l.Memory, 4<<30)
	set(&l.Disk, 2<<30)
	set(&l.Source, 1<<30)
	set(&l.Wheel, maxUnpacked)
	if l.Processes == 0 {
		l.Processes = 512
	}
	if l.Time == 0 {
		l.Time = 10 * time.Minute
	}
	return l
}
