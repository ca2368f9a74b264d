"""Who answers the old diagram in each stage, in the old shape, and what is owed for it."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analytics import switching
from analytics.drift.arithmetic.stages import Flag, place_of
from analytics.drift.due import run_owed
from analytics.drift.rollback import drill
from analytics.drift.stages import set_stage, stage_of
from analytics.legacy.midnight import Organisation
from analytics.models import DriftComparison, DriftDue, LegacyEndpoint, StageCause
from analytics.pure.stages import Stage
from analytics.switching import FLOW
from tasks_app.models import Tenant
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import company
from tests.legacy.replay import ZONE, Replay, replayed
from tests.legacy.test_contract import CFD, body, get
from tests.tasks_app.recording import web_login

DAYS, SLEPT = 6, (3, 4)
ALL = DAYS + 2
Ask = Callable[[], tuple[Any, list[str]]]


def today() -> date:
    """The tenant's date, as the endpoint has it."""
    return datetime.now(UTC).astimezone(ZoneInfo(ZONE)).date()  # noqa: TID251


@pytest.fixture
def lived(db: None) -> Replay:
    """The six days before today, with a board that moves, of which the job slept through two nights."""
    return replayed(slug="lived", days=DAYS, sleeping=SLEPT, moves=4, first=today() - timedelta(days=DAYS))


@pytest.fixture
def ask(lived: Replay) -> Ask:
    """Asks for more days than there are: the body, and who answered."""
    tenant = Tenant.objects.get(pk=lived.tenant_id)

    def asked() -> tuple[Any, list[str]]:
        response = get(f"{CFD}?days={ALL}", tenant)
        return body(response, shape="cfd.v1"), [
            response[name] for name in ("X-Answered-By", "X-Stage", "X-Flag-Version")
        ]

    return asked


def switch(lived: Replay, stage: Stage, *, percent: int = 100) -> None:
    """Straight to a stage."""
    with entered(tenant_id=lived.tenant_id, actor_id=lived.actor_id, role=DatabaseRole.WORKER):
        before = stage_of(tenant_id=lived.tenant_id, capability=FLOW)
        wanted = Flag(stage=stage, percent=percent, version=before.flag.version + 1)
        set_stage(before, wanted=wanted, reason="For a test.", cause=StageCause.ASKED, now=lived.midnight(0))


def dates(answer: Any) -> list[str]:
    return [each["date"] for each in answer["days"]]


def lived_dates(lived: Replay) -> list[str]:
    return [lived.day(number).isoformat() for number in range(1, DAYS + 1)]


def test_without_a_switch_the_old_side_answers_and_nothing_is_owed(lived: Replay, ask: Ask) -> None:
    """Nobody ever switched: version 0."""
    answer, who = ask()
    assert who == ["LEGACY", "OFF", "0"]
    assert dates(answer) == [day for number, day in enumerate(lived_dates(lived)) if number not in SLEPT]
    assert not DriftDue.objects.exists()


def test_in_shadow_the_old_side_answers_and_a_comparison_is_owed(lived: Replay, ask: Ask) -> None:
    """To the letter what it said before. The worker compares what was asked then, under the stage of then."""
    before, _ = ask()
    switch(lived, Stage.SHADOW)
    answer, who = ask()
    assert (answer, who) == (before, ["LEGACY", "SHADOW", "1"])
    owed = DriftDue.objects.get()
    assert (owed.days, owed.stage, owed.flag_version) == (ALL, "SHADOW", 1)
    assert owed.position.count(":") == 2
    switch(lived, Stage.OFF)
    assert run_owed(now=owed.asked_at) == 1
    found = DriftComparison.objects.get()
    assert (found.stage, found.flag_version, found.verdict) == ("SHADOW", 1, "LEGACY_ERROR")


@pytest.mark.parametrize("stage", [Stage.LIVE_WITH_SHADOW, Stage.RAMPDOWN])
def test_live_is_ours_in_the_old_shape(lived: Replay, ask: Ask, stage: Stage) -> None:
    """P50: also of the nights through which the job slept; and it is compared still."""
    old, _ = ask()
    switch(lived, stage)
    answer, who = ask()
    assert who == ["CANONICAL", stage.value, "1"]
    assert [day for day in dates(answer) if day in lived_dates(lived)] == lived_dates(lived)
    ours = {each["date"]: each for each in answer["days"]}
    for number in range(1, DAYS + 1):
        day = lived.day(number).isoformat()
        assert {**ours[day]} == {"date": day, **lived.counted(number, told=DAYS)}
    assert {name: answer[name] for name in ("version", "organisation", "timezone")} == {
        name: old[name] for name in ("version", "organisation", "timezone")
    }
    assert DriftDue.objects.get().stage == stage.value


def test_live_is_for_the_tenants_within_the_percentage(lived: Replay, ask: Ask) -> None:
    """One less than the tenant's place needs leaves it with the old side, compared all the same."""
    place = place_of(capability=FLOW.value, tenant_id=lived.tenant_id)
    switch(lived, Stage.LIVE_WITH_SHADOW, percent=place)
    assert ask()[1] == ["LEGACY", "LIVE_WITH_SHADOW", "1"]
    switch(lived, Stage.LIVE_WITH_SHADOW, percent=place + 1)
    assert ask()[1] == ["CANONICAL", "LIVE_WITH_SHADOW", "2"]
    assert DriftDue.objects.count() == 2


def test_complete_is_ours_and_compares_nothing(lived: Replay, ask: Ask) -> None:
    """There is nothing left to compare with."""
    switch(lived, Stage.COMPLETE)
    assert ask()[1] == ["CANONICAL", "COMPLETE", "1"]
    assert not DriftDue.objects.exists()


def test_nobody_is_left_without_an_answer_because_ours_fails(
    lived: Replay, ask: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As long as there is an old side, it answers in our place, and says so. A statement of the database fails here."""
    old, _ = ask()
    monkeypatch.setattr("analytics.engine.projects.PROJECTS", "SELECT * FROM nowhere WHERE known_at > %(known_at)s")
    switch(lived, Stage.RAMPDOWN)
    answer, who = ask()
    assert (answer, who) == (old, ["LEGACY", "RAMPDOWN", "1"])
    assert "the older side answers" in caplog.text
    switch(lived, Stage.COMPLETE)
    tenant = Tenant.objects.get(pk=lived.tenant_id)
    body(get(f"{CFD}?days={ALL}", tenant), status=500, shape="error.v1")


def test_the_way_back_is_drilled_with_the_real_endpoint(lived: Replay) -> None:
    """What it answers after the flip is what the old side says; before and after it is ours."""
    switch(lived, Stage.RAMPDOWN)
    with web_login():
        made = drill(tenant_id=lived.tenant_id, capability=FLOW, now=lived.midnight(DAYS) + timedelta(hours=1))
    assert (made.ok, made.problems, made.probes) == (True, [], 4)


def test_whoever_is_compared_with_a_system_elsewhere_goes_back_to_the_old_endpoint(lived: Replay) -> None:
    """The endpoint's answers are drilled, not that system's, which nobody asks here."""
    LegacyEndpoint.objects.create(
        tenant_id=lived.tenant_id,
        capability=FLOW.value,
        url="https://old.example/cfd?days={days}",
        mapping="@",
        organisation="lived",
        cutoff_rule="FIXED",
        most_calls_a_day=1,
        seconds=1,
    )
    switch(lived, Stage.SHADOW)
    made = drill(tenant_id=lived.tenant_id, capability=FLOW, now=lived.midnight(DAYS) + timedelta(hours=1))
    assert (made.problems, made.probes) == ([], 4)


def test_ours_of_a_tenant_that_recorded_nothing(db: None) -> None:
    """No day, as of the old side."""
    made = company(slug="empty", timezone=ZONE)
    now = datetime.now(UTC)  # noqa: TID251
    with entered(tenant_id=made.tenant.id, read_only=True):
        found = switching.counted_flow(
            tenant=Organisation(id=made.tenant.id, slug="empty", timezone=ZONE), days=3, now=now
        )
    assert found["days"] == []
