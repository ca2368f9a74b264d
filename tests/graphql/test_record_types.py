"""Record types take their fields from a model, and refuse a model that does not say enough."""

from typing import Any, ClassVar

import pytest
import strawberry
from django.apps.registry import Apps
from django.db import models
from graphql import parse
from strawberry import auto

from tasks_app import models as record
from tasks_app.graphql.record_types import record_type
from tasks_app.http import rows
from tasks_app.http.node import Node, encode_id
from tasks_app.http.schema import Schema


class Wood(models.TextChoices):
    OAK = "OAK"
    ELM = "ELM"


WoodName = strawberry.enum(Wood, name="Wood")


class ShelfRow(models.Model):
    """A row that no database has; in a registry of its own, so that no migration knows of it."""

    label = models.TextField(help_text="What stands on it.")
    wood = models.TextField(choices=Wood, help_text="Of which wood it is.")
    books = models.IntegerField(null=True, help_text="How many books there are.")
    grains = models.BigIntegerField(help_text="How many grains of dust there are.")
    colour = models.TextField()

    objects: ClassVar[models.Manager["ShelfRow"]] = models.Manager()

    class Meta:
        apps = Apps()
        app_label = "shelves"
        managed = False


@record_type(ShelfRow, description="A shelf.")
class Shelf(Node):
    label: auto
    wood: WoodName  # type: ignore[valid-type]
    books: auto

    @strawberry.field(description="The label, aloud.")
    def shout(self) -> str:
        return str(self.label).upper()


def row(pk: int, *, books: int | None = 3) -> ShelfRow:
    return ShelfRow(id=pk, label=f"s{pk}", wood="ELM", books=books)


@strawberry.type
class Query:
    @strawberry.field
    def shelf(self) -> Shelf:
        return row(7)  # type: ignore[return-value]

    @strawberry.field
    def built(self) -> Shelf:
        return Shelf(pk=8, label="s8", wood=Wood.OAK, books=None)

    @strawberry.field
    def node(self) -> Node:
        return row(7)  # type: ignore[return-value]

    @strawberry.field
    def shelves(self, count: int) -> list[Shelf]:
        return [row(pk, books=None if pk % 4 == 2 else pk) for pk in range(1, count + 1)]  # type: ignore[misc]


def answered(query: str) -> Any:
    found = Schema(query=Query, types=[Shelf]).run(
        document=parse(query), text=query, operation_name=None, variables=None, extensions=None, context=None
    )
    assert found.errors is None
    return found.data


def test_types_nullability_and_sentences_are_the_columns() -> None:
    fields = Schema(query=Query)._schema.type_map["Shelf"].fields  # type: ignore[attr-defined]
    found = {name: (str(field.type), field.description) for name, field in fields.items()}
    assert found == {
        "id": ("ID!", "Opaque and stable; the same thing always has the same id."),
        "label": ("String!", "What stands on it."),
        "wood": ("Wood!", "Of which wood it is."),
        "books": ("Int", "How many books there are."),
        "shout": ("String!", "The label, aloud."),
    }


def test_a_row_and_an_instance_are_answered_alike() -> None:
    selected = "id label wood books shout"
    found = answered(f"{{ shelf {{ {selected} }} built {{ {selected} }} node {{ id ... on Shelf {{ label }} }} }}")
    seven, eight = encode_id(type_name="Shelf", pk=7), encode_id(type_name="Shelf", pk=8)
    assert found == {
        "shelf": {"id": seven, "label": "s7", "wood": "ELM", "books": 3, "shout": "S7"},
        "built": {"id": eight, "label": "s8", "wood": "OAK", "books": None, "shout": "S8"},
        "node": {"id": seven, "label": "s7"},
    }


def test_many_rows_go_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    query = f"{{ shelves(count: {rows.LONG}) {{ label wood books }} }}"
    with monkeypatch.context() as never:
        never.setattr(rows, "LONG", rows.LONG + 1)
        usual = answered(query)
    monkeypatch.setattr(rows.ExecutionContext, "complete_list_item_value", None)
    assert answered(query) == usual
    assert usual["shelves"][:2] == [
        {"label": "s1", "wood": "ELM", "books": 1},
        {"label": "s2", "wood": "ELM", "books": None},
    ]


class Bare:
    colour: auto


class Dusty:
    grains: auto


class Wooden:
    wood: auto


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        (Bare, r"Bare: \['colour'\] of ShelfRow say nothing; give the columns a help_text."),
        (Dusty, "ShelfRow.grains: say int for what stays below 2\\*\\*31, or BigInt."),
        (Wooden, "ShelfRow.wood: name the enum that its choices are in the API."),
    ],
)
def test_a_model_that_does_not_say_enough_is_refused(declared: type, sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        record_type(ShelfRow, description="A shelf.")(declared)


@pytest.mark.parametrize("name", ["Project", "Task", "ApiKey", "Tenant", "WorkflowState", "Actor"])
def test_the_records_types_say_what_their_models_say(name: str) -> None:
    from config.schema import schema

    kind: Any = schema._schema.type_map[name]
    model: Any = getattr(record, name)
    sentences = {each.attname: each.help_text for each in model._meta.fields if each.help_text}
    told = {
        "".join(c if c.islower() else f"_{c.lower()}" for c in key): f.description for key, f in kind.fields.items()
    }
    shared = {column for column in sentences if column in told}
    assert len(shared) >= 2
    assert {column: told[column] for column in shared} == {column: sentences[column] for column in shared}
