"""The rate limiter, against its own words, against somebody else's, and from many connections at once."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st
from pyrate_limiter import GCRA
from pyrate_limiter import Rate as OracleRate

from tasks_app.models import RateBucket
from tasks_app.rate.gcra import Claim, Level, Rate, give_back, peek, sweep, take, take_all
from tests.processes import PATIENCE
from tests.tasks_app.recording import sql, web_login

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
SLOW = Rate(points=6, seconds=60, burst=3)


def after(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def ask(seconds: float, cost: int = 1, rate: Rate = SLOW) -> Level:
    return take(bucket="ada", cost=cost, rate=rate, now=after(seconds))


@pytest.mark.django_db
def test_a_bucket_gives_its_burst_and_then_a_point_at_a_time() -> None:
    found = [ask(second) for second in (0, 0, 0, 0, 9.9, 10, 10, 30)]
    assert [(level.admitted, level.remaining) for level in found] == [
        (True, 2),
        (True, 1),
        (True, 0),
        (False, 0),
        (False, 0),
        (True, 0),
        (False, 0),
        (True, 1),
    ]


@pytest.mark.django_db
def test_a_refusal_says_when_to_come_back_and_takes_nothing() -> None:
    ask(0, cost=3)
    assert ask(4, cost=2) == Level(admitted=False, remaining=0, retry_after=16.0, full_at=after(30))
    assert not ask(19.99, cost=2).admitted
    assert ask(20, cost=2) == Level(admitted=True, remaining=0, retry_after=0.0, full_at=after(50))


@pytest.mark.django_db
def test_what_is_beyond_the_burst_is_refused_for_ever_also_by_a_bucket_that_is_not_there_yet() -> None:
    """The naive upsert checks only the row that it finds."""
    assert ask(0, cost=4) == Level(admitted=False, remaining=3, retry_after=None, full_at=NOON)
    assert not RateBucket.objects.exists()
    ask(0)
    assert ask(1000, cost=4).retry_after is None


@pytest.mark.django_db
def test_a_clock_that_runs_behind_gets_nothing_for_it() -> None:
    ask(0, cost=3)
    assert not ask(-60).admitted
    assert ask(10).admitted


@pytest.mark.django_db
def test_points_come_back_but_never_more_than_there_were() -> None:
    ask(0, cost=3)
    give_back([Claim(bucket="ada", cost=2, rate=SLOW)], now=NOON)
    assert peek(Claim(bucket="ada", cost=0, rate=SLOW), now=NOON).remaining == 2
    give_back([Claim(bucket="ada", cost=3, rate=SLOW)], now=NOON)
    assert [ask(0).admitted for _ in range(4)] == [True, True, True, False]


@pytest.mark.django_db
def test_several_buckets_give_all_or_nothing() -> None:
    tenant = Rate(points=60, seconds=60, burst=4)
    claims = [Claim(bucket="key", cost=3, rate=SLOW), Claim(bucket="tenant", cost=3, rate=tenant)]
    assert [level.remaining for level in take_all(claims, now=NOON)] == [0, 1]
    other = [Claim(bucket="other", cost=3, rate=SLOW), claims[1]]
    assert [(level.admitted, level.remaining, level.retry_after) for level in take_all(other, now=NOON)] == [
        (True, 3, 0.0),
        (False, 1, 2.0),
    ]
    assert peek(other[0], now=NOON).remaining == 3


@pytest.mark.django_db
def test_full_buckets_are_forgotten() -> None:
    ask(0)
    take(bucket="bob", cost=3, rate=SLOW, now=NOON)
    assert (sweep(now=after(10)), sweep(now=after(29)), sweep(now=after(30))) == (1, 0, 1)


@pytest.mark.django_db
def test_no_name_is_kept() -> None:
    """Buckets are named by addresses and logins, which are nobody's to read in a table of the whole server."""
    ask(0)
    assert b"ada" not in bytes(RateBucket.objects.get().bucket)


@pytest.mark.django_db
def test_the_webs_login_may_ask_and_needs_no_tenant() -> None:
    with web_login():
        assert ask(0).admitted
    assert sql("SELECT relpersistence FROM pg_class WHERE relname = 'rate_bucket'") == [("u",)]


STEPS = st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 12)), max_size=30)


@pytest.mark.django_db
@settings(max_examples=60)
@given(
    points=st.sampled_from([1, 7, 60, 10_000]),
    seconds=st.sampled_from([1, 60, 3600]),
    burst=st.integers(1, 10),
    steps=STEPS,
)
def test_it_decides_as_pyrate_limiters_does(
    points: int, seconds: int, burst: int, steps: Sequence[tuple[int, int]]
) -> None:
    """Random costs at random instants: admitted or not, and when to come back, to the millisecond."""
    RateBucket.objects.all().delete()
    rate, theirs = Rate(points=points, seconds=seconds, burst=burst), OracleRate(points, seconds * 1000, burst)
    oracle, now = GCRA(), NOON
    state = oracle.initial([theirs])
    for later, cost in steps:
        now += timedelta(milliseconds=later)
        level = take(bucket="x", cost=cost, rate=rate, now=now)
        state, decision = oracle.step([theirs], state, int(now.timestamp() * 1000), cost)
        assert level.admitted == (decision.failing_rate is None)
        wanted = decision.retry_after_ms
        assert (wanted or 0) == (0 if level.retry_after is None else -(-round(level.retry_after * 1_000_000) // 1000))


def hammered(claims: Callable[[int], list[Claim]]) -> int:
    """How many claims eight connections got in one instant, of forty tries each."""
    start = threading.Barrier(8)

    def tries(number: int) -> int:
        start.wait(PATIENCE)
        try:
            return sum(all(level.admitted for level in take_all(claims(number), now=NOON)) for _ in range(40))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        return sum(threads.map(tries, range(8)))


@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_exactly_the_burst() -> None:
    claim = Claim(bucket="one", cost=1, rate=Rate(points=100))
    assert hammered(lambda _: [claim]) == 100
    assert peek(claim, now=NOON).remaining == 0


@pytest.mark.django_db(transaction=True)
def test_many_at_once_with_keys_of_one_tenant_never_get_more_than_it_has() -> None:
    """Two rows a claim, and no deadlock. What a key's refusal takes from the tenant for a moment may refuse another's."""
    tenant = Claim(bucket="tenant", cost=1, rate=Rate(points=100))
    admitted = hammered(lambda number: [Claim(bucket=f"key {number % 3}", cost=1, rate=Rate(points=40)), tenant])
    assert 80 <= admitted <= 100
    assert peek(tenant, now=NOON).remaining == 100 - admitted
