"""Builds projects with their own backends, each in a process of its own, for the tests to compare with.

Standard input: a JSON list of {"source", "output", "backend", "path", "version"}.
Standard output: a JSON list of {"wheel"} or {"error"}.
"""

import importlib
import json
import os
import sys
import traceback

os.environ["PYTHONHASHSEED"] = "0"


def build(order):
    os.chdir(order["source"])
    if order["version"]:
        os.environ["SETUPTOOLS_SCM_PRETEND_VERSION"] = order["version"]
    sys.path[:] = [p for p in sys.path if p not in ("", os.path.dirname(os.path.abspath(__file__)))]
    sys.path[:0] = [os.path.join(order["source"], p) for p in order["path"]]
    sys.argv[:] = ["backend"]
    module, _, attribute = order["backend"].partition(":")
    backend = importlib.import_module(module)
    for part in filter(None, attribute.split(".")):
        backend = getattr(backend, part)
    return {"wheel": os.path.join(order["output"], backend.build_wheel(order["output"], {}, None))}


def main():
    orders = json.load(sys.stdin)
    if any(o["backend"].startswith("setuptools") for o in orders):
        import setuptools.build_meta  # once for all
    answers = []
    for order in orders:
        reader, writer = os.pipe()
        child = os.fork()
        if not child:
            os.close(reader)
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            log = os.open(order["output"] + "/log", os.O_WRONLY | os.O_CREAT)
            os.dup2(log, 2)
            try:
                answer = build(order)
            except BaseException:
                answer = {"error": traceback.format_exc()}
            os.write(writer, json.dumps(answer).encode())
            os._exit(0)
        os.close(writer)
        with os.fdopen(reader) as pipe:
            answers.append(json.load(pipe))
        os.waitpid(child, 0)
    json.dump(answers, sys.stdout)


main()
