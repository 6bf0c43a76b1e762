package image

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

var t0 = time.Now()

func trace(what string) {
	if os.Getenv("SLIPWAY_TRACE") == "" {
		return
	}
	var a, b unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &a)
	unix.Getrusage(unix.RUSAGE_CHILDREN, &b)
	f := func(t unix.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	fmt.Fprintf(os.Stderr, "TRACE %-20s %6.2f self %.2f+%.2f children %.2f+%.2f\n", what, time.Since(t0).Seconds(), f(a.Utime), f(a.Stime), f(b.Utime), f(b.Stime))
}
