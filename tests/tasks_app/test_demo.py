"""The demo: its story, what is in the database afterwards, and the command itself as a process."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection

from config.database import postmaster
from tasks_app.demo import acme, nightdesk
from tasks_app.demo.history import history
from tasks_app.demo.serving import check_port
from tasks_app.demo.story import Story
from tasks_app.demo.today import live_through
from tasks_app.demo.writing import found_tenant
from tasks_app.models import DefinitionLedger, Kind, Project, Task, TaskLedger
from tasks_app.operations.tenants import create_tenant, tenant_named
from tasks_app.refusals import Refused
from tasks_app.tenancy import entered
from tests.processes import PATIENCE, wait_until

PROJECT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 11, 13, 45, tzinfo=UTC)
STORIES = (acme.STORY, nightdesk.STORY)
DUAL_RUN = re.compile(r"`(\{ dualRun .*?\})`")
STAGES = "{ dualRun { stages { capability stage } } }"
REPLAY_DIFFERS = """/* tests.replay_differs */
SELECT count(*) FROM task t
  JOIN LATERAL (SELECT l.kind, l.project_id, l.to_id FROM task_ledger l
                 WHERE l.tenant_id = t.tenant_id AND l.task_id = t.id AND l.kind <= 5
                 ORDER BY l.happened_at DESC, l.seq DESC LIMIT 1) f ON true
 WHERE t.tenant_id = %s
   AND ((t.discarded_at IS NULL) = (f.kind = 4)
        OR (t.discarded_at IS NULL AND (t.project_id, t.state_id) <> (f.project_id, f.to_id)))
"""


def _told(story: Story, *, now: datetime) -> dict[str, int]:
    people = found_tenant(story=story, now=now)
    live_through(story=story, people=people, now=now)
    return people


@pytest.fixture
def tenant_id(db: Any) -> Iterator[int]:
    """Acme, told up to now, and the test inside it."""
    _told(acme.STORY, now=datetime.now(UTC))  # noqa: TID251 - triggers ask the real clock
    found = tenant_named(slug="acme").id
    with entered(tenant_id=found):
        yield found


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.slug)
def test_a_story_is_told_the_same_way_again(story: Story) -> None:
    assert history(story=story, now=NOW) == history(story=story, now=NOW)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.slug)
def test_a_story_is_in_order_and_past(story: Story) -> None:
    events = history(story=story, now=NOW)
    instants = [event.at for event in events]
    assert instants == sorted(instants)
    assert instants[-1] <= NOW
    assert timedelta(days=181) <= NOW - instants[0] <= timedelta(days=184)
    first: dict[str, Kind] = {}
    for event in events:
        first.setdefault(event.case, event.kind)
    assert set(first.values()) == {Kind.CREATED}


def test_nobody_works_in_the_quiet_week_and_acme_rests_at_weekends() -> None:
    """The story's random part; what is scripted is younger."""
    zone = ZoneInfo("Europe/Stockholm")
    scripted = {each.case for each in acme.STORY.scripted}
    days = {e.at.astimezone(zone).date() for e in history(story=acme.STORY, now=NOW) if e.case not in scripted}
    quiet = {datetime(2026, 1, 5).date() + timedelta(days=day) for day in range(7)}  # noqa: DTZ001 - dates only
    assert not days & quiet
    assert {day.isoweekday() for day in days} == {1, 2, 3, 4, 5}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.slug)
def test_items_go_back_from_done(story: Story) -> None:
    """There is something to reopen."""
    finished: set[str] = set()
    reopened: set[str] = set()
    for event in history(story=story, now=NOW):
        if event.kind == Kind.MOVED:
            finished |= {event.case} if event.to in ("done", "resolved") else set()
            reopened |= {event.case} & finished if event.to in ("in-progress", "assigned") else set()
    assert len(reopened) > 10


def test_the_live_rows_are_what_replay_says(tenant_id: int) -> None:
    """P13, P26."""
    with connection.cursor() as cursor:
        cursor.execute(REPLAY_DIFFERS, [tenant_id])
        assert cursor.fetchone() == (0,)
    kinds = Counter(TaskLedger.objects.filter(tenant_id=tenant_id).values_list("kind", flat=True))
    assert kinds[Kind.CREATED] == Task.objects.filter(tenant_id=tenant_id).count() > 300
    assert all(kinds[kind] for kind in (Kind.MOVED, Kind.TRANSFERRED, Kind.DISCARDED, Kind.VALIDATED, Kind.ASSIGNED))


def test_what_was_reported_late_keeps_both_clocks(tenant_id: int) -> None:
    """P15, P11: it happened days before it was recorded, and the board shows where it is since."""
    item = Task.objects.select_related("state").get(tenant_id=tenant_id, external_id="late-1")
    assert item.state.slug == "done"
    facts = TaskLedger.objects.filter(tenant_id=tenant_id, task_id=item.id, kind=Kind.MOVED).order_by("-seq")[:2]
    assert [(fact.recorded_at - fact.happened_at).days for fact in facts] == [3, 5]


def test_a_bulk_move_is_one_change_of_one_person(tenant_id: int) -> None:
    items = Task.objects.filter(tenant_id=tenant_id, external_id__in=acme.RELEASE).values_list("id", flat=True)
    facts = TaskLedger.objects.filter(tenant_id=tenant_id, task_id__in=list(items), kind=Kind.MOVED)
    last = [facts.filter(task_id=item).latest("seq") for item in items]
    assert len(last) == 8
    assert len({(fact.correlation, fact.actor_id) for fact in last}) == 1


def test_a_renamed_state_is_the_same_state_and_moves_nothing(tenant_id: int) -> None:
    """P28, P29."""
    definitions = DefinitionLedger.objects.filter(tenant_id=tenant_id, slug="review").order_by("seq")
    assert [d.name for d in definitions][-1] == "Code review"
    assert {d.name for d in definitions} == {"Review", "Code review"}
    assert len({d.state_id for d in definitions}) == 1


def test_history_reaches_back_to_the_first_event(tenant_id: int) -> None:
    """P16: the board is known from its first event on."""
    web = Project.objects.get(tenant_id=tenant_id, key="WEB")
    first = TaskLedger.objects.filter(tenant_id=tenant_id, project_id=web.id).earliest("happened_at", "seq")
    assert web.recorded_since == first.happened_at


def test_again_adds_nothing(db: Any) -> None:
    now = datetime.now(UTC)  # noqa: TID251 - triggers ask the real clock
    people = _told(acme.STORY, now=now)
    before = TaskLedger.objects.count(), DefinitionLedger.objects.count()
    assert _told(acme.STORY, now=now + timedelta(days=1)) == people
    assert (TaskLedger.objects.count(), DefinitionLedger.objects.count()) == before


def test_a_tenant_of_somebody_else_is_left_alone(db: Any) -> None:
    create_tenant(slug="acme", name="The real Acme", timezone="UTC", fiscal_year_start_month=1)
    with pytest.raises(Refused, match="There is a tenant 'acme' that the demo did not make"):
        found_tenant(story=acme.STORY, now=NOW)


def test_a_port_in_use_is_one_sentence() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Refused, match=f"^Port {port} cannot be used .*: choose another with --port.$"):
            check_port(port=port)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home of the command's own, which an ordinary account can reach."""
    with tempfile.TemporaryDirectory(prefix="fl-demo-", dir="/tmp", ignore_cleanup_errors=True) as parent:
        Path(parent).chmod(0o755)
        yield Path(parent) / "home"
        wait_until(lambda: postmaster.running(data=Path(parent) / "home" / "postgres") is None)


@pytest.mark.own_server
def test_the_command_serves_until_it_is_told_to_stop(home: Path) -> None:
    """P3: a chart at once, whatever the worker has done; and it agrees with itself: the last day's bands."""
    port = _free_port()
    with _demo(home, "--port", str(port)) as command:
        assert command.stdout is not None
        facts = json.loads(command.stdout.readline())
        with urllib.request.urlopen(f"{facts['url']}health/live") as answer:
            assert answer.status == 200
        flow = _asked(facts)["analytics"]["cumulativeFlow"]
        assert len(flow["series"][0]["counts"]) == 30
        assert [line["counts"][-1] for line in flow["series"]] == sorted(
            (line["counts"][-1] for line in flow["series"]), reverse=True
        )
        check_change(_asked(facts, facts["change"])["explainChange"])
        assert [" were invented: each repeats the board of " in each for each in facts["dual_run"]["causes"]] == [True]
        assert _asked(facts, STAGES)["dualRun"]["stages"][0]["stage"] == "SHADOW"
        check_readme(facts)
        command.send_signal(signal.SIGTERM)
        assert command.wait(timeout=PATIENCE) == 0
    check_port(port=port)
    again = _demo(home, "--no-serve")
    out, _ = again.communicate(timeout=PATIENCE)
    assert again.returncode == 0
    assert list(json.loads(out)) == ["url", "graphql", "admin", "logins", "api_keys", "query", "change", "dual_run"]
    assert json.loads(out)["dual_run"]["causes"] == facts["dual_run"]["causes"]
    assert json.loads(out)["api_keys"]["acme"] != facts["api_keys"]["acme"]


def _demo(home: Path, *arguments: str) -> "subprocess.Popen[str]":
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "DJANGO_"))}
    return subprocess.Popen(
        [sys.executable, "manage.py", "demo", *arguments],
        cwd=PROJECT,
        env={**environment, "FLOWLEDGER_HOME": str(home)},
        stdout=subprocess.PIPE,
        text=True,
    )


def check_change(found: Any) -> None:
    """P11, P15: the late reports are why there was one item less in progress, each with who made it."""
    change, rows = found["change"], [edge["node"] for edge in found["edges"]]
    assert change["before"] - change["after"] == 1
    (item,) = (edge["node"] for edge in change["items"]["edges"])
    assert (item["before"], item["after"]) == (1, 0)
    assert [row["actor"]["name"].split()[0] for row in rows] == ["Mira", "Jonas"]
    assert [row["sentence"].endswith(f"to {state}") for row, state in zip(rows, ("Done", "Review"), strict=True)] == [
        True
    ] * 2


def check_readme(facts: dict[str, Any]) -> None:
    """What the README asks of the dual run has the answer that it says."""
    causes, gate = (_asked(facts, query)["dualRun"] for query in DUAL_RUN.findall((PROJECT / "README.md").read_text()))
    assert [each["sentence"] for each in causes["signatures"]] == facts["dual_run"]["causes"]
    assert (gate["gate"]["nextStage"], gate["gate"]["passes"], len(gate["gate"]["reasons"])) == (
        "LIVE_WITH_SHADOW",
        False,
        4,
    )


def _asked(facts: dict[str, Any], query: str | None = None) -> Any:
    request = urllib.request.Request(
        facts["graphql"],
        data=json.dumps({"query": query or facts["query"]}).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {facts['api_keys']['acme']}"},
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["data"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
