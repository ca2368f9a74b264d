"""States that a chart shows, in their order; those of one slug are one for a whole tenant."""

from collections.abc import Mapping, Sequence

from analytics.flow.figures.cumulative_flow import Frame
from analytics.flow.figures.workflow import StateDefinition, by_slug, in_order


def shown_states(
    *, frame: Frame, as_defined_now: bool, held: Mapping[int, Sequence[int | None]]
) -> list[list[StateDefinition]]:
    """The states by slug, those of the earliest project first: its definition at the end stands for all of them.

    Only archived states in which nothing was, and cancelled ones, are not shown. `held` is how many items each state had
    in the pieces of the frame.
    """

    def is_shown(state: StateDefinition) -> bool:
        versions = [epoch[state.state_id] for epoch in frame.epochs if state.state_id in epoch]
        in_use = any(version.on_board and not version.archived for version in versions)
        return in_use or any(held.get(state.state_id, ()))

    groups = by_slug(in_order(_defined_by_end(frame, as_defined_now=as_defined_now)))
    return [states for states in groups if any(is_shown(state) for state in states)]


def every_state(*, frame: Frame, as_defined_now: bool) -> list[list[StateDefinition]]:
    """As `shown_states`, with every state that a fact can name: one that is defined only later is as it was first."""
    defined = _defined_by_end(frame, as_defined_now=as_defined_now)
    later = set(frame.first) - {state.state_id for state in defined}
    return by_slug([*in_order(defined), *in_order(frame.first[state] for state in later)])


def _defined_by_end(frame: Frame, *, as_defined_now: bool) -> list[StateDefinition]:
    at_end = frame.epochs[-1].values()
    return [each for each in at_end if as_defined_now or frame.first[each.state_id].since < frame.window.end]
