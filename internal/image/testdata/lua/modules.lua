say(require "posix" == posix, require("string") == string, (pcall(require, "none")))
local f = io.open("/m.lua", "w") f:write("local M = {} function M.f(x) return x * 2 end return M") f:close()
package.path = package.path .. ";/m.lua"
say(require("m").f(4)) say(require("m") == require("m"))
f = io.open("/d.lua", "w") f:write("#!/x\nreturn ...") f:close()
say(dofile("/d.lua")) say(loadfile("/d.lua")(7)) say(loadfile("/none.lua"))
