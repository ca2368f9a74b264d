"""Access to the demo: passwords, a fresh API key for each tenant, and a query to paste."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.hashers import make_password

from tasks_app.demo.late import change_query
from tasks_app.demo.story import Story
from tasks_app.models import Scope, User
from tasks_app.operations.keys import create_api_key
from tasks_app.operations.tenants import tenant_named
from tasks_app.tenancy import entered

# The embedded database is on this machine and behind a socket of its own, so a password may be known to all.
KNOWN_PASSWORD = "flowledger-demo"  # noqa: S105
KEY_LIVES = timedelta(days=30)
KEY_SCOPES = (Scope.TASKS_READ, Scope.TASKS_WRITE, Scope.ANALYTICS_READ)
QUERY = """{
  analytics(project: "WEB", window: {rolling: {count: 30, unit: DAY}}, bucket: DAY) {
    window { starts timezone }
    cumulativeFlow { mode series { state { name } counts } arrivals departures }
    workInProgress
    receipt { readFrom knownAt digest }
  }
}"""
# "Where do items wait?" The README has it, too, with its answer.
QUESTION = """{
  analytics(project: "WEB", window: {rolling: {count: 90, unit: DAY}}) {
    bottlenecks(first: 3) { state { name slug waiting } totalSeconds ongoingVisits ongoingSeconds }
    timeInState { state { name } visits totalSeconds ongoingSeconds p50Seconds p85Seconds }
    flowEfficiency { value }
    drillDown(metric: ONGOING_VISITS, state: "review", first: 3) { totalCount edges { seconds ledgerId node { key title } } }
    receipt { digest }
  }
}"""


@dataclass(frozen=True, kw_only=True)
class Login:
    """A person's way in."""

    tenant: str
    email: str
    role: str
    password: str


@dataclass(frozen=True, kw_only=True)
class Access:
    """All that the demo prints but the addresses."""

    logins: tuple[Login, ...]
    api_keys: dict[str, str]
    change: str


def give_access(*, stories: Sequence[Story], now: datetime) -> Access:
    """Sets the demo people's password and makes a key for each tenant, owned by its owner. Run as the owner's login.

    On the embedded database the password is always the same; on a server it is a new one each time.
    """
    password = KNOWN_PASSWORD if is_embedded() else secrets.token_urlsafe(12)
    people = [person for story in stories for person in story.people]
    accounts = User.objects.filter(email__in=[person.email for person in people])
    if not is_embedded() or not accounts[0].check_password(password):
        accounts.update(password=make_password(password))
    return Access(
        logins=tuple(
            Login(tenant=story.slug, email=person.email, role=person.role, password=password)
            for story in stories
            for person in story.people
        ),
        api_keys={story.slug: _fresh_key(story=story, now=now) for story in stories},
        change=change_query(story=stories[0], now=now),
    )


def is_embedded() -> bool:
    """Whether the database is the embedded one."""
    return "embedded_home" in settings.DATABASES["default"]["OPTIONS"]


def _fresh_key(*, story: Story, now: datetime) -> str:
    tenant_id = tenant_named(slug=story.slug).id
    owner = User.objects.get(email=story.people[0].email)
    with entered(tenant_id=tenant_id, role=None):
        _, secret = create_api_key(
            tenant_id=tenant_id, name="demo", scopes=KEY_SCOPES, owner=owner, expires_at=now + KEY_LIVES, now=now
        )
    return secret
