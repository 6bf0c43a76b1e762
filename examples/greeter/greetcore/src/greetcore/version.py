"""Which revisions of the team's own projects are installed."""

import json
from importlib import metadata

PROJECTS = ("greetlib", "greetcore", "greetweb")


def installed(projects=PROJECTS):
    """{project: {"version": …, "commit": …}}; the commit is None when the project was not installed from git (PEP 610)."""
    return {name: _revision(name) for name in projects}


def _revision(name):
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return {"version": None, "commit": None}
    direct = json.loads(distribution.read_text("direct_url.json") or "{}")
    return {"version": distribution.version, "commit": direct.get("vcs_info", {}).get("commit_id")}
