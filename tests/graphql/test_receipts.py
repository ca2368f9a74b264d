"""What a receipt says of an answer: its position, whether more may come, and how fresh it is."""

import base64
from datetime import datetime, timedelta
from typing import Any

import pytest

from analytics.engine.reading.ledger_position import FamilyPosition, Position, position
from analytics.engine.reading.receipts import FreshnessStatus, freshness
from analytics.flow.family import TRANSITIONS
from tasks_app.tenancy import entered
from tests.cast import Cast, cast
from tests.graphql.in_process import Refusal, ask
from tests.graphql.march import NOW, at
from tests.graphql.proofs import (
    FIGURES,
    RECEIPT,
    asked,
    board_of_march,
    clock,
    digest_of,
    folded,
    late_move,
    replayed,
    second_session,
)
from tests.processes import wait_until
from tests.tasks_app.recording import sql

pytestmark = pytest.mark.django_db(transaction=True)

MOVE = "UPDATE task SET state_id = %(state)s WHERE tenant_id = %(tenant)s AND key = %(key)s"
BEAT = """
INSERT INTO heartbeat (id, at, next_xid) VALUES (1, now(), txid_current())
    ON CONFLICT (id) DO UPDATE SET at = excluded.at, next_xid = excluded.next_xid RETURNING at
"""
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)
STALE_AFTER = 5 * SECOND
RAW, ROLLUP = {"from": "RAW"}, {"from": "ROLLUP"}
# Checks of quality are of the ledger as it stands, wherever the other figures are read from.
FOLDED = {**ROLLUP, "selection": FIGURES.replace("dataQuality { score checks { code title failures taskKeys } }", "")}


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


def where(people: Cast) -> Position:
    """Where a query of Acme stands now."""
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        return position(tenant_id=people.acme.tenant.id, families=[TRANSITIONS])


def a_move(people: Cast, key: str, *, to: str = "done") -> dict[str, Any]:
    """The values of MOVE."""
    return {"state": people.acme.board.states[to].id, "tenant": people.acme.tenant.id, "key": key}


def place(**values: Any) -> Position:
    """A position in which nothing is going on, but for what is given."""
    folded = {
        "family": TRANSITIONS, "tail_rows": 0, "tail_recorded_at": None, "folded_facts": 5, "generation": 1,
        "folded_recorded_at": NOW - HOUR,
    }  # fmt: skip
    quiet = {
        "snapshot": "100:100:", "xmin": 100, "is_quiet": True, "read_at": NOW, "beat_at": None, "beat_xid": None,
        "definitions": 7, "last_definition": 7,
    }  # fmt: skip
    stands = FamilyPosition(**{name: values.pop(name, usual) for name, usual in folded.items()})
    return Position(**{**quiet, **values, "families": (stands,)})


def test_the_position_names_the_snapshot(people: Cast) -> None:
    """Two answers between which nothing was written stand at one position; a write makes another."""
    board_of_march(people)
    here = where(people)
    kind, xmin, *_ = base64.urlsafe_b64decode(here.name + "==").decode().split(":")
    assert (kind, int(xmin)) == ("1", here.xmin)
    with second_session(people) as own:
        own.execute("SELECT txid_current()")
        own.commit()
    assert where(people).name != here.name


def test_a_receipt_of_everything_is_fresh(people: Cast) -> None:
    """MERGED and RAW see all that is committed, folded or not: their age is 0 whenever the last change was."""
    key, *_ = board_of_march(people)
    folded(people)
    late_move(people, key, to="todo")
    now = clock()
    board = ask(people.alice, f'{{ board(project: "WEB") {{ {RECEIPT} }} }}', now=now)["board"]["receipt"]
    for receipt in (asked(people.alice, now=now)["receipt"], asked(people.alice, now=now, **RAW)["receipt"], board):
        assert receipt["freshness"] == {"status": "FRESH", "ageSeconds": 0.0, "thresholdSeconds": 5.0}
        assert receipt["dataAsOf"] == receipt["knownAt"]
        assert (receipt["answeredBy"], receipt["note"], receipt["cached"]) == ("CANONICAL", None, False)


def test_rollups_alone_say_how_far_they_lag(people: Cast) -> None:
    """What waits is not in them; and which facts waited nobody can say later, so that the answer cannot be replayed."""
    key, *_ = board_of_march(people)
    folded(people)
    fresh = asked(people.alice, now=clock(), **FOLDED)["receipt"]
    assert (fresh["readFrom"], fresh["tailRows"], fresh["freshness"]["ageSeconds"]) == ("ROLLUP", 0, 0.0)
    assert digest_of(replayed(people.alice, fresh["token"])) == fresh["digest"]
    late_move(people, key, to="todo")
    recorded_at = sql("SELECT max(recorded_at) FROM task_ledger")[0][0]
    later = asked(people.alice, now=recorded_at + 6 * SECOND, **FOLDED)["receipt"]
    assert later["freshness"] == {"status": "STALE", "ageSeconds": 6.0, "thresholdSeconds": 5.0}
    assert later["dataAsOf"] == recorded_at.isoformat().replace("+00:00", "Z")
    assert later["digest"] == fresh["digest"] != asked(people.alice, now=recorded_at)["receipt"]["digest"]
    refusal = replayed(people.alice, later["token"])
    assert isinstance(refusal, Refusal)
    assert refusal.message.startswith("receipt: the answer was read from rollups alone while facts were waiting")


def test_a_company_that_rests_is_idle_and_one_without_facts_is_unknown(people: Cast) -> None:
    """Hours after the last change an answer is as true as it was: never STALE for that."""
    assert asked(people.alice, now=clock())["receipt"]["freshness"]["status"] == "UNKNOWN"
    board_of_march(people)
    for _ in ("waiting in the tail", "folded"):
        for hours, status in ((1, "FRESH"), (23, "FRESH"), (25, "IDLE")):
            found = asked(people.alice, now=clock() + hours * HOUR)["receipt"]["freshness"]
            assert (found["status"], found["ageSeconds"]) == (status, 0.0)
        folded(people)


def test_rollups_alone_are_as_fresh_as_their_tail() -> None:
    """Everything recorded before the oldest fact that was left out is in the answer."""

    def found(left_out: datetime | None, **values: Any) -> tuple[datetime, FreshnessStatus, timedelta]:
        data_as_of, fresh = freshness(
            known_at=NOW, folded_until=left_out, position=place(**values), threshold=STALE_AFTER
        )
        return data_as_of, fresh.status, fresh.age

    assert found(None) == (NOW, FreshnessStatus.FRESH, timedelta(0))
    assert found(NOW - 5 * SECOND) == (NOW - 5 * SECOND, FreshnessStatus.FRESH, 5 * SECOND)
    assert found(NOW - 6 * SECOND) == (NOW - 6 * SECOND, FreshnessStatus.STALE, 6 * SECOND)
    # What was recorded after knownAt is not asked for.
    assert found(NOW + SECOND) == (NOW, FreshnessStatus.FRESH, timedelta(0))
    nothing = {"folded_facts": None, "folded_recorded_at": None}
    assert found(None, **nothing) == (NOW, FreshnessStatus.UNKNOWN, timedelta(0))
    assert found(None, folded_recorded_at=NOW - 24 * HOUR)[1] is FreshnessStatus.IDLE


def test_it_is_settled_when_nothing_was_being_written() -> None:
    """Only what was known before the snapshot: of an instant yet to come nothing is settled."""
    assert place().is_settled(known_at=NOW - HOUR)
    assert not place().is_settled(known_at=NOW)
    assert not place(is_quiet=False).is_settled(known_at=NOW - HOUR)


def test_it_is_settled_when_all_that_was_written_at_a_heartbeat_has_ended() -> None:
    busy = {"is_quiet": False, "beat_at": at(5), "xmin": 100}
    assert place(**busy, beat_xid=100).is_settled(known_at=at(5))
    assert not place(**busy, beat_xid=101).is_settled(known_at=at(5))
    assert not place(**busy, beat_xid=100).is_settled(known_at=at(5) + timedelta(microseconds=1))
    assert not place(**busy, beat_xid=0).is_settled(known_at=at(5))


def test_an_open_transaction_keeps_an_answer_from_being_settled(people: Cast) -> None:
    """Its number is the highest there is, which no snapshot shows; its rows come under the same knownAt."""
    key, *_ = board_of_march(people)
    with second_session(people) as own:
        own.execute(MOVE, a_move(people, key))
        known_at = clock()
        assert not where(people).is_quiet
        question: dict[str, Any] = {"now": known_at, "to": (known_at + HOUR).isoformat(), "selection": RECEIPT}
        assert asked(people.alice, **question)["receipt"]["settled"] is False
        own.rollback()
    wait_until(lambda: asked(people.alice, **question)["receipt"]["settled"])


def test_a_heartbeat_settles_what_came_before_it(people: Cast) -> None:
    """Writers that come later do not unsettle it; one that was there does, until it ends."""
    key, other, _ = board_of_march(people)
    with second_session(people) as early, second_session(people) as late:
        early.execute(MOVE, a_move(people, key))
        beat = sql(BEAT)[0][0]
        late.execute(MOVE, a_move(people, other, to="review"))
        assert not where(people).is_settled(known_at=beat)
        early.commit()
        wait_until(lambda: where(people).is_settled(known_at=beat))
        assert not where(people).is_settled(known_at=clock())


def test_a_position_says_what_waits_and_what_is_folded(people: Cast) -> None:
    board_of_march(people)
    before = where(people)
    assert (before.tail_rows, before.families[0].folded_facts) == (8 + 1, None)
    assert folded(people) == before.tail_rows
    after = where(people)
    assert (after.tail_rows, after.families[0].tail_recorded_at, after.folded_facts) == (0, None, before.tail_rows)
    assert after.last_recorded_at == before.last_recorded_at
    assert (after.definitions, after.last_definition) == (before.definitions, before.last_definition)


def test_the_ledger_is_left_alone_where_nothing_waits(people: Cast) -> None:
    """The position of a folded tenant reads no fact, however small the ledger is, and whatever plan that suggests."""
    board_of_march(people)
    folded(people)
    with entered(tenant_id=people.acme.tenant.id, read_only=True):
        sql("SET LOCAL enable_indexscan = off; SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off")
        before = _facts_fetched()
        position(tenant_id=people.acme.tenant.id, families=[TRANSITIONS])
        assert _facts_fetched() == before
        sql("SELECT count(*) FROM task_ledger WHERE tenant_id = %s", [people.acme.tenant.id])
        assert _facts_fetched() > before


def _facts_fetched() -> int:
    """Rows of task_ledger that this transaction has read."""
    relation = "'task_ledger'::regclass"
    reads = f"pg_stat_get_xact_tuples_returned({relation}) + pg_stat_get_xact_tuples_fetched({relation})"
    indexes = (
        "(SELECT coalesce(sum(pg_stat_get_xact_tuples_returned(i.indexrelid)), 0)::bigint FROM pg_index i"
        f" WHERE i.indrelid = {relation})"
    )
    return int(sql(f"SELECT {reads} + {indexes}")[0][0])
