"""user_summary: throughput and work in progress of a person, a project and the tenant, without reading a ledger row."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import partial
from statistics import median

from analytics.engine.reading.read_from import ReadFrom
from analytics.flow.reading.flow import FlowReading
from analytics.pure import windows
from analytics.pure.windows import Window
from tests.benchmarks.asked import Question, taken
from tests.benchmarks.companies import Company
from tests.benchmarks.folding import fold_all
from tests.benchmarks.history import END, companies_with_history
from tests.benchmarks.outcomes import Outcome, Request
from tests.benchmarks.stopwatch import say, taking_turns

TRANSITIONS = 500_000
TENANTS = 10
ROUNDS = 10
WINDOWS: Mapping[str, Window] = {
    "rolling_30_days": windows.rolling(
        count=30,
        unit=windows.Unit.DAY,
        zone="UTC",
        bucket=windows.Bucket.DAY,
        now=datetime(2025, 12, 31, 12, tzinfo=UTC),
    ),
    # Both ends inside a day, and in the middle of the history.
    "custom": windows.between(
        start=datetime(2025, 3, 10, 8, 30, tzinfo=UTC),
        end=datetime(2025, 8, 21, 17, 15, tzinfo=UTC),
        zone="UTC",
        bucket=windows.Bucket.DAY,
        now=END,
    ),
}


def user_summary(request: Request) -> Iterator[Outcome]:
    """Raw replay to rollups, by what is asked for; the ratio is that of the summary that gains least.

    Fails when an answer read a ledger row, or differs from the replay's.
    """
    company = companies_with_history(companies=TENANTS, transitions=request.size(TRANSITIONS))[0]
    fold_all()
    for name, window in WINDOWS.items():
        say(name)
        yield _outcome(f"user_summary:{name}", _questions(company, window))


def _questions(company: Company, window: Window) -> dict[str, Question]:
    person = company.actors[7]
    return {
        "assignee": Question(company=company, window=window, assignee=person),
        "actor": Question(company=company, window=window, actor=person),
        "project": Question(company=company, window=window, key=company.boards[0].key),
        "tenant": Question(company=company, window=window),
    }


def _outcome(name: str, questions: Mapping[str, Question]) -> Outcome:
    sides = {"raw": ReadFrom.RAW, "merged": ReadFrom.MERGED}
    variants = {
        f"{side}_{who}": partial(_whole, question, read_from)
        for side, read_from in sides.items()
        for who, question in questions.items()
    }
    seconds = taking_turns(variants, rounds=ROUNDS)
    times = {variant: round(1000 * median(samples), 2) for variant, samples in seconds.items()}
    gains = {who: round(times[f"raw_{who}"] / times[f"merged_{who}"], 2) for who in questions}
    raw_rows = {who: _raw_rows(question) for who, question in questions.items()}
    equal = all(
        _summary(question, ReadFrom.RAW) == _summary(question, ReadFrom.MERGED) for question in questions.values()
    )
    return Outcome(
        name=name,
        ratio=min(gains.values()),
        goal=None,
        also=equal and not any(raw_rows.values()),
        detail={"raw_to_merged": gains, "milliseconds": times, "raw_rows": raw_rows, "equal_answers": equal},
    )


def _figures(reading: FlowReading) -> object:
    return reading.throughput(), reading.work_in_progress()


def _whole(question: Question, read_from: ReadFrom) -> float:
    return taken(question, _figures, read_from=read_from).whole


def _summary(question: Question, read_from: ReadFrom) -> object:
    with question.asked(read_from=read_from) as reading:
        return _figures(reading)


def _raw_rows(question: Question) -> int:
    """Ledger rows of a MERGED answer."""
    with question.asked(read_from=ReadFrom.MERGED) as reading:
        _figures(reading)
        return reading.raw_rows
