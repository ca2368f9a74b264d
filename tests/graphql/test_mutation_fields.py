"""The type Mutation is what its entries say: names, sentences and scopes; two of one name are refused."""

from typing import Any

import pytest
import strawberry

from analytics.engine.wings import wings
from analytics.graphql.mutations import mutations_of
from tasks_app.access.matrix import VALIDATION, WHOLE, described
from tasks_app.graphql.mutation_fields import mutation, mutation_type
from tasks_app.http.schema import Schema
from tasks_app.models import Scope


@mutation("Lights a lamp.", scope=Scope.TASKS_WRITE, narrowed=[VALIDATION])
def light_lamp(info: strawberry.Info[Any, Any], watts: int) -> str:
    return f"{watts} W"


@strawberry.type
class Query:
    watts: int = 40


def test_a_field_is_what_its_entry_says() -> None:
    changed = mutation_type([light_lamp], description="What changes lamps.")
    made: Any = Schema(query=Query, mutation=changed)._schema.mutation_type
    assert made.description == "What changes lamps."
    (name, field) = next(iter(made.fields.items()))
    assert name == "lightLamp"
    assert field.description == f"Lights a lamp. {described(WHOLE[Scope.TASKS_WRITE])} {described(VALIDATION)}"


def test_two_mutations_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match=r"^Two mutations are called light_lamp; give one of them another name\.$"):
        mutation_type([light_lamp, light_lamp], description="")


def test_every_mutation_of_the_product_says_what_it_takes() -> None:
    entries = mutations_of(wings())
    assert len(entries) >= 15
    assert [entry.name for entry in entries if not entry.description.endswith(".")] == []
