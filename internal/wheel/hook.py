"""Builds the wheel of one project with the project's own backend (PEP 517), or asks it for the metadata only.

Arguments: a JSON object with "source", "output" and "tracked" (folders to make), "backend" (as in build-backend), "path" (as in
backend-path), "requires" (as in build-system.requires) and "metadata" (true when only METADATA is wanted).
Standard input: the project's files as a tar archive.
Standard output: a line of JSON about what the project requires and what of it is installed, then a line of JSON about
the file, then the file: the wheel, or METADATA. All else that is printed goes to standard error.
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
        tracked = [member.name for member in archive.getmembers() if not member.isdir()]
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return tracked


FINDER = """\
def find(folder=""):
    prefix = folder.rstrip("/") + "/" if folder not in ("", ".") else ""
    return [name for name in TRACKED if name.startswith(prefix)]
"""


def offer_tracked(tracked, folder):
    """Stands in for setuptools-scm and its like, which ask git, that is not here, for the files that belong to a project.

    Those are all files that came in. setuptools is told through the same kind of entry point as theirs, and only where
    one of theirs is installed.
    """
    from importlib import metadata

    points = metadata.entry_points()
    group = "setuptools.file_finders"
    if not (points.select(group=group) if hasattr(points, "select") else points.get(group)):
        return
    info = os.path.join(folder, "slipway_tracked-1.dist-info")
    os.makedirs(info)
    for path, content in (
        (os.path.join(folder, "slipway_tracked.py"), "TRACKED = " + repr(tracked) + "\n\n\n" + FINDER),
        (os.path.join(info, "METADATA"), "Metadata-Version: 2.1\nName: slipway-tracked\nVersion: 1\n"),
        (os.path.join(info, "entry_points.txt"), "[" + group + "]\nslipway = slipway_tracked:find\n"),
    ):
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
    sys.path.append(folder)


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


def metadata(backend, output):
    """Makes METADATA and returns its path: by the hook for that, which is optional, or else by building the wheel."""
    path = os.path.join(output, "METADATA")
    if hasattr(backend, "prepare_metadata_for_build_wheel"):
        folder = backend.prepare_metadata_for_build_wheel(output, {})
        os.rename(os.path.join(output, os.path.basename(folder), "METADATA"), path)
        return path
    import zipfile

    wheel = os.path.basename(backend.build_wheel(output, {}, None))
    with zipfile.ZipFile(os.path.join(output, wheel)) as archive:
        (name,) = [n for n in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", n)]
        with open(path, "wb") as file:
            file.write(archive.read(name))
    return path


def main():
    order = json.loads(sys.argv[1])
    source, output, requires = order["source"], order["output"], order["requires"]
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    sys.stdout.reconfigure(line_buffering=True)  # keeps its order with standard error

    def say(**what):
        answer.write(json.dumps(what).encode() + b"\n")
        answer.flush()

    tracked = unpack(source)
    os.makedirs(output)
    os.chdir(source)
    # A backend sees its own folder only when the project asks for that, as with pip.
    sys.path[:] = [p for p in sys.path if p not in ("", source)]
    sys.argv[:] = [sys.argv[0]]

    static = installed(requires)
    say(environment=environment(), installed=static)
    offer_tracked(tracked, order["tracked"])
    backend = load(order["backend"], order["path"], source)
    ask = getattr(backend, "get_requires_for_build_wheel", None)
    dynamic = [str(r) for r in ask({})] if ask else []
    say(installed=installed(dynamic))
    os.chdir(source)
    if order["metadata"]:
        path = metadata(backend, output)
    else:
        path = os.path.join(output, os.path.basename(backend.build_wheel(output, {}, None)))

    sys.stdout.flush()
    with open(path, "rb") as file:
        say(wheel=os.path.basename(path), size=os.fstat(file.fileno()).st_size)
        while True:
            block = file.read(1 << 20)
            if not block:
                break
            answer.write(block)
    answer.close()


main()
