"""Heartbeat of a running job: another thread extends its lease, and cancels its statement when the job is taken away."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from analytics.jobs import rows
from analytics.jobs.clock import read_clock
from analytics.jobs.lost import DATABASE_ERRORS
from analytics.jobs.rows import Claim
from tasks_app.tenancy import DatabaseRole, entered

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0
CANCEL_SECONDS = 5.0


class TakenAway(Exception):
    """The job was cancelled, or its lease ran out and somebody else has it: there is nobody to answer."""


class Pulse:
    """The life of one claim. `note` is told how far the job is, and raises TakenAway where there is no use in going on."""

    def __init__(self, held: Claim) -> None:
        self.held = held
        self.taken_away = False
        self._progress = 0.0
        self._over = threading.Event()
        self._guard = threading.Lock()
        self._working: Any = None

    def note(self, share: float) -> None:
        """How much of the job is done, from 0 to 1."""
        if self.taken_away:
            raise TakenAway
        self._progress = share

    @contextmanager
    def working(self) -> Iterator[None]:
        """Inside, this thread's statements may be cancelled."""
        connection.ensure_connection()
        self._working = connection.connection
        try:
            yield
        finally:
            with self._guard:
                self._working = None

    def run(self) -> None:
        """The thread's work."""
        try:
            while not self._over.wait(EVERY_SECONDS):
                self._beat()
        finally:
            connection.close()

    def end(self) -> None:
        """No more beats."""
        self._over.set()

    def _beat(self) -> None:
        now = read_clock()
        try:
            with entered(tenant_id=self.held.tenant_id, role=DatabaseRole.WORKER):
                alive = rows.beat(self.held, progress=self._progress, now=now)
        except DATABASE_ERRORS:  # a server that went away: the next beat connects anew
            logger.warning("Job %s missed a beat.", self.held.id, exc_info=True)
            connection.close()
            return
        if not alive:
            self._take_away()

    def _take_away(self) -> None:
        self.taken_away = True
        with self._guard:
            if self._working is not None:
                self._working.cancel_safe(timeout=CANCEL_SECONDS)
        self._over.set()


@contextmanager
def pulse(held: Claim) -> Iterator[Pulse]:
    """A pulse that beats while inside."""
    found = Pulse(held)
    thread = threading.Thread(target=found.run, name=f"pulse of job {held.id}", daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.end()
        thread.join()
