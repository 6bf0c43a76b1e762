"""The words of a greeting."""

from greetlib.clock import local_time
from greetlib.phrase import UnknownLanguage, greeting, languages

__all__ = ["UnknownLanguage", "greeting", "languages", "local_time"]
