"""Two boards that change while they are lived on, for defects that no plain board can show.

A state is renamed, becomes a review at the very midnight, is moved to another place, is archived with its items, becomes to
do; a state is added. One board is in another zone. Items have holders, begin finished, and are told of at the very midnight.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

from tests.drift.old_counts import OPS, WEB, ZONE, midnight, scripted
from tests.oracle.facts import Category, Fact, History, Kind, Project, StateDefinition, Workflow
from tests.spec.random_histories import in_order_of_recording, states

FAR = "America/New_York"
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
(PARKED,) = states("Parked:todo")


def eventful(*, first: date, days: int, zone: str = ZONE, seed: int = 1, moves: int = 16) -> History:
    """So many days from the first on; most of what happens to the boards happens in their middle."""
    middle = midnight(first + timedelta(days=days // 2), zone)
    dawn = midnight(first, zone) - HOUR
    plain = scripted(days=days, seed=seed, zone=zone, moves=moves, first=first, punctual=60)
    return History(
        projects=(_project("WEB", zone, _web(dawn, middle)), _project("OPS", FAR, _ops(dawn, middle))),
        facts=in_order_of_recording([*plain.facts, *_events(middle), *_holders(plain)]),
    )


def _project(key: str, zone: str, versions: list[tuple[datetime, tuple[StateDefinition, ...]]]) -> Project:
    return Project(
        key=key,
        zone=zone,
        recorded_since=versions[0][0],
        workflows=tuple(Workflow(happened_at=at, recorded_at=at, states=found) for at, found in versions),
    )


def _web(dawn: datetime, middle: datetime) -> list[tuple[datetime, tuple[StateDefinition, ...]]]:
    renamed = _changed(WEB, "waiting", name="Blocked")
    reviewing = _changed(renamed, "waiting", needs_validation=True)
    todo, doing, waiting, review, done, cancelled = reviewing
    longer = (todo, PARKED, doing, review, waiting, done, cancelled)
    archived = _changed(longer, "review", archived=True)
    idle = _changed(archived, "waiting", category=Category.TODO)
    return [
        (dawn, WEB),
        (middle - DAY + 12 * HOUR, renamed),
        (middle, reviewing),
        (middle + DAY + 12 * HOUR, longer),
        (middle + 3 * DAY + 12 * HOUR, archived),
        (middle + 5 * DAY + 12 * HOUR, idle),
    ]


def _ops(dawn: datetime, middle: datetime) -> list[tuple[datetime, tuple[StateDefinition, ...]]]:
    return [(dawn, OPS), (middle + 12 * HOUR, _changed(OPS, "review", needs_validation=False))]


def _changed(found: tuple[StateDefinition, ...], slug: str, **by: object) -> tuple[StateDefinition, ...]:
    return tuple(replace(each, **by) if each.slug == slug else each for each in found)  # type: ignore[arg-type]


def _events(middle: datetime) -> Iterator[Fact]:
    """Beside the script: none of these items is in it."""
    for number in range(3):
        yield _fact(middle + 2 * DAY + number * HOUR, f"WEB-Q{number}", "parked", Kind.CREATED)
        yield _fact(middle + 2 * DAY + number * HOUR, f"WEB-R{number}", "review", Kind.CREATED)
        yield _fact(middle - 6 * DAY + number * HOUR, f"WEB-D{number}", "done", Kind.CREATED)
        yield _fact(middle - 6 * DAY + number * HOUR, f"WEB-W{number}", "waiting", Kind.CREATED)
        yield _fact(middle - 6 * DAY + number * HOUR, f"WEB-C{number}", "cancelled", Kind.CREATED)
    yield _fact(middle + 4 * DAY, "WEB-Q0", "doing", Kind.MOVED)
    # Back and forth in one day.
    begun = middle + 2 * DAY + 5 * HOUR
    yield _fact(begun, "WEB-B0", "todo", Kind.CREATED)
    for number, state in enumerate(("doing", "todo", "doing"), start=1):
        yield _fact(begun + number * HOUR, "WEB-B0", state, Kind.MOVED)
    # What is known at midnight is known to who counts at midnight, and what is told a minute later is not.
    for number, day in enumerate((middle + 3 * DAY, middle - 4 * DAY)):
        for name, told in (("K", day), ("L", day + timedelta(minutes=1))):
            yield replace(_fact(day - 5 * HOUR, f"WEB-{name}{number}", "todo", Kind.CREATED), recorded_at=told)


def _holders(plain: History) -> Iterator[Fact]:
    """Each third item is given to somebody an hour after it came."""
    for item in plain.items()[::3]:
        begun = next(fact for fact in plain.facts if fact.item == item)
        at = begun.recorded_at + HOUR
        yield replace(begun, happened_at=at, recorded_at=at, kind=Kind.ASSIGNED, state="", detail="ada")


def _fact(at: datetime, item: str, state: str, kind: Kind) -> Fact:
    return Fact(seq=0, happened_at=at, recorded_at=at, item=item, project="WEB", kind=kind, state=state)
