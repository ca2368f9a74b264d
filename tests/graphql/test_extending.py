"""Wings add fields to types that they share, each once, and none over another's."""

from typing import Any

import pytest
import strawberry

from analytics.engine.graphql.extending import adds_fields, extend
from analytics.engine.graphql.projects import ProjectBatch
from tasks_app.http.schema import Schema

READ: list[list[int]] = []


def lit(batch: ProjectBatch) -> dict[int, bool]:
    READ.append(list(batch.ids))
    return {pk: pk % 2 == 1 for pk in batch.ids}


def lamps() -> Any:
    """A new type of its own, so that no test sees what another added."""

    @strawberry.type
    class Lamp:
        pk: strawberry.Private[int]
        batch: strawberry.Private[ProjectBatch]
        label: str

    return Lamp


def is_lit(root: Any, negated: bool = False) -> bool:
    return bool(root.batch.once(lit)[root.pk]) is not negated


def schema_of(lamp: Any) -> Schema:
    def shown() -> list[Any]:
        batch = ProjectBatch(tenant_id=1, ids=[1, 2, 3])
        return [lamp(pk=pk, batch=batch, label=f"L{pk}") for pk in batch.ids]

    field = strawberry.field(resolver=shown, graphql_type=list[lamp])
    return Schema(query=strawberry.type(type("Query", (), {"lamps": field})))


def test_an_added_field_is_answered_like_any_other_and_read_once_for_all() -> None:
    lamp = lamps()
    lights = adds_fields(lamp, is_lit=strawberry.field(resolver=is_lit, description="Whether it is lit."))
    extend([lights])
    extend([lights])  # as when a schema is made again
    schema = schema_of(lamp)
    READ.clear()
    found = schema.execute_sync("{ lamps { label isLit off: isLit(negated: true) } }")
    assert found.errors is None
    assert found.data == {
        "lamps": [
            {"label": "L1", "isLit": True, "off": False},
            {"label": "L2", "isLit": False, "off": True},
            {"label": "L3", "isLit": True, "off": False},
        ]
    }
    assert READ == [[1, 2, 3]]
    fields: Any = schema._schema.type_map["Lamp"]
    assert list(fields.fields) == ["label", "isLit"]
    assert fields.fields["isLit"].description == "Whether it is lit."


@pytest.mark.parametrize("name", ["label", "is_lit"])
def test_a_name_that_the_type_has_is_refused(name: str) -> None:
    lamp = lamps()
    extend([adds_fields(lamp, is_lit=strawberry.field(resolver=is_lit))])
    sentence = f"^Lamp has a field {name} already; give the one that is added another name\\.$"
    with pytest.raises(ValueError, match=sentence):
        extend([adds_fields(lamp, **{name: strawberry.field(resolver=is_lit)})])


def test_nothing_is_changed_before_the_schema_is_made() -> None:
    lamp = lamps()
    adds_fields(lamp, is_lit=strawberry.field(resolver=is_lit))
    assert "isLit" not in schema_of(lamp)._schema.type_map["Lamp"].fields  # type: ignore[attr-defined]
