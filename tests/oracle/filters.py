"""Figures of some items: the history of those alone for which a filter holds at a question's end, with their whole past."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise

from tests.oracle.facts import Fact, History, Kind
from tests.oracle.items import Transition, changes_seen
from tests.oracle.questions import Question

Stay = tuple[Transition, datetime | None]


@dataclass(frozen=True, kw_only=True)
class ItemFilter:
    """All conditions given must hold, at the question's end or `as_of_now`, after all that is known.

    States are (project, slug). `search` is a part of the item's name.
    """

    project: str | None = None
    states: tuple[tuple[str, str], ...] | None = None
    assignee: str | None = None
    search: str | None = None
    was_ever: tuple[tuple[str, str], ...] | None = None
    was_ever_from: datetime | None = None
    was_ever_to: datetime | None = None
    held: tuple[tuple[str, str], ...] | None = None
    held_since: datetime | None = None
    changed_by: str | None = None
    as_of_now: bool = False


def satisfying(*, history: History, question: Question, chosen: ItemFilter) -> History:
    """The same projects, and all facts of the items for which the filter holds."""
    items = {item for item in history.items() if _holds(history, question, chosen, item)}
    return replace(history, facts=tuple(fact for fact in history.facts if fact.item in items))


def _holds(history: History, question: Question, chosen: ItemFilter, item: str) -> bool:
    until = datetime.max.replace(tzinfo=UTC) if chosen.as_of_now else question.buckets[-1][1]
    facts = _seen(history, question, item, until)
    stays = _stays(history, question, item, until)
    if not stays:
        return False
    last = stays[-1][0]
    here = _key(last)
    holders = [fact.detail for fact in facts if fact.kind is Kind.ASSIGNED]
    in_project = last.after.project if last.after else last.fact.project
    ever = [stay for stay in stays if chosen.was_ever and _key(stay[0]) in chosen.was_ever]
    conditions = (
        chosen.project in (None, in_project),
        chosen.states is None or here in chosen.states,
        chosen.assignee is None or holders[-1:] == [chosen.assignee],
        chosen.search is None or chosen.search in item,
        chosen.was_ever is None or any(_touches(stay, chosen) for stay in ever),
        chosen.held is None or (here in chosen.held and last.fact.happened_at <= (chosen.held_since or question.now)),
        chosen.changed_by is None or any(fact.actor == chosen.changed_by for fact in facts),
    )
    return all(conditions)


def _touches(stay: Stay, chosen: ItemFilter) -> bool:
    change, left_at = stay
    begins_in_time = chosen.was_ever_to is None or change.fact.happened_at < chosen.was_ever_to
    return begins_in_time and (chosen.was_ever_from is None or left_at is None or left_at > chosen.was_ever_from)


def _seen(history: History, question: Question, item: str, until: datetime) -> list[Fact]:
    """What had happened and was known, in order."""
    facts = [
        fact
        for fact in history.facts
        if fact.item == item and fact.recorded_at <= question.known_until and fact.happened_at < until
    ]
    return sorted(facts, key=lambda fact: (fact.happened_at, fact.seq))


def _stays(history: History, question: Question, item: str, until: datetime) -> list[Stay]:
    """Each change of place and when the next one came, off the board, too; whoever holds the item."""
    everybody = replace(question, assignee=None, actor=None)
    changes = changes_seen(history=history, question=everybody, item=item, project=None)
    happened = [change for change in changes if change.fact.happened_at < until]
    ends: list[datetime | None] = [later.fact.happened_at for _, later in pairwise(happened)]
    return list(zip(happened, [*ends, None], strict=True)) if happened else []


def _key(change: Transition) -> tuple[str, str] | None:
    return None if change.after is None else (change.after.project, change.after.state)
