# Answers requests as dnf does: what it would install into an empty root.
#
# stdin: a JSON object with repos (id, url, priority, cost), arch, best, weak and root, an empty
# folder; then a line for each question, a JSON list of arguments of "dnf install".
# stdout: a line for each question, a JSON object with packages or error, and seconds, the time that
# the solver took.
import json
import os
import sys
import time

import dnf
import dnf.exceptions
import hawkey

setup = json.loads(sys.stdin.readline())
base = dnf.Base()
conf = base.conf
conf.installroot = setup["root"]
conf.cachedir = os.path.join(setup["root"], "cache")
conf.substitutions["arch"] = setup["arch"]
conf.substitutions["basearch"] = setup["arch"]
conf.substitutions["releasever"] = "1"
conf.best = setup["best"]
conf.install_weak_deps = setup["weak"]
conf.pluginpath = []
# Images are not multilib, and module streams are another matter.
conf.excludepkgs = ["*.i686", "*.i386"]
for r in setup["repos"]:
    repo = dnf.repo.Repo(r["id"], conf)
    repo.baseurl = [r["url"]]
    repo.priority = r["priority"]
    repo.cost = r["cost"]
    repo.gpgcheck = False
    repo.module_hotfixes = True
    repo.load_metadata_other = False
    base.repos.add(repo)
base.fill_sack(load_system_repo=False)


def nevra(p):
    epoch = "%s:" % p.epoch if str(p.epoch) not in ("0", "") else ""
    return "%s-%s%s-%s.%s" % (p.name, epoch, p.version, p.release, p.arch)


print(json.dumps({"packages": [], "hawkey": hawkey.VERSION}), flush=True)
for line in sys.stdin:
    base.reset(goal=True)
    answer = {}
    start = time.perf_counter()
    try:
        for spec in json.loads(line):
            base.install(spec)
        goal = base._goal
        if goal.run(force_best=conf.best, ignore_weak_deps=not conf.install_weak_deps):
            answer["packages"] = sorted(nevra(p) for p in goal.list_installs())
        else:
            answer["error"] = "; ".join(sum(goal.problem_rules(), []))
    except dnf.exceptions.MarkingError as e:
        answer["error"] = str(e)
    answer["seconds"] = time.perf_counter() - start
    print(json.dumps(answer), flush=True)
