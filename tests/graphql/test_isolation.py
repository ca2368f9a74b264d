"""Two tenants on every field: what is Acme's is, for Globex, just not there."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from analytics.models import DriftComparison
from config.schema import schema
from tasks_app.http.node import decode_id, encode_id
from tasks_app.models import AccessLedger, Actor, ActorKind, ApiKey, DefinitionLedger, Task, TaskLedger
from tasks_app.operations.keys import prefix_of
from tests.cast import board, cast, tasks
from tests.graphql.client import Asker, new_key, with_key

pytestmark = pytest.mark.django_db(transaction=True)

SERVED = schema._schema
DEPTH = 5
MISSING_ACTOR = encode_id(type_name="Actor", pk=2_000_000_000)
MISSING_JOB = encode_id(type_name="AnalyticsJob", pk=2_000_000_000)
MISSING_KEY = encode_id(type_name="ApiKey", pk=2_000_000_000)
WINDOW = "window: {rolling: {count: 3, unit: DAY}}"
OF_A_PROJECT = f"analytics(project: $p, {WINDOW}) {{ workInProgress }}"
STATES = '[{name: "x", category: TODO}]'

# Every way to name something in a query: $project, $task, $actor, $key and $job are Acme's, or are nobody's.
QUESTIONS = {
    "viewer": [""],
    "projects": ["first: 50"],
    "project": ["key: $project"],
    "task": ["key: $task"],
    "tasks": [
        "first: 50",
        "first: 50, filter: {project: $project}",
        "first: 50, filter: {assignee: $actor}",
        "first: 50, filter: {changedBy: $actor}",
        'first: 50, filter: {search: "secret"}',
    ],
    "activity": [
        "first: 50",
        "first: 50, filter: {project: $project}",
        "first: 50, filter: {task: $task}",
        "first: 50, filter: {actor: $actor}",
    ],
    "board": ["project: $project"],
    "operations": [""],
    "dualRun": [""],
    "explainChange": [
        'first: 9, project: $project, metric: ARRIVALS, bucket: "2026-01-05T00:00:00Z", knownFrom: "2026-01-01T00:00:00Z",'
        ' knownTo: "2026-01-06T00:00:00Z"'
    ],
    "apiKeys": ["first: 50"],
    "ratePlan": [""],
    "analyticsJob": ["id: $job"],
    "executionPolicy": [""],
    # With a token that is Acme's: test_replay_receipt.py.
    "replayReceipt": ['receipt: "x"', "receipt: $project"],
    "analytics": [WINDOW, f"{WINDOW}, project: $project"],
}
# Fields below these that cannot be asked without arguments of their own.
BELOW = {
    "drillDown": "metric: ARRIVALS, first: 2",
    "parity": f"capability: CUMULATIVE_FLOW, {WINDOW}",
    "signatures": f"capability: CUMULATIVE_FLOW, {WINDOW}",
    "remarks": f"capability: CUMULATIVE_FLOW, {WINDOW}",
    "comparisons": "first: 2",
    "gate": "capability: CUMULATIVE_FLOW",
}
CHANGES = {
    "createProject": [],  # names nothing that there is
    "createTask": ['project: $project, title: "x"', 'project: "GLOBE", title: "x", assignee: $actor'],
    "moveTask": ['task: $task, to: "done"'],
    "moveTasks": ['tasks: [$task], to: "done"', 'tasks: ["GLOBE-1", $task], to: "done"'],
    "assignTask": ["task: $task", 'task: "GLOBE-1", assignee: $actor'],
    "renameTask": ['task: $task, title: "x"'],
    "transferTask": ['task: $task, project: "GLOBE"', 'task: "GLOBE-1", project: $project'],
    "discardTask": ["task: $task"],
    "restoreTask": ["task: $task"],
    "changeStates": [f"project: $project, states: {STATES}"],
    "validateTask": ["task: $task"],
    "createApiKey": [],  # names nothing that there is
    "rotateApiKey": ["id: $key"],
    "revokeApiKey": ["id: $key"],
    "submitAnalyticsJob": [f'document: "query ($p: String) {{ {OF_A_PROJECT} }}", variables: {{p: $project}}'],
    "cancelAnalyticsJob": ["id: $job"],
    "setStage": [],  # names nothing that there is
    "recordEvents": [
        'source: "s", events: [{externalId: "1", project: $project, task: $task, state: "done",'
        ' happenedAt: "2026-01-05T00:00:00Z"}]'
    ],
}


@dataclass(frozen=True, kw_only=True)
class Names:
    """What a question names."""

    project: str
    task: str
    actor: str
    key: str
    job: str

    def put_into(self, text: str) -> str:
        for name in ("project", "task", "actor", "key", "job"):
            text = text.replace(f"${name}", f'"{getattr(self, name)}"')
        return text

    def blotted_out(self, text: str) -> str:
        for name in ("project", "task", "actor", "key", "job"):
            text = text.replace(getattr(self, name), f"<{name}>")
        return text


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Carol of Globex with a key of all scopes; what is Acme's, and what nobody has."""

    carol: Asker
    alice: Asker
    acme: Names
    nobody: Names


COMPARISON = {
    "capability": "CUMULATIVE_FLOW",
    "stratum": "days<=7",
    "verdict": "MATCH",
    "definition": "flow/1",
    "basis": "KNOWN",
    "stage": "SHADOW",
    "flag_version": 1,
    "asked_at": datetime(2026, 1, 5, tzinfo=UTC),
    "compared_at": datetime(2026, 1, 5, tzinfo=UTC),
    "legacy_ms": 1.0,
    "candidate_ms": 1.0,
    "ours_first": True,
}


@pytest.fixture
def scene(db: Any) -> Scene:
    everybody = cast()
    theirs = board(tenant=everybody.acme.tenant, key="ACMESECRET")
    tasks(board=theirs, count=3)
    tasks(board=board(tenant=everybody.globex.tenant, key="GLOBE"), count=1)
    Task.objects.filter(project=theirs.project).update(title="secret words", assignee=everybody.bob.actor)
    DriftComparison.objects.create(tenant=everybody.acme.tenant, **COMPARISON)
    carol, alice = (new_key(tenant_id=each.tenant.id) for each in (everybody.globex, everybody.acme))
    submitted = with_key(alice).mutate("submitAnalyticsJob", "job { id }", document="{ viewer { name } }")
    return Scene(
        carol=with_key(carol),
        alice=with_key(alice),
        acme=Names(
            project="ACMESECRET",
            task="ACMESECRET-1",
            actor=encode_id(type_name="Actor", pk=everybody.bob.actor.id),
            key=encode_id(type_name="ApiKey", pk=ApiKey.objects.get(prefix=prefix_of(alice)).id),
            job=submitted["job"]["id"],
        ),
        nobody=Names(project="NOBODYS", task="NOBODYS-1", actor=MISSING_ACTOR, key=MISSING_KEY, job=MISSING_JOB),
    )


def selection(kind: Any, depth: int = DEPTH) -> str:
    """Every field of the type, and of the types below it."""
    named = get_named_type(kind)
    if is_leaf_type(named):
        return ""
    if isinstance(named, GraphQLInterfaceType):
        return "{ __typename id }"
    assert isinstance(named, GraphQLObjectType)
    fields = [_field(name, field, depth) for name, field in named.fields.items()]
    return "{ __typename " + " ".join(fields) + " }"


def _field(name: str, field: GraphQLField, depth: int) -> str:
    if not is_leaf_type(get_named_type(field.type)) and depth == 0:
        return ""
    is_told = name in BELOW or not any(is_required_argument(argument) for argument in field.args.values())
    assert is_told, f"{name}: say how to ask it"
    page = "first: 2" if "first" in field.args and not _has_default(field.args["first"]) else ""
    given = BELOW.get(name, page) if field.args else ""
    return f"{name}{f'({given})' if given else ''} {selection(field.type, depth - 1)}"


def _has_default(argument: GraphQLArgument) -> bool:
    return isinstance(argument.type, GraphQLNonNull)


def whole_question(name: str, arguments: str) -> str:
    """The root field with everything below it, as far as the API's limits let one ask."""
    assert SERVED.query_type is not None
    field = SERVED.query_type.fields[name]
    given = f"({arguments})" if arguments else ""
    return f"{{ {name}{given} {selection(field.type)} }}"


# Instants, lengths of time up to now, digests, and what stands for a moment in the ledger. `settled` is false while any
# transaction of the whole server is open: it tells that somebody works, and of nobody who. Points come back with time.
OF_THE_MOMENT = re.compile(
    r'\d{4}-\d\d-\d\dT[\d:.]+Z|"[0-9a-f]{64}"|"\w*[sS]econds\w*":[\d.]+|"(token|ledgerPosition)":"[^"]*"'
    r'|"settled":(true|false)|"remaining":\d+'
)


def answered(asker: Asker, question: str, names: Names) -> str:
    """The answer as text, without what differs from one moment to the next and with the names blotted out."""
    text = asker.post(names.put_into(question)).content.decode()
    assert "LIMIT_EXCEEDED" not in text, text
    assert "INTERNAL" not in text, text
    return names.blotted_out(OF_THE_MOMENT.sub("", text))


def test_every_root_field_is_asked_here() -> None:
    """A new field must be put into the tables of this file."""
    assert SERVED.query_type is not None
    assert SERVED.mutation_type is not None
    assert set(QUESTIONS) | {"node"} == set(SERVED.query_type.fields)
    assert set(CHANGES) == set(SERVED.mutation_type.fields)


def test_what_is_anothers_reads_like_what_is_not_there(scene: Scene, as_web_login: None) -> None:
    """P62, P63: by every field, with every name of another tenant's."""
    for name, questions in QUESTIONS.items():
        for arguments in questions:
            question = whole_question(name, arguments)
            theirs = answered(scene.carol, question, scene.acme)
            assert theirs == answered(scene.carol, question, scene.nobody), question
            assert "secret" not in theirs.lower(), question
            assert '"acme"' not in theirs, question


def test_the_owner_sees_all_of_it(scene: Scene, as_web_login: None) -> None:
    """Otherwise the test above would pass on a server that answers nothing."""
    for name in ("project", "projects", "task", "tasks", "activity", "board"):
        found = answered(scene.alice, whole_question(name, QUESTIONS[name][0]), scene.acme)
        assert '"errors"' not in found, found
        assert "<project>" in found, name


def ids_in(answer: Any) -> set[str]:
    """Every id in an answer, wherever it stands."""
    if isinstance(answer, dict):
        below: set[str] = set().union(*(ids_in(value) for value in answer.values()))
        return below | {answer["id"]} if isinstance(answer.get("id"), str) else below
    if isinstance(answer, list):
        return set().union(*(ids_in(value) for value in answer))
    return {answer} if isinstance(answer, str) and decode_id(answer) else set()


def test_every_id_of_anothers_is_nobody(scene: Scene, as_web_login: None) -> None:
    """NOT_FOUND for all that Acme has, in the words for an id that nobody has; Acme itself gets it."""
    questions = [whole_question(name, arguments) for name, all_of in QUESTIONS.items() for arguments in all_of]
    ids = set().union(*(ids_in(scene.alice.answer(scene.acme.put_into(question))) for question in questions))
    nodes = {node_id for node_id in ids if (key := decode_id(node_id)) and key.type_name != "Actor"}
    query = "query ($id: ID!) { node(id: $id) { __typename id } }"
    nobody = ("NOT_FOUND", "id: there is nothing with this id.")
    assert {scene.carol.error(query, id=node_id) for node_id in nodes} == {nobody}
    told = {OF_THE_MOMENT.sub("", scene.carol.post(query, id=node_id).content.decode()) for node_id in nodes}
    assert len(told) == 1
    kinds = {scene.alice.data(query, id=node_id)["node"]["__typename"] for node_id in nodes}
    assert kinds == implementers() == {"Tenant", "Project", "Task", "Activity", "ApiKey", "AnalyticsJob", "Comparison"}
    absent = [encode_id(type_name=kind, pk=pk) for kind in (*kinds, "Actor", "Nothing") for pk in (2**31, 2**63 - 1)]
    assert {scene.alice.error(query, id=node_id) for node_id in absent} == {nobody}


def implementers() -> set[str]:
    node = SERVED.type_map["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    return {kind.name for kind in SERVED.get_implementations(node).objects}


def recorded() -> list[int]:
    """Rows of all ledgers."""
    return [ledger.objects.count() for ledger in (TaskLedger, DefinitionLedger, AccessLedger)]


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_of_anothers_can_be_changed(scene: Scene, name: str) -> None:
    """The refusal of what is another's is that of what is not there, to the letter, and nothing is recorded."""
    before = recorded()
    for given in CHANGES[name]:
        query = f"mutation {{ {name}(input: {{{given}}}) {{ errors {{ code message path }} }} }}"
        theirs = answered(scene.carol, query, scene.acme)
        assert theirs == answered(scene.carol, query, scene.nobody)
        assert '"code":"NOT_FOUND"' in theirs, theirs
    assert recorded() == before


def test_actors_of_two_tenants_never_meet(scene: Scene) -> None:
    """The same source in two tenants is two actors."""
    event = '{externalId: "1", project: "%s", task: "c", state: "done", happenedAt: "2026-01-05T00:00:00Z"}'
    for asker, project in ((scene.alice, "ACMESECRET"), (scene.carol, "GLOBE")):
        query = f'mutation {{ recordEvents(input: {{source: "jira", events: [{event % project}]}}) {{ recorded }} }}'
        assert asker.data(query) == {"recordEvents": {"recorded": 1}}
    assert Actor.objects.filter(kind=ActorKind.IMPORT, name="jira").values("tenant").distinct().count() == 2


def test_a_filter_by_anothers_actor_is_not_found(scene: Scene, as_web_login: None) -> None:
    """P41: every id of another tenant is NOT_FOUND, in a filter too, and so is one that nobody has."""
    for field, argument in (("activity", "actor"), ("tasks", "assignee"), ("tasks", "changedBy")):
        for names in (scene.acme, scene.nobody):
            query = f'{{ {field}(first: 1, filter: {{{argument}: "{names.actor}"}}) {{ totalCount }} }}'
            assert scene.carol.error(query) == ("NOT_FOUND", f"filter.{argument}: there is no such actor.")
