"""Who is asking, and what they may do: from a key's secret or a person's login to a Caller."""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NoReturn

from django.db import connection

from tasks_app.access_matrix import ROLE_SCOPES
from tasks_app.models import User
from tasks_app.operations.keys import digest_of, prefix_of, tenant_of
from tasks_app.refusals import Refused
from tasks_app.tenancy import Caller, CallerKind, DatabaseRole, TenantFacts, entered

USE_NOTED_EVERY = timedelta(minutes=1)

FIND_KEY = """/* access.find_key */
SELECT k.id, k.sha256, k.name, k.scopes, k.owner_id, k.expires_at, k.revoked_at, k.last_used_at,
       m.role, a.id AS actor_id
  FROM api_key k
  JOIN actor a ON a.tenant_id = k.tenant_id AND a.api_key_id = k.id
  LEFT JOIN membership m ON m.tenant_id = k.tenant_id AND m.user_id = k.owner_id
 WHERE k.tenant_id = %s AND k.prefix = %s
"""

FIND_TENANT = """/* access.find_tenant */
SELECT t.id, t.slug, t.name, t.timezone, t.fiscal_year_start_month, coalesce(o.is_active, true) AS owner_is_active
  FROM tenant t LEFT JOIN account o ON o.id = %s
 WHERE t.id = %s
"""

FIND_TENANTS_OF_USER = """/* access.find_tenants_of_user */
SELECT t.id, t.slug, t.name, t.timezone, t.fiscal_year_start_month
  FROM account_tenant ut JOIN tenant t ON t.id = ut.tenant_id
 WHERE ut.user_id = %s
 ORDER BY t.slug
"""

FIND_MEMBER = """/* access.find_member */
SELECT m.role, a.id AS actor_id
  FROM membership m JOIN actor a ON a.tenant_id = m.tenant_id AND a.user_id = m.user_id
 WHERE m.tenant_id = %s AND m.user_id = %s
"""

NOTE_USE = """/* access.note_use */
UPDATE api_key SET last_used_at = %(now)s
 WHERE tenant_id = %(tenant_id)s AND id = %(id)s AND (last_used_at IS NULL OR last_used_at <= %(earlier)s)
"""


class NotAdmitted(Refused):
    """Nobody that we know, or nobody that may enter: UNAUTHENTICATED, FORBIDDEN, or BAD_USER_INPUT without a tenant."""

    def __init__(self, message: str, *, code: str = "UNAUTHENTICATED") -> None:
        super().__init__(message, code=code)


def caller_of_key(*, secret: str, now: datetime, tenant_slug: str | None = None) -> Caller:
    """The caller that the key stands for, or NotAdmitted. A `tenant_slug` that is given must be the key's own tenant.

    Notes the key's use, at most once a minute. Not to be called inside a transaction of a tenant.
    """
    key = _key_of(secret)
    _check_alive(key, now=now)
    tenant = _one(FIND_TENANT, [key["owner_id"], key["tenant_id"]])
    if tenant is None:
        _refuse_key()
    scopes = _scopes_of_key(key, owner_is_active=tenant.pop("owner_is_active"))
    facts = TenantFacts(**tenant)
    if tenant_slug is not None and tenant_slug != facts.slug:
        raise NotAdmitted(
            "The API key is of another tenant than X-Tenant names: leave the header out.", code="FORBIDDEN"
        )
    _note_use(key, now=now)
    return Caller(
        kind=CallerKind.API_KEY,
        name=key["name"],
        tenant=facts,
        actor_id=key["actor_id"],
        role=key["role"],
        scopes=scopes,
        user_id=key["owner_id"],
        api_key_id=key["id"],
    )


def caller_of_user(*, user: User, tenant_slug: str | None) -> Caller:
    """The caller that the login is in the tenant named, or in its only one; NotAdmitted otherwise.

    A tenant of others and one that does not exist are refused in the same words.
    """
    if not user.is_active:
        raise NotAdmitted("This login is switched off: ask an administrator of your tenant.")
    tenant = _chosen(_rows(FIND_TENANTS_OF_USER, [user.pk]), slug=tenant_slug)
    with entered(tenant_id=tenant.id, role=DatabaseRole.TENANT, read_only=True):
        member = _one(FIND_MEMBER, [tenant.id, user.pk])
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


def _key_of(secret: str) -> dict[str, Any]:
    """The key's row. An unknown prefix and a wrong secret read the same, and a digest is compared in constant time."""
    tenant_id = tenant_of(secret)
    if tenant_id is None:
        raise NotAdmitted("The API key is not complete: send it exactly as it was shown when it was made.")
    with entered(tenant_id=tenant_id, role=DatabaseRole.TENANT, read_only=True):
        key = _one(FIND_KEY, [tenant_id, prefix_of(secret)])
    if key is None or not hmac.compare_digest(bytes(key["sha256"]), digest_of(secret)):
        _refuse_key()
    return {**key, "tenant_id": tenant_id}


def _refuse_key() -> NoReturn:
    raise NotAdmitted("There is no such API key: it may have been mistyped, or made for another installation.")


def _check_alive(key: Mapping[str, Any], *, now: datetime) -> None:
    if key["revoked_at"] is not None and key["revoked_at"] <= now:
        raise NotAdmitted(f"The API key was revoked at {key['revoked_at'].isoformat()}: use another.")
    if key["expires_at"] is not None and key["expires_at"] <= now:
        raise NotAdmitted(f"The API key expired at {key['expires_at'].isoformat()}: use another.")


def _scopes_of_key(key: Mapping[str, Any], *, owner_is_active: bool) -> frozenset[str]:
    scopes = frozenset(key["scopes"])
    if key["owner_id"] is None:
        return scopes
    if key["role"] is None or not owner_is_active:
        raise NotAdmitted("The owner of this API key is no longer a member of its tenant: use another key.")
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


def _one(statement: str, values: Sequence[int | str | None]) -> dict[str, Any] | None:
    return next(iter(_rows(statement, values)), None)


def _rows(statement: str, values: Sequence[int | str | None]) -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
