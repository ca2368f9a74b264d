"""Viewer: who is asking, as the API shows it."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum

import strawberry
from strawberry import auto
from strawberry.types.enum import StrawberryEnumDefinition

from tasks_app.access.matrix import ROLE_SCOPES, opens
from tasks_app.graphql.asking import Info
from tasks_app.graphql.record_types import record_type
from tasks_app.http.node import Node
from tasks_app.models import Role, Scope
from tasks_app.models import Tenant as TenantRow
from tasks_app.rate.plans import DEFAULT
from tasks_app.tenancy import CallerKind, TenantFacts

ViewerKind = strawberry.enum(
    CallerKind, name="ViewerKind", description="What a request came with: a person's session, or an API key."
)
RoleName = strawberry.enum(
    Role, name="Role", description="What a member may do in a tenant; each role stands for a set of scopes."
)
ScopeName = strawberry.enum(
    Scope, name="Scope", description="One thing that a caller may do; a field that needs a scope refuses without it."
)


def _describe_values(names: type[Enum], described: Mapping[str, str]) -> None:
    """Gives each value of the GraphQL enum its sentence. strawberry takes them from its own values alone, not from choices."""
    definition: StrawberryEnumDefinition = names.__strawberry_definition__  # type: ignore[attr-defined]
    for value in definition.values:
        value.description = described[value.value]


_describe_values(Scope, {scope: f"Opens: {opens(scope)}." for scope in Scope})
_describe_values(Role, {role: f"Has the scopes {', '.join(sorted(ROLE_SCOPES[role]))}." for role in Role})


@record_type(TenantRow, description="An organisation. Everything that a caller sees belongs to exactly one.")
class Tenant(Node):
    slug: auto
    name: auto
    timezone: auto
    fiscal_year_start_month: auto


@strawberry.type(description="Points that the caller may spend on requests; `extensions.cost` has what this one took.")
class RateLimit:
    limit: int = strawberry.field(description="How many come back in a minute.")
    remaining: int = strawberry.field(description="How many are left, with this request's most already taken off.")
    reset_at: datetime = strawberry.field(description="When all will be there again, if nothing else is asked, UTC.")


@strawberry.type(description="Whoever sent this request.")
class Viewer:
    kind: ViewerKind = strawberry.field(  # type: ignore[valid-type]
        description="Whether it came with a session or an API key."
    )
    name: str = strawberry.field(description="The person's name, or the key's.")
    tenant: Tenant = strawberry.field(description="The tenant that this request works in.")
    role: RoleName | None = strawberry.field(  # type: ignore[valid-type]
        description="The person's role in the tenant; null for API keys."
    )
    scopes: list[ScopeName] = strawberry.field(  # type: ignore[valid-type]
        description="What this caller may do; of a key what both it and its owner may, in alphabetical order."
    )

    rate_limit: RateLimit = strawberry.field(description="What this key, or this person, may still ask.")


def viewer(info: Info) -> Viewer:
    """The caller. Everybody who is admitted may ask."""
    caller = info.context.caller
    is_user = caller.kind is CallerKind.USER
    return Viewer(
        kind=CallerKind(caller.kind),
        name=caller.name,
        tenant=tenant_node(caller.tenant),
        role=Role(caller.role) if is_user and caller.role else None,
        scopes=[Scope(scope) for scope in sorted(caller.scopes)],
        rate_limit=_rate_limit(info),
    )


def _rate_limit(info: Info) -> RateLimit:
    held = info.context.held
    if held is None:  # not a request: nothing is counted
        return RateLimit(limit=DEFAULT.points_a_minute, remaining=DEFAULT.burst, reset_at=info.context.now)
    return RateLimit(limit=held.plan.points_a_minute, remaining=held.remaining, reset_at=held.reset_at)


def tenant_node(tenant: TenantFacts) -> Tenant:
    """The tenant as the API shows it."""
    return Tenant(
        pk=tenant.id,
        slug=tenant.slug,
        name=tenant.name,
        timezone=tenant.timezone,
        fiscal_year_start_month=tenant.fiscal_year_start_month,
    )


def load_tenant(info: Info, pk: int) -> Tenant | None:
    """For `node`: the caller's own tenant, and no other."""
    tenant = info.context.tenant
    return tenant_node(tenant) if tenant.id == pk else None
