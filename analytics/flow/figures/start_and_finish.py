"""Start and finish of cycle time: by the categories of states through time, or between two named states."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from analytics.flow.figures.durations import Eras, Level, Meaning
from analytics.flow.figures.workflow import CANCELLED, DONE, IN_PROGRESS, StateDefinition, by_project, places
from analytics.pure.zones import to_microseconds

Definitions = Mapping[int, StateDefinition]
LEVELS = {IN_PROGRESS: Level.STARTED, DONE: Level.FINISHED, CANCELLED: Level.OFF}


class PairError(ValueError):
    """Two states between which nothing can be timed: `argument` names the one at fault, the text says why."""

    def __init__(self, argument: str, sentence: str) -> None:
        super().__init__(sentence)
        self.argument = argument


def by_category(eras: Sequence[tuple[datetime, Definitions]], *, first: Definitions) -> Eras:
    """By the category that a state had when it was entered; `first` stands for a state that was not defined yet."""
    return Eras(
        begins=[to_microseconds(begin) for begin, _ in eras],
        meanings=[_meanings({**first, **definitions}, places(definitions.values())) for _, definitions in eras],
    )


def _meanings(definitions: Definitions, order: Mapping[int, int]) -> dict[int, Meaning]:
    return {
        state: Meaning(
            level=LEVELS.get(each.category, Level.TODO),
            project_id=each.project_id,
            place=order.get(state, -1),
            active=each.category == IN_PROGRESS and not each.waiting,
        )
        for state, each in definitions.items()
    }


def by_pair(definitions: Definitions, *, start: str | None, finish: str | None) -> Eras:
    """Started from the state of one slug on, finished from that of the other on, in one order for the whole history.

    Without `start`, what is IN_PROGRESS or DONE is started; without `finish`, what is DONE is finished. Boards that lack
    one of the states are left out. PairError names a state that no board has, or that leaves nothing to be timed.
    """
    _check_there(definitions, start=start, finish=finish)
    order = places(definitions.values())
    found: dict[int, Meaning] = {}
    for states in by_project(definitions.values()).values():
        named = {each.slug: order[each.state_id] for each in states if each.state_id in order}
        if all(slug is None or slug in named for slug in (start, finish)):
            _check_order(named, start=start, finish=finish)
            found |= {
                each.state_id: _between(each, order, named.get(start or ""), named.get(finish or ""))
                for each in states
                if each.state_id in order
            }
    _check_some(found, start=start, finish=finish)
    return Eras(begins=[0], meanings=[found])


def _between(state: StateDefinition, order: Mapping[int, int], start: int | None, finish: int | None) -> Meaning:
    place = order[state.state_id]
    is_finished = state.category == DONE if finish is None else place >= finish
    is_started = state.category in (IN_PROGRESS, DONE) if start is None else place >= start
    level = Level.FINISHED if is_finished else Level.STARTED if is_started else Level.TODO
    return Meaning(level=level, project_id=state.project_id, place=place)


def finished_states(eras: Eras) -> frozenset[int]:
    """The states that finish, of definitions that hold for the whole history."""
    return frozenset(state for state, meaning in eras.meanings[0].items() if meaning.level is Level.FINISHED)


def _check_there(definitions: Definitions, *, start: str | None, finish: str | None) -> None:
    known = list(dict.fromkeys(each.slug for each in definitions.values() if each.on_board))
    for argument, slug in (("start", start), ("finish", finish)):
        if slug is not None and slug not in known:
            raise PairError(argument, f"there is no state {slug!r} on this board; name one of {', '.join(known)}.")


def _check_order(named: Mapping[str, int], *, start: str | None, finish: str | None) -> None:
    if start is not None and finish is not None and named[finish] <= named[start]:
        raise PairError(
            "finish", f"{finish!r} does not come after {start!r} in the order of the states; name a later one."
        )


def _check_some(found: Mapping[int, Meaning], *, start: str | None, finish: str | None) -> None:
    if any(meaning.level is Level.STARTED for meaning in found.values()):
        return
    if start is not None and finish is not None:
        raise PairError("finish", f"no board has both {start!r} and {finish!r}; name two states of one board.")
    if start is not None:
        raise PairError("start", f"{start!r} is done already; name an earlier state, or a finish after it.")
    raise PairError("finish", f"no state in progress stands before {finish!r}; name a later one, or a start before it.")
