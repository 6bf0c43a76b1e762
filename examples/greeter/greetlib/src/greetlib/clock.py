"""The time of day where somebody is greeted."""

from datetime import datetime
from zoneinfo import ZoneInfo


def local_time(zone="UTC", now=None):
    """The time in zone as HH:MM; now is an aware datetime, by default the present."""
    now = now or datetime.now(tz=ZoneInfo("UTC"))
    return now.astimezone(ZoneInfo(zone)).strftime("%H:%M")
