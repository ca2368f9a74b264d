"""Nothing on the site changes anything, and nothing of another tenant is on it."""

from contextlib import AbstractContextManager

import pytest
from django.contrib import admin
from django.db import DatabaseError
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import URLPattern, get_resolver

from tasks_app.admin.visits import Visit
from tasks_app.models import Project
from tasks_app.tenancy import DatabaseRole, entered
from tests.admin.scene import SECRET, ledger_size, scene, signed_in, text
from tests.cast import Cast
from tests.tasks_app.recording import as_owner, sql

WINDOW = "?from=2024-03-01&to=2024-03-10"
CHARTS = ("flow", "throughput", "cycle-time", "time-in-state", "aging")
ADDRESSES = (
    "/admin/",
    "/admin/ledger/",
    "/admin/ledger.csv",
    "/admin/levels/",
    "/admin/limits/",
    "/admin/jobs/",
    "/admin/dual-run/",
    "/admin/dual-run/months/",
    "/admin/dual-run/comparisons.csv",
    "/admin/dual-run/differences.csv",
    "/admin/tasks/WEB-1/",
    "/admin/tasks/WEB-1.csv",
    "/admin/projects/WEB/board/",
    "/admin/projects/WEB/board.csv",
    f"/admin/projects/WEB/{WINDOW}",
    f"/admin/projects/WEB/flow/{WINDOW}",
    *(f"/admin/projects/WEB/{chart}.{form}{WINDOW}" for chart in CHARTS for form in ("csv", "svg")),
    "/admin/members/",
    "/admin/keys/",
)
# They take a POST: two change nothing but the session, one ends it.
DOORS = {"login", "logout", "tenant"}


def test_the_addresses_of_these_tests_are_all_that_there_are() -> None:
    """A page that is added must be added here, too."""
    patterns = [each for each in admin.site.get_urls() if isinstance(each, URLPattern)]
    assert len(patterns) == len(ADDRESSES) + len(DOORS)
    assert {pattern.name for pattern in patterns} >= DOORS


def test_no_model_of_another_app_has_an_address(audrey: Client) -> None:
    """A row of django_q's schedule is code to run; groups and users are not managed here."""
    routes = str(get_resolver().url_patterns)
    assert "schedule" not in routes
    for path in ("django_q/schedule/", "auth/group/", "tasks_app/user/", "password_change/"):
        assert audrey.get(f"/admin/{path}").status_code == 404


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nothing_but_reading_is_allowed(people: Cast, audrey: Client, address: str, method: str) -> None:
    """P44's ledger is for reading: every page refuses what could write."""
    before = _size(people)
    assert getattr(audrey, method)(address).status_code == 405
    assert _size(people) == before


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_page_shows_one_tenant_alone(people: Cast, address: str) -> None:
    """Both have a WEB-1 and the projects WEB and OPS: only one's words are on its pages."""
    acme = text(signed_in(people.audrey).get(address))
    globex = text(signed_in(people.carol).get(address))
    assert acme
    for word in (SECRET, "Carol", "SPACE", "Kathmandu"):
        assert word not in acme, word
    for word in ("=1+1", "Second", "Alice", "Audrey", "duplicate"):
        assert word not in globex, word


@pytest.mark.parametrize(
    "address",
    [
        "/admin/tasks/OPS-1/",
        "/admin/tasks/OPS-1.csv",
        "/admin/projects/SPACE/board/",
        "/admin/projects/SPACE/board.csv",
        "/admin/projects/SPACE/",
        "/admin/projects/SPACE/flow/",
        *(f"/admin/projects/SPACE/{chart}.{form}" for chart in CHARTS for form in ("csv", "svg")),
        "/admin/ledger/?project=SPACE",
        "/admin/ledger.csv?project=SPACE",
        "/admin/ledger/?task=OPS-1",
        "/admin/ledger/?actor=Carol",
        "/admin/ledger/?actor=%23{carol}",
    ],
)
def test_what_is_another_tenants_is_not_found(people: Cast, audrey: Client, address: str) -> None:
    """It reads like what does not exist at all."""
    path = address.format(carol=people.carol.actor.id)
    made_up = path.replace("SPACE", "NOWHERE").replace("OPS-1", "NO-1").replace("Carol", "Nobody")
    made_up = made_up.replace(f"%23{people.carol.actor.id}", "%23999999")
    answers = [audrey.get(path), audrey.get(made_up)]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert SECRET not in text(answers[0])


@pytest.mark.parametrize("path", ["/admin/tasks/a%00b/", "/admin/projects/%00/board/", "/admin/ledger/?task=%00"])
def test_a_name_that_no_database_can_hold_is_refused(audrey: Client, path: str) -> None:
    """NUL is bad input, not a fault of ours."""
    answer = audrey.get(path)
    assert answer.status_code == 400
    assert "without NUL" in text(answer)


@pytest.mark.django_db(transaction=True)
def test_a_page_that_tries_to_write_fails_in_the_database() -> None:
    """Even a page with a mistake in it cannot: its role has no grant, and its transaction is read-only."""
    people = scene()

    def writes(visit: Visit) -> HttpResponse:
        Project.objects.filter(tenant_id=visit.tenant.id).update(name="changed")
        return HttpResponse("done")

    request = RequestFactory().get("/admin/")
    request.user = people.audrey.user
    request.session = signed_in(people.audrey).session
    sql("SET SESSION AUTHORIZATION fl_app")
    try:
        with pytest.raises(DatabaseError, match="read-only transaction"):
            admin.site._visited(writes)(request)  # type: ignore[attr-defined]
        with pytest.raises(DatabaseError, match="permission denied"), _auditing(people):
            Project.objects.filter(tenant_id=people.acme.tenant.id).update(name="changed")
    finally:
        sql("RESET SESSION AUTHORIZATION")
    assert not Project.objects.filter(name="changed").exists()


@pytest.mark.django_db(transaction=True)
def test_pages_and_files_come_from_transactions_of_their_own() -> None:
    """Outside a test's transaction: the session is written, the page is read-only, the stream opens its own."""
    people = scene()
    client = signed_in(people.audrey)
    sql("SET SESSION AUTHORIZATION fl_app")
    try:
        pages = [client.get(address) for address in ADDRESSES]
        bodies = [text(page) for page in pages]
    finally:
        sql("RESET SESSION AUTHORIZATION")
    assert [page.status_code for page in pages] == [200] * len(ADDRESSES)
    assert all(bodies)


def _auditing(people: Cast) -> AbstractContextManager[None]:
    return entered(tenant_id=people.acme.tenant.id, role=DatabaseRole.AUDITOR)


def _size(people: Cast) -> int:
    with as_owner():
        return ledger_size(people.acme) + ledger_size(people.globex)
