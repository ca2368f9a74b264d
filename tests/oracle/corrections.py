"""Correction windows: from the move that puts an item below its furthest state to the one that ends this."""

from dataclasses import dataclass
from datetime import datetime

from tests.oracle.definitions import Definitions, positions
from tests.oracle.facts import History
from tests.oracle.items import Transition, changes_seen
from tests.oracle.questions import Question
from tests.oracle.series import projects_of


@dataclass(frozen=True, kw_only=True)
class CorrectionWindow:
    """An item below its furthest state; `closed_at` is None while it still is at the window's end."""

    item: str
    opened_at: datetime
    closed_at: datetime | None


def correction_windows(*, history: History, question: Question) -> tuple[CorrectionWindow, ...]:
    """Those that overlap the question's window, by (opening, order of recording). An actor's changes have none."""
    if question.actor is not None:
        return ()
    found = [
        opened
        for project in projects_of(history=history, question=question)
        for item in history.items()
        for opened in windows_of_item(history=history, question=question, project=project.key, item=item)
    ]
    ordered = sorted(found, key=lambda pair: (pair[1].opened_at, pair[0]))
    return tuple(window for _, window in ordered if _overlaps(window, question))


def windows_of_item(
    *, history: History, question: Question, project: str, item: str
) -> list[tuple[int, CorrectionWindow]]:
    """The item's correction windows in one project before the horizon, each with the seq of the fact that opened it."""
    changes = changes_seen(history=history, question=question, item=item, project=project)
    earlier = [change for change in changes if change.fact.happened_at < question.horizon]
    found: list[tuple[int, CorrectionWindow]] = []
    opening: Transition | None = None
    for number, change in enumerate(earlier):
        below = _is_below_furthest(Definitions(history=history, question=question), project, earlier[: number + 1])
        if below and opening is None:
            opening = change
        elif not below and opening is not None:
            found.append(_window(item, opening, change.fact.happened_at))
            opening = None
    return found if opening is None else [*found, _window(item, opening, None)]


def _window(item: str, opening: Transition, closed_at: datetime | None) -> tuple[int, CorrectionWindow]:
    window = CorrectionWindow(item=item, opened_at=opening.fact.happened_at, closed_at=closed_at)
    return opening.fact.seq, window


def _is_below_furthest(definitions: Definitions, project: str, changes: list[Transition]) -> bool:
    """After the last of these changes, by the order in force at it. An item that has left or is CANCELLED is not."""
    last = changes[-1]
    order = positions(workflow=definitions.during(project=project, at=last.fact.happened_at))
    if last.after is None or last.after.state not in order:
        return False
    reached = [order[c.after.state] for c in changes if c.after is not None and c.after.state in order]
    return order[last.after.state] < max(reached)


def _overlaps(window: CorrectionWindow, question: Question) -> bool:
    """A window of zero length belongs where it opened, also at the question's first instant."""
    ends_after_start = window.closed_at is None or window.closed_at > question.start
    return window.opened_at < question.horizon and (ends_after_start or window.opened_at >= question.start)
