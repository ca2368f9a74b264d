"""API keys over the API: the list, and what begins, replaces and ends one."""

from datetime import datetime, timedelta
from enum import Enum

import strawberry

from tasks_app.graphql.asking import Asking, Info
from tasks_app.graphql.attempts import Payload, tried
from tasks_app.graphql.connection_fields import keyset_connection
from tasks_app.graphql.fields import may, scoped
from tasks_app.graphql.idempotency import Outcome
from tasks_app.graphql.inputs import LeftOutIsNull, checked_length
from tasks_app.graphql.user_errors import UserError
from tasks_app.graphql.viewer import ScopeName
from tasks_app.http.cursors import Column, Keyset
from tasks_app.http.node import Node, decode_pk, encode_id
from tasks_app.models import Actor, Scope, User
from tasks_app.models import ApiKey as Row
from tasks_app.operations import keys

IN_ORDER_OF_MAKING = Keyset([Column("id", "asc")])
ONCE = "Shown this once and kept nowhere; null when a clientMutationId or an Idempotency-Key was sent again."
# Neither the digest nor the owner's login, which no request may read, is fetched.
READ = ("tenant_id", "name", "prefix", "scopes", "owner_id", "allowed_cidrs", "replaced_by_id")
INSTANTS = ("created_at", "expires_at", "revoked_at", "last_used_at")


@strawberry.enum(description="Whether a key opens anything still.")
class ApiKeyStatus(Enum):
    LIVE = strawberry.enum_value("LIVE", description="It works.")
    EXPIRED = strawberry.enum_value(
        "EXPIRED", description="Its time was over, or it was rotated and the overlap is over."
    )
    REVOKED = strawberry.enum_value("REVOKED", description="Somebody ended it.")


@strawberry.type(description="A key of an integration. Its secret was shown once and is kept nowhere.")
class ApiKey(Node):
    name: str = strawberry.field(description="What it is for.")
    prefix: str = strawberry.field(description="How its secret begins: tells keys apart and opens nothing.")
    scopes: list[ScopeName] = strawberry.field(  # type: ignore[valid-type]
        description="What it may do, as far as its owner's role allows when it is used; in alphabetical order."
    )
    owner_name: str | None = strawberry.field(description="Whose key it is; null for a service key of the tenant.")
    status: ApiKeyStatus = strawberry.field(description="Whether it works now.")
    created_at: datetime = strawberry.field(description="When it was made.")
    expires_at: datetime | None = strawberry.field(description="From this instant on it is refused; null: never.")
    revoked_at: datetime | None = strawberry.field(description="From this instant on it is refused; null: not revoked.")
    last_used_at: datetime | None = strawberry.field(
        description="Its last use, to the minute; null when it was never used."
    )
    allowed_cidrs: list[str] = strawberry.field(
        description="The networks that it may be used from; empty for everywhere."
    )
    replaced_by: strawberry.ID | None = strawberry.field(description="The id of the key that it was rotated into.")


@strawberry.input(description="A new key, owned by whoever makes it; made by a service key, another service key.")
class CreateApiKeyInput(LeftOutIsNull):
    name: str = strawberry.field(description="What it is for; 1 to 200 characters.")
    scopes: list[ScopeName] = strawberry.field(  # type: ignore[valid-type]
        description="What it may do: one scope or more, all of which you have yourself."
    )
    expires_at: datetime | None = strawberry.field(
        description="When it ends, in the future; left out: never.", default=strawberry.UNSET
    )
    allowed_cidrs: list[str] | None = strawberry.field(
        description="The networks that it may be used from, such as 10.0.0.0/8; left out: everywhere.",
        default=strawberry.UNSET,
    )
    client_mutation_id: str | None = strawberry.field(
        description="Your own name for this mutation: sent again within 24 hours it answers the same key, without secret.",
        default=strawberry.UNSET,
    )


@strawberry.input(description="A key's replacement by another with the same rights.")
class RotateApiKeyInput(LeftOutIsNull):
    id: strawberry.ID = strawberry.field(
        description="The key's id. Its owner rotates it; a service key, whoever has its scopes."
    )
    overlap_seconds: int = strawberry.field(
        description="How long the old key works beside the new one; 0 to 2,592,000 (30 days).", default=86400
    )
    client_mutation_id: str | None = strawberry.field(
        description="Your own name for this mutation: sent again within 24 hours it answers the same key, without secret.",
        default=strawberry.UNSET,
    )


@strawberry.input(description="A key's end.")
class RevokeApiKeyInput(LeftOutIsNull):
    id: strawberry.ID = strawberry.field(description="The key's id.")
    reason: str | None = strawberry.field(description="Why, in your words.", default=strawberry.UNSET)
    client_mutation_id: str | None = strawberry.field(
        description="Your own name for this mutation: sent again within 24 hours it answers the same and does nothing.",
        default=strawberry.UNSET,
    )


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
        columns=(*READ, *INSTANTS),
        nodes=lambda rows, asking: key_nodes(rows, asking=asking),
        description="The tenant's API keys, ended ones too, in the order of their making.",
        extensions=[scoped(Scope.ADMIN)],
    )


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


@strawberry.type
class KeyMutation:
    create_api_key = strawberry.mutation(
        resolver=create_api_key,
        description="Makes an API key. Its secret is answered once.",
        extensions=[scoped(Scope.ADMIN)],
    )
    rotate_api_key = strawberry.mutation(
        resolver=rotate_api_key,
        description="Replaces a key by a new one with the same rights; the old one works on for `overlapSeconds`.",
        extensions=[scoped(Scope.ADMIN)],
    )
    revoke_api_key = strawberry.mutation(
        resolver=revoke_api_key,
        description="Ends a key at once and for good.",
        extensions=[scoped(Scope.ADMIN)],
    )


def load_key(info: Info, pk: int) -> ApiKey | None:
    """For `node`: a key of the caller's tenant, for those who may see keys."""
    return _named({"apiKey": pk}, info.context) if may(info.context.caller, Scope.ADMIN) else None


def key_nodes(rows: list[Row], *, asking: Asking) -> list[ApiKey]:
    """The keys as the API shows them, with their owners' names in one statement more."""
    owners = [row.owner_id for row in rows if row.owner_id is not None]
    actors = Actor.objects.filter(tenant_id=asking.tenant.id, user_id__in=owners) if owners else Actor.objects.none()
    names: dict[int | None, str] = dict(actors.values_list("user_id", "name"))
    return [_node(row, owner_name=names.get(row.owner_id), now=asking.now) for row in rows]


def status_of(row: Row, *, now: datetime) -> ApiKeyStatus:
    """Whether the key works."""
    if row.revoked_at is not None:
        return ApiKeyStatus.REVOKED
    return ApiKeyStatus.EXPIRED if row.expires_at is not None and row.expires_at <= now else ApiKeyStatus.LIVE


def _node(row: Row, *, owner_name: str | None, now: datetime) -> ApiKey:
    return ApiKey(
        pk=row.id,
        name=row.name,
        prefix=row.prefix,
        scopes=[Scope(scope) for scope in sorted(row.scopes)],
        owner_name=None if row.owner_id is None else owner_name or "someone erased",
        status=status_of(row, now=now),
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
        last_used_at=row.last_used_at,
        allowed_cidrs=row.allowed_cidrs,
        replaced_by=encode_id(type_name="ApiKey", pk=row.replaced_by_id) if row.replaced_by_id else None,
    )


def _named(outcome: Outcome, asking: Asking) -> ApiKey | None:
    rows = Row.objects.filter(tenant_id=asking.tenant.id, id=outcome["apiKey"]) if outcome else Row.objects.none()
    return next(iter(key_nodes(list(rows.only("id", *READ, *INSTANTS)), asking=asking)), None)


def _once(errors: list[UserError], shown: list[str]) -> str | None:
    """The secret, of a mutation that was done now."""
    return shown[0] if shown and not errors else None
