"""Callers: who is asking, and what they may do, from a key's secret or a person's login."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from psycopg.sql import SQL, Literal

from tasks_app.access.matrix import ROLE_SCOPES
from tasks_app.models import User
from tasks_app.networks import Address, may_come_from
from tasks_app.operations.keys import digest_of, prefix_of, tenant_of
from tasks_app.refusals import Refused
from tasks_app.tenancy import Caller, CallerKind, DatabaseRole, TenantFacts, entered, looked_up

GONE = "Whoever asked is gone: ask again."
USE_NOTED_EVERY = timedelta(minutes=1)

# Which key it is decides whose login is looked at next, where the tenant's role may not read: the number goes along in a
# setting of the transaction.
FIND_KEY = SQL("""/* access.find_key */
SELECT k.id, k.sha256, k.name, k.scopes, k.owner_id, k.expires_at, k.revoked_at, k.last_used_at, k.allowed_cidrs,
       k.replaced_by_id, m.role, a.id AS actor_id, set_config('app.key_owner', coalesce(k.owner_id, 0)::text, true)
  FROM api_key k
  JOIN actor a ON a.tenant_id = k.tenant_id AND a.api_key_id = k.id
  LEFT JOIN membership m ON m.tenant_id = k.tenant_id AND m.user_id = k.owner_id
 WHERE k.tenant_id = {tenant_id} AND k.prefix = {prefix}
""")

FIND_TENANT = SQL("""/* access.find_tenant */
SELECT t.id, t.slug, t.name, t.timezone, t.fiscal_year_start_month, coalesce(o.is_active, true) AS owner_is_active
  FROM tenant t LEFT JOIN account o ON o.id = nullif(current_setting('app.key_owner', true), '')::int
 WHERE t.id = {tenant_id}
""")

FIND_TENANTS_OF_USER = """/* access.find_tenants_of_user */
SELECT t.id, t.slug, t.name, t.timezone, t.fiscal_year_start_month
  FROM account_tenant ut JOIN tenant t ON t.id = ut.tenant_id
 WHERE ut.user_id = %s
 ORDER BY t.slug
"""

FIND_MEMBER = SQL("""/* access.find_member */
SELECT m.role, a.id AS actor_id
  FROM membership m JOIN actor a ON a.tenant_id = m.tenant_id AND a.user_id = m.user_id
 WHERE m.tenant_id = {tenant_id} AND m.user_id = {user_id}
""")

FIND_ACTOR = SQL("""/* access.find_actor */
SELECT a.user_id AS person_id, k.id, k.name, k.scopes, k.owner_id, k.expires_at, k.revoked_at, k.replaced_by_id, m.role,
       a.id AS actor_id, set_config('app.key_owner', coalesce(k.owner_id, 0)::text, true)
  FROM actor a
  LEFT JOIN api_key k ON k.tenant_id = a.tenant_id AND k.id = a.api_key_id
  LEFT JOIN membership m ON m.tenant_id = a.tenant_id AND m.user_id = k.owner_id
 WHERE a.tenant_id = {tenant_id} AND a.id = {actor_id}
""")

NOTE_USE = """/* access.note_use */
UPDATE api_key SET last_used_at = %(now)s
 WHERE tenant_id = %(tenant_id)s AND id = %(id)s AND (last_used_at IS NULL OR last_used_at <= %(earlier)s)
"""


class NotAdmitted(Refused):
    """Nobody that we know, or nobody that may enter: UNAUTHENTICATED, FORBIDDEN, or BAD_USER_INPUT without a tenant.

    `reason` is a word for programs, where there is one: what is wrong with a key.
    """

    def __init__(self, message: str, *, code: str = "UNAUTHENTICATED", reason: str = "") -> None:
        super().__init__(message, code=code)
        self.reason = reason


def caller_of_key(
    *, secret: str, now: datetime, tenant_slug: str | None = None, address: Address | None = None
) -> Caller:
    """The caller that the key stands for, or NotAdmitted. A `tenant_slug` that is given must be the key's own tenant.

    `address` is where the request comes from. Notes the key's use, at most once a minute. One round trip else. Not to be
    called inside a transaction of a tenant.
    """
    key, tenant = _key_of(secret)
    _check_alive(key, now=now)
    scopes = _scopes_of_key(key, owner_is_active=tenant.pop("owner_is_active"))
    facts = TenantFacts(**tenant)
    if tenant_slug is not None and tenant_slug != facts.slug:
        raise NotAdmitted(
            "The API key is of another tenant than X-Tenant names: leave the header out.", code="FORBIDDEN"
        )
    if not may_come_from(address, key["allowed_cidrs"]):
        raise NotAdmitted(
            "The API key may not be used from this address: its allowedCidrs name others.",
            code="FORBIDDEN",
            reason="KEY_NOT_FROM_HERE",
        )
    _note_use(key, now=now)
    return _caller(key, tenant=facts, scopes=scopes)


def caller_of_user(*, user: User, tenant_slug: str | None) -> Caller:
    """The caller that the login is in the tenant named, or in its only one; NotAdmitted otherwise.

    A tenant of others and one that does not exist are refused in the same words.
    """
    if not user.is_active:
        raise NotAdmitted("This login is switched off: ask an administrator of your tenant.")
    tenant = _chosen(_rows(FIND_TENANTS_OF_USER, [user.pk]), slug=tenant_slug)
    member = _member(tenant_id=tenant.id, user_id=user.pk)
    if member is None:
        raise _stranger(tenant.slug)
    return Caller(
        kind=CallerKind.USER,
        name=user.name or user.email,
        tenant=tenant,
        actor_id=member["actor_id"],
        role=member["role"],
        scopes=ROLE_SCOPES[member["role"]],
        user_id=user.pk,
    )


def caller_of_actor(*, tenant_id: int, actor_id: int, now: datetime) -> Caller:
    """Who asked earlier, with what they may do now; NotAdmitted when they would not be admitted any more.

    Not to be called inside a transaction of a tenant.
    """
    actors, tenants = looked_up(
        tenant_id=tenant_id,
        inside=_text(FIND_ACTOR, tenant_id=tenant_id, actor_id=actor_id),
        outside=_text(FIND_TENANT, tenant_id=tenant_id),
    )
    if not (actors and tenants):
        raise NotAdmitted(GONE)
    found, tenant = actors[0], tenants[0]
    owner_is_active = tenant.pop("owner_is_active")
    if found["id"] is not None:
        _check_alive(found, now=now)
        scopes = _scopes_of_key(found, owner_is_active=owner_is_active)
        return _caller(found, tenant=TenantFacts(**tenant), scopes=scopes)
    user = User.objects.filter(pk=found["person_id"]).first()
    if user is None:
        raise NotAdmitted(GONE)
    return caller_of_user(user=user, tenant_slug=tenant["slug"])


def _caller(key: Mapping[str, Any], *, tenant: TenantFacts, scopes: frozenset[str]) -> Caller:
    return Caller(
        kind=CallerKind.API_KEY,
        name=key["name"],
        tenant=tenant,
        actor_id=key["actor_id"],
        role=key["role"],
        scopes=scopes,
        user_id=key["owner_id"],
        api_key_id=key["id"],
    )


def _key_of(secret: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The key's row and its tenant's. An unknown prefix and a wrong secret read the same.

    Digests are compared in constant time.
    """
    tenant_id = tenant_of(secret)
    if tenant_id is None:
        raise NotAdmitted(
            "The API key is not complete: send it exactly as it was shown when it was made.", reason="KEY_MALFORMED"
        )
    keys, tenants = looked_up(
        tenant_id=tenant_id,
        inside=_text(FIND_KEY, tenant_id=tenant_id, prefix=prefix_of(secret)),
        outside=_text(FIND_TENANT, tenant_id=tenant_id),
    )
    if not (keys and tenants and hmac.compare_digest(bytes(keys[0]["sha256"]), digest_of(secret))):
        raise NotAdmitted(
            "There is no such API key: it may have been mistyped, or made for another installation.",
            reason="KEY_UNKNOWN",
        )
    return {**keys[0], "tenant_id": tenant_id}, tenants[0]


def _check_alive(key: Mapping[str, Any], *, now: datetime) -> None:
    if key["revoked_at"] is not None and key["revoked_at"] <= now:
        raise NotAdmitted(
            f"The API key was revoked at {key['revoked_at'].isoformat()}: use another.", reason="KEY_REVOKED"
        )
    if key["expires_at"] is not None and key["expires_at"] <= now:
        other = "use another" if key["replaced_by_id"] is None else "use the one that replaced it"
        raise NotAdmitted(f"The API key expired at {key['expires_at'].isoformat()}: {other}.", reason="KEY_EXPIRED")


def _scopes_of_key(key: Mapping[str, Any], *, owner_is_active: bool) -> frozenset[str]:
    scopes = frozenset(key["scopes"])
    if key["owner_id"] is None:
        return scopes
    if key["role"] is None or not owner_is_active:
        raise NotAdmitted(
            "The owner of this API key is no longer a member of its tenant: use another key.", reason="KEY_OWNER_GONE"
        )
    return scopes & ROLE_SCOPES[key["role"]]


def _note_use(key: Mapping[str, Any], *, now: datetime) -> None:
    """In a transaction of its own: the request's may be read-only, or be rolled back."""
    earlier = now - USE_NOTED_EVERY
    if key["last_used_at"] is not None and key["last_used_at"] > earlier:
        return
    values = {"tenant_id": key["tenant_id"], "id": key["id"], "now": now, "earlier": earlier}
    with entered(tenant_id=key["tenant_id"], role=DatabaseRole.TENANT), connection.cursor() as cursor:
        cursor.execute(NOTE_USE, values)


def _chosen(tenants: Iterable[dict[str, Any]], *, slug: str | None) -> TenantFacts:
    """Compared here, not in SQL: nothing that a header holds reaches the database."""
    mine = {row["slug"]: TenantFacts(**row) for row in tenants}
    if slug is not None:
        if slug not in mine:
            raise _stranger(slug)
        return mine[slug]
    if not mine:
        raise NotAdmitted("This login is a member of no tenant: ask an administrator of one.", code="FORBIDDEN")
    if len(mine) > 1:
        names = ", ".join(mine)
        raise NotAdmitted(
            f"X-Tenant: this login is a member of {names}; name one of them in this header.", code="BAD_USER_INPUT"
        )
    return next(iter(mine.values()))


def _stranger(slug: str) -> NotAdmitted:
    return NotAdmitted(f"X-Tenant: this login is a member of no tenant {slug[:63]!r}.", code="FORBIDDEN")


def _member(*, tenant_id: int, user_id: int) -> dict[str, Any] | None:
    """The person's role and actor there; None for a stranger."""
    members, _ = looked_up(
        tenant_id=tenant_id, inside=_text(FIND_MEMBER, tenant_id=tenant_id, user_id=user_id), outside="SELECT 1 AS done"
    )
    return next(iter(members), None)


def _text(statement: SQL, **values: int | str) -> str:
    """The statement with its values in it, quoted: several statements that travel together have no parameters."""
    connection.ensure_connection()
    quoted = {name: Literal(value) for name, value in values.items()}
    return statement.format(**quoted).as_string(connection.connection)


def _rows(statement: str, values: Sequence[int | str | None]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
