"""Prints where pip, run by root outside of a virtual environment, installs: what pip's own pip/_internal/locations does."""

import json
import sys
import sysconfig


def by_sysconfig():
    paths = sysconfig.get_paths(sysconfig.get_preferred_scheme("prefix"))
    return {
        "purelib": paths["purelib"],
        "platlib": paths["platlib"],
        "scripts": paths["scripts"],
        "data": paths["data"],
        "headers": paths["include"],
    }


def by_distutils():
    """Before Python 3.10, distributions changed distutils to say where their users' packages go."""
    from distutils.command.install import SCHEME_KEYS
    from distutils.dist import Distribution

    name = "slipway-probe"
    distribution = Distribution({"name": name})
    distribution.parse_config_files()
    install = distribution.get_command_obj("install", create=True)
    install.finalize_options()
    paths = {key: getattr(install, "install_" + key) for key in SCHEME_KEYS}
    if "install_lib" in distribution.get_option_dict("install"):
        paths.update(purelib=install.install_lib, platlib=install.install_lib)
    if paths["headers"].endswith("/" + name):
        paths["headers"] = paths["headers"][: -len(name) - 1]
    return paths


found = by_sysconfig() if hasattr(sysconfig, "get_preferred_scheme") else by_distutils()
found["python"] = sys.executable
print(json.dumps(found))
