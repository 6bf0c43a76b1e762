package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// memoryWatch looks at how much memory the processes take that this one has started.
type memoryWatch struct {
	done chan struct{}
	peak chan int64
}

// memoryEvery is how often it looks.
const memoryEvery = 40 * time.Millisecond

func watchMemory() memoryWatch {
	w := memoryWatch{done: make(chan struct{}), peak: make(chan int64)}
	go func() {
		var peak int64
		tick := time.NewTicker(memoryEvery)
		defer tick.Stop()
		for {
			select {
			case <-w.done:
				w.peak <- peak
				return
			case <-tick.C:
				peak = max(peak, memoryBelow(os.Getpid()))
			}
		}
	}()
	return w
}

// stop gives the most that was seen, in bytes; 0 where nothing ran for long enough.
func (w memoryWatch) stop() int64 {
	close(w.done)
	return <-w.peak
}

// memoryBelow is the resident memory of all descendants of a process, in bytes. Pages that several
// share count for each of them, so it is rather too much than too little. Processes that end while
// they are looked at count for nothing.
func memoryBelow(pid int) int64 {
	var sum int64
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return 0
	}
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil {
			continue
		}
		for _, field := range strings.Fields(string(text)) {
			child, err := strconv.Atoi(field)
			if err != nil {
				continue
			}
			sum += resident(child) + memoryBelow(child)
		}
	}
	return sum
}

// resident reads the second number of /proc/PID/statm (proc(5)): pages in memory.
func resident(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}
