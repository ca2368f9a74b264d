"""Stored daily figures, checked against ours on a schedule; and figures that changed since.

Requests never see what is written later, so each day that the older side keeps is compared once by itself. What ours was
then is kept: when late facts make it another figure, the day is restated, and the ledger's rows say why.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random, SystemRandom
from typing import Any, Final

from django.db import connection

from analytics.drift import store
from analytics.drift.arithmetic.comparing import Kind, Place
from analytics.drift.arithmetic.report_sentences import AT_REST
from analytics.drift.arithmetic.verdicts import Finding, Verdict, missing
from analytics.drift.capabilities import DECLARED, Declaration
from analytics.drift.controls import Control, FailureKind, LegacyAnswer, LegacyFailure, control_of
from analytics.drift.experiment import Comparison, Question, compare, dates_asked, unreadable
from analytics.engine.reading.compared_figures import LearnedRow
from analytics.engine.rollups.compact import owners
from analytics.engine.rollups.restating import Owner
from analytics.engine.statements import fetched
from analytics.pure.cutoffs import Cutoff
from analytics.pure.zones import dates, local_date
from tasks_app.tenancy import DatabaseRole, entered

logger = logging.getLogger(__name__)

REACH: Final = 400
STRATUM: Final = AT_REST
MOST_ROWS: Final = 100

DONE = """/* drift.rest_done */
SELECT day, verdict FROM drift_rest WHERE tenant_id = %(tenant)s AND capability = %(capability)s
"""
REST = """/* drift.rest */
INSERT INTO drift_rest (tenant_id, capability, day, verdict, figures, until, known_at, snapshot, compared_at)
VALUES (%(tenant)s, %(capability)s, %(day)s, %(verdict)s, %(figures)s, %(until)s, %(known_at)s, %(snapshot)s, %(now)s)
    ON CONFLICT (tenant_id, capability, day) DO UPDATE
   SET verdict = excluded.verdict, figures = excluded.figures, until = excluded.until, known_at = excluded.known_at,
       snapshot = excluded.snapshot, compared_at = excluded.compared_at, restated = ''
"""
PUBLISHED = """/* drift.published */
SELECT day, figures, until, known_at, snapshot, restated FROM drift_rest
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND figures <> '{}' AND day >= %(since)s ORDER BY day
"""
RESTATE = """/* drift.restate */
UPDATE drift_rest SET restated = %(restated)s
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND day = %(day)s
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restated:
    """A day whose published figures are others now: by field, what they were and what they are."""

    day: date
    changes: Mapping[str, tuple[Any, Any]]
    until: datetime
    known_at: datetime
    snapshot: str | None = None


def compare_rest(*, now: datetime, tenant_id: int | None = None, chance: Random | None = None) -> dict[str, int]:
    """Stored days that were not compared yet, then the published ones again, of all tenants or the one.

    A tenant that fails is logged and stops no other.
    """
    compared = restated = 0
    for owner in owners(tenant_id=tenant_id):
        for declaration in DECLARED.values():
            control = control_of(declaration.capability)
            if control is None:
                continue
            try:
                compared += len(_rest_of(owner, declaration, control, now=now, chance=chance or SystemRandom()))
                restated += len(restatements(owner=owner, declaration=declaration, now=now))
            except Exception:
                logger.exception("Stored figures of tenant %s could not be compared.", owner.slug)
    return {"compared": compared, "restated": restated}


@dataclass(frozen=True)
class _Said:
    """An older side that has already answered."""

    said: LegacyAnswer | LegacyFailure

    def answer(self, *, tenant_id: int, days: int, now: datetime) -> LegacyAnswer | LegacyFailure:
        """See Control."""
        return self.said


def _rest_of(
    owner: Owner, declaration: Declaration, control: Control, *, now: datetime, chance: Random
) -> Sequence[Comparison]:
    """The comparisons of one tenant's days, a comparison each. A tenant without any stored day has none."""
    said = _asked(control, owner, declaration, now=now)
    verdicts = _verdicts(owner, declaration)
    # One that was slept through and is there now is compared again.
    done = {day for day, verdict in verdicts.items() if verdict != Verdict.LEGACY_ERROR}
    if isinstance(said, LegacyFailure):
        found = (
            [] if said.kind is FailureKind.NOT_ASKED else [_compared(owner, declaration, said, now=now, chance=chance)]
        )
        _keep(owner, found, now=now)
        return found
    days = {str(each[declaration.key]): each for each in said.body.get(declaration.elements, [])}
    if not days:
        return []
    new = [day for name, day in days.items() if name not in done]
    fresh = replace(said, body={**said.body, declaration.elements: new})
    whole = _compared(owner, declaration, fresh, now=now, chance=chance) if new else None
    found = [] if whole is None else ([_of_day(whole, day) for day in whole.findings] or [whole])
    gaps = [day for day in _gaps(sorted(days), owner, declaration, now=now) if day not in verdicts]
    found += [_slept(owner, declaration, day, now=now) for day in gaps]
    _keep(owner, found, now=now)
    return found


def _asked(control: Control, owner: Owner, declaration: Declaration, *, now: datetime) -> LegacyAnswer | LegacyFailure:
    """An answer that can be read, day by day, or a failure."""
    try:
        said = control.answer(tenant_id=owner.id, days=REACH, now=now)
    except Exception:
        logger.exception("The older side raised for tenant %s.", owner.slug)
        return LegacyFailure(kind=FailureKind.UNREACHABLE, reason="The older side could not be asked.")
    if isinstance(said, LegacyFailure):
        return said
    dates = dates_asked(zone=owner.zone, days=REACH, now=now)
    return unreadable(said, declaration=declaration, slug=owner.slug, dates=dates) or said


def _question(owner: Owner, *, now: datetime) -> Question:
    # No days are owed here: which ones are missing is told by the stored ones around them.
    return Question(
        tenant_id=owner.id,
        slug=owner.slug,
        zone=owner.zone,
        days=0,
        asked_at=now,
        stage="",
        flag_version=0,
        stratum=STRATUM,
    )


def _compared(
    owner: Owner, declaration: Declaration, said: LegacyAnswer | LegacyFailure, *, now: datetime, chance: Random
) -> Comparison:
    with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, read_only=True):
        rules = store.rules(tenant_id=owner.id, capability=declaration.capability, now=now)
    return compare(
        declaration=declaration,
        control=_Said(said),
        question=_question(owner, now=now),
        rules=rules,
        chance=chance,
        now=now,
    )


def _of_day(whole: Comparison, day: str) -> Comparison:
    def only(of: Mapping[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in of.items() if key == day}

    return replace(
        whole,
        finding=whole.findings[day],
        findings=only(whole.findings),
        figures=only(whole.figures),
        cutoffs=only(whole.cutoffs),
        freshness=only(whole.freshness),
        legacy_as_of=whole.cutoffs[day].happened_before if day in whole.cutoffs else None,
    )


def _slept(owner: Owner, declaration: Declaration, day: str, *, now: datetime) -> Comparison:
    nothing = Place().into(declaration.elements).at(day).differs(Kind.EXTRA, None, None)
    found: Finding = missing(nothing)
    return Comparison(question=_question(owner, now=now), declaration=declaration, finding=found, findings={day: found})


def _gaps(days: Sequence[str], owner: Owner, declaration: Declaration, *, now: datetime) -> list[str]:
    """The days between the first that is stored and the last that is due which are not stored."""
    first, last = date.fromisoformat(days[0]), local_date(instant=now - declaration.grace, zone_name=owner.zone)
    every = dates(first=first, last=last, zone_name=owner.zone)
    return [day.isoformat() for day in every if day.isoformat() not in set(days)]


def _verdicts(owner: Owner, declaration: Declaration) -> dict[str, str]:
    with entered(tenant_id=owner.id, role=DatabaseRole.WORKER, read_only=True):
        rows = fetched(DONE, tenant=owner.id, capability=declaration.capability.value)
    return {day.isoformat(): verdict for day, verdict in rows}


def _keep(owner: Owner, found: Sequence[Comparison], *, now: datetime) -> None:
    """Each comparison, and of each day what ours was."""
    with entered(tenant_id=owner.id, role=DatabaseRole.WORKER), connection.cursor() as cursor:
        for each in found:
            store.keep(each, now=now)
            for day, finding in each.findings.items():
                cutoff = each.cutoffs.get(day, Cutoff(happened_before=now))
                values: dict[str, Any] = {
                    "tenant": owner.id,
                    "capability": each.declaration.capability.value,
                    "day": day,
                    "verdict": finding.verdict.value,
                    "figures": json.dumps(each.figures.get(day, {})),
                    "until": cutoff.happened_before,
                    "known_at": cutoff.known_at or now,
                    "snapshot": cutoff.snapshot or "",
                    "now": now,
                }
                cursor.execute(REST, values)


def restatements(*, owner: Owner, declaration: Declaration, now: datetime) -> list[Restated]:
    """The days whose figures, as known now, are not those that were counted then. Each is marked so."""
    since = (now - timedelta(days=REACH)).date()
    with entered(tenant_id=owner.id, role=DatabaseRole.WORKER):
        rows = fetched(PUBLISHED, tenant=owner.id, capability=declaration.capability.value, since=since)
        then = {row[0].isoformat(): (json.loads(row[1]), *row[2:]) for row in rows}
        cutoffs = {day: Cutoff(happened_before=until) for day, (_, until, *_) in then.items()}
        figures_of = declaration.ours.as_of_cutoffs
        today = figures_of(tenant_id=owner.id, zone=owner.zone, cutoffs=cutoffs, now=now) if cutoffs else {}
        found = []
        for day, (figures, until, known_at, snapshot, old) in then.items():
            changes = {
                name: (value, today[day].get(name)) for name, value in figures.items() if today[day].get(name) != value
            }
            text = json.dumps(changes) if changes else ""
            if text != old:
                _restate(owner, declaration, day, text)
            if changes:
                known = {"known_at": known_at, "snapshot": snapshot or None}
                found.append(Restated(day=date.fromisoformat(day), changes=changes, until=until, **known))
    return found


def explained(
    *, tenant_id: int, declaration: Declaration, restated: Restated, most: int = MOST_ROWS
) -> Sequence[LearnedRow]:
    """The ledger's rows that were recorded since the day's figures were counted, and had happened before they were.

    To be used inside `entered(...)` of the tenant.
    """
    cutoff = Cutoff(happened_before=restated.until, known_at=restated.known_at, snapshot=restated.snapshot)
    return declaration.ours.learned_since(tenant_id=tenant_id, cutoff=cutoff, most=most)


def _restate(owner: Owner, declaration: Declaration, day: str, text: str) -> None:
    values = {"tenant": owner.id, "capability": declaration.capability.value, "day": day, "restated": text}
    with connection.cursor() as cursor:
        cursor.execute(RESTATE, values)
