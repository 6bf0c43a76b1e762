"""What every part of the greeter service shares."""

from greetcore.service import Service
from greetcore.settings import Settings
from greetcore.version import installed

__all__ = ["Service", "Settings", "installed"]
