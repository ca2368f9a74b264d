"""The lists of the record: projects, members, API keys."""

import pytest
from django.contrib import admin
from django.db import connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from tasks_app.admin.visits import Visit
from tasks_app.models import ApiKey, Scope
from tests.admin.scene import NOW, at, signed_in, text
from tests.cast import Cast
from tests.tasks_app.recording import as_owner

DIGEST = b"\xab\xcd" * 16


def test_projects_are_listed_with_their_pages(audrey: Client) -> None:
    """Each with its board and its diagram."""
    page = text(audrey.get("/admin/"))
    for key in ("WEB", "OPS"):
        assert f'href="{reverse("admin:board", kwargs={"project": key})}"' in page
        assert f'href="{reverse("admin:flow", kwargs={"project": key})}"' in page


def test_members_are_listed_with_their_roles(audrey: Client) -> None:
    """By the names that the ledger has."""
    page = " ".join(text(audrey.get("/admin/members/")).split())
    for name, role in (("Alice", "Owner"), ("Bob", "Member"), ("Audrey", "Auditor")):
        assert f'<td class="words">{name}</td><td>{role}</td>' in page


def test_keys_are_listed_without_anything_secret(people: Cast) -> None:
    """Neither the digest nor anything but the prefix; revoked and expired ones are told."""
    with as_owner():
        for name, dates in (
            ("alive", {}),
            ("ended", {"expires_at": NOW}),
            ("withdrawn", {"revoked_at": at(4), "expires_at": NOW}),
        ):
            ApiKey.objects.create(
                tenant=people.acme.tenant,
                name=name,
                prefix=f"pre-{name}",
                sha256=DIGEST,
                scopes=[Scope.TASKS_READ],
                owner=people.bob.user if name == "alive" else None,
                **dates,
            )
    page = text(signed_in(people.audrey).get("/admin/keys/"))
    found = [line.split("<td")[1:4] for line in page.split("What changed")[0].splitlines() if "pre-" in line]
    assert [[cell.partition(">")[2].removesuffix("</td>") for cell in cells] for cells in found] == [
        ["alive", "pre-alive", "live"],
        ["ended", "pre-ended", "expired"],
        ["withdrawn", "pre-withdrawn", "revoked"],
    ]
    assert "Bob" in page
    assert "service key" in page
    assert DIGEST.hex() not in page
    assert repr(DIGEST)[2:-1] not in page


def test_keys_of_another_tenant_are_not_listed(people: Cast) -> None:
    """One tenant at a time."""
    with as_owner():
        ApiKey.objects.create(tenant=people.globex.tenant, name="theirs", prefix="p", sha256=DIGEST, scopes=[])
    assert "theirs" not in text(signed_in(people.audrey).get("/admin/keys/"))


def test_a_page_that_takes_too_long_says_so(people: Cast) -> None:
    """The database gives up after a time; the person gets a sentence, not a stack trace."""

    def slow(_: Visit) -> HttpResponse:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL statement_timeout = '20ms'")
            cursor.execute("SELECT pg_sleep(10)")
        return HttpResponse("done")

    request = RequestFactory().get("/admin/")
    request.user = people.audrey.user
    request.session = signed_in(people.audrey).session
    answer = admin.site._visited(slow)(request)  # type: ignore[attr-defined]
    assert answer.status_code == 503
    assert "ask for less" in text(answer.render())


@pytest.mark.parametrize("path", ["/admin/login/", "/admin/logout/", "/admin/tenant/"])
def test_a_form_of_another_site_is_refused(people: Cast, path: str) -> None:
    """The doors that take a POST ask for the token of the page that it came from."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(people.audrey.user)
    assert client.post(path, {"tenant": "acme"}).status_code == 403
