say((rpm.execute("/bin/sh", "-c", "exit 5"))) say(rpm.execute("true")) say((rpm.execute("/none"))) say((rpm.execute("none")))
say(rpm.execute("/bin/sh", "-c", "echo \"$@\" >>/log", "x", "a b", "c")) try(posix.exec, "/bin/true")
local pid = posix.fork()
if pid == 0 then posix.exec("/bin/sh", "-c", "echo child >>/log") elseif pid > 0 then say("parent", posix.wait(pid) == pid) end
pid = posix.fork()
if pid == 0 then posix.redirect2null(1) say("in the child") os.exit(0) else posix.wait(pid) say("after") end
say(posix.wait(-1))
local n = 0
for i = 1, 3 do
  local pid = posix.fork()
  if pid == 0 then say("child", i, n) os.exit(i) end
  posix.wait(pid) n = n + 1
end
say(n)
local f = io.open("/shared", "w") f:write("before\n") f:flush()
pid = posix.fork()
if pid == 0 then f:write("by the child\n") f:close() os.exit(0) end
posix.wait(pid) f:write("after\n") f:close() say(io.open("/shared"):read("a"))
local r = io.open("/shared") say(r:read("l"))
pid = posix.fork()
if pid == 0 then say("the child reads on", r:read("l")) os.exit(0) end
posix.wait(pid)
pid = posix.fork()
if pid == 0 then
  local inner = posix.fork()
  if inner == 0 then say("grandchild") os.exit(0) end
  posix.wait(inner) say("child of it") os.exit(0)
end
posix.wait(pid)
pid = posix.fork() if pid == 0 then say(posix.exec("/none/program")) os.exit(0) end posix.wait(pid)
try(posix.redirect2null, 1)
pid = posix.fork()
if pid == 0 then
  posix.umask("rwx------") posix.chdir("/etc") posix.setenv("IN", "child")
  say(posix.getcwd(), os.getenv("IN")) os.exit(0)
end
posix.wait(pid) say(posix.getcwd(), os.getenv("IN"), posix.umask())
