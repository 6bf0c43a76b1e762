"""Converts version specifiers with the dependency generator of RPM: its path as the argument, a JSON list of [name,
specifiers] on standard input, a JSON list of dependencies on standard output; null where the generator gives up."""
import contextlib
import importlib.util
import io
import json
import sys

from packaging.specifiers import SpecifierSet

spec = importlib.util.spec_from_file_location("distdeps", sys.argv[1])
generator = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generator)

answers = []
for name, specifiers in json.load(sys.stdin):
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            parts = [generator.convert(name, s.operator, s.version) for s in SpecifierSet(specifiers)]
    except (SystemExit, RuntimeError):
        answers.append(None)
        continue
    if len(parts) > 1:
        answers.append("(" + " with ".join(sorted(parts)) + ")")
    else:
        answers.append(parts[0] if parts else name)
json.dump(answers, sys.stdout)
