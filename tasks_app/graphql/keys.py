"""API keys over the API: the list, and what begins, replaces and ends one."""

from datetime import datetime, timedelta
from enum import Enum
from typing import Any

import strawberry
import strawberry_django
from django.db.models import Case, OuterRef, Subquery, TextField, Value, When
from django.db.models.functions import Coalesce, NullIf
from strawberry import auto

from tasks_app.graphql.asking import Asking, Info
from tasks_app.graphql.attempts import Payload, tried
from tasks_app.graphql.connection_fields import keyset_connection
from tasks_app.graphql.fields import may, scoped
from tasks_app.graphql.idempotency import Outcome
from tasks_app.graphql.inputs import LeftOutIsNull, checked_length, client_mutation_id, optional
from tasks_app.graphql.mutation_fields import mutation
from tasks_app.graphql.record_types import record_type
from tasks_app.graphql.user_errors import UserError
from tasks_app.graphql.viewer import ScopeName
from tasks_app.http.cursors import Column, Keyset
from tasks_app.http.node import Node, decode_pk, encode_id
from tasks_app.models import Actor, Scope, User
from tasks_app.models import ApiKey as Row
from tasks_app.operations import keys

IN_ORDER_OF_MAKING = Keyset([Column("id", "asc")])
ONCE = "Shown this once and kept nowhere; null when a clientMutationId or an Idempotency-Key was sent again."
ERASED = "someone erased"
# Neither the digest nor the owner's login, which no request may read, is fetched.
COLUMNS = (
    *("name", "prefix", "scopes", "owner_id", "allowed_cidrs", "replaced_by_id"),
    *("created_at", "expires_at", "revoked_at", "last_used_at"),
)
# The owner's name in the tenant, read with the key.
NAMES = Actor.objects.filter(tenant_id=OuterRef("tenant_id"), user_id=OuterRef("owner_id")).values("name")
NAME_OR_ERASED = Coalesce(NullIf(Subquery(NAMES), Value("")), Value(ERASED), output_field=TextField())
COMPUTED = {"owner_name": Case(When(owner_id__isnull=False, then=NAME_OR_ERASED))}


@strawberry.enum(description="Whether a key opens anything still.")
class ApiKeyStatus(Enum):
    LIVE = strawberry.enum_value("LIVE", description="It works.")
    EXPIRED = strawberry.enum_value(
        "EXPIRED", description="Its time was over, or it was rotated and the overlap is over."
    )
    REVOKED = strawberry.enum_value("REVOKED", description="Somebody ended it.")


def status_of(row: Row, *, now: datetime) -> ApiKeyStatus:
    """Whether the key works."""
    if row.revoked_at is not None:
        return ApiKeyStatus.REVOKED
    return ApiKeyStatus.EXPIRED if row.expires_at is not None and row.expires_at <= now else ApiKeyStatus.LIVE


def _scopes(root: Row) -> list[ScopeName]:  # type: ignore[valid-type]
    return [Scope(scope) for scope in sorted(root.scopes)]


def _status(root: Row, info: Info) -> ApiKeyStatus:
    return status_of(root, now=info.context.now)


def _replaced_by(root: Row) -> strawberry.ID | None:
    return encode_id(type_name="ApiKey", pk=root.replaced_by_id) if root.replaced_by_id else None


@record_type(Row, description="A key of an integration. Its secret was shown once and is kept nowhere.")
class ApiKey(Node):
    """Its values are rows, fetched with COLUMNS and COMPUTED."""

    name: auto
    prefix: auto
    scopes = strawberry_django.field(resolver=_scopes)
    owner_name: str | None = strawberry.field(description="Whose key it is; null for a service key of the tenant.")
    status = strawberry.field(resolver=_status, description="Whether it works now.")
    created_at: auto
    expires_at: auto
    revoked_at: auto
    last_used_at: auto
    allowed_cidrs: auto
    replaced_by = strawberry_django.field(resolver=_replaced_by)


@strawberry.input(description="A new key, owned by whoever makes it; made by a service key, another service key.")
class CreateApiKeyInput(LeftOutIsNull):
    name: str = strawberry.field(description="What it is for; 1 to 200 characters.")
    scopes: list[ScopeName] = strawberry.field(  # type: ignore[valid-type]
        description="What it may do: one scope or more, all of which you have yourself."
    )
    expires_at: datetime | None = optional("When it ends, in the future; left out: never.")
    allowed_cidrs: list[str] | None = optional(
        "The networks that it may be used from, such as 10.0.0.0/8; left out: everywhere."
    )
    client_mutation_id: str | None = optional(
        "Your own name for this mutation: sent again within 24 hours it answers the same key, without secret."
    )


@strawberry.input(description="A key's replacement by another with the same rights.")
class RotateApiKeyInput(LeftOutIsNull):
    id: strawberry.ID = strawberry.field(
        description="The key's id. Its owner rotates it; a service key, whoever has its scopes."
    )
    overlap_seconds: int = strawberry.field(
        description="How long the old key works beside the new one; 0 to 2,592,000 (30 days).", default=86400
    )
    client_mutation_id: str | None = optional(
        "Your own name for this mutation: sent again within 24 hours it answers the same key, without secret."
    )


@strawberry.input(description="A key's end.")
class RevokeApiKeyInput(LeftOutIsNull):
    id: strawberry.ID = strawberry.field(description="The key's id.")
    reason: str | None = optional("Why, in your words.")
    client_mutation_id: str | None = client_mutation_id()


@strawberry.type(description="A key that was made, and its secret.")
class CreateApiKeyPayload(Payload):
    api_key: ApiKey | None = strawberry.field(description="The key; null when there are errors.")
    secret: str | None = strawberry.field(description=ONCE)


@strawberry.type(description="A key that was ended.")
class RevokeApiKeyPayload(Payload):
    api_key: ApiKey | None = strawberry.field(description="The key as it is now; null when there are errors.")


@strawberry.type
class KeyQuery:
    api_keys = keyset_connection(
        Row,
        of=ApiKey,
        order=IN_ORDER_OF_MAKING,
        columns=COLUMNS,
        computed=COMPUTED,
        description="The tenant's API keys, ended ones too, in the order of their making.",
        extensions=[scoped(Scope.ADMIN)],
    )


@mutation("Makes an API key. Its secret is answered once.", scope=Scope.ADMIN)
def create_api_key(info: Info, input: CreateApiKeyInput) -> CreateApiKeyPayload:  # noqa: A002 - the API's word
    """The key and its secret."""
    asking, shown = info.context, list[str]()

    def do() -> Outcome:
        scopes = [Scope(scope).value for scope in input.scopes]
        keys.check_within(scopes, held=asking.caller.scopes, path=keys.SCOPES)
        user_id = asking.caller.user_id
        key, secret = keys.create_api_key(
            tenant_id=asking.tenant.id,
            name=input.name,
            scopes=scopes,
            owner=User(id=user_id) if user_id is not None else None,
            expires_at=input.expires_at,
            allowed_cidrs=input.allowed_cidrs,
            now=asking.now,
        )
        shown.append(asking.shown_once(secret))
        return {"apiKey": key.id}

    done = tried(info, input, do)
    return CreateApiKeyPayload(api_key=_named(done.outcome, asking), secret=_once(done.errors, shown), **done.shared)


@mutation(
    "Replaces a key by a new one with the same rights; the old one works on for `overlapSeconds`.", scope=Scope.ADMIN
)
def rotate_api_key(info: Info, input: RotateApiKeyInput) -> CreateApiKeyPayload:  # noqa: A002 - the API's word
    """The key that replaces the old one, and its secret."""
    asking, shown = info.context, list[str]()

    def do() -> Outcome:
        key, secret = keys.rotate_api_key(
            tenant_id=asking.tenant.id,
            key_id=decode_pk(input.id, type_name="ApiKey"),
            user_id=asking.caller.user_id,
            scopes=asking.caller.scopes,
            overlap=timedelta(seconds=input.overlap_seconds),
            now=asking.now,
        )
        shown.append(asking.shown_once(secret))
        return {"apiKey": key.id}

    done = tried(info, input, do)
    return CreateApiKeyPayload(api_key=_named(done.outcome, asking), secret=_once(done.errors, shown), **done.shared)


@mutation("Ends a key at once and for good.", scope=Scope.ADMIN)
def revoke_api_key(info: Info, input: RevokeApiKeyInput) -> RevokeApiKeyPayload:  # noqa: A002 - the API's word
    """The key that is ended."""
    asking = info.context

    def do() -> Outcome:
        key = keys.revoke_api_key(
            tenant_id=asking.tenant.id,
            key_id=decode_pk(input.id, type_name="ApiKey"),
            reason=checked_length(input.reason, name="reason"),
            now=asking.now,
        )
        return {"apiKey": key.id}

    done = tried(info, input, do)
    return RevokeApiKeyPayload(api_key=_named(done.outcome, asking), **done.shared)


def load_key(info: Info, pk: int) -> Any:
    """For `node`: a key of the caller's tenant, for those who may see keys."""
    return _named({"apiKey": pk}, info.context) if may(info.context.caller, Scope.ADMIN) else None


def _named(outcome: Outcome, asking: Asking) -> Any:
    """The row of the key that the outcome names: a value of ApiKey."""
    rows = Row.objects.filter(tenant_id=asking.tenant.id, id=outcome["apiKey"]) if outcome else Row.objects.none()
    return rows.only(*COLUMNS).annotate(**COMPUTED).first()


def _once(errors: list[UserError], shown: list[str]) -> str | None:
    """The secret, of a mutation that was done now."""
    return shown[0] if shown and not errors else None


MUTATIONS = (
    create_api_key,
    rotate_api_key,
    revoke_api_key,
)
