# What dnf is made of, in one process: hawkey reads repositories, libsolv solves requests.
#
# argv: a JSON object with repos (folders), cache (an empty folder) and requests (lists of names).
# stdout: a JSON object with wall, cpu (seconds of reading), packages, and solved, for each request
# its wall, cpu and install, the number of packages to install, 0 for none.
import gc
import json
import os
import sys
import time
import warnings
import xml.etree.ElementTree as ElementTree

warnings.simplefilter("ignore")

import hawkey

gc.disable()
NS = "{http://linux.duke.edu/metadata/repo}"


def repo(number, folder):
    r = hawkey.Repo("r%d" % number)
    r.repomd_fn = os.path.join(folder, "repodata", "repomd.xml")
    for data in ElementTree.parse(r.repomd_fn).getroot().findall(NS + "data"):
        if data.get("type") == "primary":
            r.primary_fn = os.path.join(folder, data.find(NS + "location").get("href"))
    return r


class Watch:
    def __init__(self):
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def stop(self):
        return {"wall": time.perf_counter() - self.wall, "cpu": time.process_time() - self.cpu}


task = json.loads(sys.argv[1])
repos = [repo(i, folder) for i, folder in enumerate(task["repos"])]
sack = hawkey.Sack(cachedir=task["cache"], arch="x86_64", rootdir=task["cache"])
watch = Watch()
for r in repos:
    sack.load_repo(r, build_cache=False, load_filelists=False)
outcome = watch.stop()
outcome["packages"] = len(sack)
outcome["solved"] = []
if task["requests"]:
    sack.add_excludes(hawkey.Query(sack).filter(arch=["i686", "i386"]))
for names in task["requests"] or []:
    goal = hawkey.Goal(sack)
    for name in names:
        goal.install(select=hawkey.Selector(sack).set(name=name))
    watch = Watch()
    found = goal.run(ignore_weak_deps=True, force_best=True)
    solved = watch.stop()
    solved["install"] = len(goal.list_installs()) if found else 0
    outcome["solved"].append(solved)
print(json.dumps(outcome))
