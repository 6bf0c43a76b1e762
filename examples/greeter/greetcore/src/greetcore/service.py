"""The greeting that the service gives."""

from greetlib import greeting

from greetcore.settings import Settings


class Service:
    """Greets whom its settings name."""

    def __init__(self, settings=None):
        self.settings = settings or Settings.load()

    def greet(self, name=None, language=None):
        return greeting(name or self.settings.name, language or self.settings.language)

    def check(self):
        """Raises when no greeting can be given."""
        if not self.greet():
            raise RuntimeError("the greeting is empty")
