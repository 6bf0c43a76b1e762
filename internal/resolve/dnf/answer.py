# Answers requests as dnf does: what it would install into an empty root.
#
# argv: an empty folder to work in.
# stdin: a JSON object on each line, as dnf.go describes it (World).
# stdout: for each request a line with a JSON object of packages or error, and seconds, the
# processor time that finding the answer took.
import gc
import json
import os
import sys
import time

import dnf
import dnf.exceptions

gc.collect = lambda *args: 0  # dnf calls it for every question; it is most of the time


def load(setup, root):
    base = dnf.Base()
    conf = base.conf
    conf.installroot = root
    conf.cachedir = os.path.join(root, "cache")
    conf.substitutions["arch"] = setup["arch"]
    conf.substitutions["basearch"] = setup["arch"]
    conf.substitutions["releasever"] = "1"
    conf.best = setup["best"]
    conf.install_weak_deps = setup["weak"]
    conf.pluginpath = []
    if setup["platform"]:
        conf.module_platform_id = "platform:" + setup["platform"]
    if not setup["multilib"]:
        conf.excludepkgs = ["*.i686", "*.i386"]
    for r in setup["repos"]:
        repo = dnf.repo.Repo(r["id"], conf)
        repo.baseurl = [r["url"]]
        repo.priority = r["priority"]
        repo.cost = r["cost"]
        repo.excludepkgs = r["exclude"] or []
        repo.includepkgs = r["include"] or []
        repo.gpgcheck = False
        repo.module_hotfixes = not r["modules"]
        repo.load_metadata_other = False
        base.repos.add(repo)
    base.fill_sack(load_system_repo=False)
    return base


def nevra(p):
    epoch = "%s:" % p.epoch if str(p.epoch) not in ("0", "") else ""
    return "%s-%s%s-%s.%s" % (p.name, epoch, p.version, p.release, p.arch)


def answer(base, specs):
    base.reset(goal=True)
    try:
        for spec in specs:
            base.install(spec)
    except dnf.exceptions.MarkingError as e:
        return {"error": str(e)}
    goal = base._goal
    if not goal.run(force_best=base.conf.best, ignore_weak_deps=not base.conf.install_weak_deps):
        return {"error": "; ".join(sum(goal.problem_rules(), [])) or "dnf does not say why"}
    return {"packages": sorted(nevra(p) for p in goal.list_installs())}


for number, line in enumerate(sys.stdin):
    setup = json.loads(line)
    base = load(setup, os.path.join(sys.argv[1], str(number)))
    for specs in setup["requests"]:
        start = time.process_time()
        result = answer(base, specs)
        result["seconds"] = time.process_time() - start
        print(json.dumps(result), flush=True)
    base.close()
