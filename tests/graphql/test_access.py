"""Who is let in, by key or by session, and what each role may do."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from strawberry.types import get_object_definition

from config.schema import Mutation, Query
from tasks_app.access.matrix import ROLE_SCOPES
from tasks_app.graphql.fields import NeedsScope
from tasks_app.models import ApiKey, Membership, Role, Scope, Tenant, User
from tasks_app.operations.keys import CHECKSUM_LENGTH, _checksum
from tests.cast import Cast, cast
from tests.graphql.client import Asker, new_key, with_key, with_session

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime.now(UTC)  # noqa: TID251
VIEWER = "{ viewer { kind name role scopes tenant { slug name timezone fiscalYearStartMonth } } }"
UNKNOWN = "There is no such API key: it may have been mistyped, or made for another installation."
GONE = "The owner of this API key is no longer a member of its tenant: use another key."


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


@pytest.fixture
def web(people: Cast, as_web_login: None) -> Cast:
    """Everybody, and a connection that has the web login's rights alone."""
    return people


def the_key() -> ApiKey:
    return ApiKey.objects.get()


def test_a_service_key_has_its_own_scopes_and_no_role(web: Cast) -> None:
    """P77: a key says whose it is and what it may do."""
    key = new_key(tenant_id=web.acme.tenant.id, scopes=["TASKS_READ", "ANALYTICS_READ"])
    assert with_key(key).data(VIEWER)["viewer"] == {
        "kind": "API_KEY",
        "name": "a test's key",
        "role": None,
        "scopes": ["ANALYTICS_READ", "TASKS_READ"],
        "tenant": {"slug": "acme", "name": "Acme", "timezone": "UTC", "fiscalYearStartMonth": 1},
    }


def test_an_owned_key_may_do_what_both_it_and_its_owner_may(web: Cast) -> None:
    key = new_key(tenant_id=web.acme.tenant.id, scopes=["TASKS_READ", "ADMIN", "BILLING_READ"], owner=web.bob.user)
    viewer = with_key(key).data(VIEWER)["viewer"]
    assert (viewer["kind"], viewer["role"], viewer["scopes"]) == ("API_KEY", None, ["TASKS_READ"])


@pytest.mark.parametrize("role", Role.values)
def test_a_session_has_the_scopes_of_its_role(people: Cast, role: str) -> None:
    Membership.objects.filter(user=people.bob.user).update(role=role)
    viewer = with_session(people.bob.user).data(VIEWER)["viewer"]
    assert (viewer["kind"], viewer["name"], viewer["role"]) == ("USER", "Bob", role)
    assert viewer["scopes"] == sorted(ROLE_SCOPES[role])


def test_every_role_is_in_the_matrix() -> None:
    assert set(ROLE_SCOPES) == set(Role.values)
    assert ROLE_SCOPES[Role.OWNER] == ROLE_SCOPES[Role.ADMIN] == set(Scope.values)
    assert ROLE_SCOPES[Role.MANAGER] - ROLE_SCOPES[Role.MEMBER] == {"BILLING_READ", "FINDINGS_WRITE", "SAMPLES_WRITE"}
    writes = {"TASKS_WRITE", "TIME_WRITE", "FINDINGS_WRITE", "SAMPLES_WRITE", "ADMIN"}
    assert not writes & (ROLE_SCOPES[Role.AUDITOR] | ROLE_SCOPES[Role.BILLING])


def test_every_root_field_says_which_scope_it_needs() -> None:
    """A field that is forgotten would be open to every key.

    `node` checks in its loaders, `replay_receipt` asks for the scope of the answer that it gives again.
    """
    for root, free in ((Query, {"viewer", "node", "replay_receipt"}), (Mutation, set())):
        fields = get_object_definition(root, strict=True).fields
        open_ = {f.python_name for f in fields if not any(isinstance(e, NeedsScope) for e in f.extensions)}
        assert open_ == free


def test_a_field_beyond_the_scopes_is_forbidden(web: Cast) -> None:
    reader = with_key(new_key(tenant_id=web.acme.tenant.id, scopes=["TASKS_READ"]))
    auditor = with_session(web.audrey.user)
    assert reader.error('mutation { moveTask(input: {task: "WEB-1", to: "done"}) { errors { code } } }') == (
        "FORBIDDEN",
        "moveTask: this needs the scope TASKS_WRITE, which this API key does not have.",
    )
    assert auditor.error('mutation { discardTask(input: {task: "WEB-1"}) { errors { code } } }') == (
        "FORBIDDEN",
        "discardTask: this needs the scope TASKS_WRITE, which the role AUDITOR does not have.",
    )


def test_a_node_beyond_the_scopes_is_not_found(web: Cast) -> None:
    reader = with_key(new_key(tenant_id=web.acme.tenant.id, scopes=["TASKS_READ"]))
    other = with_key(new_key(tenant_id=web.acme.tenant.id, scopes=["SAMPLES_READ"]))
    node_id = reader.data('{ project(key: "WEB") { id } }')["project"]["id"]
    query = "query ($id: ID!) { node(id: $id) { id } }"
    assert reader.data(query, id=node_id)["node"] == {"id": node_id}
    assert other.error(query, id=node_id) == ("NOT_FOUND", "id: there is nothing with this id.")


def test_nobody_is_told_nothing(web: Cast) -> None:
    """Introspection, too, is for callers that are known."""
    for query in ("{ viewer { name } }", "{ __schema { queryType { name } } }", "{ nonsense }"):
        response = Asker().post(query)
        assert response.status_code == 401
        assert response.json()["errors"][0]["message"] == "Sign in, or send an API key as Authorization: Bearer <key>."


def refused(secret: str) -> str:
    response = with_key(secret).post(VIEWER)
    assert response.status_code == 401, response.content
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    error = response.json()["errors"][0]
    assert error["extensions"]["code"] == "UNAUTHENTICATED"
    message: str = error["message"]
    return message


def test_an_unknown_key_and_a_wrong_secret_read_the_same(web: Cast) -> None:
    """Whoever guesses learns nothing."""
    key = new_key(tenant_id=web.acme.tenant.id)
    body = key[:-CHECKSUM_LENGTH]
    other_end = body[:-1] + ("a" if body[-1] != "a" else "b")
    other_start = body.replace(body.split("_")[2], "x" * 30)
    no_tenant = "fl_zzzz_" + "x" * 30
    for wrong in (other_end, other_start, no_tenant):
        assert refused(wrong + _checksum(wrong)) == UNKNOWN


@pytest.mark.parametrize("text", ["", "x", "fl_1_x", "fl__" + "x" * 36, "é" * 40, "fl_1_" + "x" * 36, "a" * 5000])
def test_what_cannot_be_a_key_is_refused_without_a_look(web: Cast, text: str) -> None:
    assert refused(text) in (
        "The API key is not complete: send it exactly as it was shown when it was made.",
        "Sign in, or send an API key as Authorization: Bearer <key>.",
    )


def test_a_key_of_another_tenant_by_number_is_unknown(web: Cast) -> None:
    """The tenant's number is in the key's text; another number finds nothing there."""
    key = new_key(tenant_id=web.acme.tenant.id)
    there = new_key(tenant_id=web.globex.tenant.id).split("_")[1]
    body = f"fl_{there}_" + key.split("_")[2][:-CHECKSUM_LENGTH]
    assert refused(body + _checksum(body)) == UNKNOWN


def test_an_expired_key_says_when(people: Cast) -> None:
    """P77: expired and revoked are told apart."""
    key = new_key(tenant_id=people.acme.tenant.id, expires_at=NOW + timedelta(days=1))
    assert with_key(key).data("{ viewer { name } }")
    ApiKey.objects.update(expires_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert refused(key) == "The API key expired at 2026-01-02T03:04:05+00:00: use another."


def test_a_revoked_key_says_when(people: Cast) -> None:
    key = new_key(tenant_id=people.acme.tenant.id)
    ApiKey.objects.update(revoked_at=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
    assert refused(key) == "The API key was revoked at 2026-01-02T03:04:05+00:00: use another."


def test_a_key_dies_with_its_owners_membership(people: Cast) -> None:
    """Nobody who has left goes on reading by a key."""
    key = new_key(tenant_id=people.acme.tenant.id, owner=people.bob.user)
    assert with_key(key).data("{ viewer { name } }")
    Membership.objects.filter(user=people.bob.user).delete()
    assert refused(key) == GONE


def test_a_key_of_a_login_that_is_switched_off_is_refused(people: Cast) -> None:
    key = new_key(tenant_id=people.acme.tenant.id, owner=people.bob.user)
    User.objects.filter(id=people.bob.user.id).update(is_active=False)
    assert refused(key) == GONE


def test_the_use_of_a_key_is_noted_once_a_minute(people: Cast) -> None:
    """P77: a key's last use is known."""
    asker = with_key(new_key(tenant_id=people.acme.tenant.id))
    assert the_key().last_used_at is None
    asker.data("{ viewer { name } }")
    first = the_key().last_used_at
    assert first is not None
    assert first >= NOW
    asker.data("{ viewer { name } }")
    assert the_key().last_used_at == first
    ApiKey.objects.update(last_used_at=first - timedelta(seconds=61))
    asker.data("{ viewer { name } }")
    assert (the_key().last_used_at or NOW) > first


def test_a_use_is_noted_although_the_operation_fails(people: Cast) -> None:
    asker = with_key(new_key(tenant_id=people.acme.tenant.id, scopes=["SAMPLES_READ"]))
    assert asker.error('{ task(key: "WEB-1") { key } }')[0] == "FORBIDDEN"
    assert the_key().last_used_at is not None


def test_a_key_with_the_header_of_another_tenant_is_refused(web: Cast) -> None:
    key = new_key(tenant_id=web.acme.tenant.id)
    texts = set()
    for slug in ("globex", "no-such-tenant"):
        response = Asker(headers={"Authorization": f"Bearer {key}", "X-Tenant": slug}).post(VIEWER)
        assert response.status_code == 403
        texts.add(response.json()["errors"][0]["message"])
    assert texts == {"The API key is of another tenant than X-Tenant names: leave the header out."}
    own = Asker(headers={"Authorization": f"Bearer {key}", "X-Tenant": "acme"})
    assert own.data(VIEWER)["viewer"]["tenant"]["slug"] == "acme"


def test_a_session_enters_the_only_tenant_without_a_header(web: Cast) -> None:
    assert with_session(web.carol.user).data(VIEWER)["viewer"]["tenant"] == {
        "slug": "globex",
        "name": "Globex",
        "timezone": "Asia/Kathmandu",
        "fiscalYearStartMonth": 1,
    }


def test_a_tenant_of_others_reads_like_one_that_is_not_there(web: Cast) -> None:
    """Not even the existence of a tenant can be found out."""
    for slug in ("globex", "nowhere"):
        response = with_session(web.bob.user, tenant=slug).post(VIEWER)
        assert response.status_code == 403
        assert response.json()["errors"][0]["message"] == f"X-Tenant: this login is a member of no tenant {slug!r}."


def test_a_login_of_two_tenants_must_name_one(people: Cast) -> None:
    people.bob.user.tenants.add(Tenant.objects.get(slug="globex"))
    assert with_session(people.bob.user).error(VIEWER) == (
        "BAD_USER_INPUT",
        "X-Tenant: this login is a member of acme, globex; name one of them in this header.",
    )
    assert with_session(people.bob.user, tenant="acme").data(VIEWER)["viewer"]["role"] == "MEMBER"
    # The door alone lets nobody in: in globex Bob has no role.
    assert with_session(people.bob.user, tenant="globex").error(VIEWER) == (
        "FORBIDDEN",
        "X-Tenant: this login is a member of no tenant 'globex'.",
    )


def test_a_login_of_no_tenant_is_told_what_to_do(people: Cast) -> None:
    lonely = User.objects.create_user(email="lonely@example.org")
    assert with_session(lonely).error(VIEWER) == (
        "FORBIDDEN",
        "This login is a member of no tenant: ask an administrator of one.",
    )


def test_a_login_that_is_switched_off_is_nobody(people: Cast) -> None:
    browser = with_session(people.bob.user)
    assert browser.data("{ viewer { name } }") == {"viewer": {"name": "Bob"}}
    User.objects.filter(id=people.bob.user.id).update(is_active=False)
    assert browser.error(VIEWER)[0] == "UNAUTHENTICATED"


def test_a_session_needs_its_csrf_token(web: Cast) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(web.bob.user)
    assert Asker(client=client).post(VIEWER).status_code == 403


def test_both_addresses_of_the_endpoint_ask_who_is_there(web: Cast) -> None:
    for address in ("/graphql", "/api/v2/analytics/graphql"):
        response = Client().post(address, data='{"query": "{ viewer { name } }"}', content_type="application/json")
        assert response.status_code == 401


def test_the_front_door_leads_to_graphql() -> None:
    response = Client().get("/")
    assert (response.status_code, response.headers["Location"]) == (302, "/graphql")


def test_the_process_is_live_whatever_the_database_does(django_assert_num_queries: Any) -> None:
    """No query, no session: a slow database gets no process killed."""
    with django_assert_num_queries(0):
        response = Client().get("/health/live")
    assert (response.status_code, response.content, response.cookies) == (200, b"ok", {})
