"""Compiles the modules that come in on standard input, and writes the .pyc files to standard output.

Both are sequences of a line of JSON and as many bytes as it says. A .pyc is of the kind that is never
checked against its source (PEP 552): an image's modules do not change, and their times say nothing.
"""

import importlib._bootstrap_external as external
import importlib.util
import json
import sys

source, target = sys.stdin.buffer, sys.stdout.buffer
for line in source:
    module = json.loads(line)
    text = source.read(module["size"])
    try:
        code = compile(text, module["path"], "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError):
        continue  # a template, or for another Python; pip leaves it, too
    data = external._code_to_hash_pyc(code, importlib.util.source_hash(text), False)
    place = importlib.util.cache_from_source(module["path"])
    target.write(json.dumps({"path": place, "size": len(data)}).encode() + b"\n")
    target.write(data)
