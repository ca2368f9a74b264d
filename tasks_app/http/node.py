"""Node of Relay: one interface, opaque ids, and the field that looks any of them up."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import strawberry

from tasks_app.errors import ApiError, Code

NODE_ID = re.compile(r"(?P<type>[A-Z][A-Za-z0-9]{0,63}):(?P<pk>[1-9][0-9]{0,18})", re.ASCII)
LAST_PK = 2**63 - 1
LONGEST_ID = 128


ID_SENTENCE = "Opaque and stable; the same thing always has the same id."


def _node_id(root: Any) -> strawberry.ID:
    return encode_id(type_name=root.__strawberry_definition__.name, pk=root.pk)


def node_id(type_name: str) -> Any:
    """The field `id` of a type whose values have a primary key `pk`, whatever their class."""

    def of(root: Any) -> strawberry.ID:
        return encode_id(type_name=type_name, pk=root.pk)

    return strawberry.field(resolver=of, description=ID_SENTENCE)


@strawberry.interface(description="Anything that has an id of its own and can be fetched by it.")
class Node:
    """Types derive from it and are made with the primary key of their row: `Task(pk=5, ...)`."""

    pk: strawberry.Private[int]
    id: strawberry.ID = strawberry.field(resolver=_node_id, description=ID_SENTENCE)


NodeLoader = Callable[[strawberry.Info[Any, Any], int], Node | None]


@dataclass(frozen=True)
class NodeKey:
    """What an id stands for."""

    type_name: str
    pk: int


def encode_id(*, type_name: str, pk: int) -> strawberry.ID:
    """The opaque id of one row: its only spelling."""
    text = f"{type_name}:{pk}".encode()
    return strawberry.ID(base64.urlsafe_b64encode(text).decode().rstrip("="))


def decode_id(node_id: str) -> NodeKey | None:
    """What the id stands for, or None for anything that `encode_id` did not make."""
    match = NODE_ID.fullmatch(_decoded(node_id))
    if match is None or int(match["pk"]) > LAST_PK:
        return None
    key = NodeKey(type_name=match["type"], pk=int(match["pk"]))
    return key if encode_id(type_name=key.type_name, pk=key.pk) == node_id else None


def decode_pk(node_id: str, *, type_name: str) -> int | None:
    """The primary key behind an id of the type named, or None for any other id."""
    key = decode_id(node_id)
    return key.pk if key is not None and key.type_name == type_name else None


def node_field(*, loaders: Mapping[str, NodeLoader]) -> Any:
    """The field `node(id: ID!): Node`, looking ids up by the loader of their type.

    A bad id, an unknown type and a row that the loader does not find are all the same NOT_FOUND, beside a null.
    """

    def node(
        info: strawberry.Info[Any, Any], node_id: Annotated[strawberry.ID, strawberry.argument(name="id")]
    ) -> Node | None:
        key = decode_id(node_id)
        load = loaders.get(key.type_name) if key else None
        found = load(info, key.pk) if key and load else None
        if found is None:
            raise ApiError("id: there is nothing with this id.", code=Code.NOT_FOUND)
        return found

    return strawberry.field(
        resolver=node,
        description="Anything with an id. NOT_FOUND if there is no such thing, or none that the caller may see.",
    )


def _decoded(node_id: str) -> str:
    """The text inside, or an empty string: nobody needs to know what was wrong with an opaque id."""
    if len(node_id) > LONGEST_ID:
        return ""
    padded = node_id + "=" * (-len(node_id) % 4)
    try:
        return base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
    except (binascii.Error, ValueError):
        return ""
