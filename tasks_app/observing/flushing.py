"""Flushing of the process's counts: the thread that writes them every few seconds.

A kill loses what was counted since the last write, at most `INTERVAL_SECONDS` of it; a process that ends by itself writes
what is left. A database that is away loses nothing: counts stay until it is back.
"""

import atexit
import logging
import os
import threading
from collections.abc import Iterable
from datetime import datetime
from typing import Final

from django.db import close_old_connections, connection

from tasks_app.observing.counting import Counts
from tasks_app.observing.judging import Verdict
from tasks_app.observing.rows import write

logger = logging.getLogger("flowledger.observing")

INTERVAL_SECONDS: Final = 3.0
COUNTS: Final = Counts()


class Flusher:
    """Writes the counts in the background once it was switched on. Without it they stay until `flush` is called.

    The thread starts with the first count, so in the process that counts and not in one that it was forked from.
    """

    def __init__(self, counts: Counts, *, interval: float) -> None:
        self._counts = counts
        self._interval = interval
        self._is_on = False
        self._pid: int | None = None
        self.failures = 0

    def switch_on(self) -> None:
        """From now on counts are written, and once more when the process ends. Again is a no-op."""
        if not self._is_on:
            self._is_on = True
            atexit.register(self._last)

    def nudge(self) -> None:
        """Makes sure that the thread runs in this process. Costs a comparison when it does."""
        if self._is_on and self._pid != os.getpid():
            self._pid = os.getpid()
            threading.Thread(target=self._run, name="flowledger-counts", daemon=True).start()

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(self._interval):
            self._attempt()

    def _attempt(self) -> None:
        close_old_connections()
        try:
            written = write(self._counts)
        except Exception as error:  # whatever it is: an answer must never fail because it could not be counted
            self.failures += 1
            logger.warning("Counts of answers could not be written yet: %s", type(error).__name__)
            connection.close()
            return
        if not written:  # a quiet process keeps no connection
            connection.close()

    def _last(self) -> None:
        if self._pid == os.getpid():
            self._attempt()


FLUSHER: Final = Flusher(COUNTS, interval=INTERVAL_SECONDS)


def count_in_worker(**_: object) -> None:
    """For django-q's signal: this process is a worker, so what it counts is written."""
    FLUSHER.switch_on()


def count(*, tenant_id: int | None, verdicts: Iterable[Verdict], now: datetime) -> None:
    """Counts one answer, to be written soon. Asks nothing of the database."""
    COUNTS.add(tenant_id=tenant_id, verdicts=verdicts, now=now)
    FLUSHER.nudge()


def flush() -> int:
    """Writes what this process has counted, on this connection, and says how many that were."""
    return write(COUNTS)
