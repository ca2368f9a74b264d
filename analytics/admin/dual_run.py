"""Dual run page: which side answers, what comparisons prove, what differs, and what the next stage takes."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from django.http.response import HttpResponseBase
from django.utils.safestring import SafeString, mark_safe

from analytics.admin.expected import expected
from analytics.drift import store
from analytics.drift.arithmetic.gating import DEFAULT_BOUNDS
from analytics.drift.arithmetic.parity import Parity, parity_of
from analytics.drift.arithmetic.report_sentences import comparisons_of
from analytics.drift.arithmetic.stages import LIVE, is_stale
from analytics.drift.arithmetic.verdicts import Verdict
from analytics.drift.capabilities import DECLARED
from analytics.drift.controls import Capability
from analytics.drift.gate import decided, kept
from analytics.drift.overlay import Day, overlay
from analytics.drift.report_sentences import told
from analytics.drift.stages import Change, changes, stage_of
from analytics.engine.graphql.actors import actors_by_id
from analytics.models import DriftDrill
from analytics.pictures.overlay import Overlay, overlay_svg
from analytics.pure.zones import local_date
from tasks_app.admin.visits import Visit

MOST_ROWS: Final = 50
ALL: Final = "all"
NOT_KNOWN: Final = "nothing conclusive"


def dual_run(visit: Visit) -> HttpResponseBase:
    """Each capability that has an older answer. Comparisons are those of the days that the gate looks at."""
    shown = [_shown(visit, capability) for capability in DECLARED]
    days = DEFAULT_BOUNDS.window_days
    return visit.page("admin/dual_run.html", title="Dual run", capabilities=shown, days=days, live=LIVE)


def _shown(visit: Visit, capability: Capability) -> dict[str, Any]:
    tenant, now = visit.tenant, visit.now
    standing = stage_of(tenant_id=tenant.id, capability=capability)
    last = local_date(instant=now, zone_name=tenant.timezone)
    first = last - timedelta(days=DEFAULT_BOUNDS.window_days - 1)
    history = changes(tenant_id=tenant.id, capability=capability, most=MOST_ROWS)
    asked: dict[str, Any] = {"tenant_id": tenant.id, "capability": capability, "first": first, "last": last}
    return {
        "capability": capability.value,
        "name": capability.value.replace("_", " ").capitalize(),
        "flag": standing.flag,
        "answered_by": "ours" if standing.answered_by == "CANONICAL" else "the older side",
        "is_live": standing.flag.stage in LIVE,
        "stale": bool(history) and is_stale(history[0].flag, changed_at=history[0].changed_at, now=now),
        "gate": decided(standing=standing, zone=tenant.timezone, now=now).gate,
        "parities": _parities(asked),
        **_found(asked, zone=tenant.timezone),
        "drift": _drift(tenant.id, capability),
        "overlays": _overlays(asked),
        "history": _history(tenant.id, history),
        "decisions": kept(tenant_id=tenant.id, capability=capability),
        "drills": _drills(tenant.id, capability),
        "expected": expected(tenant_id=tenant.id, capability=capability, now=now),
    }


def _found(asked: Mapping[str, Any], *, zone: str) -> dict[str, Any]:
    """The causes of drift, and what is no drift, in sentences."""
    found = told(**asked, zone=zone)
    causes = [
        {"name": each.name, "comparisons": each.comparisons, "last_at": each.last_at, "sentence": sentence}
        for each, sentence in found.causes
    ]
    return {"causes": causes[:MOST_ROWS], "remarks": found.remarks}


def _parities(asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """All comparisons, then each kind of request."""
    strata = store.counts(**asked)
    total, _ = store.parity(**asked)
    rows = [
        (ALL, total),
        *((comparisons_of(name), parity_of(counts)) for name, counts in sorted(strata.items(), key=_size)),
    ]
    return [_parity(name, found) for name, found in rows]


def _size(stratum: tuple[str, object]) -> tuple[int, bool]:
    """`days<=7` before `days<=31`; what nobody asked for comes first."""
    name = stratum[0]
    return int("".join(sign for sign in name if sign.isdigit()) or 0), ">" in name


def _parity(name: str, found: Parity) -> dict[str, Any]:
    return {
        "name": name,
        "attempts": found.attempts,
        "conclusive": found.conclusive,
        "parity": NOT_KNOWN if found.parity is None else f"{found.parity:.3%}",
        "bound": "" if found.lower_bound is None else f"{found.lower_bound:.3%}",
        "coverage": f"{found.coverage:.1%}",
        "legacy_errors": f"{found.legacy_errors:.1%}",
        "verdicts": [(each.value, count) for each, count in found.by_verdict.items() if count],
    }


def _drift(tenant_id: int, capability: Capability) -> dict[str, Any] | None:
    """The newest answer that differed, with the days on which it did."""
    found = store.page(tenant_id=tenant_id, most=1, capability=capability.value, verdict=Verdict.DRIFT.value)
    if not found:
        return None
    newest = found[0]
    rows: Sequence[Mapping[str, Any]] = newest.detail.get("computation", [])
    return {"compared_at": newest.compared_at, "reason": newest.reason, "differences": list(rows[:MOST_ROWS])}


def _overlays(asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A picture for each field of the stored days: ours, theirs, and where they differ."""
    days = overlay(**asked)
    names = dict.fromkeys(name for each in days for name in each.ours)
    return [{"name": _words(name), "svg": _svg(_chart(name, days))} for name in names]


def _svg(chart: Overlay) -> SafeString:
    return mark_safe(overlay_svg(chart))  # noqa: S308 - drawn here, its words are escaped


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _chart(name: str, days: Sequence[Day]) -> Overlay:
    chart = Overlay(
        slug=f"overlay-{name}",
        title=f"{_words(name)}: stored nights of the older side, and ours",
        description="",
        days=[each.day for each in days],
        ours=[each.ours.get(name) for each in days],
        theirs=[each.theirs.get(name) for each in days],
    )
    differing = [chart.days[place].isoformat() for place in chart.differing]
    return replace(chart, description=f"{len(days)} nights. They differ on: {', '.join(differing) or 'none'}.")


def _history(tenant_id: int, history: Sequence[Change]) -> list[dict[str, Any]]:
    actors = actors_by_id(tenant_id=tenant_id, ids=[each.actor_id for each in history])
    return [{"change": each, "actor": actors[each.actor_id].name} for each in history]


def _drills(tenant_id: int, capability: Capability) -> list[DriftDrill]:
    rows = DriftDrill.objects.filter(tenant_id=tenant_id, capability=capability.value).order_by("-id")
    return list(rows[:MOST_ROWS])
