"""Settings of the service: a file, then the environment."""

import os
from dataclasses import dataclass, fields, replace
from pathlib import Path

import yaml

DEFAULT_PATH = "/etc/greeter/greeter.yaml"


@dataclass(frozen=True)
class Settings:
    """name is greeted in language; the worker asks url every interval seconds and tells the time of zone."""

    name: str = "world"
    language: str = "en"
    zone: str = "UTC"
    url: str = "http://web:8080/"
    interval: float = 5.0

    @classmethod
    def load(cls, path=None, environment=os.environ):
        """Reads path (or $GREETER_CONFIG, or DEFAULT_PATH when it exists); GREETER_NAME and so on override it."""
        path = Path(path or environment.get("GREETER_CONFIG", DEFAULT_PATH))
        values = yaml.safe_load(path.read_text("utf-8")) or {} if path.exists() else {}
        known = {f.name: f.type for f in fields(cls)}
        unknown = sorted(set(values) - set(known))
        if unknown:
            raise ValueError(f"{path}: unknown setting {unknown[0]!r}; known: {', '.join(known)}")
        for name, kind in known.items():
            override = environment.get(f"GREETER_{name.upper()}")
            if override is not None:
                values[name] = kind(override)
        return replace(cls(), **values)
