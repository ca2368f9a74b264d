"""Record pages: projects and members. They show what is there and change nothing."""

from django.http.response import HttpResponseBase

from tasks_app.admin.keys import MEMBER_KINDS, changes, people
from tasks_app.admin.visits import Visit
from tasks_app.models import Membership, Project

# A list is shown whole up to here: more projects or members than this are no list that people read.
MOST_ROWS = 1000


def projects(visit: Visit) -> HttpResponseBase:
    """The tenant's projects, each with the pages that are about it."""
    rows = Project.objects.filter(tenant_id=visit.tenant.id).order_by("key")[:MOST_ROWS]
    return visit.page("admin/projects.html", title="Projects", projects=rows)


def members(visit: Visit) -> HttpResponseBase:
    """Who may do what in the tenant, and below, who could before."""
    rows = list(Membership.objects.filter(tenant_id=visit.tenant.id).order_by("role", "user_id")[:MOST_ROWS])
    names = people(visit, [row.user_id for row in rows])
    told = [{"name": names.get(row.user_id), "role": row.get_role_display(), "since": row.created_at} for row in rows]
    return visit.page("admin/members.html", title="Members", members=told, changes=changes(visit, kinds=MEMBER_KINDS))
