"""Comparison store: each is kept for 30 days, without anything that people wrote; their counts for 400.

Every function is used inside `entered(...)` of its tenant; what writes needs the worker's role.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

from django.db import connection

from analytics.drift.arithmetic.comparing import Difference
from analytics.drift.arithmetic.parity import Parity, added, parity_of, worst
from analytics.drift.arithmetic.verdicts import Direction, Rule, Verdict
from analytics.drift.controls import Basis, Capability
from analytics.drift.experiment import Comparison
from analytics.engine.statements import fetched
from analytics.pure.zones import local_date

MOST_BYTES: Final = 65_536
MOST_DIFFERENCES: Final = 500
AT_ONCE: Final = 500
KEPT: Final = timedelta(days=30)
COUNTED: Final = timedelta(days=400)

KEEP = """/* drift.keep */
INSERT INTO drift_comparison (tenant_id, capability, stratum, verdict, reason, signature, definition, basis, stage,
       flag_version, asked_at, compared_at, legacy_as_of, position, legacy_ms, candidate_ms, ours_first, detail)
VALUES (%(tenant)s, %(capability)s, %(stratum)s, %(verdict)s, %(reason)s, %(signature)s, %(definition)s, %(basis)s, %(stage)s,
       %(flag_version)s, %(asked_at)s, %(compared_at)s, %(legacy_as_of)s, %(position)s, %(legacy_ms)s, %(candidate_ms)s,
       %(ours_first)s, %(detail)s)
RETURNING id
"""
COUNT = """/* drift.count */
INSERT INTO drift_count AS c (tenant_id, capability, day, stratum, basis, verdict, signature, comparisons, last_at)
VALUES (%(tenant)s, %(capability)s, %(day)s, %(stratum)s, %(basis)s, %(verdict)s, %(signature)s, 1, %(compared_at)s)
    ON CONFLICT (tenant_id, capability, day, stratum, basis, verdict, signature)
    DO UPDATE SET comparisons = c.comparisons + 1, last_at = greatest(c.last_at, excluded.last_at)
"""
COUNTS = """/* drift.counts */
SELECT stratum, verdict, sum(comparisons)::bigint FROM drift_count
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND day >= %(first)s AND day <= %(last)s
   AND (%(basis)s::text IS NULL OR basis = %(basis)s)
 GROUP BY stratum, verdict
"""
DAYS = """/* drift.days */
SELECT day FROM drift_count
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND day >= %(first)s AND day <= %(last)s
   AND basis = %(basis)s AND verdict <> ALL (%(left_out)s) GROUP BY day ORDER BY day
"""
SIGNATURES = """/* drift.signatures */
SELECT signature, sum(comparisons)::bigint, max(last_at) FROM drift_count
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND day >= %(first)s AND day <= %(last)s AND signature <> ''
 GROUP BY signature ORDER BY 2 DESC, 1
"""
RULES = """/* drift.rules */
SELECT field, direction, bound, owner, reason, expires_at FROM drift_rule r
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND created_at <= %(now)s AND expires_at > %(now)s
   AND NOT EXISTS (SELECT FROM drift_rule_end e WHERE e.tenant_id = %(tenant)s AND e.rule_id = r.id)
 ORDER BY id
"""
COLUMNS = (
    "id, capability, stratum, verdict, reason, signature, definition, basis, stage, flag_version, asked_at, compared_at,"
    " legacy_as_of, position, legacy_ms, candidate_ms, ours_first, detail"
)
# The newest first. A page reads `most` rows from before one id, or after it in the other order.
PAGE = """/* drift.page */
SELECT {columns} FROM drift_comparison
 WHERE tenant_id = %(tenant)s AND (%(capability)s::text IS NULL OR capability = %(capability)s)
   AND (%(verdict)s::text IS NULL OR verdict = %(verdict)s)
   AND (%(below)s::bigint IS NULL OR id < %(below)s) AND (%(above)s::bigint IS NULL OR id > %(above)s)
 ORDER BY id {order} LIMIT %(most)s
"""
COUNT_ALL = """/* drift.count_all */
SELECT count(*) FROM drift_comparison
 WHERE tenant_id = %(tenant)s AND (%(capability)s::text IS NULL OR capability = %(capability)s)
   AND (%(verdict)s::text IS NULL OR verdict = %(verdict)s)
"""
# All of a stretch of time, a piece after another: each begins after the last row of the one before.
STRETCH = """/* drift.stretch */
SELECT {columns} FROM drift_comparison
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND compared_at >= %(since)s AND compared_at < %(until)s
   AND (compared_at, id) > (%(last_at)s, %(last_id)s)
 ORDER BY compared_at, id LIMIT %(most)s
"""
FIND = """/* drift.find */
SELECT {columns} FROM drift_comparison WHERE tenant_id = %(tenant)s AND id = %(id)s
"""
DROP = """/* drift.drop */
WITH gone AS (DELETE FROM drift_comparison WHERE tenant_id = %(tenant)s AND compared_at < %(kept_since)s RETURNING 1),
     uncounted AS (DELETE FROM drift_count WHERE tenant_id = %(tenant)s AND day < %(counted_since)s RETURNING 1)
SELECT (SELECT count(*) FROM gone) + (SELECT count(*) FROM uncounted)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A comparison as it is kept. `detail` has `computation`, `freshness`, `noise`, and `invented` where something is."""

    id: int
    capability: str
    stratum: str
    verdict: str
    reason: str
    signature: str
    definition: str
    basis: str
    stage: str
    flag_version: int
    asked_at: datetime
    compared_at: datetime
    legacy_as_of: datetime | None
    position: str
    legacy_ms: float
    candidate_ms: float
    ours_first: bool
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One cause: how many comparisons had it, and when the last of them was made."""

    name: str
    comparisons: int
    last_at: datetime


def keep(comparison: Comparison, *, now: datetime) -> int:
    """Keeps and counts it; answers its id."""
    asked, declared = comparison.question, comparison.declaration
    values: dict[str, Any] = {
        "tenant": asked.tenant_id,
        "capability": declared.capability.value,
        "day": local_date(instant=asked.asked_at, zone_name=asked.zone),
        "stratum": asked.stratum,
        "verdict": comparison.finding.verdict.value,
        "reason": (comparison.finding.reason or "")[:500],
        "signature": comparison.signature,
        "definition": declared.definition,
        "basis": comparison.basis.value,
        "stage": asked.stage,
        "flag_version": asked.flag_version,
        "asked_at": asked.asked_at,
        "compared_at": now,
        "legacy_as_of": comparison.legacy_as_of,
        "position": asked.position,
        "legacy_ms": comparison.legacy_ms,
        "candidate_ms": comparison.candidate_ms,
        "ours_first": comparison.ours_first,
        "detail": detail_of(comparison),
    }
    with connection.cursor() as cursor:
        cursor.execute(KEEP, values)
        kept = int(cursor.fetchall()[0][0])
        cursor.execute(COUNT, values)
    return kept


def detail_of(comparison: Comparison) -> str:
    """JSON of at most 64 kB: numbers, dates and names of fields. What does not fit is counted under `leftOut`.

    `invented` are the elements that differ and of which the older side knows when it made them up.
    """
    found = comparison.finding.differences
    most = min(len(found), MOST_DIFFERENCES)
    while True:
        freshness = dict(list(comparison.freshness.items())[: most or None] if found else comparison.freshness.items())
        text = json.dumps(
            {
                "computation": [_redacted(each) for each in found[:most]],
                "freshness": {_key(key): gains for key, gains in freshness.items()},
                "noise": None
                if comparison.noise is None
                else [_key(each) for each in comparison.noise[:MOST_DIFFERENCES]],
                "leftOut": len(found) - most,
                **_invented(comparison, found[:most]),
            },
            separators=(",", ":"),
        )
        if len(text.encode()) <= MOST_BYTES:
            return text
        if most == 0:
            return json.dumps({"computation": [], "freshness": {}, "noise": None, "leftOut": len(found)})
        most //= 2


def _invented(comparison: Comparison, found: Sequence[Difference]) -> dict[str, Any]:
    said = {each.element: comparison.cutoffs.get(each.element) for each in found}
    instants = {_key(key): cutoff.invented_at for key, cutoff in said.items() if cutoff and cutoff.invented_at}
    return {"invented": {key: at.isoformat() for key, at in instants.items()}} if instants else {}


def rules(*, tenant_id: int, capability: Capability, now: datetime) -> list[Rule]:
    """The expected differences that hold."""
    rows = fetched(RULES, tenant=tenant_id, capability=capability.value, now=now)
    return [
        Rule(
            field=field,
            direction=Direction(direction),
            bound=bound,
            owner=owner,
            reason=reason,
            expires_at=expires_at,
        )
        for field, direction, bound, owner, reason, expires_at in rows
    ]


def counts(
    *, tenant_id: int, capability: Capability, first: date, last: date, basis: Basis | None = None
) -> dict[str, dict[Verdict, int]]:
    """By stratum and verdict, of those local days; with `basis` only of comparisons whose cut-offs were known so."""
    rows = fetched(
        COUNTS, tenant=tenant_id, capability=capability.value, first=first, last=last, basis=basis and basis.value
    )
    found: dict[str, dict[Verdict, int]] = {}
    for stratum, verdict, comparisons in rows:
        found.setdefault(stratum, {})[Verdict(verdict)] = comparisons
    return found


def conclusive_days(*, tenant_id: int, capability: Capability, first: date, last: date) -> list[date]:
    """The local days with a conclusive comparison whose cut-off the older side told."""
    left_out = [Verdict.INCONCLUSIVE.value, Verdict.LEGACY_ERROR.value]
    values = {"basis": Basis.KNOWN.value, "left_out": left_out, "first": first, "last": last}
    return [row[0] for row in fetched(DAYS, tenant=tenant_id, capability=capability.value, **values)]


def parity(*, tenant_id: int, capability: Capability, first: date, last: date) -> tuple[Parity, str | None]:
    """Of those local days, and the stratum of which least is proven."""
    strata = counts(tenant_id=tenant_id, capability=capability, first=first, last=last)
    total = added((verdict, count) for by_verdict in strata.values() for verdict, count in by_verdict.items())
    return parity_of(total), worst(strata)


def signatures(*, tenant_id: int, capability: Capability, first: date, last: date) -> list[Signature]:
    """The causes of drift in those local days, the most frequent first."""
    rows = fetched(SIGNATURES, tenant=tenant_id, capability=capability.value, first=first, last=last)
    return [Signature(name=name, comparisons=count, last_at=at) for name, count, at in rows]


def page(
    *,
    tenant_id: int,
    most: int,
    capability: str | None = None,
    verdict: str | None = None,
    below: int | None = None,
    above: int | None = None,
    oldest_first: bool = False,
) -> list[Kept]:
    """At most so many comparisons, the newest first unless told otherwise, with ids between the two."""
    statement = PAGE.format(columns=COLUMNS, order="ASC" if oldest_first else "DESC")
    values = {"capability": capability, "verdict": verdict, "below": below, "above": above, "most": most}
    return [_kept(row) for row in fetched(statement, tenant=tenant_id, **values)]


def stretch(
    *, tenant_id: int, capability: Capability, since: datetime, until: datetime, most: int = AT_ONCE
) -> Iterator[Kept]:
    """All comparisons made from `since` on and before `until`, the oldest first, `most` of them in memory at a time."""
    last_at, last_id = since, 0
    values = {"capability": capability.value, "since": since, "until": until, "most": most}
    statement = STRETCH.format(columns=COLUMNS)
    while found := fetched(statement, tenant=tenant_id, last_at=last_at, last_id=last_id, **values):
        kept = [_kept(row) for row in found]
        yield from kept
        last_at, last_id = kept[-1].compared_at, kept[-1].id


def count(*, tenant_id: int, capability: str | None = None, verdict: str | None = None) -> int:
    """How many comparisons there are."""
    return int(fetched(COUNT_ALL, tenant=tenant_id, capability=capability, verdict=verdict)[0][0])


def find(*, tenant_id: int, comparison_id: int) -> Kept | None:
    """The comparison of that id."""
    rows = fetched(FIND.format(columns=COLUMNS), tenant=tenant_id, id=comparison_id)
    return _kept(rows[0]) if rows else None


def drop_old(*, tenant_id: int, now: datetime) -> int:
    """Drops comparisons after 30 days and counts after 400; says how many rows that was."""
    values = {"kept_since": now - KEPT, "counted_since": (now - COUNTED).date()}
    return int(fetched(DROP, tenant=tenant_id, **values)[0][0])


def _kept(row: tuple[Any, ...]) -> Kept:
    names = [name.strip() for name in COLUMNS.split(",")]
    return Kept(**{**dict(zip(names, row, strict=True)), "detail": json.loads(row[-1])})


SAID_BY_NOBODY = re.compile(r"[0-9T:.+Z#-]{1,40}")
KEYS_OF_PATHS = re.compile(r"\[([^\]]*)\]")


def _redacted(difference: Difference) -> dict[str, Any]:
    """Where, how and by how much; texts are told by their type alone."""
    return {
        "path": KEYS_OF_PATHS.sub(lambda found: f"[{_key(found.group(1))}]", difference.path)[:200],
        "kind": difference.kind.value,
        "ours": _number(difference.ours),
        "theirs": _number(difference.theirs),
    }


def _number(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value if not isinstance(value, int) or abs(value) < 2**53 else "int"
    return value if isinstance(value, float) and value == value and abs(value) < 1e15 else type(value).__name__


def _key(key: str) -> str:
    """A date or a number as it is; anything else may be somebody's words, and becomes a digest."""
    return key if SAID_BY_NOBODY.fullmatch(key) else sha256(key.encode()).hexdigest()[:12]
