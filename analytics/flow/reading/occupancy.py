"""Occupancy of one board: how many tasks were in each state at an instant, from rollups and the live tail."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from analytics.engine.projects import ProjectFacts
from analytics.engine.reading.coverage import dropped_since, fits, pieces, standing
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.reading.rollup_rows import Reading, Target, read
from analytics.flow.family import TRANSITIONS, Facet
from analytics.flow.figures.workflow import Workflows
from analytics.flow.state_orders import ground_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupancy:
    """Tasks by state id, where there are any. The tail's facts are all that was read of the ledger."""

    counts: Mapping[int, int]
    tail_rows: int
    read_from: ReadFrom = ReadFrom.MERGED


def occupancy(*, tenant_id: int, board: ProjectFacts, known: Workflows, at: datetime) -> Occupancy | None:
    """After everything that had happened before `at`. None where the rollups cannot tell, and the ledger has to.

    `known` are the board's definitions, as they are known now.
    """
    ground = ground_of(boards=[board], known=known)
    found = standing(tenant_id=tenant_id, family=TRANSITIONS, projects=[board.id])
    if not fits(standing=found, wanted=ground.bases):
        return None
    segments = pieces(standing=found, basis=ground.bases[board.id], edges=[at], grains=TRANSITIONS.grains)
    if dropped_since(standing=found, segments=segments):
        return None
    reading = Reading(
        tenant_id=tenant_id,
        family=TRANSITIONS,
        ground=ground,
        edges=[at],
        segments={board.id: segments},
        tail=found.tail_rows > 0,
        by_order=False,
    )
    rows = read(reading=reading, targets=[Target(board.id, (Facet.BOARD, 0))])
    held: Counter[int] = Counter()
    for _, _, _, _, before, after, facts in rows:
        held[before] -= facts
        held[after] += facts
    counts = {state: held[state] for state in known.state_ids if held[state]}
    return Occupancy(counts=counts, tail_rows=found.tail_rows)
