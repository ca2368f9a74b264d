"""Mutations as entries: the resolver of each with its scope and its sentence, of which the type Mutation is made."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import strawberry
from strawberry.extensions import FieldExtension

from tasks_app.access.matrix import Group
from tasks_app.graphql.fields import scoped
from tasks_app.models import Scope


@dataclass(frozen=True, kw_only=True)
class MutationEntry:
    """One field of Mutation: its resolver takes `info` and one `input` and returns a payload."""

    resolve: Callable[..., Any]
    description: str
    scope: Scope
    narrowed: Sequence[Group] = ()

    @property
    def name(self) -> str:
        """The field's name in Python; the API has it in camel case."""
        return self.resolve.__name__


def mutation(
    description: str, *, scope: Scope, narrowed: Sequence[Group] = ()
) -> Callable[[Callable[..., Any]], MutationEntry]:
    """For a resolver: says what the mutation does and takes, beside it. Put the entry into its module's MUTATIONS."""

    def declared(resolve: Callable[..., Any]) -> MutationEntry:
        return MutationEntry(resolve=resolve, description=description, scope=scope, narrowed=narrowed)

    return declared


def mutation_type(entries: Iterable[MutationEntry], *, description: str) -> type:
    """The type Mutation with these fields, in this order. ValueError where two have one name."""
    fields: dict[str, Any] = {}
    for entry in entries:
        if entry.name in fields:
            raise ValueError(f"Two mutations are called {entry.name}; give one of them another name.")
        extensions: list[FieldExtension] = [scoped(entry.scope, narrowed=entry.narrowed)]
        fields[entry.name] = strawberry.mutation(
            resolver=entry.resolve, description=entry.description, extensions=extensions
        )
    return strawberry.type(type("Mutation", (), fields), description=description)
