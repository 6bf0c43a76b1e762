"""Builds the wheel of one project with the project's own backend (PEP 517).

Arguments: a JSON object with "source" and "output" (folders to make), "backend" (as in build-backend), "path" (as in
backend-path) and "requires" (as in build-system.requires).
Standard input: the project's files as a tar archive.
Standard output: a line of JSON about what the project requires and what of it is installed, then a line of JSON about
the wheel, then the wheel. All else that is printed goes to standard error.
"""

import importlib
import json
import os
import re
import sys
import tarfile


def unpack(source):
    os.makedirs(source)
    with tarfile.open(fileobj=sys.stdin.buffer, mode="r|") as archive:
        if hasattr(tarfile, "fully_trusted_filter"):
            archive.extraction_filter = staticmethod(tarfile.fully_trusted_filter)
        archive.extractall(source, numeric_owner=True)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)


def installed(requirements):
    from importlib import metadata

    versions = {}
    for requirement in requirements:
        name = re.match(r"\s*([A-Za-z0-9._-]*)", requirement).group(1)
        try:
            versions[requirement] = metadata.version(name)
        except (metadata.PackageNotFoundError, ValueError):
            versions[requirement] = None
    return versions


def environment():
    import platform

    return {
        "python_full_version": platform.python_version(),
        "platform_machine": platform.machine(),
    }


def load(backend, path, source):
    sys.path[:0] = [os.path.normpath(os.path.join(source, p)) for p in path]
    module, _, attributes = backend.partition(":")
    found = importlib.import_module(module)
    for attribute in attributes.split(".") if attributes else []:
        found = getattr(found, attribute)
    return found


def main():
    order = json.loads(sys.argv[1])
    source, output, requires = order["source"], order["output"], order["requires"]
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def say(**what):
        answer.write(json.dumps(what).encode() + b"\n")
        answer.flush()

    unpack(source)
    os.makedirs(output)
    os.chdir(source)
    # A backend sees its own folder only when the project asks for that, as with pip.
    sys.path[:] = [p for p in sys.path if p not in ("", source)]
    sys.argv[:] = [sys.argv[0]]

    static = installed(requires)
    say(environment=environment(), installed=static)
    backend = load(order["backend"], order["path"], source)
    ask = getattr(backend, "get_requires_for_build_wheel", None)
    dynamic = [str(r) for r in ask({})] if ask else []
    say(installed=installed(dynamic))
    os.chdir(source)
    name = backend.build_wheel(output, {}, None)

    sys.stdout.flush()
    path = os.path.join(output, os.path.basename(name))
    with open(path, "rb") as wheel:
        say(wheel=os.path.basename(name), size=os.fstat(wheel.fileno()).st_size)
        while True:
            block = wheel.read(1 << 20)
            if not block:
                break
            answer.write(block)
    answer.close()


main()
