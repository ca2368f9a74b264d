"""Gauges of /metrics that are looked up and not counted: queues, and the levels of the whole installation.

A look-up that fails is left out and counted; the rest is told all the same.
"""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tasks_app.observing.flushing import COUNTS, FLUSHER
from tasks_app.observing.levels import overall

TIMEOUT_SECONDS = 5
# So many times as long as a look-up took there is none.
REST = 20

# A wake-up that nobody took is locked until it was made, one that was taken until it would be given out again.
READ_QUEUE = """/* observing.read_queue */
SELECT count(*), coalesce(extract(epoch FROM now() - min(lock)), 0)::float8 FROM django_q_ormq WHERE lock <= now()
"""


class LookedUp(Collector):
    """Gauges from the database. For `kept_for` seconds, and for 20 times as long as it took to look them up, they are told
    again without asking: scrapes must not become a load, however many tenants there are.
    """

    def __init__(self, *, kept_for: float = 10, clock: Callable[[], float] = time.monotonic) -> None:
        self._kept_for = kept_for
        self._clock = clock
        self._until = -1.0
        self._last: list[Metric] = []

    @abstractmethod
    def look_up(self) -> Iterator[Metric]:
        """The gauges as they are now."""

    def describe(self) -> Iterable[Metric]:
        """Nothing: otherwise to register it would ask the database."""
        return []

    def collect(self) -> Iterable[Metric]:
        """The gauges as they are, or were a moment ago; none where the database does not tell."""
        began = self._clock()
        if began >= self._until:
            try:
                self._last = list(self.look_up())
            except DatabaseError:
                self._last = []
            ended = self._clock()
            self._until = ended + max(self._kept_for, REST * (ended - began))
        return self._last


class QueueGauges(LookedUp):
    """How much work waits for a worker, and for how long."""

    def look_up(self) -> Iterator[Metric]:
        """Two gauges."""
        with impatiently(), connection.cursor() as cursor:
            cursor.execute(READ_QUEUE)
            waiting, oldest = cursor.fetchall()[0]
        yield GaugeMetricFamily("flowledger_queue_jobs", "Wake-ups that no worker has taken yet.", value=waiting)
        yield GaugeMetricFamily("flowledger_queue_oldest_seconds", "How long the first has waited.", value=oldest)


class LevelGauges(LookedUp):
    """The objectives over their windows, for the whole installation: known also after a restart of everything."""

    def look_up(self) -> Iterator[Metric]:
        """Three gauges by objective; no share where nothing counted."""
        promised = GaugeMetricFamily("flowledger_objective", "The share that is promised.", labels=["objective"])
        valid = GaugeMetricFamily(
            "flowledger_objective_answers", "Answers in the window that count.", labels=["objective"]
        )
        attained = GaugeMetricFamily("flowledger_objective_attained", "The share of good ones.", labels=["objective"])
        now = datetime.now(UTC)  # noqa: TID251 - a scrape is an edge
        with impatiently():
            found = overall(objectives=settings.FLOWLEDGER_SERVICE_LEVELS.objectives, now=now)
        for level in found:
            labels = [level.objective.name]
            promised.add_metric(labels, level.objective.share)
            valid.add_metric(labels, level.count.valid)
            if level.attained is not None:
                attained.add_metric(labels, level.attained)
        yield from (promised, valid, attained)


class ProcessGauges(Collector):
    """How well this process gets its counts written. Asks no database."""

    def describe(self) -> Iterable[Metric]:
        """What `collect` has."""
        return self.collect()

    def collect(self) -> Iterable[Metric]:
        """Two counters."""
        yield CounterMetricFamily(
            "flowledger_counts_dropped", "Answers whose counts were dropped: too many waited.", value=COUNTS.dropped
        )
        yield CounterMetricFamily(
            "flowledger_counts_write_failures", "Times that counts could not be written.", value=FLUSHER.failures
        )


@contextmanager
def impatiently() -> Iterator[None]:
    """A transaction in which no statement takes long: whoever asks will ask again."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = '{TIMEOUT_SECONDS}s'")
        yield
