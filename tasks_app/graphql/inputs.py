"""What the inputs of mutations share: what may be left out, the names that they have in common, and how text is made clean."""

from dataclasses import fields
from typing import Any

import strawberry

from tasks_app.http.node import decode_pk
from tasks_app.refusals import Refused

LONGEST_WORDS = 10_000


class LeftOutIsNull:
    """For inputs: what is left out reads like null. UNSET as default keeps `= null` out of the schema."""

    def __post_init__(self) -> None:
        for each in fields(self):  # type: ignore[arg-type]
            if getattr(self, each.name) is strawberry.UNSET:
                setattr(self, each.name, None)


def optional(description: str) -> Any:
    """A field of an input that may be left out, or null."""
    return strawberry.field(description=description, default=strawberry.UNSET)


def client_mutation_id(*, again: str = "the same and does nothing") -> Any:
    """The field that every mutation's input has; `again` is what it answers when it is sent once more."""
    return optional(f"Your own name for this mutation: sent again within 24 hours it answers {again}.")


def happened_at() -> Any:
    """The field of an input for what may have happened earlier than now."""
    return optional("When it happened; default now. It may lie in the past, never in the future.")


def actor_pk(node_id: str | None) -> int | None:
    """The actor that an assignee's id stands for; None for nobody. Any other text is refused like an unknown actor."""
    if node_id is None:
        return None
    pk = decode_pk(node_id, type_name="Actor")
    if pk is None:
        raise Refused("There is no such actor to assign to.", code="NOT_FOUND", path=("input", "assignee"))
    return pk


def checked_length(text: str | None, *, name: str, longest: int = LONGEST_WORDS) -> str | None:
    """The text, refused when it is longer than can be kept."""
    if text is not None and len(text) > longest:
        raise Refused(f"{name}: {len(text):,} characters are too many; {longest:,} are kept.", path=("input", name))
    return text
