"""Answers questions about versions, specifiers and requirements with the packaging library: a JSON list of questions
on standard input, a JSON list of answers on standard output. An answer is null where the library refuses."""
import json
import sys
import warnings

warnings.simplefilter("ignore")
try:
    from packaging import markers, requirements, specifiers, version
except ImportError:
    from setuptools._vendor.packaging import markers, requirements, specifiers, version


def ask(kind, args):
    if kind == "version":
        v = version.Version(args[0])
        return [str(v), v.public, v.base_version, v.is_prerelease]
    if kind == "compare":
        a, b = version.Version(args[0]), version.Version(args[1])
        return (a > b) - (a < b)
    if kind == "contains":
        return specifiers.SpecifierSet(args[0]).contains(args[1])
    if kind == "contains-pre":
        return specifiers.SpecifierSet(args[0]).contains(args[1], prereleases=True)
    if kind == "requirement":
        return str(requirements.Requirement(args[0]))
    if kind == "marker":
        environment = dict(args[1])
        return bool(markers.Marker(args[0]).evaluate(environment))
    if kind == "marker-text":
        return str(markers.Marker(args[0]))
    raise SystemExit("unknown question " + kind)


answers = []
for kind, args in json.load(sys.stdin):
    try:
        answers.append(ask(kind, args))
    except (ValueError, version.InvalidVersion, markers.UndefinedComparison, markers.UndefinedEnvironmentName):
        answers.append(None)
json.dump({"version": getattr(sys.modules[version.__name__.rpartition(".")[0]], "__version__", "?"), "answers": answers}, sys.stdout)
