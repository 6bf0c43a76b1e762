package script

import (
	"errors"
	"strings"
)

// luaCommands are Lua scripts, by their text without white space, that do nothing but run one
// program: packages that come before any shell write them so.
var luaCommands = map[string][]string{
	`posix.exec("/sbin/ldconfig")`:     {"/sbin/ldconfig"},
	`posix.exec("/usr/sbin/ldconfig")`: {"/usr/sbin/ldconfig"},
	`localpid=posix.fork()ifpid==0thenposix.exec("/sbin/ldconfig")elseifpidthenposix.wait(pid)end`:       {"/sbin/ldconfig"},
	`localpid=posix.fork()ifpid==0thenposix.exec("/usr/sbin/ldconfig")elseifpidthenposix.wait(pid)end`:   {"/usr/sbin/ldconfig"},
	`localpid=posix.fork()ifpid==0thenposix.exec("/sbin/ldconfig")elseifpid>0thenposix.wait(pid)end`:     {"/sbin/ldconfig"},
	`localpid=posix.fork()ifpid==0thenposix.exec("/usr/sbin/ldconfig")elseifpid>0thenposix.wait(pid)end`: {"/usr/sbin/ldconfig"},
	`rpm.execute("/sbin/ldconfig")`:     {"/sbin/ldconfig"},
	`rpm.execute("/usr/sbin/ldconfig")`: {"/usr/sbin/ldconfig"},
}

// luaCommand gives the program that a Lua script stands for.
func luaCommand(body string) ([]string, error) {
	if c, ok := luaCommands[strings.Join(strings.Fields(body), "")]; ok {
		return c, nil
	}
	return nil, errors.New("it is written in Lua, for rpm's own interpreter, which this version does not have; " +
		"leave the package out, or use another build strategy for this image")
}
