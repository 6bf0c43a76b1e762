"""Prints the metadata that a project's own build backend makes of it, as JSON. The project is the working directory,
its backend the argument."""
import email
import importlib
import json
import os
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")
sys.path.insert(0, os.getcwd())
backend = importlib.import_module(sys.argv[1])
out = tempfile.mkdtemp()
stdout, sys.stdout = sys.stdout, sys.stderr
info = backend.prepare_metadata_for_build_wheel(out)
with open(os.path.join(out, info, "METADATA"), encoding="utf-8") as f:
    message = email.message_from_file(f)
json.dump({
    "Name": message["Name"],
    "Version": message["Version"],
    "RequiresPython": message["Requires-Python"] or "",
    "Requires": message.get_all("Requires-Dist") or [],
    "Extras": message.get_all("Provides-Extra") or [],
}, stdout)
