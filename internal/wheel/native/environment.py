"""Prints what of a Python decides how wheels are built: its version, what is installed, and who changes setuptools."""

import json
import platform
import re
import sys
from importlib import metadata

GROUPS = (
    "setuptools.file_finders",
    "setuptools.finalize_distribution_options",
    "distutils.setup_keywords",
    "distutils.commands",
    "egg_info.writers",
    "hatch",
)

dists, plugins, command = {}, {}, ""
for dist in metadata.distributions():
    name = re.sub(r"[-_.]+", "-", dist.metadata["Name"] or "").lower()
    if not name or name in dists:
        continue
    dists[name] = dist.version
    for point in dist.entry_points:
        if point.group not in GROUPS:
            continue
        if name not in plugins.setdefault(point.group, []):
            plugins[point.group].append(name)
        if point.group == "distutils.commands" and point.name == "bdist_wheel":
            command = command or name



def sorts_requirements():
    """Debian's setuptools sorts the requirements that it writes, no other does."""
    try:
        import setuptools

        with open(setuptools.__path__[0] + "/command/egg_info.py", encoding="utf-8") as file:
            return "append_cr, sorted(lines)" in file.read()
    except (ImportError, OSError):
        return False


json.dump(
    {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "dists": dists,
        "plugins": plugins,
        "wheel_command": command,
        "sorts_requirements": sorts_requirements(),
    },
    sys.stdout,
    sort_keys=True,
)
