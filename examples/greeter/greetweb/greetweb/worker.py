"""The worker: asks the web server for its greeting again and again, and logs it."""

import logging
import signal
import threading

import requests

from greetcore import Settings
from greetlib import local_time

log = logging.getLogger("greetweb.worker")


def ask(settings, session):
    """Logs one greeting, or why there was none."""
    try:
        answer = session.get(settings.url, timeout=3)
        answer.raise_for_status()
    except requests.RequestException as error:
        log.warning("asking %s: %s", settings.url, error)
        return False
    log.info("%s %s says: %s", local_time(settings.zone), settings.url, answer.text.strip())
    return True


def main():
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = Settings.load()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    log.info("asking %s every %g s", settings.url, settings.interval)
    with requests.Session() as session:
        while not stop.is_set():
            ask(settings, session)
            stop.wait(settings.interval)
    log.info("stopped")


if __name__ == "__main__":
    main()
