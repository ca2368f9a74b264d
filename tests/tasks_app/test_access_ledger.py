"""Who may do what, how much, and since when: every change of a membership, a key or a plan is a row that nobody can change."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tasks_app.models import AccessKind, AccessLedger, Actor, ActorKind, ApiKey, Membership, Role, Scope, TenantPlan
from tasks_app.operations.keys import create_api_key
from tasks_app.rate.plan_changes import set_plan
from tasks_app.tenancy import DatabaseRole, entered
from tests.cast import Cast, cast
from tests.tasks_app.recording import asking, refused, sql, web_login

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = datetime(2027, 1, 1, tzinfo=UTC)
UNWRITABLE = "its rows are written by triggers alone and never change"


@pytest.fixture
def people() -> Cast:
    return cast()


def rows(people: Cast, *, since: int = 0) -> list[tuple[AccessKind, int, int, str, Sequence[str]]]:
    """Kind, person, key, role and scopes of Acme's rows."""
    found = AccessLedger.objects.filter(tenant_id=people.acme.tenant.id, seq__gt=since).order_by("seq")
    return [(AccessKind(row.kind), row.user_id, row.key_id, row.role, row.scopes) for row in found]


def last() -> int:
    return int(sql("SELECT coalesce(max(seq), 0) FROM access_ledger")[0][0])


def key_of(people: Cast, scopes: Sequence[str] = (Scope.TASKS_READ,)) -> ApiKey:
    """Bob's key, made by Alice."""
    with entered(tenant_id=people.acme.tenant.id, actor_id=people.alice.actor.id):
        key, _ = create_api_key(
            tenant_id=people.acme.tenant.id,
            name="BI",
            scopes=scopes,
            owner=people.bob.user,
            expires_at=LATER,
            now=NOW,
        )
    return key


def test_members_come_change_and_go(people: Cast) -> None:
    """Joining, another role, leaving; what changes nothing is not a row."""
    bob = Membership.objects.filter(user=people.bob.user)
    who = people.bob.user.id
    bob.update(role=Role.MANAGER)
    bob.update(role=Role.MANAGER)
    bob.delete()
    assert [row for row in rows(people) if row[1] == who] == [
        (AccessKind.JOINED, who, 0, "MEMBER", []),
        (AccessKind.ROLE_CHANGED, who, 0, "MANAGER", []),
        (AccessKind.LEFT, who, 0, "", []),
    ]


def test_a_keys_whole_life_is_recorded(people: Cast) -> None:
    """P77: made, changed, replaced, revoked; a use is no change. With what held from then on."""
    since = last()
    key = key_of(people, [Scope.TASKS_READ, Scope.TASKS_WRITE])
    other = key_of(people)
    mine = ApiKey.objects.filter(tenant_id=people.acme.tenant.id, id=key.id)
    mine.update(last_used_at=NOW, name="another name")
    mine.update(scopes=[Scope.TASKS_READ], allowed_cidrs=["10.0.0.0/8"])
    mine.update(replaced_by_id=other.id, expires_at=NOW)
    mine.update(revoked_at=NOW)
    bob, read = people.bob.user.id, ["TASKS_READ"]
    assert rows(people, since=since) == [
        (AccessKind.KEY_CREATED, bob, key.id, "", ["TASKS_READ", "TASKS_WRITE"]),
        (AccessKind.KEY_CREATED, bob, other.id, "", read),
        (AccessKind.KEY_CHANGED, bob, key.id, "", read),
        (AccessKind.KEY_REPLACED, bob, key.id, "", read),
        (AccessKind.KEY_REVOKED, bob, key.id, "", read),
    ]
    told = AccessLedger.objects.filter(key_id=key.id).order_by("seq").values_list("expires_at", "allowed_cidrs")
    assert list(told) == [(LATER, []), (LATER, ["10.0.0.0/8"]), (NOW, ["10.0.0.0/8"]), (NOW, ["10.0.0.0/8"])]


def test_a_row_says_who_did_it(people: Cast) -> None:
    """The request's actor; without one the database login. Two clocks, and the transaction."""
    with asking(people.acme, people.alice):
        Membership.objects.filter(tenant_id=people.acme.tenant.id, user=people.bob.user).update(role=Role.BILLING)
    row = AccessLedger.objects.latest("seq")
    assert (row.actor_id, row.kind, row.role) == (people.alice.actor.id, AccessKind.ROLE_CHANGED, "BILLING")
    assert row.happened_at == row.recorded_at
    assert row.xact == row.correlation == sql("SELECT txid_current()")[0][0]
    sql("SELECT set_config('app.actor_id', '', true)")
    sql("UPDATE membership SET role = 'ADMIN' WHERE user_id = %s", [people.bob.user.id])
    assert Actor.objects.get(id=AccessLedger.objects.latest("seq").actor_id).kind == ActorKind.SQL


PLAN = {
    "points_a_minute": 10_000,
    "burst": 500,
    "tenant_points_a_minute": 100_000,
    "tenant_burst": 100_000,
    "at_once": 40,
}


def test_a_plans_whole_life_is_recorded(people: Cast) -> None:
    """Given, changed, taken back, with the numbers before and after; what changes no number is not a row."""
    since, tenant_id = last(), people.acme.tenant.id
    for changes in ({"burst": 500}, {"at_once": 3}, {"at_once": 3}):
        with entered(tenant_id=tenant_id, actor_id=people.alice.actor.id, role=None):
            set_plan(tenant_id=tenant_id, changes=changes)
    with entered(tenant_id=tenant_id, role=None):
        TenantPlan.objects.filter(tenant_id=tenant_id).delete()
    found = list(AccessLedger.objects.filter(seq__gt=since).order_by("seq"))
    smaller = {**PLAN, "at_once": 3}
    assert [(row.tenant_id, AccessKind(row.kind), row.plan_before, row.plan) for row in found] == [
        (tenant_id, AccessKind.PLAN_GIVEN, None, PLAN),
        (tenant_id, AccessKind.PLAN_CHANGED, PLAN, smaller),
        (tenant_id, AccessKind.PLAN_TAKEN_BACK, smaller, None),
    ]
    assert {(row.user_id, row.key_id, row.role) for row in found} == {(0, 0, "")}
    *by_alice, taken_back = found
    assert {row.actor_id for row in by_alice} == {people.alice.actor.id}
    assert Actor.objects.get(id=taken_back.actor_id).kind == ActorKind.SQL
    assert all(row.happened_at == row.recorded_at for row in found)


def test_a_plan_that_sql_changes_is_recorded_too(people: Cast) -> None:
    """One row for each tenant of a statement, each with its own tenant's numbers."""
    for company, burst in ((people.acme, 5), (people.globex, 6)):
        with entered(tenant_id=company.tenant.id, role=None):
            set_plan(tenant_id=company.tenant.id, changes={"burst": burst})
    since = last()
    sql("UPDATE tenant_plan SET burst = burst * 2")
    bursts = ("tenant_id", "plan_before__burst", "plan__burst")
    assert set(AccessLedger.objects.filter(seq__gt=since).values_list(*bursts)) == {
        (people.acme.tenant.id, 5, 10),
        (people.globex.tenant.id, 6, 12),
    }


def test_many_changes_of_one_statement_are_a_row_each(people: Cast) -> None:
    since = last()
    sql("UPDATE membership SET role = 'BILLING'")
    assert AccessLedger.objects.filter(seq__gt=since).count() == Membership.objects.count() == 4


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE access_ledger SET role = 'OWNER'",
        "DELETE FROM access_ledger",
        "TRUNCATE access_ledger",
        "INSERT INTO access_ledger SELECT * FROM access_ledger",
        "DELETE FROM api_key",
        "TRUNCATE tenant_plan",
    ],
)
def test_nobody_rewrites_it(people: Cast, statement: str) -> None:
    """Not the owner either."""
    key_of(people)
    refused(statement, because=UNWRITABLE)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("UPDATE api_key SET owner_id = NULL", "A key keeps its id, tenant, secret and owner for life"),
        ("UPDATE api_key SET sha256 = '\\x00'", "A key keeps its id, tenant, secret and owner for life"),
        ("UPDATE api_key SET revoked_at = NULL", "a revoked one stays revoked: make another"),
        ("UPDATE membership SET user_id = user_id + 1", "A membership keeps its id, tenant and person for life"),
        ("UPDATE tenant_plan SET id = id + 1", "A plan keeps its id and tenant for life"),
    ],
)
def test_identities_stay(people: Cast, change: str, sentence: str) -> None:
    key_of(people)
    TenantPlan.objects.create(tenant=people.acme.tenant, **PLAN)
    sql("UPDATE api_key SET revoked_at = now()")
    refused(change, because=sentence)


def test_one_tenant_sees_its_own(people: Cast) -> None:
    """P63: behind the policy like every other ledger; a request reads it and cannot write it."""
    with web_login(), entered(tenant_id=people.globex.tenant.id, role=DatabaseRole.TENANT):
        assert set(AccessLedger.objects.values_list("user_id", flat=True)) == {people.carol.user.id}
        refused("INSERT INTO access_ledger SELECT * FROM access_ledger", because="permission denied")


def test_a_trigger_of_a_copy_forges_nothing(people: Cast) -> None:
    """The functions look at the table that they are called for."""
    key_of(people)
    TenantPlan.objects.create(tenant=people.acme.tenant, **PLAN)
    for table in ("membership", "api_key", "tenant_plan"):
        sql(f"CREATE TEMP TABLE copied (LIKE {table} INCLUDING DEFAULTS)")
        sql(f"CREATE TRIGGER forge AFTER INSERT ON copied FOR EACH ROW EXECUTE FUNCTION {table}_changed()")
        refused(f"INSERT INTO copied SELECT * FROM {table}", because=f"Only the table {table} records its changes")
        sql("DROP TABLE copied")
