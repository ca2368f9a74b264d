"""Figures as fields of a GraphQL type, made from their records; and the parts of a figure, as its type declares them."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

import strawberry
from strawberry.types import get_object_definition
from strawberry.types.field import StrawberryField

from analytics.engine.figure import Figure, Measure, Part
from tasks_app.graphql.connection_fields import Paged

T = TypeVar("T", bound=type)
HUMP: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
MEASURE, UNIT = "measure", "unit"


def counts(unit: str, measure: Measure = Measure.WHOLE) -> Mapping[str, Any]:
    """The metadata of a field that is part of a figure: `strawberry.field(description=..., metadata=counts(Unit.ITEMS))`."""
    return {UNIT: unit, MEASURE: measure}


def parts_of(kind: type, *, beside: Collection[str] = ()) -> tuple[Part, ...]:
    """The parts that the type's fields declare; `beside` are fields that count nothing, such as an argument repeated.

    ValueError for any other field that does not say what it counts, or has no sentence.
    """
    fields = {_name(each): each for each in _fields(kind)}
    return tuple(_part(kind, name, each) for name, each in fields.items() if name not in beside)


def with_figures(figures: Sequence[Figure]) -> Callable[[T], T]:
    """Gives the class a field for each figure: its name, sentence and arguments. For use below `strawberry.type`."""

    def add(kind: T) -> T:
        for figure in figures:
            check_parts(figure)
            declared = strawberry.field(
                resolver=figure.resolver,
                name=figure.name,
                description=figure.sentence,
                extensions=[Paged()] if figure.paged else [],
            )
            setattr(kind, HUMP.sub("_", figure.name).lower(), declared)
        return kind

    return add


def check_parts(figure: Figure) -> None:
    """ValueError where the field shows an object and the record does not name its parts."""
    shown = get_type_hints(figure.resolver)["return"]
    kinds = [kind for kind in (shown, *get_args(shown)) if get_object_definition(kind) is not None]
    if kinds and get_origin(shown) is not list and not figure.paged and not figure.parts:
        raise ValueError(
            f"The figure {figure.name!r} has no parts, and {kinds[0].__name__} has fields; "
            f"its record has to say parts=parts_of({kinds[0].__name__})."
        )


def _fields(kind: type) -> list[StrawberryField]:
    return list(kind.__strawberry_definition__.fields)  # type: ignore[attr-defined]


def _name(declared: StrawberryField) -> str:
    head, *rest = (declared.graphql_name or declared.python_name).rstrip("_").split("_")
    return head + "".join(word.capitalize() for word in rest)


def _part(kind: type, name: str, declared: StrawberryField) -> Part:
    said, sentence = declared.metadata, declared.description
    if UNIT not in said:
        raise ValueError(f"{kind.__name__}.{name} does not say what it counts; declare it with metadata=counts(...).")
    if not sentence:
        raise ValueError(f"{kind.__name__}.{name} has no sentence; declare it with a description.")
    return Part(name=name, measure=said[MEASURE], unit=said[UNIT], sentence=sentence)
