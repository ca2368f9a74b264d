"""Report sentences on what comparisons found: causes of drift, nights slept through, assumed cut-offs, late facts.

Used inside `entered(...)` of the tenant. Drift is told from the comparisons that are kept, so for 30 days.
"""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from analytics.drift import store
from analytics.drift.arithmetic.comparing import Kind
from analytics.drift.arithmetic.report_sentences import (
    Night,
    Restatement,
    assumed_sentence,
    drift_sentence,
    late_sentence,
    slept_sentence,
    whole_sentence,
)
from analytics.drift.arithmetic.verdicts import GOOD, LEFT_OUT, Verdict
from analytics.drift.capabilities import declaration_of
from analytics.drift.controls import Basis, Capability
from analytics.drift.overlay import PLACE, Day, overlay
from analytics.drift.store import Signature
from analytics.engine.statements import fetched
from analytics.pure.zones import ONE_DAY, first_instant, local_date

# Of so many nights at most the ledger's changes are counted.
MOST_COUNTED: Final = 31
MOST_CAUSES: Final = 50
MOST_AT_REST: Final = 400
MOST_ASKED: Final = 20
# `days[2026-03-01]`: a day as a whole.
WHOLE: Final = re.compile(r"\w+\[(\d{4}-\d\d-\d\d)\]")
NOT_KEPT: Final = "Its comparisons are not kept any more; the last was of {day}."

# Stored days are compared one by one, and so are short; of answers the newest are enough. What tells them apart is no
# parameter, because indexes are of the one or the other.
OF_CAUSE = """/* drift.of_cause */
(SELECT detail FROM drift_comparison
  WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND verdict = %(drift)s AND signature = %(signature)s
    AND stratum = 'AT_REST' ORDER BY id DESC LIMIT %(at_rest)s)
UNION ALL
(SELECT detail FROM drift_comparison
  WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND verdict = %(drift)s AND signature = %(signature)s
    AND stratum <> 'AT_REST' ORDER BY id DESC LIMIT %(asked)s)
"""
SLEPT = """/* drift.slept */
SELECT c.detail FROM drift_comparison c
 WHERE c.tenant_id = %(tenant)s AND c.capability = %(capability)s AND c.verdict = %(verdict)s AND c.stratum = 'AT_REST'
 ORDER BY c.id DESC LIMIT %(at_rest)s
"""
RESTATED = """/* drift.restated */
SELECT day, restated FROM drift_rest
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND day >= %(first)s AND day <= %(last)s AND restated <> ''
 ORDER BY day
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`causes` are the most frequent signatures, 50 at most, each with its sentence; `remarks` tell what is no drift."""

    causes: Sequence[tuple[Signature, str]]
    remarks: Sequence[str]


@dataclass(slots=True, kw_only=True)
class _Found:
    """What is known of one night from all comparisons of a cause."""

    differing: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    kinds: set[Kind] = field(default_factory=set)
    invented_at: datetime | None = None


def told(*, tenant_id: int, zone: str, capability: Capability, first: date, last: date) -> Told:
    """Of those local days."""
    asked: dict[str, Any] = {"tenant_id": tenant_id, "capability": capability, "first": first, "last": last}
    days = {each.day: each for each in overlay(**asked)}
    causes = [(each, _cause(each, days, zone=zone, asked=asked)) for each in store.signatures(**asked)[:MOST_CAUSES]]
    remarks = (*_slept(days, zone=zone, asked=asked), _assumed(asked), _late(asked))
    return Told(causes=causes, remarks=[each for each in remarks if each])


def _cause(cause: Signature, days: Mapping[date, Day], *, zone: str, asked: Mapping[str, Any]) -> str:
    rows = fetched(
        OF_CAUSE,
        tenant=asked["tenant_id"],
        capability=asked["capability"].value,
        drift=Verdict.DRIFT.value,
        signature=cause.name,
        at_rest=MOST_AT_REST,
        asked=MOST_ASKED,
    )
    details = [json.loads(detail) for (detail,) in rows]
    found = _by_night(details)
    changes = _changes(asked, sorted(found), zone=zone)
    nights = [
        _night(day, each, days.get(day), zone=zone, changes=changes.get(day)) for day, each in sorted(found.items())
    ]
    boards = {day: _numbers(each.theirs) for day, each in days.items() if each.verdict in GOOD and each.theirs}
    last_on = local_date(instant=cause.last_at, zone_name=zone)
    kinds = {Kind(each["kind"]) for detail in details for each in detail.get("computation", [])}
    return drift_sentence(nights, boards=boards) or whole_sentence(kinds) or NOT_KEPT.format(day=last_on)


def _by_night(details: Iterable[Mapping[str, Any]]) -> dict[date, _Found]:
    nights: dict[date, _Found] = {}
    for detail in details:
        for each in detail.get("computation", []):
            if not (place := PLACE.match(each["path"]) or WHOLE.fullmatch(each["path"])):
                continue
            night = nights.setdefault(date.fromisoformat(place.group(1)), _Found())
            night.kinds.add(Kind(each["kind"]))
            if place.re is PLACE:
                # The newest comparison comes first, and it is what counts.
                night.differing.setdefault(place.group(2), (each["ours"], each["theirs"]))
        for key, instant in detail.get("invented", {}).items():
            nights.setdefault(date.fromisoformat(key), _Found()).invented_at = datetime.fromisoformat(instant)
    return nights


def _night(day: date, found: _Found, stored: Day | None, *, zone: str, changes: int | None) -> Night:
    both = {name: pair for name, pair in found.differing.items() if all(isinstance(each, int) for each in pair)}
    theirs = {**stored.ours, **{name: pair[1] for name, pair in found.differing.items()}} if stored else {}
    whole = bool(theirs) and all(isinstance(each, int) for each in theirs.values())
    return Night(
        day=day,
        gains={name: theirs_ - ours for name, (ours, theirs_) in sorted(both.items(), key=_in_order_of(stored))},
        kinds=frozenset(found.kinds),
        theirs=_numbers(theirs) if whole else None,
        board_of=found.invented_at and local_date(instant=found.invented_at, zone_name=zone),
        changes=changes,
    )


def _in_order_of(stored: Day | None) -> Any:
    """As the board has its fields, where it is known."""
    names = list(stored.ours) if stored else []
    return lambda each: (names.index(each[0]) if each[0] in names else len(names), each[0])


def _slept(days: Mapping[date, Day], *, zone: str, asked: Mapping[str, Any]) -> list[str]:
    """Those that are missing, and those that were: each of these was once compared as missing."""
    details = fetched(
        SLEPT,
        tenant=asked["tenant_id"],
        capability=asked["capability"].value,
        verdict=Verdict.LEGACY_ERROR.value,
        at_rest=MOST_AT_REST,
    )
    once = {
        date.fromisoformat(place.group(1))
        for (detail,) in details
        for each in json.loads(detail)["computation"]
        if each["kind"] == Kind.EXTRA and (place := WHOLE.fullmatch(each["path"]))
    }
    missing = sorted(day for day, each in days.items() if each.verdict is Verdict.LEGACY_ERROR)
    filled = sorted(day for day in once if day in days and day not in missing)
    changes = _changes(asked, missing, zone=zone)
    return [
        slept_sentence([Night(day=day, changes=changes.get(day)) for day in missing], filled=False),
        slept_sentence([Night(day=day) for day in filled], filled=True),
    ]


def _assumed(asked: Mapping[str, Any]) -> str:
    conclusive = {
        basis: sum(
            count
            for by_verdict in store.counts(**asked, basis=basis).values()
            for verdict, count in by_verdict.items()
            if verdict not in LEFT_OUT
        )
        for basis in Basis
    }
    return assumed_sentence(assumed=conclusive[Basis.ASSUMED], of=sum(conclusive.values()))


def _late(asked: Mapping[str, Any]) -> str:
    values = {"capability": asked["capability"].value, "first": asked["first"], "last": asked["last"]}
    found = []
    for day, text in fetched(RESTATED, tenant=asked["tenant_id"], **values):
        pairs = {name: pair for name, pair in json.loads(text).items() if all(isinstance(each, int) for each in pair)}
        found.append(Restatement(day=day, gains={name: today - then for name, (then, today) in pairs.items()}))
    return late_sentence(found)


def _changes(asked: Mapping[str, Any], days: Sequence[date], *, zone: str) -> Mapping[date, int]:
    """How often the board changed in the local day that each of these nights ended. Nothing for very many nights."""
    declaration = declaration_of(asked["capability"])
    if declaration is None or not days or len(days) > MOST_COUNTED:
        return {}
    stretches = {
        day: (first_instant(day=day - ONE_DAY, zone_name=zone), first_instant(day=day, zone_name=zone)) for day in days
    }
    return declaration.ours.changes_within(tenant_id=asked["tenant_id"], stretches=stretches)


def _numbers(board: Mapping[str, Any]) -> dict[str, int]:
    return {name: number for name, number in board.items() if isinstance(number, int)}
