"""Fields that a wing adds to a type that all wings share: a project has its states from one, its times from another."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from strawberry.types.field import StrawberryField


@dataclass(frozen=True, kw_only=True, eq=False)
class AddedFields:
    """What one wing adds to one type; its place is the wing's `adds`."""

    of: type
    fields: Mapping[str, StrawberryField]


def adds_fields(of: type, **fields: Any) -> AddedFields:
    """Fields by their names in Python, made by `strawberry.field(resolver=..., description=...)`.

    A resolver takes the value that the field is of as `root`. Nothing is changed yet: `extend` does it.
    """
    return AddedFields(of=of, fields=fields)


def extend(added: Iterable[AddedFields]) -> None:
    """Gives the types their fields; call it before a schema is made of them. The same added twice is there once.

    ValueError where a type has another field of that name.
    """
    for each in added:
        known: list[StrawberryField] = each.of.__strawberry_definition__.fields  # type: ignore[attr-defined]
        names = {field.python_name: field for field in known}
        for name, field in each.fields.items():
            if names.get(name, field) is not field:
                raise ValueError(
                    f"{each.of.__name__} has a field {name} already; give the one that is added another name."
                )
            if name not in names:
                field.python_name = name
                field.origin = each.of
                known.append(field)
