"""Receipts, the proof of an answer: what it was computed from, how fresh that is, and how it is compared and replayed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from analytics.engine.families import family_named
from analytics.engine.reading.ledger_position import Position
from analytics.engine.reading.questions import Question
from analytics.engine.reading.read_from import ReadFrom
from analytics.engine.reading.tokens import Proof, token_of
from analytics.engine.wings import versions
from analytics.pure.canonical import digest
from analytics.pure.zones import tzdata_version

IDLE_AFTER: Final = timedelta(hours=24)


class AnsweredBy(StrEnum):
    """Which engine's answer was given. CANONICAL: this one."""

    CANONICAL = "CANONICAL"
    LEGACY = "LEGACY"


class FreshnessStatus(StrEnum):
    """STALE: rollups lag more than the threshold. IDLE: nothing was recorded for a day. UNKNOWN: nothing ever was."""

    FRESH = "FRESH"
    STALE = "STALE"
    IDLE = "IDLE"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """How old the answer's facts are: what was recorded before that is in it. Never the time since the last change."""

    status: FreshnessStatus
    age: timedelta
    threshold: timedelta


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What an answer saw and from where it was read."""

    metric_version: str
    read_from: ReadFrom
    raw_rows: int
    tail_rows: int
    known_at: datetime
    timezone: str
    tzdata: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class Proven:
    """A receipt with the position in the record that it was given at, and a token to replay the answer with."""

    receipt: Receipt
    ledger_position: str
    settled: bool
    data_as_of: datetime
    freshness: Freshness
    token: str


def answer(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The whole answer in the form that its digest is taken of: canonical figures by label, in their order."""
    return [{"figure": name, "value": figures[name]} for name in sorted(figures)]


def metric_version(figures: Iterable[str], *, families: Iterable[str]) -> str:
    """The definitions that figures of those labels follow; where there are no figures, those of the families."""
    return versions(figures) or ", ".join(sorted({family_named(name).version for name in families} - {""}))


def receipt(
    *,
    figures: Mapping[str, Any],
    metric_version: str,
    raw_rows: int,
    known_at: datetime,
    timezone: str,
    read_from: ReadFrom = ReadFrom.RAW,
    tail_rows: int = 0,
) -> Receipt:
    """The receipt of canonical figures, by name with their arguments, which follow the definitions `metric_version`."""
    return Receipt(
        metric_version=metric_version,
        read_from=read_from,
        raw_rows=raw_rows,
        tail_rows=tail_rows,
        known_at=known_at,
        timezone=timezone,
        tzdata=tzdata_version(),
        digest=digest(answer(figures)),
    )


def proven(
    *,
    receipt: Receipt,
    position: Position,
    question: Question,
    folded_until: datetime | None,
    threshold: timedelta,
) -> Proven:
    """The proof of a receipt that was given at that position, of the question's families. `folded_until`: see `freshness`."""
    data_as_of, found = freshness(
        known_at=receipt.known_at,
        folded_until=folded_until,
        position=position.of(question.families),
        threshold=threshold,
    )
    return Proven(
        receipt=receipt,
        ledger_position=position.name,
        settled=position.is_settled(known_at=receipt.known_at),
        data_as_of=data_as_of,
        freshness=found,
        token=token_of(
            Proof(
                question=question,
                snapshot=position.snapshot,
                metric_version=receipt.metric_version,
                tzdata=receipt.tzdata,
                digest=receipt.digest,
                lags=folded_until is not None,
            )
        ),
    )


def freshness(
    *, known_at: datetime, folded_until: datetime | None, position: Position, threshold: timedelta
) -> tuple[datetime, Freshness]:
    """The instant up to which everything recorded is in the answer, and what that means.

    `folded_until` is when the oldest fact that was left out was recorded; None: none was left out, and the answer is as
    fresh as `known_at`. Whether a tenant is idle goes by the very last fact of the position's families.
    """
    data_as_of = min(known_at, folded_until or known_at)
    age, last = known_at - data_as_of, position.last_recorded_at
    if last is None:
        status = FreshnessStatus.UNKNOWN
    elif age > threshold:
        status = FreshnessStatus.STALE
    else:
        status = FreshnessStatus.IDLE if last <= known_at - IDLE_AFTER else FreshnessStatus.FRESH
    return data_as_of, Freshness(status=status, age=age, threshold=threshold)
