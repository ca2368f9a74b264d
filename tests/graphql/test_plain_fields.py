"""Plain fields are answered by a shorter way, and so as the executor would: values, nulls, errors and their places."""

from datetime import UTC, datetime
from enum import Enum
from typing import Any, Generic, TypeVar

import pytest
import strawberry
from graphql import parse

from tasks_app.errors import ApiError, Code
from tasks_app.http import plain
from tasks_app.http.schema import Schema

FIRST = datetime(2026, 3, 1, 9, tzinfo=UTC)
T = TypeVar("T")


@strawberry.enum
class Colour(Enum):
    RED = "red"


@strawberry.interface
class Named:
    name: str


@strawberry.type
class Lamp(Named):
    colour: Colour = Colour.RED
    lit_at: datetime | None = FIRST

    @strawberry.field
    def watts(self) -> int:
        return 40

    @strawberry.field
    def broken(self) -> int | None:
        raise ApiError("No lamp.", code=Code.NOT_FOUND)

    @strawberry.field
    def dark(self) -> int:
        raise ValueError("dark")

    @strawberry.field
    def handed(self) -> str | None:
        return ValueError("an error as a value")  # type: ignore[return-value]

    @strawberry.field
    def asks(self, info: strawberry.Info[Any, Any]) -> str:
        return str(info.field_name)

    @strawberry.field
    def times(self, number: int = 2) -> int:
        return number * 2


@strawberry.type
class Candle(Named):
    name: str


@strawberry.type
class Page(Generic[T]):
    items: list[T]
    count: int = strawberry.field(resolver=lambda root: len(root.items), graphql_type=int)

    @strawberry.field
    def first(self) -> T | None:
        return self.items[0]


@strawberry.type
class Room:
    lamp: Lamp
    spare: Lamp | None
    page: Page[Lamp]
    things: list[Named]
    rows: list[list[int | None]]


LAMP = Lamp(name="a")
LAMPS = [LAMP, Lamp(name="b", lit_at=None)]
ROOM = Room(lamp=LAMP, spare=None, page=Page(items=LAMPS), things=[*LAMPS, Candle(name="c")], rows=[[1, None], []])
WRONG: dict[str, Room] = {
    "null": Room(lamp=None, spare=None, page=Page(items=[]), things=[], rows=[]),  # type: ignore[arg-type]
    "another": Room(lamp=Candle(name="c"), spare=LAMP, page=Page(items=LAMPS), things=[], rows=[]),  # type: ignore[arg-type]
    "refused": Room(
        lamp=Lamp(name="x", lit_at=datetime(2026, 3, 1)),  # noqa: DTZ001 - an instant without a zone is refused
        spare=Lamp(name="y", colour="green"),  # type: ignore[arg-type]
        page=Page(items=LAMPS),
        things=[],
        rows=[["a"]],  # type: ignore[list-item]
    ),
}


@strawberry.type
class Query:
    @strawberry.field
    def room(self, wrong: str | None = None) -> Room | None:
        return ROOM if wrong is None else WRONG[wrong]


def answered(query: str) -> Any:
    """Data and errors, the errors with their causes and places."""
    found = Schema(query=Query, types=[Lamp, Candle]).run(
        document=parse(query), text=query, operation_name=None, variables=None, extensions=None, context=None
    )
    errors = [(each.message, each.path, each.locations, type(each.original_error)) for each in found.errors or []]
    return found.data, errors


WHOLE = "lamp { name again: name colour litAt watts __typename } spare { name } page { items { name } count first { name } }"


@pytest.mark.parametrize("wrong", ["", *WRONG])
@pytest.mark.parametrize(
    "selected",
    [
        WHOLE,
        "things { name __typename ...on Lamp { watts broken } } rows",
        "lamp { name broken } spare { name dark }",
        "lamp { name dark } page { count }",
        "lamp { handed } spare { handed colour }",
        "lamp { asks times three: times(number: 3) } spare { litAt }",
        "lamp { ...Part litAt @skip(if: true) } page { items { ...Part } }",
        "spare { litAt name } lamp { litAt }",
    ],
)
def test_plain_fields_are_answered_as_the_executor_would(
    monkeypatch: pytest.MonkeyPatch, selected: str, wrong: str
) -> None:
    fragment = "fragment Part on Lamp { watts name }" if "...Part" in selected else ""
    arguments = f'(wrong: "{wrong}")' if wrong else ""
    query = f"{{ room{arguments} {{ {selected} }} }} {fragment}"
    found = answered(query)
    monkeypatch.setattr(plain, "_plain", lambda *_: None)
    assert found == answered(query)


def test_keys_stand_in_the_order_of_the_selection() -> None:
    data, errors = answered("{ room { lamp { times name asks watts } page { count } spare { name } } }")
    assert errors == []
    assert list(data["room"]) == ["lamp", "page", "spare"]
    assert list(data["room"]["lamp"].items()) == [("times", 4), ("name", "a"), ("asks", "asks"), ("watts", 40)]


def test_plain_fields_go_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the root field, which has an argument, is resolved by the executor."""
    asked: list[str] = []
    usual = plain.PlainFields.execute_field

    def noted(executor: Any, parent: Any, source: Any, selected: Any, *rest: Any) -> Any:
        asked.append(selected[0].node.name.value)
        return usual(executor, parent, source, selected, *rest)

    monkeypatch.setattr(plain.PlainFields, "execute_field", noted)
    data, errors = answered(f"{{ room {{ {WHOLE.replace('__typename', '')} }} }}")
    assert errors == []
    assert data["room"]["page"] == {"items": [{"name": "a"}, {"name": "b"}], "count": 2, "first": {"name": "a"}}
    assert asked == ["room"]


def test_a_field_that_fails_is_read_once() -> None:
    """A statement that failed must not be sent again: the second error would hide the first."""
    calls: list[int] = []

    @strawberry.type
    class Counter:
        @strawberry.field
        def number(self) -> int | None:
            calls.append(1)
            raise ValueError("once")

    @strawberry.type
    class Root:
        counter: Counter = strawberry.field(resolver=lambda: Counter())

    query = "{ counter { number } }"
    found = Schema(query=Root).run(
        document=parse(query), text=query, operation_name=None, variables=None, extensions=None, context=None
    )
    assert found.data == {"counter": {"number": None}}
    assert [error.message for error in found.errors or []] == ["once"]
    assert calls == [1]
