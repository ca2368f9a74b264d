"""replayReceipt: the same bytes, whatever was recorded since."""

from typing import Any

import pytest
from django.core import signing
from django.db import transaction

from analytics.engine.reading import tokens
from analytics.pure import zones
from tasks_app.models import Membership, Project, Role, Task
from tests.cast import Cast, cast
from tests.graphql.client import new_key, with_key
from tests.graphql.in_process import Refusal, ask
from tests.graphql.march import NOW, at
from tests.graphql.proofs import (
    RECEIPT,
    actor_id,
    asked,
    board_of_march,
    digest_of,
    everything_happens,
    folded,
    late_import,
    replayed,
    second_session,
)
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db(transaction=True)

UNKNOWN = Refusal("BAD_USER_INPUT", tokens.UNKNOWN)
BOARD = """query ($at: DateTime, $knownAt: DateTime) {
    board(project: "WEB", at: $at, knownAt: $knownAt) { columns { count } %s } }"""
MOVE = "UPDATE task SET state_id = %(state)s WHERE tenant_id = %(tenant)s AND key = %(key)s"


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


def questions(people: Cast) -> list[dict[str, Any]]:
    """A board, the company, one person's figures; as defined then and now."""
    return [
        {"project": "WEB"},
        {"project": "WEB", "as": "NOW"},
        {},
        {"project": "WEB", "assignee": actor_id(people.bob)},
        {"actor": actor_id(people.alice)},
        {"project": "WEB", "to": "2026-04-01T00:00:00Z"},
    ]


def test_an_answer_is_replayed_to_the_same_bytes(people: Cast) -> None:
    """P56: late facts, redefinitions and folds change what is answered now, and no answer that was given."""
    keys = board_of_march(people)
    first = [asked(people.alice, **question)["receipt"] for question in questions(people)]
    folded(people)
    everything_happens(people, keys)
    folded(people)
    late = [asked(people.alice, **question)["receipt"] for question in questions(people)]
    for question, before, after in zip(questions(people), first, late, strict=True):
        again = replayed(people.alice, before["token"])
        assert digest_of(again) == before["digest"], question
        assert replayed(people.alice, before["token"]) == again
        assert before["digest"] != after["digest"], question
        assert digest_of(replayed(people.alice, after["token"])) == after["digest"]


def test_a_token_from_before_questions_named_their_families(people: Cast) -> None:
    """Its answer was of the one family that there was."""
    board_of_march(people)
    board = ask(people.alice, BOARD % RECEIPT, now=NOW, at=at(5).isoformat())["board"]["receipt"]
    for receipt in (asked(people.alice, project="WEB")["receipt"], board):
        content = signing.Signer(salt=tokens.SALT).unsign_object(receipt["token"])
        assert content["question"].pop("families") == ["transitions"]
        assert content["question"].pop("capability") == "CUMULATIVE_FLOW"
        older = signing.Signer(salt=tokens.SALT).sign_object(content, compress=True)
        assert replayed(people.alice, older) == replayed(people.alice, receipt["token"])
        assert digest_of(replayed(people.alice, older)) == receipt["digest"]


def test_a_replayed_answer_holds_every_figure_with_its_arguments(people: Cast) -> None:
    board_of_march(people)
    answer = replayed(people.alice, asked(people.alice, project="WEB")["receipt"]["token"])
    assert [each["figure"] for each in answer] == [
        "aging",
        "bottlenecks first=3",
        "churn reopenWithinDays=1",
        "cumulativeFlow mode=CUMULATIVE",
        "cumulativeFlow mode=OCCUPANCY",
        "cycleTime calendar=ELAPSED policy=FIRST_START_LAST_FINISH",
        "cycleTime calendar=ELAPSED policy=SUM_OF_EPISODES",
        "dataQuality",
        "flowEfficiency",
        "forecast items=3 seed=1 trials=100",
        "identities",
        "leadTime calendar=ELAPSED",
        "leadTime calendar=WORKING",
        "states",
        "throughput",
        "timeInState clip=CLIP",
        "timeInState clip=FULL",
        "transitions",
        "validation",
        "workInProgress",
    ]
    assert answer[-1]["value"] == [None, 0, 1, 2, 1, 1, 2, 1, 1]


def test_a_board_is_replayed(people: Cast) -> None:
    """As it was when it was asked for, at an instant, and as known at one; also where its beginning has moved back."""
    keys = board_of_march(people)
    query = BOARD % RECEIPT
    instants: list[dict[str, Any]] = [
        {},
        {"at": at(6).isoformat()},
        {"at": at(1, 12).isoformat()},
        {"at": at(8).isoformat(), "knownAt": at(11).isoformat()},
    ]
    first = [ask(people.alice, query, now=NOW, **given)["board"]["receipt"] for given in instants]
    everything_happens(people, keys)
    late = [ask(people.alice, query, now=NOW, **given)["board"]["receipt"] for given in instants]
    assert [digest_of(replayed(people.alice, each["token"])) for each in first] == [each["digest"] for each in first]
    assert [one["digest"] == two["digest"] for one, two in zip(first, late, strict=True)] == [False, False, False, True]


def test_a_transaction_that_was_open_adds_nothing_to_a_replay(people: Cast) -> None:
    """It recorded before the answer was given and ended after it; the answer was not settled, and says so."""
    key, *_ = board_of_march(people)
    values = {"state": people.acme.board.states["done"].id, "tenant": people.acme.tenant.id, "key": key}
    question: dict[str, Any] = {
        "project": "WEB",
        "to": "2027-01-01T00:00:00Z",
        "selection": f"workInProgress {RECEIPT}",
    }
    with second_session(people) as own:
        own.execute(MOVE, values)
        known_at = sql("SELECT clock_timestamp()")[0][0]
        before = asked(people.alice, now=known_at, knownAt=known_at.isoformat(), **question)["receipt"]
        own.commit()
    after = asked(people.alice, now=known_at, knownAt=known_at.isoformat(), **question)["receipt"]
    assert before["settled"] is False
    assert before["digest"] != after["digest"]
    assert digest_of(replayed(people.alice, before["token"])) == before["digest"]


def test_a_token_is_of_one_tenant(people: Cast) -> None:
    """Globex learns nothing from Acme's token, not even that it is one."""
    board_of_march(people)
    token = asked(people.alice, project="WEB")["receipt"]["token"]
    assert replayed(people.carol, token) == UNKNOWN
    assert len(token) < 2000


def test_what_is_no_token_is_refused_in_one_sentence(people: Cast) -> None:
    board_of_march(people)
    token = asked(people.alice, project="WEB")["receipt"]["token"]
    middle = len(token) // 3
    changed = token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :]
    foreign = signing.Signer(salt="another").sign_object({"question": {}})
    for text in (changed, token[:-1], token + "x", token[1:], foreign, "", ":", "a:b:c", "é", "\0", "\ud800"):
        assert replayed(people.alice, text) == UNKNOWN, text
    long = replayed(people.alice, "x" * 5000)
    assert long == Refusal(
        "BAD_USER_INPUT",
        "receipt: a token has at most 4,096 characters and this has 5,000; send `receipt.token` exactly as it was answered.",
    )


def test_a_replay_needs_what_the_answer_needed(people: Cast) -> None:
    """A board needs TASKS_READ, figures ANALYTICS_READ; a person's figures are for that person and those above."""
    board_of_march(people)
    figures = asked(people.alice, project="WEB")["receipt"]
    persons = asked(people.alice, actor=actor_id(people.alice))["receipt"]
    board = ask(people.alice, BOARD % RECEIPT, now=NOW)["board"]["receipt"]
    query = "query ($token: String!) { replayReceipt(receipt: $token) }"
    tenant_id = people.acme.tenant.id
    reader = with_key(new_key(tenant_id=tenant_id, scopes=["TASKS_READ"]))
    analyst = with_key(new_key(tenant_id=tenant_id, scopes=["ANALYTICS_READ"]))
    refused = "replayReceipt: this needs the scope {}, which this API key does not have."
    assert digest_of(reader.data(query, token=board["token"])["replayReceipt"]) == board["digest"]
    assert reader.error(query, token=figures["token"]) == ("FORBIDDEN", refused.format("ANALYTICS_READ"))
    assert digest_of(analyst.data(query, token=figures["token"])["replayReceipt"]) == figures["digest"]
    assert analyst.error(query, token=board["token"]) == ("FORBIDDEN", refused.format("TASKS_READ"))
    of_others = "actor: one person's figures are for that person, managers, admins and owners; leave it out."
    assert replayed(people.bob, persons["token"]) == Refusal("FORBIDDEN", of_others)
    Membership.objects.filter(user=people.bob.user).update(role=Role.MANAGER)
    people.bob.membership.refresh_from_db()
    assert digest_of(replayed(people.bob, persons["token"])) == persons["digest"]


def test_other_zones_are_not_passed_off_for_the_answer(people: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    board_of_march(people)
    token = asked(people.alice, project="WEB")["receipt"]["token"]
    here = zones.tzdata_version()
    monkeypatch.setattr("tzdata.IANA_VERSION", "2099z")
    assert replayed(people.alice, token) == Refusal(
        "BAD_USER_INPUT",
        f"receipt: the answer was cut by the zones of tzdata {here} and this server has 2099z; ask anew, or on a server"
        " with that version.",
    )


def test_what_was_changed_past_the_ledger_is_told(people: Cast) -> None:
    """Keys are in no ledger and cannot change; a superuser who sees to it that one does is found by the digest."""
    one, *_ = board_of_march(people)
    receipt = asked(people.alice, project="WEB")["receipt"]
    with transaction.atomic():
        sql("SET LOCAL session_replication_role = replica")
        Task.objects.filter(tenant_id=people.acme.tenant.id, key=one).update(key="WEB-99")
    refusal = replayed(people.alice, receipt["token"])
    assert isinstance(refusal, Refusal)
    assert refusal.message.startswith("receipt: the record does not give this answer any more")


def test_a_renamed_board_is_the_same_board(people: Cast) -> None:
    """Tokens go by ids."""
    board_of_march(people)
    receipt = asked(people.alice, project="WEB")["receipt"]
    late_import(people)
    Project.objects.filter(id=people.acme.board.project.id).update(key="SITE")
    assert digest_of(replayed(people.alice, receipt["token"])) == receipt["digest"]
