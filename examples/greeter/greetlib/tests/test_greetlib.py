from datetime import datetime, timezone

import pytest

from greetlib import UnknownLanguage, greeting, languages, local_time


@pytest.mark.parametrize("language", languages())
def test_greeting_names_whom_it_greets(language):
    assert greeting("world", language).endswith(", world!")


def test_unknown_language():
    with pytest.raises(UnknownLanguage, match="known: "):
        greeting("world", "xx")


def test_local_time():
    noon = datetime(2025, 11, 3, 12, 0, tzinfo=timezone.utc)
    assert local_time("Europe/Prague", noon) == "13:00"
