"""Expected differences page: who answers for each, until when, and who wrote it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from analytics.drift.arithmetic.verdicts import Direction
from analytics.drift.controls import Capability
from analytics.drift.rules import Standing, Written, written
from analytics.engine.graphql.actors import actors_by_id

MOST_ROWS: Final = 50
WAYS: Final = {
    Direction.LOWER: "ours is lower",
    Direction.HIGHER: "ours is higher",
    Direction.EITHER: "either way",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One row. `standing` is HOLDS, EXPIRED or ENDED at the instant of the page."""

    written: Written
    way: str
    actor: str
    standing: Standing


def expected(*, tenant_id: int, capability: Capability, now: datetime) -> list[Expected]:
    """Those that hold first, then the newest; at most 50."""
    found = written(tenant_id=tenant_id, capability=capability)
    newest = sorted(found, key=lambda each: (each.standing(at=now) is not Standing.HOLDS, -each.id))[:MOST_ROWS]
    actors = actors_by_id(tenant_id=tenant_id, ids=[each.actor_id for each in newest])
    return [
        Expected(
            written=each,
            way=WAYS[each.rule.direction],
            actor=actors[each.actor_id].name,
            standing=each.standing(at=now),
        )
        for each in newest
    ]
