"""Record types: GraphQL types of rows. Fields have the type, the nullability and the sentence of the model's column."""

from collections.abc import Callable
from typing import Any, TypeVar, dataclass_transform

import strawberry
import strawberry_django
from django.db.models import BigIntegerField, Field, Model
from strawberry.types.field import StrawberryField

from tasks_app.http.node import Node, node_id

Type = TypeVar("Type", bound=type)


@dataclass_transform(kw_only_default=True, field_specifiers=(strawberry.field, strawberry_django.field))
def record_type(model: type[Model], *, description: str) -> Callable[[Type], Type]:
    """Makes a class the GraphQL type of a model's rows: `name: auto` is the column `name`, with its help_text as description.

    A value may be a row of the model, or an instance of the class where something else than the row has been read. ValueError
    for a field without a sentence, and for an `auto` of which the model does not say enough.
    """

    def declared(cls: Type) -> Type:
        for name in [name for name, kind in cls.__annotations__.items() if kind is strawberry.auto]:
            _check_auto(model, name)
        if issubclass(cls, Node):
            # A row does not know what the API calls it.
            cls.__annotations__["id"] = strawberry.ID
            cls.id = node_id(cls.__name__)
        made: Type = strawberry_django.type(model, description=description)(cls)
        fields: list[StrawberryField] = made.__strawberry_definition__.fields  # type: ignore[attr-defined]
        if bare := [field.python_name for field in fields if not field.description]:
            raise ValueError(f"{cls.__name__}: {bare} of {model.__name__} say nothing; give the columns a help_text.")
        return made

    return declared


def _check_auto(model: type[Model], name: str) -> None:
    column: Any = model._meta.get_field(name)
    if isinstance(column, BigIntegerField):
        raise ValueError(f"{model.__name__}.{name}: say int for what stays below 2**31, or BigInt.")
    if isinstance(column, Field) and column.choices:
        raise ValueError(f"{model.__name__}.{name}: name the enum that its choices are in the API.")
