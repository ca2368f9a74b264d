"""Connections of Relay over keyset pages: `TaskConnection { edges { cursor node } pageInfo totalCount }`."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Generic, TypeVar

import strawberry
from django.db.models import QuerySet

from tasks_app.errors import ApiError
from tasks_app.http.cursors import Fragment, Keyset

MAX_PAGE = 500

T = TypeVar("T")
Row = TypeVar("Row")


@strawberry.type(description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(
        description="Whether the list goes on after this page; with `last`, whether `before` was given."
    )
    has_previous_page: bool = strawberry.field(
        description="Whether something comes before this page; with `first`, whether `after` was given."
    )
    start_cursor: str | None = strawberry.field(description="The first edge's cursor; null for an empty page.")
    end_cursor: str | None = strawberry.field(description="The last edge's cursor; null for an empty page.")


@strawberry.type(description="One place in a list.")
class Edge(Generic[T]):
    node: T = strawberry.field(description="What is in this place.")
    cursor: str = strawberry.field(description="Names this place; pass it to `after` or `before`.")


@strawberry.type(description="One page of a list, always in the list's own order.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The page.")
    page_info: PageInfo = strawberry.field(description="Where the page lies in the list.")
    total_count: int = strawberry.field(
        resolver=lambda root: root.count(),
        description="How many there are in the whole list; counted only when asked for.",
        graphql_type=int,
    )
    count: strawberry.Private[Callable[[], int]]


@dataclass(frozen=True)
class PageArgs:
    """The four arguments of a connection; None for one that is null or left out."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def checked(self, keyset: Keyset) -> "Bounds":
        """What is asked for, or an ApiError that names the argument at fault."""
        limit, backwards = _limit(first=self.first, last=self.last)
        return Bounds(
            keyset=keyset,
            limit=limit,
            backwards=backwards,
            after=_cursor(keyset, self.after, argument="after"),
            before=_cursor(keyset, self.before, argument="before"),
        )


@dataclass(frozen=True)
class Bounds:
    """A page that may be read: how many rows, from which end, strictly between which rows."""

    keyset: Keyset
    limit: int
    backwards: bool
    after: tuple[Any, ...] | None
    before: tuple[Any, ...] | None

    def where(self, *, columns: dict[str, str] | None = None) -> Fragment:
        """For raw SQL: a condition, TRUE if there is none.

        `columns` maps names to SQL columns, such as {"seq": "f.seq"}.
        """
        parts = [
            self.keyset.beyond_sql(values, backwards=backwards, columns=columns)
            for values, backwards in ((self.after, False), (self.before, True))
            if values is not None
        ]
        text = " AND ".join(part.text for part in parts) or "TRUE"
        return Fragment(text=text, params=[value for part in parts for value in part.params])

    def order_by(self, *, columns: dict[str, str] | None = None) -> str:
        """For raw SQL: what follows ORDER BY. A page read backwards comes in reverse; `page` turns it round."""
        return self.keyset.order_sql(backwards=self.backwards, columns=columns)

    @property
    def fetch(self) -> int:
        """For raw SQL: the LIMIT, one row more than the page, which tells whether the list goes on."""
        return self.limit + 1

    def page(
        self,
        rows: Sequence[Row],
        *,
        count: Callable[[], int],
        values: Callable[[Row], Sequence[Any]] | None = None,
    ) -> "Page[Row]":
        """The page from rows that were read by `where`, `order_by` and `fetch`.

        `values` takes a row to the values of the keyset's columns; by default they are its attributes of those names.
        """
        kept = list(rows[: self.limit])
        return Page(
            rows=kept[::-1] if self.backwards else kept,
            bounds=self,
            more=len(rows) > self.limit,
            count=count,
            values=values or _attributes(self.keyset),
        )


@dataclass(frozen=True)
class Page(Generic[Row]):
    """Rows in the list's own order, and what a connection says about them."""

    rows: list[Row]
    bounds: Bounds
    more: bool
    count: Callable[[], int]
    values: Callable[[Row], Sequence[Any]]

    def connection(self, *, node: Callable[[Row], T]) -> Connection[T]:
        """The page as GraphQL sees it. `node` takes a row to its GraphQL type."""
        return self.connection_of(map(node, self.rows))

    def connection_of(self, nodes: Iterable[T]) -> Connection[T]:
        """The page as GraphQL sees it. `nodes` are what its rows are there, one for each and in their order."""
        encode = self.bounds.keyset.encode
        edges = [Edge(node=node, cursor=encode(self.values(row))) for row, node in zip(self.rows, nodes, strict=True)]
        return Connection(edges=edges, page_info=self._page_info(edges), count=self.count)

    def _page_info(self, edges: list[Edge[T]]) -> PageInfo:
        bounds = self.bounds
        return PageInfo(
            has_next_page=bounds.before is not None if bounds.backwards else self.more,
            has_previous_page=self.more if bounds.backwards else bounds.after is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        )


def keyset_page(queryset: QuerySet[Any, Row], *, keyset: Keyset, args: PageArgs) -> Page[Row]:
    """One page of a query set in the keyset's order, read at once; the count is read only if asked for.

    Relies on an index on the keyset's columns, after those that the query set compares with `=`.
    """
    bounds = args.checked(keyset)
    narrowed = queryset.order_by(*keyset.order_by(backwards=bounds.backwards))
    if bounds.after is not None:
        narrowed = narrowed.filter(keyset.beyond(bounds.after))
    if bounds.before is not None:
        narrowed = narrowed.filter(keyset.beyond(bounds.before, backwards=True))
    return bounds.page(list(narrowed[: bounds.fetch]), count=queryset.order_by().count)


def _limit(*, first: int | None, last: int | None) -> tuple[int, bool]:
    if first is not None and last is not None:
        raise ApiError("first, last: both are given; keep one of them.")
    if first is not None:
        return _size(first, argument="first"), False
    if last is not None:
        return _size(last, argument="last"), True
    raise ApiError(f"first, last: one of them is required; pass a number from 1 to {MAX_PAGE}.")


def _size(value: int, *, argument: str) -> int:
    if 1 <= value <= MAX_PAGE:
        return value
    raise ApiError(f"{argument}: {value} is out of range; pass a number from 1 to {MAX_PAGE}.")


def _cursor(keyset: Keyset, cursor: str | None, *, argument: str) -> tuple[Any, ...] | None:
    return None if cursor is None else keyset.decode(cursor, argument=argument)


def _attributes(keyset: Keyset) -> Callable[[Any], Sequence[Any]]:
    """A function from a row to the keyset's values. attrgetter answers one attribute bare, so it is called per name."""
    getters = [attrgetter(name.replace("__", ".")) for name in keyset.names]
    return lambda row: [get(row) for get in getters]
