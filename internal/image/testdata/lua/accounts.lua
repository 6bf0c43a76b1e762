say(posix.getpasswd("bin"))
say(posix.getpasswd("bin", "uid"), posix.getpasswd(1, "name"), posix.getpasswd("none"), posix.getpasswd("bin", "gecos"))
say(posix.getgroup("mail")) say(posix.getgroup(1).name, posix.getgroup("none"))
say(posix.getprocessid("uid"), posix.getprocessid("egid")) try(posix.getprocessid, "x")
