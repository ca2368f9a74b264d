"""Older systems on their worst days, through a whole comparison: a verdict with its reason, never an exception or a match."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest

from analytics.drift import due
from analytics.drift.controls import Basis, Capability, LegacyAnswer, control_of, register
from analytics.drift.endpoints import EndpointOr
from analytics.drift.stored_day_checks import compare_rest
from analytics.legacy.control import CfdControl
from analytics.models import DriftComparison, DriftCount, DriftDue, LegacyEndpoint
from analytics.safe_http import Limits, fetch_json
from tasks_app.models import Tenant
from tasks_app.tenancy import DatabaseRole, entered
from tests.drift.bad_server import BEHAVIOURS, BadServer, answered, bad_server, redirected
from tests.drift.old_counts import FIRST, ZONE, OldSystem, midnight, scripted
from tests.flow.loading import seeded
from tests.processes import PATIENCE

pytestmark = pytest.mark.django_db

FLOW = Capability.CUMULATIVE_FLOW
DAYS = 6
NOW = midnight(FIRST + timedelta(days=DAYS)) + timedelta(hours=9)
GOOD_ONES = {"good", "chunks", "packed", "moved"}
# What would never end is asked for a moment; all else has the time that it needs on a busy machine.
ENDLESS = frozenset({"drip", "drip-headers", "silent", "endless-continue", "endless-trailers", "endless-rest"})
MOMENT = Limits(seconds=0.6, most_bytes=1_000_000)
LIMITS = Limits(seconds=PATIENCE, most_bytes=1_000_000)


@dataclass(kw_only=True)
class Hostile:
    """A tenant with a scripted history, an endpoint of its own, and a server whose next answer is chosen."""

    old: OldSystem
    tenant_id: int
    server: BadServer
    monkeypatch: pytest.MonkeyPatch

    @property
    def good(self) -> dict[str, Any]:
        """What the older side truthfully says."""
        found = self.old.answer(tenant_id=self.tenant_id, days=DAYS, now=NOW)
        assert isinstance(found, LegacyAnswer)
        body: dict[str, Any] = json.loads(json.dumps(found.body))
        return body

    def says(self, content: bytes | str, **given: Any) -> None:
        """The next answer."""
        raw = content.encode() if isinstance(content, str) else content
        self.monkeypatch.setitem(BEHAVIOURS, "next", answered(raw, **given))

    def asked_by(self, fetch: Any) -> None:
        """From now on the endpoint is asked so."""
        control = EndpointOr(capability=FLOW, inside=CfdControl(), clock=lambda: NOW, fetch=fetch)
        register(capability=FLOW, control=control)

    def compared(self, behaviour: str = "next", **endpoint: Any) -> DriftComparison:
        """What the worker keeps of one answer that was given."""
        given = {"url": self.server.url(behaviour), "cutoff_rule": "FIXED", **endpoint}
        LegacyEndpoint.objects.filter(tenant_id=self.tenant_id).update(failures=0, open_until=None, **given)
        with entered(tenant_id=self.tenant_id, role=DatabaseRole.TENANT):
            due.owe(
                tenant_id=self.tenant_id,
                capability=FLOW,
                days=DAYS,
                stage="SHADOW",
                flag_version=1,
                asked_at=NOW,
            )
        assert due.run_owed(now=NOW, chance=Random(1)) == 1  # asked once
        assert not DriftDue.objects.exists()
        return DriftComparison.objects.latest("id")


@pytest.fixture
def hostile(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hostile]:
    """Six days that the older side counted rightly."""
    history = scripted(days=DAYS)
    loaded = seeded(history)
    Tenant.objects.filter(id=loaded.tenant_id).update(timezone=ZONE)
    tenant = Tenant.objects.get(id=loaded.tenant_id)
    before = control_of(FLOW)
    assert before is not None
    with bad_server() as server:
        LegacyEndpoint.objects.create(
            tenant=tenant,
            capability=FLOW.value,
            url=server.url("next"),
            mapping="@",
            organisation=tenant.slug,
            cutoff_rule="FIXED",
            most_calls_a_day=1_000,
            seconds=1,
        )
        made = Hostile(
            old=OldSystem(history=history, slug=tenant.slug),
            tenant_id=tenant.id,
            server=server,
            monkeypatch=monkeypatch,
        )
        made.asked_by(partial(_fetch, allowed=[server.host, f"localhost:{server.port}"]))
        yield made
        register(capability=FLOW, control=before)


def _fetch(url: str, headers: Mapping[str, str], _: Limits, **given: Any) -> Any:
    return fetch_json(url=url, headers=headers, limits=MOMENT if url.rpartition("/")[2] in ENDLESS else LIMITS, **given)


def test_the_truth_is_a_match(hostile: Hostile) -> None:
    """Else nothing below would show anything."""
    hostile.says(json.dumps(hostile.good))
    found = hostile.compared()
    assert (found.verdict, found.basis, found.reason) == ("MATCH", Basis.ASSUMED.value, "")


@pytest.mark.parametrize("behaviour", [name for name in BEHAVIOURS if name not in GOOD_ONES])
def test_what_a_server_does_wrong_is_a_verdict(hostile: Hostile, behaviour: str) -> None:
    """HTML, 500, slow bytes for ever, 100 MB, another tenant's data, NaN, another order, redirects to where it may not be."""
    found = hostile.compared(behaviour)
    assert found.verdict == ("INCONCLUSIVE" if behaviour in ENDLESS else "LEGACY_ERROR"), found.reason
    assert found.reason.endswith(".")


def day(**given: object) -> Callable[[dict[str, Any]], str]:
    """The truth, but for one day."""

    def changed(good: dict[str, Any]) -> str:
        good["days"][2].update(given)
        return json.dumps(good)

    return changed


def raw(old: str, new: str) -> Callable[[dict[str, Any]], str]:
    """The truth with some of its text replaced, once."""

    def changed(good: dict[str, Any]) -> str:
        text = json.dumps(good)
        assert old in text
        return text.replace(old, new, 1)

    return changed


def far(date: str, place: int) -> Callable[[dict[str, Any]], str]:
    """The truth with one day more, of a date that nobody asked for."""

    def changed(good: dict[str, Any]) -> str:
        good["days"].insert(place, {**good["days"][0], "date": date})
        return json.dumps(good)

    return changed


SPOILED: Mapping[str, Callable[[dict[str, Any]], str]] = {
    "NaN": raw('"todo": ', '"todo": NaN, "x": '),
    "Infinity": raw('"todo": ', '"todo": -Infinity, "x": '),
    "1e400": raw('"todo": ', '"todo": 1e400, "x": '),
    "an integer of 400 digits": day(todo=10**400),
    "an integer of 4,000 digits": day(todo=10**4_000),
    "an integer of 5,000 digits": raw('"todo": ', '"todo": ' + "9" * 5_000 + ', "x": '),
    "an integer beyond 2**63": day(todo=2**63),
    "a negative count": day(todo=-1),
    "a boolean": day(done=True),
    "a whole float": day(todo=3.0),
    "a text": day(todo="3"),
    "a text with NUL": day(todo="3\x00"),
    "null": day(todo=None),
    "a list": day(todo=[3]),
    "the same name twice": raw('"todo": ', '"todo": 0, "todo": '),
    "the organisation twice": raw('"organisation": ', '"organisation": "globex", "organisation": '),
    "a day of year 1": far("0001-01-01", 0),
    "a day of year 9999": far("9999-12-31", DAYS),
    "tomorrow": far(str(FIRST + timedelta(days=DAYS + 1)), DAYS),
    "a day before those asked for": far("2025-01-01", 0),
    "a date with NUL": day(date="2025-03-19\x00"),
    "a date in other digits": day(date="\uff12\uff10\uff12\uff15-03-19"),
    "nested": lambda good: json.dumps(good)[:-1] + ', "x": ' + "[" * 50_000 + "]" * 50_000 + "}",
    "200 years of days": lambda good: json.dumps({**good, "days": _many(good["days"][0])}),
}


def _many(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{**one, "date": str(FIRST - timedelta(days=8_000 - number))} for number in range(8_000)]


@pytest.mark.parametrize("how", SPOILED)
def test_what_an_answer_has_in_it_is_a_verdict(hostile: Hostile, how: str) -> None:
    """The older side's error, and never ours."""
    hostile.says(SPOILED[how](hostile.good))
    found = hostile.compared()
    assert found.verdict == "LEGACY_ERROR", (found.verdict, found.reason)
    assert found.reason.endswith(".")
    assert DriftCount.objects.get().signature == ""


NAMES: Mapping[str, str] = {
    "a long name": "x" * 100_000,
    "a name with NUL": "a\x00b",
    "half a character": "\ud800",
    "somebody's words": "Alice Smith's secret",
    "a formula": "=HYPERLINK(1)",
    "brackets": "a].[b",
}


@pytest.mark.parametrize("how", NAMES)
def test_a_name_that_nobody_expects_is_drift_and_not_repeated(hostile: Hostile, how: str) -> None:
    """P62: whatever the older side calls its fields, no words of it are kept, and each fits into the database."""
    hostile.says(day(**{NAMES[how]: 1})(hostile.good))
    found = hostile.compared()
    assert found.verdict == "DRIFT", (found.verdict, found.reason)
    kept = " ".join([found.reason, found.signature, found.detail])
    assert NAMES[how] not in kept
    assert len(found.signature) < 200
    json.loads(found.detail)


def test_a_new_field_with_an_ordinary_name_is_told(hostile: Hostile) -> None:
    """So that people know what to look for."""
    hostile.says(day(in_review=1)(hostile.good))
    found = hostile.compared()
    assert (found.verdict, found.signature) == ("DRIFT", "CUMULATIVE_FLOW flow/1 days[].in_review MISSING")


@pytest.mark.parametrize(
    "how",
    ["a day of year 1", "a day of year 9999", "200 years of days", "tomorrow", "null", "the same name twice"],
)
def test_stored_days_that_make_no_sense_are_one_error(hostile: Hostile, how: str) -> None:
    """On schedule, too: not a comparison for each day since the year 1, and nobody else's are stopped."""
    hostile.says(SPOILED[how](hostile.good))
    assert compare_rest(now=NOW)["compared"] == 1
    assert DriftComparison.objects.get().verdict == "LEGACY_ERROR"


@pytest.mark.parametrize("days", ["abc", 7, [1, 2], [None], [["date"]], {"date": 1}, [{"date": [1]}]])
def test_stored_days_that_are_no_days_are_one_error(hostile: Hostile, days: object) -> None:
    """Whatever stands where a list of days belongs."""
    hostile.says(json.dumps({**hostile.good, "days": days}))
    assert compare_rest(now=NOW)["compared"] == 1
    assert DriftComparison.objects.get().verdict == "LEGACY_ERROR"
    assert hostile.compared().verdict == "LEGACY_ERROR"


CUTOFFS: Mapping[str, Any] = {
    "year 1": "0001-01-01T00:00:00+14:00",
    "year 9999": "9999-12-31T23:59:59-14:00",
    "a century ahead": "2125-03-20T00:00:00Z",
    "tomorrow": (NOW + timedelta(days=1)).isoformat(),
    "without a zone": "2025-03-20T00:00:00",
    "a number": 1_742_428_800,
    "an empty object": {},
    "an object of nonsense": {"2025-03-19": "x\x00"},
    "a list": ["2025-03-20T00:00:00Z"],
}


@pytest.mark.parametrize("how", CUTOFFS)
def test_a_cut_off_that_cannot_be_is_a_verdict(hostile: Hostile, how: str) -> None:
    """It is not made up, and nothing matches by it."""
    hostile.says(json.dumps({**hostile.good, "at": CUTOFFS[how]}))
    found = hostile.compared(cutoff_rule="FIELD", cutoff_field="at")
    assert found.verdict == "LEGACY_ERROR", (found.verdict, found.reason)


ENDPOINTS: Mapping[str, Mapping[str, Any]] = {
    "a login in the address": {"url": "http://user:pass@127.0.0.1/next"},
    "a decimal address": {"url": "http://2130706433/next"},
    "an octal address": {"url": "http://0177.0.0.1/next"},
    "a hexadecimal address": {"url": "http://0x7f.1/next"},
    "a mapped address": {"url": "http://[::ffff:127.0.0.1]/next"},
    "another port": {"url": "http://127.0.0.1:1/next"},
    "a port in hexadecimal": {"url": "http://127.0.0.1:0x50/next"},
    "a line break": {"url": "http://127.0.0.1/next\r\nHost: evil.example"},
    "a broken mapping": {"mapping": "days[?"},
    "a mapping of another type": {"mapping": "sum(days)"},
    "an unset secret": {"headers": '{"Authorization": "FLOWLEDGER_SECRET_UNSET"}'},
    "somebody else's variable": {"headers": '{"Authorization": "DJANGO_SECRET_KEY"}'},
}


@pytest.mark.parametrize("how", ENDPOINTS)
def test_an_endpoint_that_should_not_have_been_written_is_a_verdict(hostile: Hostile, how: str) -> None:
    """Whoever wrote it past the command; nothing is asked where it may not be."""
    hostile.says(json.dumps(hostile.good))
    before = len(hostile.server.requests)
    given = ENDPOINTS[how]
    found = hostile.compared(**given)
    assert found.verdict == ("INCONCLUSIVE" if "headers" in given else "LEGACY_ERROR"), (found.verdict, found.reason)
    assert len(hostile.server.requests) - before == ("mapping" in given)
    assert "pass@" not in found.reason


@pytest.mark.parametrize("secret", ["a\r\nX-Evil: 1", "a\nb", "a\x00b", "ключ", "a\x7fb"])
def test_a_secret_begins_no_header_and_is_told_nowhere(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, secret: str
) -> None:
    """Nothing is sent with it that could be read as two things."""
    monkeypatch.setattr("os.environ", {"FLOWLEDGER_SECRET_OLD": secret})
    hostile.says(json.dumps(hostile.good))
    found = hostile.compared(headers='{"Authorization": "FLOWLEDGER_SECRET_OLD"}')
    assert found.verdict == "INCONCLUSIVE", (found.verdict, found.reason)
    assert (
        found.reason
        == "The header Authorization cannot be sent: FLOWLEDGER_SECRET_OLD has characters that belong in none."
    )
    assert hostile.server.requests == []
    assert secret not in found.reason + found.detail + caplog.text


@pytest.mark.parametrize(
    ("behaviour", "addresses", "verdict"),
    [
        ("next", ["127.0.0.1", "169.254.169.254"], "MATCH"),
        ("again", ["127.0.0.1", "169.254.169.254"], "LEGACY_ERROR"),
        ("again", ["127.0.0.1", "127.0.0.1"], "MATCH"),
        ("next", ["::ffff:169.254.169.254"], "LEGACY_ERROR"),
        ("next", ["0.0.0.0"], "LEGACY_ERROR"),
    ],
)
def test_a_name_that_means_another_address_a_moment_later(
    hostile: Hostile, behaviour: str, addresses: list[str], verdict: str
) -> None:
    """Each connection goes to the address that was looked at for it, after a redirect, too."""
    named, left = f"old.example:{hostile.server.port}", iter(addresses)
    hostile.asked_by(partial(_fetch, allowed=[named], resolve=lambda _, __: [next(left)]))
    hostile.says(json.dumps(hostile.good))
    hostile.monkeypatch.setitem(BEHAVIOURS, "again", redirected("/next"))
    found = hostile.compared(url=hostile.server.url(behaviour, host="old.example"))
    assert found.verdict == verdict, found.reason


def test_one_tenants_server_stops_no_other_tenants_comparisons(
    hostile: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong inside a comparison, the next one is made."""
    monkeypatch.setattr("analytics.drift.capabilities._is_count", lambda _: 1 / 0)
    hostile.says(json.dumps(hostile.good))
    found = hostile.compared()
    assert (found.verdict, found.reason) == ("LEGACY_ERROR", "The older answer cannot be read.")
