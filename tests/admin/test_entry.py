"""Who gets in, to which tenant, and out again."""

import re

import pytest
from django.test import Client
from django.urls import reverse

from tasks_app.models import Membership, Role
from tests.admin.scene import PASSWORD, SECRET, signed_in, text
from tests.cast import Cast, Person
from tests.tasks_app.recording import as_owner, sql

TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="\w+"')


def joins(person: Person, cast: Cast, *, role: Role) -> None:
    """The person becomes a member of Globex, too."""
    tenant = cast.globex.tenant
    with as_owner():
        person.user.tenants.add(tenant)
        Membership.objects.create(tenant=tenant, user=person.user, role=role)
        sql(
            "INSERT INTO actor (tenant_id, kind, name, user_id) VALUES (%s, 'USER', 'Audrey', %s)",
            [tenant.id, person.user.id],
        )


def has_password(person: Person) -> None:
    """The person can sign in by hand."""
    with as_owner():
        person.user.set_password(PASSWORD)
        person.user.save()


def test_an_auditor_signs_in_with_email_and_password_and_out_again(people: Cast) -> None:
    """An email is found however it is typed; afterwards every page asks for a sign-in again."""
    has_password(people.audrey)
    client = Client()
    asked = client.get("/admin/ledger/")
    assert (asked.status_code, asked["Location"]) == (302, "/admin/login/?next=/admin/ledger/")
    credentials = {"username": " AUDREY@Acme.example", "password": PASSWORD, "next": "/admin/ledger/"}
    answer = client.post("/admin/login/", credentials)
    assert (answer.status_code, answer["Location"]) == (302, "/admin/ledger/")
    assert client.get("/admin/ledger/").status_code == 200
    assert client.post("/admin/logout/")["Location"] == "/admin/login/"
    assert client.get("/admin/ledger/").status_code == 302


def test_a_wrong_password_stays_outside(people: Cast) -> None:
    """The form comes again, and no session is made."""
    has_password(people.audrey)
    client = Client()
    answer = client.post("/admin/login/", {"username": "audrey@acme.example", "password": "wrong"})
    assert answer.status_code == 200
    assert client.get("/admin/").status_code == 302


def test_a_login_that_is_switched_off_is_out(people: Cast) -> None:
    """Sessions that were open end with it."""
    client = signed_in(people.audrey)
    with as_owner():
        people.audrey.user.is_active = False
        people.audrey.user.save()
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/ledger/", "/admin/ledger.csv", "/admin/tasks/WEB-1/", "/admin/tenant/"]
)
def test_a_member_is_refused_in_a_sentence(people: Cast, path: str) -> None:
    """A MEMBER may sign in (the API's explorer needs it) but sees no page of the ledger."""
    answer = signed_in(people.bob).get(path)
    assert answer.status_code == 403
    assert "ask an owner of your tenant for the role AUDITOR" in text(answer)
    assert "WEB-1" not in text(answer)


def test_an_owner_gets_in(people: Cast) -> None:
    """OWNER and ADMIN may audit, too."""
    assert signed_in(people.alice).get("/admin/").status_code == 200


def test_who_loses_the_role_is_out_at_the_next_page(people: Cast) -> None:
    """The role is read on every request, not kept in the session."""
    client = signed_in(people.audrey)
    assert client.get("/admin/").status_code == 200
    with as_owner():
        Membership.objects.filter(user=people.audrey.user).update(role=Role.MEMBER)
    assert client.get("/admin/").status_code == 403


def test_an_auditor_of_two_tenants_picks_one_and_can_change(people: Cast) -> None:
    """Until one is picked nothing is shown; the pick holds for the session."""
    joins(people.audrey, people, role=Role.AUDITOR)
    client = signed_in(people.audrey)
    assert client.get("/admin/ledger/")["Location"] == reverse("admin:tenant")
    assert client.post("/admin/tenant/", {"tenant": "globex"})["Location"] == reverse("admin:index")
    assert SECRET in text(client.get("/admin/tasks/OPS-1/"))
    client.post("/admin/tenant/", {"tenant": "acme"})
    page = text(client.get("/admin/"))
    assert "SPACE" not in page
    assert reverse("admin:tenant") in page


def test_a_tenant_that_one_does_not_audit_cannot_be_picked(people: Cast) -> None:
    """One of others and one that does not exist read the same."""
    client = signed_in(people.audrey)
    answers = [client.post("/admin/tenant/", {"tenant": slug}) for slug in ("globex", "nowhere", "")]
    assert [answer.status_code for answer in answers] == [404, 404, 404]
    assert len({TOKEN.sub("", text(answer)) for answer in answers}) == 1
    assert "SPACE" not in text(client.get("/admin/"))


def test_of_two_tenants_the_one_that_may_be_audited_is_taken(people: Cast) -> None:
    """A MEMBER of Globex who audits Acme has nothing to choose."""
    joins(people.audrey, people, role=Role.MEMBER)
    page = text(signed_in(people.audrey).get("/admin/"))
    assert "Acme" in page
    assert "SPACE" not in page
