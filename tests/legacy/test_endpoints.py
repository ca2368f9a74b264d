"""Endpoints of other systems in the database: how often they are asked, when they are left alone, and who may say where."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from analytics.drift.controls import Capability, FailureKind, LegacyAnswer, LegacyFailure
from analytics.drift.endpoints import EndpointOr
from analytics.legacy.control import CfdControl
from analytics.models import LegacyEndpoint
from analytics.safe_http import Limits, OutsideAnswer
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import Cast, cast
from tests.drift.bad_server import GOOD, BadServer, bad_server
from tests.tasks_app.recording import refused, sql

FLOW = Capability.CUMULATIVE_FLOW
NOW = datetime(2026, 3, 3, 9, tzinfo=UTC)
ANSWER = OutsideAnswer(body=GOOD, status=200)
FAILURE = LegacyFailure(kind=FailureKind.STATUS, reason="The older side answered status 500.")


@dataclass
class Beside:
    """Acme with an endpoint, a clock that stands still, and what the other system says next."""

    people: Cast
    now: datetime = NOW
    says: OutsideAnswer | LegacyFailure = ANSWER
    urls: list[str] = field(default_factory=list)

    def fetch(self, url: str, _: Any, __: Limits) -> OutsideAnswer | LegacyFailure:
        self.urls.append(url)
        return self.says

    def ask(self, tenant: Any = None) -> LegacyAnswer | LegacyFailure:
        control = EndpointOr(capability=FLOW, inside=CfdControl(), clock=lambda: self.now, fetch=self.fetch)
        return control.answer(tenant_id=(tenant or self.people.acme.tenant).id, days=3, now=NOW)

    def kinds(self, times: int) -> list[str]:
        """What so many questions come to."""
        found = [self.ask() for _ in range(times)]
        return [each.kind.value if isinstance(each, LegacyFailure) else "answered" for each in found]


@pytest.fixture
def beside(db: None) -> Beside:
    """Ten calls a day."""
    people = cast()
    LegacyEndpoint.objects.create(
        tenant=people.acme.tenant,
        capability=FLOW.value,
        url="https://old.example/cfd?days={days}",
        mapping="@",
        organisation="acme",
        cutoff_rule="FIXED",
        most_calls_a_day=10,
        seconds=1,
    )
    return Beside(people)


def test_a_tenant_with_an_endpoint_is_compared_with_that(beside: Beside) -> None:
    """Another tenant with the built-in side."""
    found = beside.ask()
    assert isinstance(found, LegacyAnswer)
    assert found.body == GOOD
    inside = beside.ask(beside.people.globex.tenant)
    assert isinstance(inside, LegacyAnswer)
    assert inside.body["organisation"] == "globex"
    assert beside.urls == ["https://old.example/cfd?days=3"]


def test_it_is_asked_only_so_often_a_day(beside: Beside) -> None:
    """The eleventh question is not asked, and says why; another day begins anew."""
    assert beside.kinds(12) == ["answered"] * 10 + ["NOT_ASKED"] * 2
    assert beside.ask() == LegacyFailure(
        kind=FailureKind.NOT_ASKED, reason="The older side has been asked as often as it may be today."
    )
    assert len(beside.urls) == 10
    beside.now += timedelta(days=1)
    assert beside.kinds(1) == ["answered"]


def test_it_is_left_alone_after_five_failures_in_a_row(beside: Beside) -> None:
    """For five minutes; then one question tries, and no second one until it is known how that went."""
    beside.says = FAILURE
    assert beside.kinds(7) == ["STATUS"] * 5 + ["NOT_ASKED"] * 2
    assert beside.ask() == LegacyFailure(
        kind=FailureKind.NOT_ASKED, reason="The older side failed again and again and is left alone for a while."
    )
    beside.now += timedelta(minutes=5)
    assert beside.kinds(2) == ["STATUS", "NOT_ASKED"]
    beside.now += timedelta(minutes=5)
    beside.says = ANSWER
    assert beside.kinds(3) == ["answered"] * 3
    row = LegacyEndpoint.objects.get(tenant=beside.people.acme.tenant)
    assert (row.failures, row.open_until) == (0, None)


def test_a_success_in_between_begins_the_count_anew(beside: Beside) -> None:
    """In a row is in a row."""
    beside.says = FAILURE
    assert beside.kinds(4) == ["STATUS"] * 4
    beside.says = ANSWER
    assert beside.kinds(1) == ["answered"]
    beside.says = FAILURE
    assert beside.kinds(4) == ["STATUS"] * 4


def test_an_endpoint_that_cannot_be_read_is_a_failure(beside: Beside) -> None:
    """Nothing is raised past the control."""
    sql("ALTER TABLE legacy_endpoint RENAME TO elsewhere")
    assert beside.ask() == LegacyFailure(
        kind=FailureKind.NOT_ASKED, reason="The older side's address could not be read."
    )


def test_neither_a_request_nor_a_worker_changes_an_endpoint(beside: Beside) -> None:
    """Where another system is, is the owner's to say: whoever could change it could have secrets sent to himself."""
    with entered(tenant_id=beside.people.acme.tenant.id, role=DatabaseRole.TENANT):
        refused("UPDATE legacy_endpoint SET calls = 0", because="permission denied for table legacy_endpoint")
    with entered(tenant_id=beside.people.acme.tenant.id, role=DatabaseRole.WORKER):
        refused("UPDATE legacy_endpoint SET url = 'https://evil.net'", because="permission denied")
        refused("DELETE FROM legacy_endpoint", because="permission denied")


# --- manage.py legacy_endpoint


@pytest.fixture
def server(db: None, settings: Any) -> Iterator[BadServer]:
    """A server that is on the list."""
    cast()
    with bad_server() as found:
        settings.FLOWLEDGER_OUTSIDE_HOSTS = [found.host]
        yield found


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    """What the command prints."""
    call_command("legacy_endpoint", *arguments, "--tenant", "acme")
    return json.loads(capsys.readouterr().out)


def test_an_endpoint_is_added_tried_listed_and_removed(
    server: BadServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The value of a secret is in no output."""
    monkeypatch.setenv("FLOWLEDGER_SECRET_OLD", "Bearer sesame")
    add = ("add", "--url", server.url("good") + "?days={days}", "--mapping", "@", "--cutoff", "00:00")
    assert ran(capsys, *add, "--header", "Authorization=FLOWLEDGER_SECRET_OLD") == {"added": "CUMULATIVE_FLOW"}
    tried = ran(capsys, "test")
    assert (tried["answer"], tried["basis"], len(tried["cutoffs"])) == (GOOD, "ASSUMED", 7)
    assert "Authorization: Bearer sesame\r\n" in server.requests[-1]
    (listed,) = ran(capsys, "list")
    assert listed["headers"] == {"Authorization": "FLOWLEDGER_SECRET_OLD"}
    assert "sesame" not in json.dumps([tried, listed])
    assert ran(capsys, "remove") == {"removed": "CUMULATIVE_FLOW"}
    assert ran(capsys, "list") == []
    with pytest.raises(Refused, match="There is no endpoint for CUMULATIVE_FLOW"):
        ran(capsys, "remove")
    with pytest.raises(Refused, match="There is no endpoint for CUMULATIVE_FLOW"):
        ran(capsys, "test")


def test_a_try_that_fails_says_why(server: BadServer, capsys: pytest.CaptureFixture[str]) -> None:
    """As a comparison would have it."""
    ran(capsys, "add", "--url", server.url("html"), "--mapping", "@")
    with pytest.raises(Refused, match="CONTENT: The older side answered something else than JSON"):
        ran(capsys, "test")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--mapping", "@"], "--url: this is needed to add an endpoint."),
        (["--url", "https://evil.net/", "--mapping", "@"], "evil.net:443 is not among the hosts"),
        (["--url", "https://evil.net/", "--mapping", "@", "--header", "Authorization"], "write it as NAME=VARIABLE"),
    ],
)
def test_what_could_not_work_is_not_kept(
    server: BadServer, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """In one sentence."""
    with pytest.raises(Refused, match=message):
        ran(capsys, "add", *arguments)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM legacy_endpoint")
        assert cursor.fetchone() == (0,)
