"""Series over buckets: when a bucket is null, at which instant it is read, and how projects add up."""

from collections.abc import Callable, Iterable
from datetime import datetime

from tests.oracle.definitions import recorded_since
from tests.oracle.facts import History, Project
from tests.oracle.questions import Question

Values = tuple[int | None, ...]


def projects_of(*, history: History, question: Question) -> tuple[Project, ...]:
    """The project asked about, or all of the tenant's."""
    return history.projects if question.project is None else (history.project(question.project),)


def per_bucket(*, history: History, question: Question, value: Callable[[datetime, datetime], int | None]) -> Values:
    """`value(start, end)` of each bucket, a running one cut at now; None before the recording and after now."""
    since = recorded_since(projects=projects_of(history=history, question=question), known_at=question.known_until)
    return tuple(
        None if since is None or end <= since or start > question.now else value(start, min(end, question.now))
        for start, end in question.buckets
    )


def recorded_by(*, history: History, question: Question, at: datetime) -> bool:
    """Whether anything of the question's board can be known at an instant."""
    since = recorded_since(projects=projects_of(history=history, question=question), known_at=question.known_until)
    return since is not None and at > since


def stock_per_bucket(
    *, history: History, question: Question, value: Callable[[datetime, datetime], int | None]
) -> Values:
    """As `per_bucket`, for what items amount to where they are: None throughout for an actor, who holds none."""
    if question.actor is not None:
        return (None,) * len(question.buckets)
    return per_bucket(history=history, question=question, value=value)


def total(values: Iterable[int | None]) -> int | None:
    """The sum of those that exist; None when none does."""
    existing = [value for value in values if value is not None]
    return sum(existing) if existing else None
