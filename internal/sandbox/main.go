package sandbox

// Main takes over when the running process was started as a sandbox's first
// process, and then never returns; otherwise it does nothing. Call it before
// anything else in main and in TestMain.
func Main() {}
