"""Restated months page: months as reported against the same months today, and the ledger's rows that explain one."""

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from django.http import Http404
from django.http.response import HttpResponseBase

from analytics.drift.capabilities import DECLARED
from analytics.drift.controls import Capability
from analytics.drift.months import Month, published, restated
from analytics.engine.reading.compared_figures import Because, Number
from tasks_app.admin.visits import Visit
from tasks_app.models import Kind

DEFINED: Final = 9
NOT_KNOWN: Final = "not known"


def restated_months(visit: Visit) -> HttpResponseBase:
    """`month=2026-07` shows what explains that one; 404 for one that was not published."""
    asked = visit.asked("month")
    found = [_shown(visit, capability, asked) for capability in DECLARED]
    if asked and not any(each["chosen"] for each in found):
        raise Http404("No such month was published.")
    return visit.page("admin/restated_months.html", title="Months as reported and today", capabilities=found)


def _shown(visit: Visit, capability: Capability, asked: str) -> dict[str, Any]:
    tenant = visit.tenant
    shared: dict[str, Any] = {
        "tenant_id": tenant.id,
        "zone": tenant.timezone,
        "declaration": DECLARED[capability],
        "now": visit.now,
    }
    months = published(**shared)
    chosen = next((each for each in months if _name(each.first) == asked), None)
    return {
        "name": capability.value.replace("_", " ").capitalize(),
        "fields": list(months[0].then) if months else [],
        "months": [_row(each) for each in months],
        "chosen": asked if chosen else "",
        **(_explained(chosen, shared) if chosen else {}),
    }


def _row(month: Month) -> dict[str, Any]:
    numbers = [Number(name=name, then=was, today=month.today.get(name)) for name, was in month.then.items()]
    return {
        "name": _name(month.first),
        "day": month.day,
        "until": month.until,
        "known_at": month.known_at,
        "numbers": [_number(each) for each in numbers],
        "changed": bool(month.changes),
    }


def _explained(month: Month, shared: Mapping[str, Any]) -> dict[str, Any]:
    found = restated(month=month, **shared)
    return {
        "totals": [_number(each) for each in found.totals],
        "stocks": [_number(each) for each in found.stocks],
        "rows": [_reason(each) for each in found.rows],
    }


def _number(number: Number) -> dict[str, Any]:
    then, today = (NOT_KNOWN if value is None else value for value in (number.then, number.today))
    return {"name": number.name, "then": then, "today": today, "changed": number.then != number.today}


def _reason(row: Because) -> dict[str, Any]:
    what = "DEFINED" if row.kind == DEFINED else Kind(row.kind).name
    return {
        "row": row,
        "what": what,
        "of_task": row.kind != DEFINED,
        "explains": ", ".join(row.explains),
    }


def _name(first: date) -> str:
    return f"{first:%Y-%m}"
