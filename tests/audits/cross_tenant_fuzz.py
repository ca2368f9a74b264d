"""cross_tenant_fuzz: three tenants ask and change at random, each with names that the others' answers gave away."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import combinations
from random import Random

from config.schema import schema
from tasks_app.models import Role, Task
from tests.audits.asking import Author, Loot, post
from tests.audits.doors import generous_plan, new_key, open_door
from tests.audits.findings import Finding, Request
from tests.audits.scene import say
from tests.cast import Company, company, person, tasks

OPERATIONS = 10_000
SLUGS = ("acme", "globex", "initech")
TASKS = 12
MOST_TOLD = 5
WELCOME = """{
  projects(first: 5) { edges { cursor node { id key } } }
  tasks(first: 5) { edges { cursor node { id key } } }
  activity(first: 5) { edges { cursor node { id } } }
  analytics(window: {rolling: {count: 3, unit: DAY}}) { workInProgress receipt { token } }
}"""


@dataclass(kw_only=True)
class Tenant:
    """One of the three: its key, the word that is in all of its titles, the ids that it was shown."""

    slug: str
    secret: str
    seen: set[str] = field(default_factory=set)

    @property
    def marker(self) -> str:
        return f"zq-{self.slug}"


@dataclass(kw_only=True)
class Found:
    """How the operations ended, and what should not have been."""

    done: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def cross_tenant_fuzz(request: Request) -> Finding:
    """Nobody is shown a row of another's: no id that another has seen, no title of another's."""
    tenants = [_tenant(slug) for slug in SLUGS]
    loot, found = Loot(), Found()
    with open_door() as server:
        for tenant in tenants:
            tenant.seen |= loot.gather(post(server.url, key=tenant.secret, query=WELCOME).body)
        share = request.times(OPERATIONS) // len(tenants)
        say(f"{share} operations for each of {len(tenants)} tenants")
        with ThreadPoolExecutor(len(tenants)) as threads:
            for each in [threads.submit(_fuzz, tenant, tenants, server.url, loot, found, share) for tenant in tenants]:
                each.result()
    shared = [sorted(one.seen & other.seen) for one, other in combinations(tenants, 2)]
    foreign = sum(map(len, shared)) + len(found.wrong)
    return Finding(
        name="cross_tenant_fuzz",
        ok=foreign == 0 and found.done["5xx"] == 0 and found.done["data"] > found.done.total() // 4,
        figures={
            "operations": found.done.total(),
            "by_outcome": dict(found.done),
            "ids_seen": {tenant.slug: len(tenant.seen) for tenant in tenants},
            "foreign_rows": foreign,
            "first": [*found.wrong, *(each for ids in shared for each in ids)][:MOST_TOLD],
        },
    )


def _tenant(slug: str) -> Tenant:
    made: Company = company(slug=slug)
    owner = person(company=made, name=f"zq-{slug}", role=Role.OWNER)
    for board in (made.board, made.second_board):
        tasks(board=board, count=TASKS)
    Task.objects.filter(tenant=made.tenant).update(title=f"zq-{slug} work", assignee=owner.actor)
    generous_plan(made.tenant)
    return Tenant(slug=slug, secret=new_key(tenant_id=made.tenant.id))


def _fuzz(tenant: Tenant, tenants: list[Tenant], url: str, loot: Loot, found: Found, operations: int) -> None:
    chance = Random(tenant.slug)
    author = Author(schema=schema._schema, loot=loot, chance=chance)
    others = [each.marker for each in tenants if each is not tenant]
    for _ in range(operations):
        query = author.operation()
        reply = post(url, key=tenant.secret, query=query)
        found.done[_outcome(reply.status, reply.codes)] += 1
        if reply.status >= 500 or "INTERNAL" in reply.codes:
            found.wrong.append(f"{reply.status}: {query[:300]}")
        text = str(reply.body.get("data"))
        found.wrong += [f"{tenant.slug} was shown {each}: {query[:300]}" for each in others if each in text]
        tenant.seen |= loot.gather(reply.body.get("data"))


def _outcome(status: int, codes: set[str]) -> str:
    if status >= 500 or "INTERNAL" in codes:
        return "5xx"
    return min(codes) if codes else "data"
