"""Old daily counts, our side of them: how many items stood where at given instants, as far as was known at others.

The old counts have four kinds: `review` are states in progress that need a validation, `in_progress` the others. What is
cancelled is not counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection

from analytics.engine.projects import project_facts
from analytics.engine.reading.knowledge import Knowledge
from analytics.engine.reading.read_from import ReadFrom
from analytics.flow.figures.workflow import StateDefinition
from analytics.flow.reading.flow import FlowReading
from analytics.flow.reading.flow_question import FlowQuestion
from analytics.flow.reading.learned_later import learned_later, redefined
from analytics.flow.replay.definitions import workflows
from analytics.flow.replay.kinds import with_kinds
from analytics.pure.cutoffs import Cutoff
from analytics.pure.windows import Bucket, Window

COUNTED = ("todo", "in_progress", "review", "done")
Counts = Mapping[str, int | None]
UNKNOWN: Counts = dict.fromkeys(COUNTED)
# Up to when it was recorded, and in which snapshot it can be seen.
Known = tuple[datetime | None, str | None]
NOW: Known = (None, None)
# By state: how many items; None while it is cancelled.
Held = Sequence[tuple[StateDefinition, int | None]]

# When anything changed in a stretch of time, both ends included.
INSTANTS = with_kinds("""/* flow.instants */
SELECT DISTINCT happened_at FROM task_ledger
 WHERE tenant_id = (SELECT %(tenant)s::bigint) AND kind <= {LAST_STATE_KIND} AND happened_at BETWEEN %(from)s AND %(to)s
 ORDER BY happened_at LIMIT %(most)s
""")
MOST_INSTANTS = 500
MOMENT = timedelta(microseconds=1)


def counts_at(*, tenant_id: int, zone: str, cutoffs: Mapping[str, Cutoff], now: datetime) -> dict[str, Counts]:
    """By the same keys: the counts as of each cut-off. To be used in one read-only transaction.

    They are what rollups and tail say by now, less what was learned later, by the states as they were known then.
    """
    if not cutoffs:
        return {}
    instants = sorted({each.happened_before for each in cutoffs.values()})
    by_instant = _counted(tenant_id=tenant_id, zone=zone, instants=instants, known=NOW, now=now)
    otherwise = redefined(tenant_id=tenant_id, cutoffs=cutoffs)
    unlike = learned_later(tenant_id=tenant_id, cutoffs=cutoffs)
    found: dict[str, Counts] = {}
    for key, cutoff in cutoffs.items():
        held = by_instant[cutoff.happened_before]
        if key in otherwise:
            held = _as_defined_then(held, cutoff, tenant_id=tenant_id)
        if held is not None and any(items is None and kind_of(definition) for definition, items in held):
            found[key] = _read_then(cutoff, tenant_id=tenant_id, zone=zone, now=now)
        else:
            found[key] = _by_kind(held, unlike.get(key, {}))
    return found


def _as_defined_then(held: Held | None, cutoff: Cutoff, *, tenant_id: int) -> Held | None:
    """The same items by state, with the states as they were known to be; None where nothing was known yet."""
    known_at, snapshot = _known(cutoff)
    at = cutoff.happened_before
    projects = project_facts(tenant_id=tenant_id, key=None, known_at=known_at, snapshot=snapshot)
    since = min((each.recorded_since for each in projects if each.recorded_since), default=None)
    if held is None or since is None or at <= since:
        return None
    known = workflows(tenant_id=tenant_id, project_ids=None, known_at=known_at, snapshot=snapshot)
    then = {**{state: known.first(state) for state in known.state_ids}, **known.in_force(at - MOMENT)}
    return [(then[each.state_id], items) for each, items in held if each.state_id in then]


def _read_then(cutoff: Cutoff, *, tenant_id: int, zone: str, now: datetime) -> Counts:
    """From the ledger: of a state that is cancelled by now and was not known to be, nothing else has the items."""
    at = cutoff.happened_before
    held = _counted(tenant_id=tenant_id, zone=zone, instants=[at], known=_known(cutoff), now=now)
    return _by_kind(held[at], {})


def _known(cutoff: Cutoff) -> Known:
    return (cutoff.known_at, cutoff.snapshot)


def counts_within(*, tenant_id: int, zone: str, cutoff: Cutoff, uncertain_by: timedelta, now: datetime) -> list[Counts]:
    """What the counts were at any instant that lies as near to the cut-off as that, without repeats in a row."""
    begin, end = cutoff.happened_before - uncertain_by, cutoff.happened_before + uncertain_by
    values: dict[str, Any] = {"tenant": tenant_id, "from": begin, "to": end - MOMENT, "most": MOST_INSTANTS}
    with connection.cursor() as cursor:
        cursor.execute(INSTANTS, values)
        changes = [row[0].astimezone(UTC) + MOMENT for row in cursor.fetchall()]
    known_at = None if cutoff.known_at is None else max(cutoff.known_at, end)
    instants = {str(at): replace(cutoff, happened_before=at, known_at=known_at) for at in (begin, *changes)}
    return list(counts_at(tenant_id=tenant_id, zone=zone, cutoffs=instants, now=now).values())


def _counted(
    *, tenant_id: int, zone: str, instants: Sequence[datetime], known: Known, now: datetime
) -> dict[datetime, Held | None]:
    """A window whose buckets end at the instants: one reading for all of them. None: nothing is known of it."""
    starts = (instants[0] - timedelta(days=1), *instants[:-1])
    known_at, snapshot = known
    reading = FlowReading(
        question=FlowQuestion(
            tenant_id=tenant_id,
            window=Window(starts[0], instants[-1], zone, Bucket.DAY, starts, tuple(instants), (True,) * len(instants)),
            now=max(now, instants[-1]),
            whole_tenant=True,
        ),
        boards=project_facts(tenant_id=tenant_id, key=None, known_at=known_at, snapshot=snapshot),
        knowledge=Knowledge(known_at=known_at, snapshot=snapshot),
        read_from=ReadFrom.MERGED if known == NOW else ReadFrom.RAW,
    )
    frame, bands = reading.frame, reading.bands()
    found: dict[datetime, Held | None] = {}
    for number, instant in enumerate(instants):
        definitions = {**frame.first, **frame.definitions_of(frame.last_piece[number])}
        held = [(definitions[state], counts[number]) for state, counts in bands.items() if state in definitions]
        found[instant] = held if frame.known[number] else None
    return found


def _by_kind(held: Held | None, unlike: Mapping[int, int]) -> Counts:
    if held is None:
        return UNKNOWN
    found: dict[str, int | None] = dict.fromkeys(COUNTED, 0)
    for definition, items in held:
        kind = kind_of(definition)
        if kind is not None:
            found[kind] = (found[kind] or 0) + (items or 0) + unlike.get(definition.state_id, 0)
    return found


def kind_of(definition: StateDefinition) -> str | None:
    """What the old counts count a state as; None: not at all."""
    if definition.category == "IN_PROGRESS":
        return "review" if definition.needs_validation else "in_progress"
    return {"TODO": "todo", "DONE": "done"}.get(definition.category)
