package pymeta

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestHostileFilesEnd reads files that nest deeply or repeat much. They must end, with or without a diagnostic.
func TestHostileFilesEnd(t *testing.T) {
	const n = maxFile - 10
	for name, file := range map[string][2]string{
		"arrays":        {pyprojectName, "a = " + strings.Repeat("[", n)},
		"closed arrays": {pyprojectName, "a = " + strings.Repeat("[", n) + strings.Repeat("]", n)},
		"inline tables": {pyprojectName, "a = " + strings.Repeat("{a=", n/3)},
		"dotted key":    {pyprojectName, strings.Repeat("a.", n/2) + "a = 1"},
		"dotted table":  {pyprojectName, "[" + strings.Repeat("a.", n/2) + "a]"},
		"parentheses":   {setupPyName, "x = " + strings.Repeat("(", n) + strings.Repeat(")", n)},
		"nots":          {setupPyName, "x = " + strings.Repeat("not ", n/4) + "y"},
		"powers":        {setupPyName, "x = " + strings.Repeat("-", n) + "1"},
		"doubling":      {setupPyName, "x = 'a'\n" + strings.Repeat("x = x + x\n", 1000)},
		"long lists":    {setupPyName, "x = ['a']\n" + strings.Repeat("x += x\n", 200)},
		"calls":         {setupPyName, "def f(a):\n  return f(a)\ndef g(a):\n  return g(g(a))\nx = f('a')\ny = g('b')\n"},
		"continuations": {setupCfgName, "[options]\ninstall_requires =\n" + strings.Repeat(" a\n", n/4)},
		"sections":      {setupCfgName, strings.Repeat("[a]\nb=c\n", n/8)},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Read(fstest.MapFS{file[0]: {Data: []byte(file[1])}}); err != nil {
				t.Log(err)
			}
		})
	}
}
