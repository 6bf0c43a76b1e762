package wheel

import (
	"bytes"
	"fmt"
	"strings"
)

// maxShebang is how long the first line of a script may be; longer ones some kernels cut off (pip's bound).
const maxShebang = 127

// shebang is the head of a script for the interpreter. Where Linux could not read it, because it is long or has a blank, a
// shell starts the interpreter instead, in lines that Python takes for a string.
func shebang(python string) string {
	if !strings.Contains(python, " ") && len("#!\n")+len(python) <= maxShebang {
		return "#!" + python + "\n"
	}
	if strings.Contains(python, " ") {
		python = `"` + python + `"`
	}
	return "#!/bin/sh\n'''exec' " + python + ` "$0" "$@"` + "\n' '''\n"
}

// wrapper is the script for an entry point, byte for byte what pip 20 to 25.0 write.
func wrapper(e entryPoint, python string) []byte {
	imported, _, _ := strings.Cut(e.object, ".")
	return fmt.Appendf(nil, `%s# -*- coding: utf-8 -*-
import re
import sys
from %s import %s
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\.pyw|\.exe)?$', '', sys.argv[0])
    sys.exit(%s())
`, shebang(python), e.module, imported, e.object)
}

// fixScript gives a script of the wheel its interpreter: a first line that begins with "#!python" is replaced.
func fixScript(content []byte, python string) (fixed []byte, changed bool) {
	if !bytes.HasPrefix(content, []byte("#!python")) {
		return content, false
	}
	_, rest, _ := bytes.Cut(content, []byte("\n"))
	return append([]byte("#!"+python+"\n"), rest...), true
}
