"""Stage of a tenant, which says who answers it: read once a request, changed by one statement, recorded by a trigger.

Every function is used inside `entered(...)` of its tenant.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from analytics.drift.arithmetic.stages import Flag, Side, is_stale, place_of, refused_step
from analytics.drift.controls import Capability
from analytics.engine.reading.switches import Switch
from analytics.engine.statements import fetched
from analytics.models import StageCause
from analytics.pure.stages import Stage
from tasks_app.refusals import Refused

LONGEST_REASON: Final = 1_000
STAGE: Final = ("input", "stage")
PERCENT: Final = ("input", "percent")
REASON: Final = ("input", "reason")
NEVER_CHANGED: Final = "It was never switched on."

READ = """/* drift.stage_of */
SELECT stage, percent, version, txid_current_snapshot()::text FROM drift_stage
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s
"""
# The same, by a transaction that answers by it: the lock is its mark until it ends. Nobody ever waits for it, or is refused.
READ_TO_ANSWER = """/* drift.stage_to_answer */
SELECT stage, percent, version, txid_current_snapshot()::text, pg_advisory_xact_lock_shared(hashtextextended(%(mark)s, 0))
  FROM drift_stage WHERE tenant_id = %(tenant)s AND capability = %(capability)s
"""
# Transactions that answer by what they read before an instant. One that is about to read sees what is there now. Of other
# logins than one's own no server tells when their transactions began; all of the web share one.
ANSWERING = """/* drift.answering */
SELECT count(*) FROM pg_stat_activity a
 WHERE a.datname = current_database() AND a.usename = session_user AND a.pid <> pg_backend_pid()
   AND a.xact_start <= %(since)s
   AND ((a.state = 'active' AND a.query LIKE '/* drift.stage_to_answer */%%')
        OR EXISTS (SELECT FROM pg_locks l
                    WHERE l.pid = a.pid AND l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
                      AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended(%(mark)s, 0)))
"""
READ_AT = """/* drift.stage_at */
SELECT stage, percent, version, txid_current_snapshot()::text FROM drift_stage_change
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND changed_at <= %(at)s ORDER BY version DESC LIMIT 1
"""
# A first change and a later one in one statement. Whoever was slower finds another version, and writes nothing.
WRITE = """/* drift.set_stage */
INSERT INTO drift_stage AS s (tenant_id, capability, stage, percent, version, changed_at, cause, overridden, reason)
VALUES (%(tenant)s, %(capability)s, %(stage)s, %(percent)s, 1, %(now)s, %(cause)s, %(overridden)s, %(reason)s)
    ON CONFLICT (tenant_id, capability)
    DO UPDATE SET stage = excluded.stage, percent = excluded.percent, version = s.version + 1,
                  changed_at = excluded.changed_at, cause = excluded.cause, overridden = excluded.overridden,
                  reason = excluded.reason
        WHERE s.version = %(version)s
RETURNING version
"""
CHANGES = """/* drift.stage_changes */
SELECT capability, version, stage_before, percent_before, stage, percent, actor_id, cause, overridden, reason, changed_at
  FROM drift_stage_change
 WHERE tenant_id = %(tenant)s AND (%(capability)s::text IS NULL OR capability = %(capability)s)
 ORDER BY seq DESC LIMIT %(most)s
"""
# The row of the ledger that made each stage what it is.
CURRENT = """/* drift.stages_now */
SELECT c.capability, c.version, c.stage_before, c.percent_before, c.stage, c.percent, c.actor_id, c.cause, c.overridden,
       c.reason, c.changed_at
  FROM drift_stage s JOIN drift_stage_change c USING (tenant_id, capability, version)
 WHERE s.tenant_id = %(tenant)s ORDER BY c.capability
"""
LAST_DEMOTION = """/* drift.last_demotion */
SELECT max(changed_at) FROM drift_stage_change
 WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND cause = 'BREACH'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How one request, or one job, is answered. It is found out once and carried along: a flip changes later ones alone.

    `snapshot` names the ledger rows that could be seen then; "" where nobody ever switched.
    """

    tenant_id: int
    capability: Capability
    flag: Flag
    snapshot: str = ""

    @property
    def place(self) -> int:
        """The tenant's place among all tenants, 0 to 99."""
        return place_of(capability=self.capability.value, tenant_id=self.tenant_id)

    @property
    def answered_by(self) -> Side:
        """Whose answer is given."""
        return self.flag.answered_by(place=self.place)

    @property
    def is_compared(self) -> bool:
        """Whether the answer is to be compared with the other side's."""
        return self.flag.is_compared

    @property
    def cache_key(self) -> str:
        """Part of the name of whatever is kept of this answer, so that nothing of another version is given again."""
        return f"{self.capability.value}:{self.flag.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row of the stages' ledger."""

    capability: Capability
    version: int
    before: Flag
    flag: Flag
    actor_id: int
    cause: StageCause
    overridden: bool
    reason: str
    changed_at: datetime


def stage_of(*, tenant_id: int, capability: Capability) -> Standing:
    """How the tenant is answered now; OFF where nobody ever switched."""
    return _standing(tenant_id, capability, fetched(READ, tenant=tenant_id, capability=capability.value))


def stage_at(*, tenant_id: int, capability: Capability, at: datetime) -> Standing:
    """How the tenant was answered at an instant, by the ledger: for jobs, which answer as the request that made them."""
    return _standing(tenant_id, capability, fetched(READ_AT, tenant=tenant_id, capability=capability.value, at=at))


def switch(*, tenant_id: int, capability: str, at: datetime | None) -> Switch:
    """As receipts name it: see analytics.engine.reading.switches.Switches."""
    which = Capability(capability)
    found = (
        stage_of(tenant_id=tenant_id, capability=which)
        if at is None
        else stage_at(tenant_id=tenant_id, capability=which, at=at)
    )
    return Switch(stage=found.flag.stage, version=found.flag.version)


def stage_to_answer(*, tenant_id: int, capability: Capability) -> Standing:
    """The same, for the older endpoint, which answers by it. Until its transaction ends, `answering` counts it.

    To be read before anything else is, so that what the transaction sees is no older than its mark.
    """
    mark = _mark(tenant_id, capability)
    return _standing(
        tenant_id, capability, fetched(READ_TO_ANSWER, tenant=tenant_id, capability=capability.value, mark=mark)
    )


def answering(*, tenant_id: int, capability: Capability, since: datetime) -> int:
    """How many transactions that began until then still answer by the stage that they have read.

    Whatever else is open, jobs and folds and other tenants' requests, is not among them. Outside of any transaction.
    """
    found: int = fetched(ANSWERING, tenant=tenant_id, mark=_mark(tenant_id, capability), since=since)[0][0]
    return found


def _mark(tenant_id: int, capability: Capability) -> str:
    return f"drift {capability.value} {tenant_id}"


def _standing(tenant_id: int, capability: Capability, rows: Sequence[tuple[Any, ...]]) -> Standing:
    flag = Flag(stage=Stage(rows[0][0]), percent=rows[0][1], version=rows[0][2]) if rows else Flag()
    return Standing(tenant_id=tenant_id, capability=capability, flag=flag, snapshot=rows[0][3] if rows else "")


def check_step(standing: Standing, wanted: Flag, *, reason: str, overrides: bool) -> None:
    """Refused for a step that nobody may take, whatever is proven, and for one without a reason."""
    if not any(letter.isprintable() and not letter.isspace() for letter in reason):
        raise Refused("reason: a change of a stage is recorded with its reason; give one.", path=REASON)
    if len(reason) > LONGEST_REASON:
        raise Refused(f"reason: give at most {LONGEST_REASON:,} characters.", path=REASON)
    if (why := refused_step(standing.flag, wanted, overrides=overrides)) is not None:
        raise Refused(why, path=PERCENT if why.startswith("percent") else STAGE)


def set_stage(
    standing: Standing, *, wanted: Flag, reason: str, cause: StageCause, overrides: bool = False, now: datetime
) -> Standing:
    """The switch in its new position. Whether it may be is not asked here: see `gate.switch`.

    Refused when somebody else was faster.
    """
    written = fetched(
        WRITE,
        tenant=standing.tenant_id,
        capability=standing.capability.value,
        version=standing.flag.version,
        stage=wanted.stage.value,
        percent=wanted.percent,
        reason=reason,
        cause=cause.value,
        overridden=overrides,
        now=now,
    )
    if not written or written[0][0] != wanted.version:
        raise Refused("Somebody else has just changed this stage: look at it again, then decide.", path=STAGE)
    return replace(standing, flag=wanted)


def current(*, tenant_id: int) -> list[Change]:
    """What made each stage what it is; nothing for capabilities that were never switched."""
    return [_change(row) for row in fetched(CURRENT, tenant=tenant_id)]


def changes(*, tenant_id: int, capability: Capability | None = None, most: int = 100) -> list[Change]:
    """The newest changes first."""
    named = capability and capability.value
    return [_change(row) for row in fetched(CHANGES, tenant=tenant_id, capability=named, most=most)]


def last_demotion(*, tenant_id: int, capability: Capability) -> datetime | None:
    """When the switch was last taken back by itself."""
    found: datetime | None = fetched(LAST_DEMOTION, tenant=tenant_id, capability=capability.value)[0][0]
    return found


def stale(*, tenant_id: int, now: datetime) -> list[Change]:
    """The switches that stand half way for longer than they ever should."""
    return [each for each in current(tenant_id=tenant_id) if is_stale(each.flag, changed_at=each.changed_at, now=now)]


def _change(row: tuple[Any, ...]) -> Change:
    capability, version, stage_before, percent_before, stage, percent, actor_id, cause, overridden, reason, at = row
    return Change(
        capability=Capability(capability),
        version=version,
        before=Flag(stage=Stage(stage_before), percent=percent_before, version=version - 1),
        flag=Flag(stage=Stage(stage), percent=percent, version=version),
        actor_id=actor_id,
        cause=StageCause(cause),
        overridden=overridden,
        reason=reason,
        changed_at=at.astimezone(UTC),
    )
