# Reads, a line each, repositories (folders), those with module_hotfixes, and streams to enable; says
# which packages dnf then sees, or why it does not.
import json, sys, tempfile, dnf, dnf.module.module_base, hawkey

for number, line in enumerate(sys.stdin):
    ask = json.loads(line)
    base = dnf.Base()
    base.conf.cachedir = "%s/%d" % (sys.argv[1], number)
    base.conf.installroot = tempfile.mkdtemp(dir=sys.argv[1])
    base.conf.reposdir, base.conf.varsdir, base.conf.pluginpath = [], [], []
    base.conf.module_platform_id = "platform:" + ask["platform"]
    base.conf.substitutions["arch"] = base.conf.substitutions["basearch"] = "x86_64"
    base.conf.substitutions["releasever"] = "9"
    for i, folder in enumerate(ask["repos"]):
        repo = base.repos.add_new_repo("r%d" % i, base.conf, baseurl=["file://" + folder])
        repo.module_hotfixes = i in (ask["hotfixes"] or [])
    base.fill_sack(load_system_repo=False)
    answer = {"Error": "", "Visible": []}
    try:
        if ask["enabled"]:
            dnf.module.module_base.ModuleBase(base).enable(ask["enabled"])
    except dnf.exceptions.Error as e:
        # Default streams that do not go with the enabled ones stop "dnf module enable", and nothing
        # after it: every later command goes on without them, as we do.
        only_defaults = "Modular dependency problems with Defaults" in str(e)
        if not only_defaults or getattr(e, "no_match_group_specs", None) or getattr(e, "error_group_specs", None):
            answer["Error"] = str(e) or type(e).__name__
    for p in base.sack.query().available().filter(arch__neq=["src"]):
        answer["Visible"].append("%s %s" % (p.reponame, p))
    answer["Visible"].sort()
    print(json.dumps(answer))
    base.close()
