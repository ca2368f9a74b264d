"""Asking a real server, and operations made up at random from its schema."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
    is_required_input_field,
)

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
WORDS = ("todo", "doing", "done", "review", "x", "", "Europe/Stockholm", "jira", "2", "WEB", "OPS")
DEPTH = 5
PAGE = ("first", "last")
CURSORS = ("after", "before")
NAMES = ("project", "key", "task", "tasks", "source", "externalId")


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back over the socket."""

    status: int
    body: Any
    headers: Mapping[str, str]

    @property
    def codes(self) -> set[str]:
        """Of its errors."""
        return {error["extensions"]["code"] for error in self.body.get("errors", [])}


def post(url: str, *, key: str, query: str, variables: Mapping[str, Any] | None = None, timeout: float = 60) -> Reply:
    """One GraphQL request."""
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    data = json.dumps({"query": query, "variables": variables or {}}).encode()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, data=data, headers=headers), timeout=timeout
        ) as response:
            return Reply(status=response.status, body=json.load(response), headers=dict(response.headers))
    except urllib.error.HTTPError as error:
        with error:
            return Reply(status=error.code, body=json.load(error), headers=dict(error.headers))


@dataclass(kw_only=True)
class Loot:
    """What names things: ids, cursors, receipts, keys; gathered from answers and used in requests, everybody's alike."""

    ids: list[str] = field(default_factory=lambda: ["x"])
    cursors: list[str] = field(default_factory=lambda: ["x"])
    tokens: list[str] = field(default_factory=lambda: ["x"])
    keys: list[str] = field(default_factory=lambda: ["WEB", "WEB-1"])

    def gather(self, answer: Any) -> set[str]:
        """Takes what the answer holds, and says which ids those were."""
        ids: set[str] = set()
        waiting = [answer]
        while waiting:
            item = waiting.pop()
            for name, value in item.items() if isinstance(item, dict) else ():
                self._take(name, value, ids)
            waiting += item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        self.ids += sorted(ids)
        return ids

    def _take(self, name: str, value: Any, ids: set[str]) -> None:
        if name == "id" and isinstance(value, str):
            ids.add(value)
        elif name == "ledgerIds" and isinstance(value, list):
            ids.update(value)
        elif isinstance(value, str) and (kept := self._kept(name)) is not None:
            kept.append(value)

    def _kept(self, name: str) -> list[str] | None:
        kept = {"cursor": self.cursors, "endCursor": self.cursors, "startCursor": self.cursors}
        return {**kept, "token": self.tokens, "key": self.keys, "taskKey": self.keys}.get(name)


@dataclass(frozen=True, kw_only=True)
class Author:
    """Writes operations that fit the schema, with arguments of whoever's."""

    schema: GraphQLSchema
    loot: Loot
    chance: Random

    def operation(self) -> str:
        """One root field, of Query mostly, with some of what is below it."""
        mutates = self.chance.random() < 0.2
        root = self.schema.mutation_type if mutates else self.schema.query_type
        assert root is not None
        name = self.chance.choice(sorted(root.fields))
        return f"{'mutation' if mutates else 'query'} {{ {self._field(name, root.fields[name], DEPTH)} }}"

    def _field(self, name: str, declared: GraphQLField, depth: int) -> str:
        given = [
            f"{argument}: {self._value(argument, kind.type)}"
            for argument, kind in declared.args.items()
            if is_required_argument(kind) or (argument not in PAGE and self.chance.random() < 0.3)
        ]
        if "first" in declared.args and not any(each.startswith("first:") for each in given):
            given.append(f"{self.chance.choice(PAGE)}: {self.chance.randint(1, 30)}")
        return f"{name}{'(' + ', '.join(given) + ')' if given else ''} {self._selection(declared, depth)}"

    def _selection(self, declared: GraphQLField, depth: int) -> str:
        kind: Any = get_named_type(declared.type)
        if is_leaf_type(kind):
            return ""
        parts = ["__typename", *self._known(kind)]
        if isinstance(kind, GraphQLInterfaceType):
            for each in self.schema.get_implementations(kind).objects:
                parts.append(f"... on {each.name} {{ {self._below(each, depth)} }}")
            return f"{{ {' '.join(parts)} }}"
        return f"{{ {' '.join(parts)} {self._below(kind, depth)} }}"

    def _known(self, kind: Any) -> list[str]:
        return [name for name in ("id", "key", "cursor", "token", "name", "title") if name in kind.fields]

    def _below(self, kind: GraphQLObjectType, depth: int) -> str:
        wanted = [
            (name, each)
            for name, each in kind.fields.items()
            if name in ("edges", "node", "receipt") or self.chance.random() < 0.3
        ]
        # Aliases, for a field may have been chosen for itself and with other arguments beside it.
        return " ".join(
            self._field(name, each, depth - 1)
            for name, each in wanted
            if depth > 1 or is_leaf_type(get_named_type(each.type))
        )

    def _value(self, name: str, kind: Any) -> str:
        if isinstance(kind, GraphQLNonNull):
            return self._value(name, kind.of_type)
        if isinstance(kind, GraphQLList):
            return f"[{', '.join(self._value(name, kind.of_type) for _ in range(self.chance.randint(1, 2)))}]"
        if isinstance(kind, GraphQLEnumType):
            return self.chance.choice(sorted(kind.values))
        if isinstance(kind, GraphQLInputObjectType):
            return self._object(kind)
        return self._scalar(name, kind.name)

    def _object(self, kind: GraphQLInputObjectType) -> str:
        if kind.is_one_of:
            chosen = [self.chance.choice(sorted(kind.fields.items()))]
        else:
            chosen = [
                (name, each)
                for name, each in kind.fields.items()
                if is_required_input_field(each) or self.chance.random() < 0.4
            ]
        return "{" + ", ".join(f"{name}: {self._value(name, each.type)}" for name, each in chosen) + "}"

    def _scalar(self, name: str, kind: str) -> str:
        chance, loot = self.chance, self.loot
        if kind in ("Int", "Float"):
            return str(chance.randint(1, 40))
        if kind == "Boolean":
            return chance.choice(["true", "false"])
        if kind in ("DateTime", "Date"):
            instant = BEGUN + timedelta(hours=chance.randint(0, 24 * 330))
            return f'"{instant.isoformat() if kind == "DateTime" else instant.date().isoformat()}"'
        if kind == "ID":
            return json.dumps(chance.choice(loot.ids))
        if name in CURSORS:
            return json.dumps(chance.choice(loot.cursors))
        if name in ("receipt", "token"):
            return json.dumps(chance.choice(loot.tokens))
        return json.dumps(chance.choice(loot.keys if name in NAMES else WORDS))
