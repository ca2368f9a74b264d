"""Asking the real endpoint over HTTP, with a key or a session."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.test import Client

from tasks_app.http.reading import RESPONSE_TYPE
from tasks_app.models import Scope, User
from tasks_app.operations.keys import create_api_key
from tasks_app.tenancy import entered


@dataclass(frozen=True, kw_only=True)
class Asker:
    """Somebody with a key, a session, or neither. `headers` go with every request."""

    headers: dict[str, str] = field(default_factory=dict)
    client: Client = field(default_factory=Client)

    def post(self, query: str, **variables: object) -> Any:
        """The HTTP response."""
        content = json.dumps({"query": query, "variables": variables})
        headers = {"Accept": RESPONSE_TYPE, **self.headers}
        return self.client.post("/graphql", data=content, content_type="application/json", headers=headers)

    def answer(self, query: str, **variables: object) -> Any:
        """The whole JSON answer."""
        return self.post(query, **variables).json()

    def data(self, query: str, **variables: object) -> Any:
        """The data of an answer without errors."""
        answer = self.answer(query, **variables)
        assert "errors" not in answer, answer
        return answer["data"]

    def error(self, query: str, **variables: object) -> tuple[str, str]:
        """The code and message of the only error."""
        answer = self.answer(query, **variables)
        assert len(answer.get("errors", [])) == 1, answer
        only = answer["errors"][0]
        return only["extensions"]["code"], only["message"]

    def mutate(self, mutation: str, selection: str, **given: object) -> Any:
        """The payload of one mutation, its errors and clientMutationId with it."""
        kind = mutation[0].upper() + mutation[1:]
        query = (
            f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input)"
            f" {{ {selection} errors {{ code message path }} clientMutationId }} }}"
        )
        return self.data(query, input=given)[mutation]


def with_key(secret: str) -> Asker:
    """Somebody with that key."""
    return Asker(headers={"Authorization": f"Bearer {secret}"})


def with_session(user: User, *, tenant: str | None = None) -> Asker:
    """A browser in which the person has signed in, sending its CSRF token as a page of ours would."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    token = "t" * 32
    client.cookies["csrftoken"] = token
    named = {"X-Tenant": tenant} if tenant is not None else {}
    return Asker(client=client, headers={"X-CSRFToken": token, **named})


def new_key(
    *,
    tenant_id: int,
    scopes: Sequence[str] = tuple(Scope.values),
    owner: User | None = None,
    expires_at: datetime | None = None,
    now: datetime | None = None,
) -> str:
    """A new key's secret."""
    with entered(tenant_id=tenant_id):
        _, secret = create_api_key(
            tenant_id=tenant_id,
            name="a test's key",
            scopes=scopes,
            owner=owner,
            expires_at=expires_at,
            now=now or datetime.now(UTC),  # noqa: TID251
        )
    return secret
