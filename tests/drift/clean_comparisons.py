"""Days in zones whose clocks do what clocks rarely do, and comparisons in which nothing is wrong.

Each is asked at a moment at which others err: about a midnight, about a change of the clock, while somebody writes.
"""

import random
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import psycopg
from django.db import connection

from analytics.engine.rollups.compact import compact, owners
from analytics.engine.rollups.fold import fold
from analytics.flow.family import TRANSITIONS
from tests.drift.old_counts import days_from, midnight, scripted
from tests.drift.scene import Scene, scene_of
from tests.flow.loading import Loaded, seeded

DAYS: Final = 16
MICROSECOND, MINUTE = timedelta(microseconds=1), timedelta(minutes=1)
# From the first of the sixteen days on: what happens in them is said beside.
PLACES: Final[Mapping[str, tuple[str, date]]] = {
    "spring": ("Europe/Stockholm", date(2025, 3, 22)),
    "autumn": ("Europe/Stockholm", date(2025, 10, 18)),
    "spring in the south": ("Australia/Sydney", date(2025, 9, 27)),
    "autumn in the south": ("Australia/Sydney", date(2025, 3, 29)),
    "half an hour in spring": ("Australia/Lord_Howe", date(2025, 9, 27)),
    "half an hour in autumn": ("Australia/Lord_Howe", date(2025, 3, 29)),
    "offset of half an hour": ("Asia/Kolkata", date(2025, 3, 22)),
    "offset of three quarters": ("Asia/Kathmandu", date(2025, 3, 22)),
    "three quarters and a change": ("Pacific/Chatham", date(2025, 9, 20)),
    "no midnight": ("America/Sao_Paulo", date(2017, 10, 7)),
    "back to before midnight": ("America/Sao_Paulo", date(2018, 2, 10)),
    "a skipped day": ("Pacific/Apia", date(2011, 12, 22)),
    "no midnight in Cairo": ("Africa/Cairo", date(2024, 4, 18)),
    "no midnight in Beirut": ("Asia/Beirut", date(2025, 3, 22)),
    "no midnight in Havana": ("America/Havana", date(2025, 3, 1)),
    "midnight twice": ("America/Havana", date(2025, 10, 25)),
    "no midnight in Asuncion": ("America/Asuncion", date(2023, 9, 23)),
    "a minute after midnight": ("America/St_Johns", date(2010, 10, 30)),
    "furthest ahead": ("Pacific/Kiritimati", date(2024, 2, 20)),
    "furthest behind": ("Etc/GMT+12", date(2024, 12, 24)),
    "leap day": ("UTC", date(2024, 2, 20)),
    "new year": ("America/New_York", date(2024, 12, 24)),
}


@dataclass(frozen=True)
class Clean:
    """A scene, and how much of it is folded: nothing, half or all."""

    scene: Scene
    first: date
    zone: str

    @property
    def now(self) -> datetime:
        """When it is looked at: nine hours after the last of its days."""
        return midnight(self.first + timedelta(days=DAYS), self.zone) + timedelta(hours=9)

    def moments(self) -> list[datetime]:
        """Around each midnight and each change of the clock from the third day on, in order."""
        days = [midnight(day, self.zone) for day in days_from(self.first, DAYS)[2:]]
        found = {at + apart for at in (*days, *_changes(days[0], days[-1], self.zone)) for apart in APART}
        return sorted(found)


APART: Final = (-MINUTE, -MICROSECOND, timedelta(0), MICROSECOND, MINUTE, timedelta(minutes=31), timedelta(hours=7))


def _changes(begin: datetime, end: datetime, zone: str) -> Iterator[datetime]:
    rules, at = ZoneInfo(zone), begin
    while at < end:
        if (at - MINUTE).astimezone(rules).utcoffset() != at.astimezone(rules).utcoffset():
            yield at
        at += MINUTE


def clean(name: str, *, seed: int = 1, folded: float = 0.0) -> Clean:
    """That place with a history of its own, of which such a share is folded."""
    zone, first = PLACES[name]
    history = scripted(days=DAYS, seed=seed, zone=zone, first=first)
    loaded = seeded(history)
    made = Clean(scene_of(loaded, history, first=first, zone=zone), first, zone)
    if folded >= 1:
        compact(now=made.now, tenant_id=loaded.tenant_id)
    elif folded:
        owner = next(each for each in owners() if each.id == loaded.tenant_id)
        fold(owner=owner, family=TRANSITIONS, now=made.now, most_facts=int(len(history.facts) * folded), wait=True)
    return made


# ------------------------------------------------------------------ somebody writes meanwhile

MOVE: Final = """/* clean.move */
UPDATE task SET state_id = %(state)s, project_id = %(project)s
 WHERE tenant_id = %(tenant)s AND id = %(task)s AND discarded_at IS NULL
"""
REPORT: Final = """/* clean.report */
INSERT INTO reported_event (tenant_id, source_id, task_id, project_id, to_id, actor_id, kind, happened_at, identity)
VALUES (%(tenant)s, %(actor)s, %(task)s, %(project)s, %(state)s, %(actor)s, 2, %(late)s, gen_random_uuid())
"""


@dataclass(slots=True)
class Writing:
    """How much was written."""

    committed: int = 0


@contextmanager
def written_to(made: Clean, *, seed: int = 1) -> Iterator[Writing]:
    """Meanwhile another session moves the tenant's items, tells of the past, and now and then folds."""
    ended, writing = threading.Event(), Writing()
    writer = threading.Thread(target=_write, args=(made, random.Random(seed), ended, writing))
    writer.start()
    try:
        yield writing
    finally:
        ended.set()
        writer.join()


def _write(made: Clean, chance: random.Random, ended: threading.Event, writing: Writing) -> None:
    with _own_connection() as own:
        while not ended.is_set():
            try:
                own.execute(chance.choice([MOVE, REPORT]), _values(made, chance))
                own.commit()
                writing.committed += 1
            except psycopg.Error:
                own.rollback()
            if chance.random() < 0.05:
                compact(now=datetime.now(UTC), tenant_id=made.scene.loaded.tenant_id)  # noqa: TID251
    connection.close()


def _values(made: Clean, chance: random.Random) -> dict[str, Any]:
    loaded: Loaded = made.scene.loaded
    (project, _), state = chance.choice(sorted(loaded.states.items()))
    past = midnight(made.first, made.zone) + timedelta(minutes=chance.randrange(DAYS * 24 * 60))
    return {
        "tenant": loaded.tenant_id,
        "actor": loaded.actor_id,
        "task": chance.choice(sorted(loaded.tasks.values())),
        "project": loaded.projects[project],
        "state": state,
        "late": past,
    }


def _own_connection() -> "psycopg.Connection[Any]":
    settings = connection.settings_dict
    return psycopg.connect(
        host=settings["HOST"] or None,
        port=settings["PORT"] or None,
        user=settings["USER"],
        password=settings["PASSWORD"] or None,
        dbname=settings["NAME"],
    )
