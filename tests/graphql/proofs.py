"""Questions that have receipts, and everything that may happen to the record after an answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
from django.db import connection

from analytics.engine.rollups.compact import compact
from analytics.pure.canonical import digest
from tasks_app.http.node import encode_id
from tasks_app.imports.event_list import EventIn, record_events
from tasks_app.operations import tasks as operations
from tasks_app.operations.projects import StateSpec, change_states, create_project
from tasks_app.tenancy import entered
from tests.cast import WORKFLOW, Cast, Person
from tests.graphql.in_process import Refusal, ask
from tests.graphql.march import NOW, at, made
from tests.tasks_app.recording import sql

RECEIPT = """receipt { digest token ledgerPosition settled cached note readFrom rawRows tailRows knownAt dataAsOf answeredBy
    freshness { status ageSeconds thresholdSeconds } }"""
SUMMARY = """policy calendar items neverStarted inferred meanSeconds p50Seconds p85Seconds p95Seconds p50Days p85Days p95Days
    points(first: 2) { edges { node { taskKey startedAt finishedAt seconds days episodes flags } } totalCount }"""
FIGURES = f"""states {{ slug name }} workInProgress throughput {{ finished finishEvents cancelled }}
    transitions {{ from {{ slug }} to {{ slug }} count medianSeconds }}
    churn(reopenWithinDays: 1) {{ finishEvents reopened reopenRate backflow firstPassYield abandoned revertedItems churnRate
        edges {{ from {{ slug }} to {{ slug }} count medianSeconds }} reverts scopeAdded scopeRemoved }}
    identities {{ name ok difference }}
    validation {{ state {{ slug }} validator {{ name }} validated unapproved waiting p50Seconds p85Seconds meanSeconds }}
    aging(first: 2) {{ edges {{ node {{ taskKey state {{ slug }} startedAt ageSeconds ageDays percentile }} }} totalCount }}
    lines: cumulativeFlow {{ series {{ state {{ name }} counts }} arrivals left correctionWindows {{ taskKey from to }} }}
    bands: cumulativeFlow(mode: OCCUPANCY) {{ series {{ state {{ name }} counts }} definitionChanges difference }}
    timeInState {{ state {{ slug }} visits totalSeconds p50Seconds p85Seconds p95Seconds maxSeconds
        ongoingVisits ongoingSeconds }}
    full: timeInState(clip: FULL) {{ state {{ slug }} visits totalSeconds meanSeconds }}
    bottlenecks {{ state {{ slug }} totalSeconds }} leadTime {{ {SUMMARY} }}
    working: leadTime(calendar: WORKING) {{ {SUMMARY} }}
    flowEfficiency {{ status value numerator denominator }}
    cycleTime {{ {SUMMARY} }} sum: cycleTime(policy: SUM_OF_EPISODES) {{ {SUMMARY} }}
    dataQuality {{ score checks {{ code title failures taskKeys }} }}
    forecast(items: 3, seed: 1, trials: 100) {{ status percentiles {{ date }} backtestCoverage }}
    {RECEIPT}"""
ASK = """query ($project: String, $knownAt: DateTime, $as: DefinitionAsOf! = THEN, $from: ReadFrom! = MERGED, $assignee: ID,
        $actor: ID, $to: DateTime! = "2026-03-10T00:00:00Z") {
    analytics(project: $project, knownAt: $knownAt, definitionAsOf: $as, readFrom: $from, assignee: $assignee, actor: $actor,
        bucket: DAY, window: {between: {from: "2026-03-01T00:00:00Z", to: $to}}) { %s } }"""
REPLAY = "query ($token: String!) { replayReceipt(receipt: $token) }"


def asked(person: Person, *, selection: str = FIGURES, now: datetime = NOW, **arguments: Any) -> Any:
    """The answer over the first nine days of March."""
    answer = ask(person, ASK % selection, now=now, **arguments)
    assert not isinstance(answer, Refusal), answer
    return answer["analytics"]


def replayed(person: Person, token: str, *, now: datetime = NOW) -> Any:
    """The canonical answer, or the Refusal."""
    answer = ask(person, REPLAY, now=now, token=token)
    return answer if isinstance(answer, Refusal) else answer["replayReceipt"]


def digest_of(answer: Any) -> str:
    """Of a replayed answer."""
    assert isinstance(answer, list), answer
    return digest(answer)


def actor_id(person: Person) -> str:
    """The person as questions name them."""
    return encode_id(type_name="Actor", pk=person.actor.id)


def board_of_march(people: Cast) -> list[str]:
    """Three tasks with a past; Bob holds the first. Their keys."""
    one = made(people.alice, title="One", created=at(2), moves={at(3): "doing", at(5): "done", at(7): "doing"})
    two = made(people.alice, title="Two", created=at(3), moves={at(4): "doing", at(8): "done"})
    three = made(people.bob, title="Three", created=at(4))
    with working(people.alice) as (tenant_id, me):
        operations.assign_task(
            tenant_id=tenant_id, task=one, assignee_id=people.bob.actor.id, actor_id=me, happened_at=at(3), now=NOW
        )
    return [one, two, three]


@contextmanager
def working(person: Person) -> Iterator[tuple[int, int]]:
    """A request that writes; the ids of the tenant and of the actor."""
    tenant_id, me = person.membership.tenant_id, person.actor.id
    with entered(tenant_id=tenant_id, actor_id=me):
        yield tenant_id, me


def late_import(people: Cast) -> None:
    """Events of another source, among them the earliest of all: the board's beginning moves back."""
    with working(people.alice) as (tenant_id, _):
        told = [("1", "todo", at(1, 3)), ("2", "doing", at(2, 3)), ("3", "done", at(6))]
        events = [
            EventIn(external_id=name, project="WEB", task="case", state=state, happened_at=when)
            for name, state, when in told
        ]
        record_events(tenant_id=tenant_id, source="elsewhere", events=events, now=NOW)


def late_move(people: Cast, key: str, *, to: str) -> None:
    """A move in the middle of a history. To a state that was never used it moves that state's beginning back, too."""
    with working(people.bob) as (tenant_id, me):
        operations.move_task(tenant_id=tenant_id, task=key, to=to, actor_id=me, happened_at=at(4, 6), now=NOW)


def redefinition(people: Cast, **names: str) -> None:
    """Some states get other names, and "done" comes before "cancelled" no more."""
    order = ["todo", "doing", "waiting", "review", "cancelled", "done"]
    specs = [
        StateSpec(name=names.get(slug, WORKFLOW[slug][0]), category=WORKFLOW[slug][1], slug=slug) for slug in order
    ]
    with working(people.alice) as (tenant_id, _):
        change_states(tenant_id=tenant_id, project_key="WEB", states=specs)


def everything_happens(people: Cast, keys: list[str]) -> None:
    """Moves now and late, imports, redefinitions, hand-overs, transfers, discards, deletions, new boards."""
    one, two, three = keys
    late_move(people, one, to="review")
    late_import(people)
    redefinition(people, todo="Backlog", doing="Building")
    with working(people.alice) as (tenant_id, me):
        operations.assign_task(
            tenant_id=tenant_id,
            task=two,
            assignee_id=people.bob.actor.id,
            actor_id=me,
            happened_at=at(5),
            now=NOW,
        )
        operations.transfer_task(tenant_id=tenant_id, task=two, project="OPS", actor_id=me, happened_at=at(9), now=NOW)
        operations.discard_task(tenant_id=tenant_id, task=three, actor_id=me, happened_at=at(6), now=NOW)
        operations.create_task(tenant_id=tenant_id, project="WEB", title="New", happened_at=at(2), now=NOW)
        create_project(
            tenant_id=tenant_id,
            key="NEW",
            name="New",
            timezone="UTC",
            states=[StateSpec(name="To do", category="TODO"), StateSpec(name="Over", category="DONE")],
        )
        operations.create_task(tenant_id=tenant_id, project="NEW", title="There", now=NOW)


def folded(people: Cast, *, now: datetime | None = None) -> int:
    """All that waits is folded; how many facts that was."""
    return compact(now=now or datetime.now(UTC), tenant_id=people.acme.tenant.id)  # noqa: TID251


@contextmanager
def second_session(people: Cast) -> Iterator["psycopg.Connection[Any]"]:
    """A session of Acme beside Django's, as the owner of the tables, whose transaction the test ends."""
    settings = connection.settings_dict
    with psycopg.connect(
        host=settings["HOST"] or None,
        port=settings["PORT"] or None,
        user=settings["USER"],
        password=settings["PASSWORD"] or None,
        dbname=settings["NAME"],
    ) as own:
        own.execute("SELECT set_config('app.actor_id', '', false)")
        own.commit()
        yield own


def clock() -> datetime:
    """The database's."""
    now: datetime = sql("SELECT clock_timestamp()")[0][0]
    return now
