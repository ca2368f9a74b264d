"""The whole life of an API key, as the API and the auditors' site show it."""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tasks_app.access.callers import FIND_KEY, _text, caller_of_key
from tasks_app.models import (
    AccessKind,
    AccessLedger,
    ApiKey,
    ClientMutation,
    FactNote,
    KeptResponse,
    Membership,
    Role,
    Scope,
    User,
)
from tasks_app.operations.keys import _checksum, digest_of
from tasks_app.tenancy import looked_up
from tests.cast import Cast, cast
from tests.graphql.client import Asker, new_key, with_key, with_session

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime.now(UTC)  # noqa: TID251
FIELDS = (
    "apiKey { id name prefix scopes ownerName status createdAt expiresAt revokedAt lastUsedAt allowedCidrs replacedBy }"
)
WHO = "{ viewer { name scopes } }"
LIST = "{ apiKeys(first: 10) { totalCount edges { node { id name status replacedBy lastUsedAt } } } }"


@pytest.fixture
def people(db: Any) -> Cast:
    return cast()


@pytest.fixture
def alice(people: Cast) -> Asker:
    """Acme's owner, signed in."""
    return with_session(people.alice.user)


def create(asker: Asker, scopes: Sequence[str] = ("TASKS_READ",), **given: object) -> Any:
    return asker.mutate("createApiKey", f"secret {FIELDS}", name="BI", scopes=list(scopes), **given)


def refused(secret: str, *, client: Client | None = None) -> tuple[int, str, str | None]:
    """Status, message and reason of a key that is not let in."""
    asker = Asker(headers={"Authorization": f"Bearer {secret}"}, client=client or Client())
    response = asker.post(WHO)
    error = response.json()["errors"][0]
    return response.status_code, error["message"], error["extensions"].get("reason")


def iso(instant: datetime) -> str:
    return instant.isoformat()


def test_a_new_key_is_shown_once_and_works(people: Cast, alice: Asker) -> None:
    """P77: hashed, shown once, with scopes, expiry and networks; never its secret or digest again."""
    expires = NOW.replace(microsecond=0) + timedelta(days=30)
    made = create(
        alice, ["TASKS_READ", "ANALYTICS_READ"], expiresAt=iso(expires), allowedCidrs=["127.0.0.1", "10.0.0.0/8"]
    )
    assert made["errors"] == []
    key, secret = made["apiKey"], made["secret"]
    assert secret.startswith(key["prefix"])
    assert key | {"id": "", "prefix": "", "createdAt": ""} == {
        "id": "",
        "name": "BI",
        "prefix": "",
        "scopes": ["ANALYTICS_READ", "TASKS_READ"],
        "ownerName": "Alice",
        "status": "LIVE",
        "createdAt": "",
        "expiresAt": iso(expires).replace("+00:00", "Z"),
        "revokedAt": None,
        "lastUsedAt": None,
        "allowedCidrs": ["127.0.0.1/32", "10.0.0.0/8"],
        "replacedBy": None,
    }
    assert with_key(secret).data(WHO)["viewer"] == {"name": "BI", "scopes": ["ANALYTICS_READ", "TASKS_READ"]}
    row = ApiKey.objects.get()
    assert bytes(row.sha256) == digest_of(secret)
    assert row.owner_id == people.alice.user.id
    listed = alice.post(LIST).content.decode()
    assert secret not in listed
    assert bytes(row.sha256).hex() not in listed


def test_the_list_goes_by_pages_and_shows_the_last_use(people: Cast, alice: Asker) -> None:
    """P77: last use. One statement for the page and one for the names, however many keys there are."""
    first, second = create(alice), create(alice)
    new_key(tenant_id=people.acme.tenant.id)
    with_key(second["secret"]).data(WHO)
    page = alice.data(
        "{ apiKeys(first: 2) { totalCount pageInfo { hasNextPage endCursor } edges { node { id lastUsedAt } } } }"
    )
    edges = page["apiKeys"]["edges"]
    assert [edge["node"]["id"] for edge in edges] == [first["apiKey"]["id"], second["apiKey"]["id"]]
    assert [edge["node"]["lastUsedAt"] is None for edge in edges] == [True, False]
    assert (page["apiKeys"]["totalCount"], page["apiKeys"]["pageInfo"]["hasNextPage"]) == (3, True)
    after = page["apiKeys"]["pageInfo"]["endCursor"]
    query = "query ($after: String) { apiKeys(first: 2, after: $after) { edges { node { name ownerName } } } }"
    assert alice.data(query, after=after)["apiKeys"]["edges"] == [{"node": {"name": "a test's key", "ownerName": None}}]
    counts = []
    for page_size in (1, 3):
        with CaptureQueriesContext(connection) as asked:
            alice.data("query ($n: Int) { apiKeys(first: $n) { edges { node { ownerName } } } }", n=page_size)
        counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(
    ("given", "error"),
    [
        (
            {"name": " "},
            ("BAD_USER_INPUT", "A key needs a name, so that people know what it is for.", ["input", "name"]),
        ),
        (
            {"name": "x" * 201},
            ("BAD_USER_INPUT", "The key's name has more than 200 characters: shorten it.", ["input", "name"]),
        ),
        (
            {"scopes": []},
            (
                "BAD_USER_INPUT",
                f"A key needs at least one scope; the scopes are {', '.join(Scope.values)}.",
                ["input", "scopes"],
            ),
        ),
        (
            {"expiresAt": "2026-01-01T00:00:00Z"},
            (
                "BAD_USER_INPUT",
                "The key would have expired already: give an instant in the future.",
                ["input", "expiresAt"],
            ),
        ),
        (
            {"allowedCidrs": []},
            (
                "BAD_USER_INPUT",
                "allowedCidrs: name 1 to 100 networks, or leave it out for everywhere.",
                ["input", "allowedCidrs"],
            ),
        ),
        (
            {"allowedCidrs": ["10.0.0.0/8", "10.0.0.1/8"]},
            (
                "BAD_USER_INPUT",
                "allowedCidrs: '10.0.0.1/8' is no network; write it as 10.0.0.0/8 or 2001:db8::/32.",
                ["input", "allowedCidrs"],
            ),
        ),
    ],
)
def test_a_key_that_cannot_be_is_refused_as_data(alice: Asker, given: dict[str, Any], error: tuple[Any, ...]) -> None:
    """One sentence that names the argument; nothing is made."""
    input_ = {"name": "BI", "scopes": ["TASKS_READ"], **given}
    payload = alice.mutate("createApiKey", "secret apiKey { id }", **input_)
    code, message, path = error
    assert payload["errors"] == [{"code": code, "message": message, "path": path}]
    assert (payload["secret"], payload["apiKey"], ApiKey.objects.exists()) == (None, None, False)


def test_a_key_cannot_give_what_it_does_not_have(people: Cast) -> None:
    """P77: scopes are within the caller's, for keys that make keys, too; nor does rotating get round that."""
    tenant_id = people.acme.tenant.id
    admin = with_key(new_key(tenant_id=tenant_id, scopes=["ADMIN", "TASKS_READ"]))
    assert create(admin)["errors"] == []
    sentence = "You do not have the scope ANALYTICS_READ, TASKS_WRITE yourself, so no key of yours can."
    beyond = create(admin, ["TASKS_WRITE", "ANALYTICS_READ", "TASKS_READ"])
    assert beyond["errors"] == [{"code": "FORBIDDEN", "message": sentence, "path": ["input", "scopes"]}]
    new_key(tenant_id=tenant_id, scopes=["TASKS_WRITE"])
    wide = admin.data(LIST)["apiKeys"]["edges"][-1]["node"]["id"]
    rotated = admin.mutate("rotateApiKey", "secret", id=wide)
    assert (rotated["secret"], rotated["errors"][0]["code"]) == (None, "FORBIDDEN")


def test_a_key_that_a_service_key_makes_is_one_too(people: Cast) -> None:
    admin = with_key(new_key(tenant_id=people.acme.tenant.id))
    made = create(admin)
    assert made["apiKey"]["ownerName"] is None
    owned = with_key(new_key(tenant_id=people.acme.tenant.id, owner=people.alice.user))
    assert create(owned)["apiKey"]["ownerName"] == "Alice"


def test_both_keys_work_while_they_overlap(people: Cast, alice: Asker) -> None:
    """P77: rotation with overlap; the old one then says which error it is, and what to do."""
    old = create(alice, ["TASKS_READ", "TASKS_WRITE"], allowedCidrs=["127.0.0.0/8"])
    rotated = alice.mutate("rotateApiKey", f"secret {FIELDS}", id=old["apiKey"]["id"], overlapSeconds=3600)
    new = rotated["apiKey"]
    assert rotated["secret"] != old["secret"]
    assert {name: new[name] for name in ("name", "scopes", "allowedCidrs", "expiresAt", "ownerName")} == {
        "name": "BI",
        "scopes": ["TASKS_READ", "TASKS_WRITE"],
        "allowedCidrs": ["127.0.0.0/8"],
        "expiresAt": None,
        "ownerName": "Alice",
    }
    for secret in (old["secret"], rotated["secret"]):
        assert with_key(secret).data(WHO)["viewer"]["scopes"] == ["TASKS_READ", "TASKS_WRITE"]
    row = ApiKey.objects.get(prefix=old["apiKey"]["prefix"])
    assert abs((row.expires_at or NOW) - datetime.fromisoformat(new["createdAt"]) - timedelta(hours=1)) < timedelta(
        minutes=1
    )
    assert alice.data(LIST)["apiKeys"]["edges"][0]["node"]["replacedBy"] == new["id"]
    ApiKey.objects.filter(id=row.id).update(expires_at=datetime(2026, 1, 2, tzinfo=UTC))
    ended = "The API key expired at 2026-01-02T00:00:00+00:00: use the one that replaced it."
    assert refused(old["secret"]) == (401, ended, "KEY_EXPIRED")
    assert with_key(rotated["secret"]).data(WHO)


def test_a_successor_lives_as_long_as_its_predecessor(alice: Asker) -> None:
    """A key of a month becomes a key of a month; no overlap ends the old one at once."""
    old = create(alice, expiresAt=iso(NOW + timedelta(days=30)))
    ApiKey.objects.update(expires_at=NOW + timedelta(days=10))
    rotated = alice.mutate(
        "rotateApiKey", "secret apiKey { expiresAt createdAt }", id=old["apiKey"]["id"], overlapSeconds=0
    )
    new = rotated["apiKey"]
    lives = datetime.fromisoformat(new["expiresAt"]) - datetime.fromisoformat(new["createdAt"])
    assert timedelta(days=9, hours=23) < lives < timedelta(days=10, minutes=1)
    assert refused(old["secret"])[2] == "KEY_EXPIRED"


@pytest.mark.parametrize("seconds", [-1, 30 * 86400 + 1])
def test_an_overlap_has_bounds(alice: Asker, seconds: int) -> None:
    old = create(alice)
    rotated = alice.mutate("rotateApiKey", "secret", id=old["apiKey"]["id"], overlapSeconds=seconds)
    assert rotated["errors"] == [
        {
            "code": "BAD_USER_INPUT",
            "message": "overlapSeconds: give 0 to 2,592,000 seconds.",
            "path": ["input", "overlapSeconds"],
        }
    ]
    assert ApiKey.objects.count() == 1


def test_a_revoked_key_opens_nothing_from_then_on(alice: Asker) -> None:
    """P77: revoked, expired and unknown are told apart, in words and for programs."""
    made = create(alice)
    revoked = alice.mutate("revokeApiKey", FIELDS, id=made["apiKey"]["id"], reason="it was in a log")
    at = revoked["apiKey"]["revokedAt"]
    assert (revoked["errors"], revoked["apiKey"]["status"]) == ([], "REVOKED")
    sentence = f"The API key was revoked at {at.replace('Z', '+00:00')}: use another."
    assert refused(made["secret"]) == (401, sentence, "KEY_REVOKED")
    row = AccessLedger.objects.latest("seq")
    assert (row.kind, FactNote.objects.get(seq=row.seq).words) == (AccessKind.KEY_REVOKED, "it was in a log")
    again = alice.mutate("revokeApiKey", "apiKey { id }", id=made["apiKey"]["id"])
    assert again["errors"][0]["message"] == f"The key was revoked at {at.replace('Z', '+00:00')} already."


def test_three_errors_of_keys(people: Cast, alice: Asker) -> None:
    """P77: unknown and malformed beside expired and revoked."""
    secret = create(alice)["secret"]
    unknown = new_key(tenant_id=people.acme.tenant.id)
    assert refused(secret + "x")[2] == "KEY_MALFORMED"
    assert refused(_with_another_end(unknown))[2] == "KEY_UNKNOWN"
    ApiKey.objects.update(expires_at=NOW - timedelta(hours=1))
    assert refused(secret)[2] == "KEY_EXPIRED"


def _with_another_end(secret: str) -> str:
    """The same prefix, another secret, a right checksum."""
    body = secret[:-6]
    body = body[:-1] + ("a" if body[-1] != "a" else "b")
    return body + _checksum(body)


def test_what_has_ended_is_not_rotated(alice: Asker) -> None:
    made = create(alice)
    alice.mutate("rotateApiKey", "secret", id=made["apiKey"]["id"])
    again = alice.mutate("rotateApiKey", "secret", id=made["apiKey"]["id"])
    assert again["errors"][0]["message"] == "The key was rotated already: rotate the one that replaced it."
    other = create(alice)["apiKey"]["id"]
    ApiKey.objects.filter(replaced_by=None).update(expires_at=NOW - timedelta(hours=1))
    assert (
        alice.mutate("rotateApiKey", "secret", id=other)["errors"][0]["message"]
        == "The key has expired: make a new one."
    )
    ApiKey.objects.filter(replaced_by=None).update(revoked_at=NOW)
    assert (
        alice.mutate("rotateApiKey", "secret", id=other)["errors"][0]["message"]
        == "The key is revoked: make a new one."
    )


def test_somebody_elses_key_is_revoked_and_not_rotated(people: Cast, alice: Asker) -> None:
    """Its new secret would act for that person."""
    new_key(tenant_id=people.acme.tenant.id, scopes=["TASKS_READ"], owner=people.bob.user)
    bobs = alice.data(LIST)["apiKeys"]["edges"][0]["node"]["id"]
    rotated = alice.mutate("rotateApiKey", "secret", id=bobs)
    assert rotated["errors"] == [
        {
            "code": "FORBIDDEN",
            "message": "Only its owner rotates a key that somebody owns, for the new secret acts for the owner:"
            " revoke it instead.",
            "path": ["input", "id"],
        }
    ]
    assert alice.mutate("revokeApiKey", "apiKey { status }", id=bobs)["apiKey"] == {"status": "REVOKED"}


def test_another_tenants_key_is_not_there(people: Cast, alice: Asker) -> None:
    """P72: by list, node, rotation and revocation; in the words for an id that is none."""
    carol = with_session(people.carol.user)
    theirs = create(carol)["apiKey"]["id"]
    missing = {"code": "NOT_FOUND", "message": "There is no such API key.", "path": ["input", "id"]}
    for wrong in (theirs, "x", "QXBpS2V5OjE", alice.data("{ viewer { tenant { id } } }")["viewer"]["tenant"]["id"]):
        for mutation in ("rotateApiKey", "revokeApiKey"):
            assert alice.mutate(mutation, "apiKey { id }", id=wrong)["errors"] == [missing], (mutation, wrong)
        assert alice.error("query ($id: ID!) { node(id: $id) { id } }", id=theirs)[0] == "NOT_FOUND"
    assert alice.data(LIST)["apiKeys"]["totalCount"] == 0
    assert ApiKey.objects.get().revoked_at is None


def test_a_key_is_used_from_its_networks_alone(people: Cast, alice: Asker) -> None:
    """IPv4 and IPv6; a proxy's word counts only when it is ours."""
    secret = create(alice, allowedCidrs=["10.1.0.0/16", "2001:db8::/32"])["secret"]
    sentence = "The API key may not be used from this address: its allowedCidrs name others."
    for address in ("10.1.2.3", "2001:db8::7", "::ffff:10.1.2.3"):
        inside = Asker(headers={"Authorization": f"Bearer {secret}"}, client=Client(REMOTE_ADDR=address))
        assert inside.data(WHO), address
    for address in ("127.0.0.1", "10.2.0.1", "2001:db9::7", "", "nonsense"):
        assert refused(secret, client=Client(REMOTE_ADDR=address)) == (403, sentence, "KEY_NOT_FROM_HERE"), address
    forged = Client(REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": "10.1.2.3"})
    assert refused(secret, client=forged)[2] == "KEY_NOT_FROM_HERE"


def test_a_proxy_of_ours_is_believed(alice: Asker, settings: Any) -> None:
    """As far as it says itself: what the client wrote before is the client's."""
    settings.FLOWLEDGER_TRUSTED_PROXIES = ["127.0.0.0/8"]
    secret = create(alice, allowedCidrs=["10.1.0.0/16"])["secret"]
    for told, let_in in (
        ("10.1.2.3", True),
        ("10.1.2.3, 9.9.9.9", False),
        ("9.9.9.9, 10.1.2.3, 127.0.0.2", True),
        ("x", False),
    ):
        client = Client(REMOTE_ADDR="127.0.0.1", headers={"X-Forwarded-For": told})
        asker = Asker(headers={"Authorization": f"Bearer {secret}"}, client=client)
        assert (asker.post(WHO).status_code == 200) is let_in, told


def test_a_demoted_owner_demotes_the_key_at_once(people: Cast, alice: Asker) -> None:
    """P77: what a key may do is found out each time it is used."""
    key = with_key(create(alice, ["TASKS_WRITE", "ADMIN"])["secret"])
    assert key.data(WHO)["viewer"]["scopes"] == ["ADMIN", "TASKS_WRITE"]
    member = Membership.objects.filter(user=people.alice.user)
    for role, scopes in ((Role.MEMBER, ["TASKS_WRITE"]), (Role.BILLING, []), (Role.ADMIN, ["ADMIN", "TASKS_WRITE"])):
        member.update(role=role)
        assert key.data(WHO)["viewer"]["scopes"] == scopes
    User.objects.filter(id=people.alice.user.id).update(is_active=False)
    assert key.error(WHO)[0] == "UNAUTHENTICATED"


def test_a_key_is_made_once_under_its_clients_name(alice: Asker) -> None:
    """The second answer has no secret: it is kept nowhere, not beside the mutation either."""
    first = create(alice, clientMutationId="once")
    second = create(alice, clientMutationId="once")
    assert (second["apiKey"]["id"], second["secret"], second["errors"]) == (first["apiKey"]["id"], None, [])
    assert ApiKey.objects.count() == 1
    assert first["secret"] not in str(ClientMutation.objects.values())


def test_an_answer_that_is_kept_has_no_secret_in_it(people: Cast) -> None:
    """By Idempotency-Key the same bytes again, but for the secret: the table of answers opens nothing."""
    admin = new_key(tenant_id=people.acme.tenant.id)
    asker = Asker(headers={"Authorization": f"Bearer {admin}", "Idempotency-Key": "a-key-of-a-key"})
    query = (
        'mutation { createApiKey(input: {name: "BI", scopes: [TASKS_READ]}) { secret apiKey { id } errors { code } } }'
    )
    first, second = (asker.data(query)["createApiKey"] for _ in range(2))
    assert first["secret"].startswith("fl_")
    assert second == {**first, "secret": None}
    kept = KeptResponse.objects.get().body
    assert first["apiKey"]["id"] in kept
    assert first["secret"] not in kept
    assert ApiKey.objects.count() == 2


def test_everything_is_in_the_ledger_and_on_the_auditors_page(people: Cast, alice: Asker) -> None:
    """P77: who made, rotated and revoked which key; nothing secret with it."""
    made = create(alice)
    rotated = alice.mutate("rotateApiKey", f"secret {FIELDS}", id=made["apiKey"]["id"])
    alice.mutate("revokeApiKey", FIELDS, id=rotated["apiKey"]["id"], reason="not needed <any> more")
    kinds = AccessLedger.objects.filter(key_id__gt=0).order_by("seq").values_list("kind", "actor_id")
    mine = people.alice.actor.id
    assert list(kinds) == [
        (AccessKind.KEY_CREATED, mine),
        (AccessKind.KEY_CREATED, mine),
        (AccessKind.KEY_REPLACED, mine),
        (AccessKind.KEY_REVOKED, mine),
    ]
    auditor = Client()
    auditor.force_login(people.audrey.user)
    page = auditor.get("/admin/keys/").content.decode()
    for text in ("was made", "was replaced", "was revoked", "not needed &lt;any&gt; more", rotated["apiKey"]["prefix"]):
        assert text in page, text
    for secret in (made["secret"], rotated["secret"]):
        assert secret not in page
        assert digest_of(secret).hex() not in page
    members = auditor.get("/admin/members/").content.decode()
    assert "became a member" in members


def test_a_key_is_looked_up_in_one_round_trip(people: Cast) -> None:
    """Key, role, login and tenant; its use is noted once a minute only."""
    secret = new_key(tenant_id=people.acme.tenant.id, owner=people.bob.user)
    caller_of_key(secret=secret, now=NOW)
    with CaptureQueriesContext(connection) as asked:
        caller = caller_of_key(secret=secret, now=NOW)
    assert (len(asked), caller.role, caller.tenant.slug) == (1, "MEMBER", "acme")


def test_a_look_up_that_fails_leaves_nothing_behind(people: Cast) -> None:
    """The connection is as it was, in a transaction and outside one: no role, no tenant, no error that lasts."""
    tenant_id = people.acme.tenant.id
    for outer in (nullcontext(), transaction.atomic()):
        with outer:
            with pytest.raises(DatabaseError, match="division by zero"):
                looked_up(tenant_id=tenant_id, inside="SELECT 1 / 0", outside="SELECT 1")
            assert looked_up(tenant_id=tenant_id, inside="SELECT 1 AS one", outside="SELECT 2 AS two") == [
                [{"one": 1}],
                [{"two": 2}],
            ]
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT current_user = session_user, coalesce(current_setting('app.tenant_id', true), '')"
                )
                assert cursor.fetchone() == (True, "")


def test_what_is_looked_up_is_quoted(people: Cast) -> None:
    """A text that would end a literal is only a text."""
    assert _text(FIND_KEY, tenant_id=1, prefix="' OR true; --").strip().endswith("k.prefix = ''' OR true; --'")
