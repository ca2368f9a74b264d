"""Lists in pages, of lists that a figure has as a whole."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tasks_app.http.connections import Connection, PageArgs
from tasks_app.http.cursors import Keyset

T = TypeVar("T")
Row = TypeVar("Row")


def listed(
    rows: Sequence[Row],
    *,
    keyset: Keyset,
    values: Callable[[Row], tuple[Any, ...]],
    args: PageArgs,
    node: Callable[[Row], T],
) -> Connection[T]:
    """One page of the rows, which are in the ascending order of their `values` already; `keyset` says what these are."""
    bounds = args.checked(keyset)
    inside = [row for row in rows if _is_between(values(row), after=bounds.after, before=bounds.before)]
    turned = inside[::-1] if bounds.backwards else inside
    return bounds.page(turned[: bounds.fetch], count=lambda: len(rows), values=values).connection(node=node)


def _is_between(value: tuple[Any, ...], *, after: tuple[Any, ...] | None, before: tuple[Any, ...] | None) -> bool:
    return (after is None or value > after) and (before is None or value < before)
