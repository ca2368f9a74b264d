"""How the items of a generated history move: a few hundred walks through the board, made once, that many items share."""

import random
from dataclasses import astuple, dataclass

from tasks_app.models import Kind

# slug, category, waiting; in the board's order.
PLACES = (
    ("backlog", "TODO", False),
    ("ready", "TODO", False),
    ("doing", "IN_PROGRESS", False),
    ("review", "IN_PROGRESS", True),
    ("testing", "IN_PROGRESS", False),
    ("done", "DONE", False),
    ("cancelled", "CANCELLED", False),
)
DOING = 2
DONE = 5
CANCELLED = 6
OFF = -1
WALKS = 500
TRANSITIONS_PER_ITEM = 10


@dataclass(frozen=True)
class Step:
    """One fact of a walk. `hour` orders the facts of an item; places count from 0, -1 is off the board.

    Of an ASSIGNED fact the places say nothing: its item changes hands.
    """

    walk: int
    hour: float
    kind: Kind
    before: int
    after: int


def walks() -> list[Step]:
    """The steps of all walks, the same in every run: ten transitions each, and for half of them whom they are given to."""
    chance = random.Random(1)
    steps: list[Step] = []
    for walk in range(WALKS):
        steps += _moves(walk, chance)
        if walk % 2:
            steps += _hands(walk, chance)
    return steps


def columns(steps: list[Step]) -> list[list[float]]:
    """The steps as one list per column, as unnest() takes them."""
    return [list(column) for column in zip(*map(astuple, steps), strict=True)]


def _moves(walk: int, chance: random.Random) -> list[Step]:
    steps = [Step(walk, 0.0, Kind.CREATED, OFF, 0)]
    for hour in range(1, TRANSITIONS_PER_ITEM - 1):
        steps.append(_step(walk, float(hour), steps[-1].after, _next(steps[-1].after, chance)))
    last = steps[-1].after
    return [*steps, _step(walk, TRANSITIONS_PER_ITEM - 1.0, last, _end(last, chance))]


def _step(walk: int, hour: float, before: int, after: int) -> Step:
    kind = Kind.DISCARDED if after == OFF else Kind.RESTORED if before == OFF else Kind.MOVED
    return Step(walk, hour, kind, before, after)


def _next(before: int, chance: random.Random) -> int:
    """On by a state mostly, now and then beyond the next or back; what was done is taken up again, what was off is new."""
    if before in (OFF, DONE, CANCELLED):
        return DOING if before == DONE else 0
    if chance.random() < 0.015:
        return chance.choice([OFF, CANCELLED])
    return min(DONE, abs(before + chance.choice([1, 1, 1, 1, 1, 2, -1])))


def _end(before: int, chance: random.Random) -> int:
    """Where the walk ends: done mostly, some as they happen to stand, a few cancelled or discarded."""
    after = chance.choice([*[DONE] * 12, *[_next(before, chance)] * 6, CANCELLED, OFF])
    return after if after != before else _next(before, chance)


def _hands(walk: int, chance: random.Random) -> list[Step]:
    """Given to somebody soon after it was made; one in three changes hands later."""
    hours = [0.5] if chance.random() < 2 / 3 else [0.5, chance.randrange(2, TRANSITIONS_PER_ITEM - 1) + 0.5]
    return [Step(walk, hour, Kind.ASSIGNED, OFF, OFF) for hour in hours]
