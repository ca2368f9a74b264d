"""Comparisons as CSV: on the auditors' site and by a command, one tenant's alone, and nothing in them that runs."""

import csv
import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from analytics.drift import store
from analytics.drift.arithmetic.verdicts import Verdict
from analytics.drift.controls import Basis, Capability
from analytics.models import DriftComparison
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered
from tests.admin.scene import table
from tests.cast import Cast, Person
from tests.tasks_app.recording import as_owner

FLOW = Capability.CUMULATIVE_FLOW
NOW = datetime.now(UTC)  # noqa: TID251 - the files have the days before now
TODAY = NOW.date()
DETAIL: Mapping[str, Any] = {
    "computation": [
        {"path": "days[2026-03-01].todo", "kind": "VALUE", "ours": -3, "theirs": 4},
        {"path": "days[2026-03-02].todo", "kind": "NULL", "ours": None, "theirs": "str"},
    ],
    "leftOut": 7,
}
COMPARISONS, DIFFERENCES = "/admin/dual-run/comparisons.csv", "/admin/dual-run/differences.csv"


def compared(person: Person, *, at: datetime = NOW, count: int = 1, **given: Any) -> None:
    """Comparisons of that person's tenant; a rule's reason would be a formula."""
    tenant = person.membership.tenant
    values = {
        "verdict": Verdict.EXPECTED_DIFFERENCE,
        "reason": '=HYPERLINK("http://evil.example","a, b") (@mallory)',
        "detail": json.dumps(DETAIL),
        **given,
    }
    with entered(tenant_id=tenant.id, role=DatabaseRole.WORKER):
        DriftComparison.objects.bulk_create(
            DriftComparison(
                tenant=tenant,
                capability=FLOW.value,
                stratum="days<=31",
                definition="flow/1",
                basis=Basis.KNOWN.value,
                stage="SHADOW",
                flag_version=1,
                asked_at=at,
                compared_at=at,
                legacy_ms=1.5,
                candidate_ms=0.25,
                ours_first=False,
                **values,
            )
            for _ in range(count)
        )


def printed(capsys: pytest.CaptureFixture[str], *arguments: str, tenant: str = "acme") -> list[dict[str, str]]:
    """The rows that the command prints."""
    call_command("export_drift", "--tenant", tenant, "--capability", FLOW.value, *arguments)
    return list(csv.DictReader(io.StringIO(capsys.readouterr().out, newline="")))


def test_the_files_have_one_tenants_comparisons(people: Cast, audrey: Client) -> None:
    """Acme's three, in the order in which they were made; nothing of Globex; and no cell that a spreadsheet would run."""
    for days in (0, 2, 1):
        compared(people.alice, at=NOW - timedelta(days=days))
    compared(people.carol, reason="Secret of Globex.")
    rows = table(audrey.get(COMPARISONS))
    assert [row["comparedAt"][:10] for row in rows] == [str(TODAY - timedelta(days=days)) for days in (2, 1, 0)]
    assert {row["reason"] for row in rows} == {'\'=HYPERLINK("http://evil.example","a, b") (@mallory)'}
    assert (rows[0]["verdict"], rows[0]["differences"], rows[0]["notKept"]) == ("EXPECTED_DIFFERENCE", "2", "7")
    assert (rows[0]["legacyMs"], rows[0]["oursMs"], rows[0]["legacyAsOf"]) == ("1.5", "0.25", "")
    response = audrey.get(DIFFERENCES)
    assert response["Content-Disposition"] == 'attachment; filename="acme-cumulative-flow-differences.csv"'
    told = [(row["path"], row["kind"], row["ours"], row["theirs"]) for row in table(response)]
    assert (
        told
        == [
            ("days[2026-03-01].todo", "VALUE", "-3", "4"),
            ("days[2026-03-02].todo", "NULL", "", "str"),
            ("7 more differences were counted and not kept.", "", "", ""),
        ]
        * 3
    )


def test_a_file_of_some_days(people: Cast, audrey: Client, capsys: pytest.CaptureFixture[str]) -> None:
    """Local days of the tenant: the first is in it, the last is not; the command prints what the site downloads."""
    people.acme.tenant.timezone = "Asia/Kolkata"
    with as_owner():
        people.acme.tenant.save()
    begin = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)  # midnight of March 2nd over there
    moment = timedelta(microseconds=1)
    for at in (begin - moment, begin, begin + timedelta(days=1) - moment, begin + timedelta(days=1)):
        compared(people.alice, at=at)
    rows = table(audrey.get(f"{COMPARISONS}?from=2026-03-02&to=2026-03-03"))
    assert [row["comparedAt"] for row in rows] == ["2026-03-01T18:30:00Z", "2026-03-02T18:29:59.999999Z"]
    days = ("--from", "2026-03-02", "--to", "2026-03-03")
    assert printed(capsys, *days) == rows
    assert len(printed(capsys, *days, "--what", "differences")) == 6
    assert printed(capsys, *days, tenant="globex") == []


def test_more_than_fits_into_memory_at_a_time(people: Cast, capsys: pytest.CaptureFixture[str]) -> None:
    """Pieces that follow each other, also where many comparisons have one instant: none twice, none left out."""
    compared(people.alice, count=store.AT_ONCE * 2 + 1)
    compared(people.alice, at=NOW - timedelta(hours=1), count=3)
    found = [int(row["id"]) for row in printed(capsys)]
    assert len(found) == len(set(found)) == store.AT_ONCE * 2 + 4


def test_a_file_is_written_once(people: Cast, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """What is there already stays; the lines end as RFC 4180 has them."""
    compared(people.alice)
    file = tmp_path / "drift.csv"
    assert printed(capsys, "--file", str(file)) == []
    assert file.read_bytes().count(b"\r\n") == 2
    with pytest.raises(Refused, match="cannot be written: File exists"):
        printed(capsys, "--file", str(file))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "yesterday"), "--from: 'yesterday' is no date; write it as 2026-01-31."),
        (("--to", "0016-01-01"), "--to: give a day in the years 1900 to 2200."),
        (("--from", "2026-03-02", "--to", "2026-03-02"), "--from: give a day before --to"),
        (("--capability", "NOTHING"), "--capability: there is no 'NOTHING'"),
        (("--tenant", "nobody"), "There is no tenant 'nobody'"),
    ],
)
def test_what_the_command_refuses(
    people: Cast, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(Refused, match=message):
        printed(capsys, *arguments)


@pytest.mark.parametrize("query", ["from=never", "to=0016-01-01", "from=2026-03-02&to=2026-03-02", "capability=X"])
@pytest.mark.parametrize("address", [COMPARISONS, DIFFERENCES])
def test_what_the_site_refuses(audrey: Client, address: str, query: str) -> None:
    """In a sentence, with status 400."""
    assert audrey.get(f"{address}?{query}").status_code == 400


def test_the_page_leads_to_the_files(audrey: Client) -> None:
    page = audrey.get("/admin/dual-run/").content.decode()
    for address in (COMPARISONS, DIFFERENCES):
        assert f'href="{address}?capability=CUMULATIVE_FLOW"' in page
