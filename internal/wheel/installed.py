"""Prints the distributions that a Python finds, in the order in which it would take them, and what they require."""

import json
import platform
import sys
from importlib import metadata

found = []
for dist in metadata.distributions():
    name = dist.metadata["Name"]
    if name:
        found.append({"name": name, "version": dist.version, "requires": dist.requires or []})
json.dump({"python": platform.python_version(), "dists": found}, sys.stdout)
