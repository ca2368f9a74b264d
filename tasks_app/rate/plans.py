"""Plans of tenants: how much their requests may cost, and how many may run at once."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from time import monotonic

from django.db import connection

from tasks_app.rate.gcra import Rate
from tasks_app.tenancy import DatabaseRole, entered

MINUTE = 60
# Requests of one tenant that run at the same time. A web process that dies gives its requests' places back one by one: all
# of them in this time, which is far beyond what a statement may take.
PLACES_BACK_IN = 600
# A plan is read again after so many seconds; until then every process goes by what it knows.
KNOWN_FOR = 10.0

READ_PLAN = """/* rate.read_plan */
SELECT points_a_minute, burst, tenant_points_a_minute, tenant_burst, at_once FROM tenant_plan WHERE tenant_id = %s
"""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Points that one key or login may spend, and all of a tenant together; after a rest up to the burst at once.

    `at_once`: how many of the tenant's requests may run at the same time.
    """

    points_a_minute: int = 10_000
    burst: int = 10_000
    tenant_points_a_minute: int = 100_000
    tenant_burst: int = 100_000
    at_once: int = 40

    @property
    def caller(self) -> Rate:
        """Of one key, or of one person."""
        return Rate(points=self.points_a_minute, seconds=MINUTE, burst=self.burst)

    @property
    def tenant(self) -> Rate:
        """Of all of the tenant's."""
        return Rate(points=self.tenant_points_a_minute, seconds=MINUTE, burst=self.tenant_burst)

    @property
    def running(self) -> Rate:
        """Places for requests that run: each takes one and gives it back."""
        return Rate(points=self.at_once, seconds=PLACES_BACK_IN, burst=self.at_once)


DEFAULT = Plan()
PLAN_FIELDS = tuple(asdict(DEFAULT))


class KnownPlans:
    """Plans that were read within the last seconds. Threads may share it: at worst one is read twice."""

    def __init__(self, *, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._plans: dict[int, tuple[Plan, float]] = {}

    def plan(self, tenant_id: int) -> Plan:
        """The tenant's plan. Not to be called inside a transaction of a tenant."""
        known = self._plans.get(tenant_id)
        if known is not None and self._clock() < known[1]:
            return known[0]
        plan = read_plan(tenant_id)
        self._plans[tenant_id] = (plan, self._clock() + KNOWN_FOR)
        return plan

    def forget(self) -> None:
        """Reads every plan again when it is asked for next."""
        self._plans.clear()


known_plans = KnownPlans()


def read_plan(tenant_id: int) -> Plan:
    """The tenant's plan as it is now, the default where it has none of its own."""
    with entered(tenant_id=tenant_id, role=DatabaseRole.TENANT, read_only=True):
        return plan_within(tenant_id)


def plan_within(tenant_id: int) -> Plan:
    """The same, inside a transaction of the tenant."""
    with connection.cursor() as cursor:
        cursor.execute(READ_PLAN, [tenant_id])
        row = cursor.fetchone()
    return DEFAULT if row is None else Plan(**dict(zip(PLAN_FIELDS, row, strict=True)))
