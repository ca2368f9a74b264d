"""The pages of the record itself: projects, members, API keys. They show what is there and change nothing."""

from datetime import datetime

from django.http.response import HttpResponseBase

from tasks_app.admin.visits import Visit
from tasks_app.models import Actor, ApiKey, Membership, Project

# A list is shown whole up to here: more projects or keys than this are no list that people read.
MOST_ROWS = 1000
KEY_FIELDS = ("name", "prefix", "scopes", "owner_id", "created_at", "expires_at", "revoked_at", "last_used_at")


def projects(visit: Visit) -> HttpResponseBase:
    """The tenant's projects, each with the pages that are about it."""
    rows = Project.objects.filter(tenant_id=visit.tenant.id).order_by("key")[:MOST_ROWS]
    return visit.page("admin/projects.html", title="Projects", projects=rows)


def members(visit: Visit) -> HttpResponseBase:
    """Who may do what in the tenant. Logins are outside it: a member is shown by the name that the ledger has."""
    rows = list(Membership.objects.filter(tenant_id=visit.tenant.id).order_by("role", "user_id")[:MOST_ROWS])
    names = _names(visit, [row.user_id for row in rows])
    told = [{"name": names.get(row.user_id), "role": row.get_role_display(), "since": row.created_at} for row in rows]
    return visit.page("admin/members.html", title="Members", members=told)


def api_keys(visit: Visit) -> HttpResponseBase:
    """The tenant's keys: what they may do and whether they still live. Of the secret there is nothing to show."""
    found = ApiKey.objects.filter(tenant_id=visit.tenant.id).order_by("name", "id").values(*KEY_FIELDS)
    rows = list(found[:MOST_ROWS])
    names = _names(visit, [row["owner_id"] for row in rows if row["owner_id"]])
    told = [
        {**row, "owner": names.get(row["owner_id"]), "status": _status(row["revoked_at"], row["expires_at"], visit.now)}
        for row in rows
    ]
    return visit.page("admin/api_keys.html", title="API keys", keys=told)


def _names(visit: Visit, user_ids: list[int]) -> dict[int | None, str]:
    actors = Actor.objects.filter(tenant_id=visit.tenant.id, user_id__in=user_ids)
    return dict(actors.values_list("user_id", "name"))


def _status(revoked_at: datetime | None, expires_at: datetime | None, now: datetime) -> str:
    if revoked_at is not None:
        return "revoked"
    return "expired" if expires_at is not None and expires_at <= now else "live"
