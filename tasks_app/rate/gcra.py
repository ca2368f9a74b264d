"""Rate limiter, the generic cell rate algorithm (GCRA): one statement for every process and machine.

    taken = take(bucket="login:ada@example.com", cost=1, rate=Rate(points=5, seconds=60), now=now)
    if not taken.admitted: ...  # taken.retry_after seconds from now it would be

A bucket is one number, the instant at which it will be full again. It never admits more than `burst` at once, nor more than
`burst` and the rate times the time in any stretch of time. Not to be called inside a request's transaction: its rollback
would give everything back, and others would wait for its end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import Any

import psycopg
from django.db import connection
from psycopg import pq

from tasks_app.operations.reporting import EPOCH, MICROSECOND, microseconds

SECOND = 1_000_000

# Rows are locked in the order of the claims, which is everywhere from the narrow bucket to the wide one: no deadlock.
TAKE = """/* rate.take */
INSERT INTO rate_bucket AS b (bucket, full_at, depth) VALUES {rows}
    ON CONFLICT (bucket) DO UPDATE
   SET full_at = greatest(b.full_at, {now}) + (excluded.full_at - {now}), depth = excluded.depth
 WHERE greatest(b.full_at, {now}) + (excluded.full_at - {now}) - {now} <= excluded.depth
RETURNING bucket, full_at
"""

GIVE_BACK = """/* rate.give_back */
INSERT INTO rate_bucket AS b (bucket, full_at, depth) VALUES {rows}
    ON CONFLICT (bucket) DO UPDATE SET full_at = b.full_at - (excluded.full_at - {now})
"""

READ = "/* rate.read */ SELECT bucket, full_at FROM rate_bucket WHERE bucket IN ({buckets})"

# A bucket that is full is like one that was never used.
SWEEP = "/* rate.sweep */ DELETE FROM rate_bucket WHERE full_at <= %(now)s"


@dataclass(frozen=True, kw_only=True)
class Rate:
    """`points` in every `seconds`, evenly, and after a rest up to `burst` at once (by default `points`)."""

    points: int
    seconds: int = 60
    burst: int = 0

    @property
    def at_once(self) -> int:
        """The most that one claim can get, ever."""
        return self.burst or self.points

    @property
    def interval(self) -> int:
        """Microseconds in which one point comes back; rounded up, so that never more comes back than said."""
        return -(-self.seconds * SECOND // self.points)

    @property
    def depth(self) -> int:
        """Microseconds in which an empty bucket is full again."""
        return self.at_once * self.interval


@dataclass(frozen=True, kw_only=True)
class Claim:
    """So many points of a bucket, by the name that its user has for it."""

    bucket: str
    cost: int
    rate: Rate

    @property
    def key(self) -> bytes:
        """What the bucket is called in the table: names may hold addresses, which are nobody's to read there."""
        return blake2b(self.bucket.encode(), digest_size=16).digest()


@dataclass(frozen=True, kw_only=True)
class Level:
    """A bucket after a claim. `retry_after` is 0 for one that was admitted, None for one that never can be."""

    admitted: bool
    remaining: int
    retry_after: float | None
    full_at: datetime


def take(*, bucket: str, cost: int, rate: Rate, now: datetime) -> Level:
    """Takes the points, or none, and says how the bucket is now. One round trip; three when refused."""
    return take_all([Claim(bucket=bucket, cost=cost, rate=rate)], now=now)[0]


def take_all(claims: Sequence[Claim], *, now: datetime) -> list[Level]:
    """Takes all claims or none: when one bucket refuses, what the others gave is given back.

    Levels come in the order of the claims. They name different buckets, in the same order everywhere: the narrow ones
    first, a key before its tenant.
    """
    instant = microseconds(now)
    possible = [claim for claim in claims if claim.cost <= claim.rate.at_once]
    full = _sent(TAKE, possible, now=instant)
    if len(full) == len(claims):
        return [_level(claim, full_at=full[claim.key], now=instant, admitted=True) for claim in claims]
    give_back([claim for claim in possible if claim.key in full], now=now)
    found = _found(claims)
    return [_level(claim, full_at=found.get(claim.key, 0), now=instant, admitted=claim.key in full) for claim in claims]


def give_back(claims: Sequence[Claim], *, now: datetime) -> None:
    """Puts points back that were taken and not used. A bucket never gets fuller than full."""
    _sent(GIVE_BACK, claims, now=microseconds(now))


def peek(claim: Claim, *, now: datetime) -> Level:
    """How the bucket is, without taking anything; `admitted` says whether the claim would be."""
    instant = microseconds(now)
    full_at = _found([claim]).get(claim.key, 0)
    return _level(claim, full_at=full_at, now=instant, admitted=wait(claim, full_at=full_at, now=instant) == 0)


def sweep(*, now: datetime) -> int:
    """Forgets the buckets that are full again, and says how many those were."""
    with connection.cursor() as cursor:
        cursor.execute(SWEEP, {"now": microseconds(now)})
        return int(cursor.rowcount)


def wait(claim: Claim, *, full_at: int, now: int) -> int | None:
    """Microseconds until the bucket would admit the claim; None when it never will."""
    depth, cost = claim.rate.depth, claim.cost * claim.rate.interval
    return max(0, max(full_at, now) + cost - now - depth) if cost <= depth else None


def _level(claim: Claim, *, full_at: int, now: int, admitted: bool) -> Level:
    rate = claim.rate
    empty = max(0, full_at - now)
    waiting = 0 if admitted else wait(claim, full_at=full_at, now=now)
    return Level(
        admitted=admitted,
        remaining=max(0, rate.depth - empty) // rate.interval,
        retry_after=None if waiting is None else waiting / SECOND,
        full_at=EPOCH + max(full_at, now) * MICROSECOND,
    )


def _sent(statement: str, claims: Sequence[Claim], *, now: int) -> dict[bytes, int]:
    """What the statement answers, the claims being its rows: whole numbers and digests, nothing that a caller wrote."""
    if not claims:
        return {}
    rows = (f"({_literal(claim)}, {now + claim.cost * claim.rate.interval}, {claim.rate.depth})" for claim in claims)
    return _answered(statement.format(rows=", ".join(rows), now=now))


def _found(claims: Sequence[Claim]) -> dict[bytes, int]:
    return _answered(READ.format(buckets=", ".join(map(_literal, claims))))


def _literal(claim: Claim) -> str:
    return f"'\\x{claim.key.hex()}'::bytea"


def _answered(text: str) -> dict[bytes, int]:
    """Straight to libpq: through cursors a check takes five times as long, most of it in this process."""
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    with connection.wrap_database_errors:
        raw: psycopg.Connection[Any] = connection.connection
        # Within an atomic block, as in tests, the transaction begins with its first statement.
        begins = connection.in_atomic_block and raw.info.transaction_status == pq.TransactionStatus.IDLE
        result = raw.pgconn.exec_((f"BEGIN; {text}" if begins else text).encode())
        if result.status not in (pq.ExecStatus.COMMAND_OK, pq.ExecStatus.TUPLES_OK):
            raise psycopg.OperationalError(result.error_message.decode(errors="replace").strip())
    return {
        bytes.fromhex((result.get_value(row, 0) or b"")[2:].decode()): int(result.get_value(row, 1) or 0)
        for row in range(result.ntuples)
    }
