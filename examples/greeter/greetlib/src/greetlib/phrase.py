"""Phrases, read once from phrases.yaml beside this file."""

from functools import lru_cache
from importlib import resources

import yaml


class UnknownLanguage(LookupError):
    """No phrase is known for the language that was asked for."""


@lru_cache(maxsize=None)
def _phrases():
    text = resources.files("greetlib").joinpath("phrases.yaml").read_text("utf-8")
    return yaml.safe_load(text)


def languages():
    """The languages that greeting() knows, sorted."""
    return sorted(_phrases())


def greeting(name, language="en"):
    """A greeting for name: "Hello, world!"."""
    try:
        phrase = _phrases()[language]
    except KeyError:
        raise UnknownLanguage(f"no phrase for {language!r}; known: {', '.join(languages())}") from None
    return f"{phrase}, {name}!"
