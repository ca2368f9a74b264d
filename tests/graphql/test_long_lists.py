"""A long list is answered by a shorter way, and so by the same rules as a short one."""

from datetime import UTC, datetime
from typing import Any

import pytest
import strawberry
from graphql import parse

from tasks_app.http import rows
from tasks_app.http.schema import Schema

FIRST = datetime(2026, 3, 1, 9, tzinfo=UTC)
LENGTHS = [rows.LONG - 1, rows.LONG, 3 * rows.LONG]


@strawberry.type
class Size:
    centimetres: int


@strawberry.type
class Shelf:
    label: str
    made_at: datetime | None
    books: int = strawberry.field(name="volumes")

    @strawberry.field
    def size(self) -> Size:
        return Size(centimetres=10 * self.books)


def shelves(number: int) -> list[Any]:
    """The third of four has no instant."""
    return [Shelf(label=f"S{place}", made_at=None if place % 4 == 2 else FIRST, books=place) for place in range(number)]


@strawberry.type
class Query:
    @strawberry.field
    def shelves(self, count: int, broken: bool = False) -> list[Shelf]:
        found = shelves(count)
        if broken:
            found[7].books = None
        return found


def answered(query: str) -> Any:
    """Data and errors, the errors with their places."""
    found = Schema(query=Query).run(
        document=parse(query), text=query, operation_name=None, variables=None, extensions=None, context=None
    )
    return found.data, [(error.message, error.path) for error in found.errors or []]


@pytest.mark.parametrize("count", LENGTHS)
@pytest.mark.parametrize(
    "selected",
    [
        "label madeAt volumes",
        "again: label kind: __typename",
        "...on Shelf { label } volumes @skip(if: true)",
        "label size { centimetres }",
    ],
)
def test_a_list_is_the_same_by_either_way(monkeypatch: pytest.MonkeyPatch, count: int, selected: str) -> None:
    query = f"{{ shelves(count: {count}) {{ {selected} }} }}"
    found = answered(query)
    monkeypatch.setattr(rows, "LONG", count + 1)
    assert found == answered(query)
    assert len(found[0]["shelves"]) == count


def test_plain_rows_go_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without it the executor would look at each field of each of them."""
    monkeypatch.setattr(rows.ExecutionContext, "complete_list_item_value", None)
    data, errors = answered(f"{{ shelves(count: {rows.LONG}) {{ label madeAt volumes }} }}")
    assert errors == []
    assert data["shelves"][:3] == [
        {"label": "S0", "madeAt": "2026-03-01T09:00:00Z", "volumes": 0},
        {"label": "S1", "madeAt": "2026-03-01T09:00:00Z", "volumes": 1},
        {"label": "S2", "madeAt": None, "volumes": 2},
    ]


@pytest.mark.parametrize("count", LENGTHS)
def test_what_may_not_be_null_is_an_error_at_its_place(count: int) -> None:
    data, errors = answered(f"{{ shelves(count: {count}, broken: true) {{ label volumes }} }}")
    assert data is None
    assert errors == [("Cannot return null for non-nullable field Shelf.volumes.", ["shelves", 7, "volumes"])]
