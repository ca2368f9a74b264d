"""Comparison files: what the dual run compared, as CSV."""

from collections.abc import Iterator, Sequence

from django.http.response import HttpResponseBase

from analytics.drift.capabilities import DECLARED
from analytics.drift.controls import Capability
from analytics.drift.tables import Stretch, Table, days_between, rows
from analytics.engine.pages.asked import choice_asked, instant_asked
from tasks_app.admin.downloads import Cell, csv_response
from tasks_app.admin.visits import Visit
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered

SECONDS = 600


def comparisons_csv(visit: Visit, *, table: Table) -> HttpResponseBase:
    """All comparisons from one local day up to another, which is left out; without days all that are kept."""
    stretch = _stretch(visit)
    name = f"{visit.tenant.slug}-{stretch.capability.value.lower().replace('_', '-')}-{table.name}"
    return csv_response(name=name, header=table.header, rows=_cells(table, stretch))


def _cells(table: Table, stretch: Stretch) -> Iterator[Sequence[Cell]]:
    """Drawn while the file is sent, after the visit's transaction is over."""
    with entered(tenant_id=stretch.tenant_id, role=DatabaseRole.AUDITOR, read_only=True, timeout_seconds=SECONDS):
        yield from rows(table, stretch)


def _stretch(visit: Visit) -> Stretch:
    zone, known = visit.tenant.timezone, [capability.value for capability in DECLARED]
    since, until = days_between(first=None, end=None, zone=zone, now=visit.now)
    stretch = Stretch(
        tenant_id=visit.tenant.id,
        capability=Capability(choice_asked(visit, "capability", label="Capability", known=known)),
        since=instant_asked(visit, "from", label="From", zone_name=zone) or since,
        until=instant_asked(visit, "to", label="To", zone_name=zone) or until,
    )
    if stretch.since >= stretch.until:
        raise Refused("From: give a time before To, which is the first that is left out.", path=("from",))
    return stretch
