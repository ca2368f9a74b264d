"""A small schema behind the real view, asked by HTTP. Tests use it by `pytest.mark.urls(URLS)`."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import strawberry
from django.db import DataError
from django.http import HttpRequest
from django.test import Client
from django.urls import path
from graphql import GraphQLError, OperationType
from strawberry.extensions import SchemaExtension

from tasks_app.errors import ApiError, Code
from tasks_app.http.costs import Bill
from tasks_app.http.node import Node, node_field
from tasks_app.http.reading import RESPONSE_TYPE
from tasks_app.http.scalars import JSON, BigInt
from tasks_app.http.schema import Schema
from tasks_app.http.view import GraphQLHTTPView

URLS = __name__
KEY = {"Authorization": "Bearer good"}
SECRET = "relation secret_table does not exist"


@strawberry.type
class Lamp(Node):
    watts: int = 40


@strawberry.input(one_of=True)
class Choice:
    number: int | None = strawberry.UNSET
    text: str | None = strawberry.UNSET


def load_lamp(info: strawberry.Info[Any, Any], pk: int) -> Lamp | None:
    return Lamp(pk=pk) if pk < 100 else None


@strawberry.type
class Query:
    node: Node | None = node_field(loaders={"Lamp": load_lamp})

    @strawberry.field
    def hello(self, name: str = "you") -> str:
        return f"hello {name}"

    @strawberry.field
    def refused(self) -> str | None:
        raise ApiError("No such task.", code=Code.NOT_FOUND, extensions={"argument": "key"})

    @strawberry.field
    def broken(self) -> str | None:
        raise RuntimeError(SECRET)

    @strawberry.field
    def bad_data(self) -> str | None:
        raise DataError("PostgreSQL text fields cannot contain NUL (0x00) bytes")

    @strawberry.field
    def graphql_error(self) -> str | None:
        raise GraphQLError(SECRET)

    @strawberry.field
    def too_big(self) -> int | None:
        return 2**40

    @strawberry.field
    def missing(self) -> str:
        return None  # type: ignore[return-value]

    @strawberry.field
    def unserialisable(self) -> JSON:
        return JSON({"at": object()})

    @strawberry.field
    def not_a_number(self) -> JSON:
        return JSON(float("nan"))

    @strawberry.field
    def echo(
        self,
        at: datetime | None = strawberry.UNSET,
        day: date | None = strawberry.UNSET,
        amount: Decimal | None = strawberry.UNSET,
        big: BigInt | None = strawberry.UNSET,
        data: JSON | None = strawberry.UNSET,
    ) -> JSON:
        given = {"at": at, "day": day, "amount": amount, "big": big, "data": data}
        return JSON({name: str(value) for name, value in given.items() if value is not strawberry.UNSET})

    @strawberry.field
    def instant(self, at: datetime) -> datetime:
        return at

    @strawberry.field
    def pick(self, choice: Choice) -> str:
        return str(choice.text if choice.number is strawberry.UNSET else choice.number)

    @strawberry.field
    def naive(self) -> datetime | None:
        return datetime(2026, 3, 1, 9, 0)  # noqa: DTZ001


@strawberry.type
class Mutation:
    @strawberry.mutation
    def save(self) -> str:
        return "saved"

    @strawberry.mutation
    def fail(self) -> str | None:
        raise ApiError("Already done.")


@dataclass
class Opened:
    """The context of one operation, and what happened to it."""

    kind: OperationType
    headers: dict[str, str] = field(default_factory=lambda: {"RateLimit": '"default";r=50;t=30'})
    costs: list[int] = field(default_factory=list)
    kept: dict[str, str] = field(default_factory=dict)
    rolled_back: bool = False
    closed: bool = False
    failed: bool = False

    def rollback(self) -> None:
        self.rolled_back = True

    def spent(self, points: int) -> Mapping[str, object]:
        self.costs.append(points)
        return {"actual": points}

    def recall(self, name: str, fingerprint: bytes) -> str | None:
        return KEPT.get(name)

    def keep(self, body: str) -> None:
        self.kept["answer"] = body


# Answers to requests that were done before, by their names.
KEPT: dict[str, str] = {"done": '{"data":{"save":"before"}}'}
OPENED: list[Opened] = []


@contextmanager
def open_request(request: HttpRequest, kind: OperationType, bill: Callable[[], Bill]) -> Iterator[Opened]:
    opened = Opened(kind=kind)
    answers: Mapping[str | None, ApiError | Exception] = {
        None: ApiError("Sign in, or send an API key.", code=Code.UNAUTHENTICATED),
        "Bearer narrow": ApiError("The key lacks a scope.", code=Code.FORBIDDEN),
        "Bearer fast": ApiError("Too many requests.", code=Code.RATE_LIMITED, extensions={"retryAfter": 7}),
        "Bearer broken": RuntimeError(SECRET),
    }
    signed_in = "sessionid" in request.COOKIES
    refusal = None if signed_in else answers.get(request.headers.get("Authorization"))
    if refusal is not None:
        raise refusal
    bill()
    OPENED.append(opened)
    try:
        yield opened
    except Exception:
        opened.failed = True
        raise
    opened.closed = True
    if request.headers.get("Authorization") == "Bearer unlucky":
        raise RuntimeError(SECRET)


class Cost(SchemaExtension):
    """A rule outside resolvers: it refuses one operation by name, and breaks on another."""

    def on_execute(self) -> Iterator[None]:
        if self.execution_context.operation_name == "Dear":
            raise ApiError("This costs too much.", code=Code.COST_EXCEEDED, extensions={"cost": 9})
        if self.execution_context.operation_name == "Broken":
            raise RuntimeError(SECRET)
        yield


urlpatterns = [
    path(
        "graphql",
        GraphQLHTTPView(
            schema=Schema(query=Query, mutation=Mutation, types=[Lamp], extensions=[Cost]),
            open_request=open_request,
        ),
    )
]


def post(body: object, *, accept: str = RESPONSE_TYPE, headers: Mapping[str, str] | None = None) -> Any:
    content = body if isinstance(body, str | bytes) else json.dumps(body)
    sent = {"Accept": accept, **(KEY if headers is None else headers)}
    return Client().post("/graphql", data=content, content_type="application/json", headers=sent)


def ask(query: str, **variables: object) -> Any:
    return post({"query": query, "variables": variables}).json()


def only_error(answer: Any) -> Any:
    assert len(answer["errors"]) == 1, answer
    return answer["errors"][0]
