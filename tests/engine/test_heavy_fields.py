"""Heavy fields are found by their mark, wherever an operation has them."""

import pytest
import strawberry
from graphql import parse

from analytics.engine.graphql.heavy_fields import HEAVY, HeavyFields, heavy_fields
from tasks_app.http.documents import pick_operation


@strawberry.type(description="A shelf.")
class Shelf:
    number: int = strawberry.field(description="Its number.")

    @strawberry.field(description="What moved.", metadata=HEAVY)
    def moved(self) -> list["Shelf"]:
        return []


@strawberry.type(description="Everything.")
class Query:
    @strawberry.field(description="One shelf.")
    def shelf(self) -> Shelf:
        return Shelf(number=1)

    @strawberry.field(description="All that moved.", metadata=HEAVY)
    def moved(self) -> Shelf:
        return Shelf(number=1)


SCHEMA = strawberry.Schema(query=Query)._schema


@pytest.mark.parametrize(
    ("text", "count", "alone"),
    [
        ("{ moved { number } }", 1, True),
        ("{ a: moved { number } b: moved { number } }", 2, True),
        # Whatever is below one is a part of it.
        ("{ moved { moved { number } } }", 1, True),
        ("{ shelf { moved { number } } }", 1, True),
        ("{ shelf { number moved { number } } }", 1, False),
        ("{ moved { number } __typename }", 1, False),
        ("{ shelf { number } }", 0, False),
        ("{ ...Q } fragment Q on Query { moved { number } ... { moved { number } } }", 2, True),
        ("{ ... on Query { shelf { ...S } } } fragment S on Shelf { number }", 0, False),
        # Of a schema of another day.
        ("{ gone { number } moved { number } ...Gone }", 1, False),
    ],
)
def test_marked_fields_are_found(text: str, count: int, alone: bool) -> None:
    document = parse(text)
    found = heavy_fields(SCHEMA, document=document, operation=pick_operation(document, name=None))
    assert found == HeavyFields(count=count, alone=alone)
