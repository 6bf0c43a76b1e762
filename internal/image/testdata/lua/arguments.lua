say(#arg, arg[1], arg[2], type(arg[2]), arg[3], opt)
say(...)
