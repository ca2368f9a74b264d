"""API keys page, and the history of who may do what. Of secrets there is nothing to show."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.http.response import HttpResponseBase

from tasks_app.admin.visits import Visit
from tasks_app.models import AccessKind, AccessLedger, Actor, ApiKey, FactNote, Role, Scope
from tasks_app.rate.plans import DEFAULT

# A list is shown whole up to here: more keys or changes than this are no list that people read.
MOST_ROWS = 1000
KEY_FIELDS = (
    "id",
    "name",
    "prefix",
    "scopes",
    "owner_id",
    "created_at",
    "expires_at",
    "revoked_at",
    "last_used_at",
    "allowed_cidrs",
    "replaced_by_id",
)
KEY_KINDS = (AccessKind.KEY_CREATED, AccessKind.KEY_CHANGED, AccessKind.KEY_REPLACED, AccessKind.KEY_REVOKED)
MEMBER_KINDS = (AccessKind.JOINED, AccessKind.ROLE_CHANGED, AccessKind.LEFT)
PLAN_KINDS = (AccessKind.PLAN_GIVEN, AccessKind.PLAN_CHANGED, AccessKind.PLAN_TAKEN_BACK)
SENTENCES: Mapping[int, str] = {
    AccessKind.JOINED: "became a member",
    AccessKind.ROLE_CHANGED: "got another role",
    AccessKind.LEFT: "left",
    AccessKind.KEY_CREATED: "was made",
    AccessKind.KEY_CHANGED: "was changed",
    AccessKind.KEY_REPLACED: "was replaced",
    AccessKind.KEY_REVOKED: "was revoked",
    AccessKind.PLAN_GIVEN: "was given",
    AccessKind.PLAN_CHANGED: "was changed",
    AccessKind.PLAN_TAKEN_BACK: "was taken back",
}
ERASED = "someone erased"


def api_keys(visit: Visit) -> HttpResponseBase:
    """The tenant's keys: what they may do and whether they still live; below, everything that was done to them."""
    found = ApiKey.objects.filter(tenant_id=visit.tenant.id).order_by("name", "id").values(*KEY_FIELDS)
    rows = list(found[:MOST_ROWS])
    names = people(visit, [row["owner_id"] for row in rows if row["owner_id"]])
    prefixes = {row["id"]: row["prefix"] for row in rows}
    told = [
        {
            **row,
            "owner": names.get(row["owner_id"]),
            "status": _status(row["revoked_at"], row["expires_at"], visit.now),
            "replaced_by": prefixes.get(row["replaced_by_id"]),
        }
        for row in rows
    ]
    return visit.page("admin/api_keys.html", title="API keys", keys=told, changes=changes(visit, kinds=KEY_KINDS))


def people(visit: Visit, user_ids: Iterable[int]) -> dict[int | None, str]:
    """Logins are outside the tenant: a person is shown by the name that the ledger has."""
    actors = Actor.objects.filter(tenant_id=visit.tenant.id, user_id__in=sorted(set(user_ids)))
    return dict(actors.values_list("user_id", "name"))


def changes(visit: Visit, *, kinds: Sequence[AccessKind]) -> list[dict[str, Any]]:
    """Rows of the access ledger in words, the newest first: of whom or what, what changed, by whom, and why."""
    tenant_id = visit.tenant.id
    rows = list(AccessLedger.objects.filter(tenant_id=tenant_id, kind__in=kinds).order_by("-seq")[:MOST_ROWS])
    names = people(visit, [row.user_id for row in rows])
    keys = ApiKey.objects.filter(tenant_id=tenant_id, id__in={row.key_id for row in rows})
    prefixes = dict(keys.values_list("id", "prefix"))
    hands = dict(
        Actor.objects.filter(tenant_id=tenant_id, id__in={row.actor_id for row in rows}).values_list("id", "name")
    )
    notes = dict(
        FactNote.objects.filter(tenant_id=tenant_id, seq__in=[row.seq for row in rows]).values_list("seq", "words")
    )
    return [
        {
            "at": row.recorded_at,
            "subject": _subject(row, prefixes, names),
            "what": SENTENCES[row.kind],
            "now": _rights(row),
            "by": hands.get(row.actor_id) or ERASED,
            "why": notes.get(row.seq, ""),
        }
        for row in rows
    ]


def _subject(row: AccessLedger, prefixes: Mapping[int, str], names: Mapping[int | None, str]) -> str:
    if row.kind in PLAN_KINDS:
        return "plan"
    return prefixes.get(row.key_id, "") if row.key_id else names.get(row.user_id) or ERASED


def _rights(row: AccessLedger) -> str:
    """What holds from then on; of a plan, what is other than it was."""
    if row.kind in PLAN_KINDS:
        return _numbers(row.plan_before or asdict(DEFAULT), row.plan or asdict(DEFAULT))
    if not row.key_id:
        return Role(row.role).label if row.role else ""
    ends = f"until {row.expires_at:%Y-%m-%d %H:%M}" if row.expires_at else "without end"
    where = f"from {', '.join(row.allowed_cidrs)}" if row.allowed_cidrs else "from everywhere"
    return f"{', '.join(Scope(scope).value for scope in row.scopes)}; {ends}, {where}"


def _numbers(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    return ", ".join(
        f"{name} {before.get(name)} to {after.get(name)}" for name in after if before.get(name) != after[name]
    )


def _status(revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> str:
    if revoked_at is not None:
        return "revoked"
    return "expired" if expires_at is not None and expires_at <= now else "live"
