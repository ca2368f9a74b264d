"""Kinds of patches: of the text of a statement, of the movements that figures are counted from, of a function, of the
finished figures. Each is put into the running product while it is entered, and taken out again.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection

from analytics.flow.figures import cumulative_flow as flow
from analytics.flow.figures.cumulative_flow import Frame, Movement
from analytics.flow.reading import old_daily_counts
from tests.drift import scene as drift_scene

Patch = Callable[[], AbstractContextManager[Any]]
kind_of = old_daily_counts.kind_of


@dataclass(frozen=True)
class Defect:
    """One patch."""

    name: str
    patched: Patch


def sql(find: str, put: str) -> Patch:
    """Another text wherever the statements have that one."""

    def edited(execute: Any, text: str, params: Any, many: bool, context: Any) -> Any:
        return execute(text.replace(find, put), params, many, context)

    return lambda: connection.execute_wrapper(edited)


def attribute(owner: Any, name: str, value: Any) -> Patch:
    """Another function, property or value."""

    @contextmanager
    def put() -> Iterator[None]:
        stock = vars(owner)[name]
        setattr(owner, name, value)
        try:
            yield
        finally:
            setattr(owner, name, stock)

    return put


def both(*patches: Patch) -> Patch:
    """Several at once."""

    @contextmanager
    def all_of_them() -> Iterator[None]:
        with ExitStack() as stack:
            for each in patches:
                stack.enter_context(each())
            yield

    return all_of_them


def moved(edit: Callable[[Frame, list[Movement]], list[Movement]]) -> Patch:
    """Other movements."""
    stock = flow.count

    def count(*, frame: Frame, movements: Sequence[Movement]) -> flow.Counts:
        return stock(frame=frame, movements=edit(frame, list(movements)))

    return attribute(flow, "count", count)


def shifted(shift: Callable[[datetime], datetime]) -> Patch:
    """The old counts as of other instants than those that were asked for."""
    stock = old_daily_counts._counted

    def counted(*, instants: Sequence[datetime], **asked: Any) -> Any:
        found = stock(instants=sorted({shift(each) for each in instants}), **asked)
        return {each: found[shift(each)] for each in instants}

    return attribute(old_daily_counts, "_counted", counted)


def kinds(change: Callable[[Any], str | None]) -> Patch:
    """The old counts take states for something else."""
    return attribute(old_daily_counts, "kind_of", change)


def old_counts(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> Patch:
    """The old counts, changed as a list in the order of their days."""
    stock = drift_scene.FLOW.ours.as_of_cutoffs

    def counted(**asked: Any) -> dict[str, Any]:
        found = stock(**asked)
        keys = sorted(found)
        changed = change([dict(found[key]) for key in keys])
        return dict(zip(keys, changed, strict=False))

    return attribute(
        drift_scene, "FLOW", replace(drift_scene.FLOW, ours=replace(drift_scene.FLOW.ours, as_of_cutoffs=counted))
    )


def each_day(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Patch:
    """The old counts of each day, changed."""
    return old_counts(lambda rows: [change(row) for row in rows])
