package macro

// shell gives the output of a shell command that only transforms text, or [Unknown] and a report.
func (e *Engine) shell(command string) string {
	if out, ok := computeShell(command); ok {
		return out
	}
	e.report("%%(%s) is not run, so its output is not known", excerpt(command))
	return Unknown
}

// lua reports Lua code, which is never run.
func (e *Engine) lua(code string) string {
	e.report("%%{lua:%s} is not run, so its output is not known", excerpt(code))
	return Unknown
}
