"""A drill of the way back: flip, wait until the last answer of the new path is given, compare with the older side, restore.

Web processes read the stage with each request, inside its transaction: whoever begins after the flip sees it. So the last
new answer is given when the last transaction ends that had begun before.
"""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from django.db import connection

from analytics.drift.controls import Capability, LegacyAnswer, control_of
from analytics.drift.stages import Standing, set_stage, stage_of
from analytics.models import StageCause
from analytics.pure.drift.stages import Flag, Side, Stage
from tasks_app.refusals import Refused
from tasks_app.tenancy import DatabaseRole, entered

REASON: Final = "A drill of the way back."
# Where each stage goes for the length of a drill. In SHADOW nobody is answered by us: what is drilled is the flip alone.
BACK: Final[Mapping[Stage, Stage]] = {
    Stage.SHADOW: Stage.OFF,
    Stage.LIVE_WITH_SHADOW: Stage.SHADOW,
    Stage.RAMPDOWN: Stage.SHADOW,
}
PROBES: Final = (1, 7, 30, 90)
LONGEST: Final = 60.0
PAUSE: Final = 0.05

CLOCK = "/* drift.clock */ SELECT clock_timestamp()"
# Of other logins than one's own no server tells when their transactions began. All of the web share one.
OLDER = """/* drift.older_transactions */
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND usename = session_user AND pid <> pg_backend_pid() AND xact_start <= %(flipped)s
"""
# What was answered under a version of the flag: still to be compared, or compared.
PINNED = """/* drift.pinned */
SELECT count(*), max(asked_at) FILTER (WHERE asked_at > %(flipped)s) FROM (
       SELECT asked_at FROM drift_due
        WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND flag_version = %(version)s
       UNION ALL
       SELECT asked_at FROM drift_comparison
        WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND flag_version = %(version)s) answered
"""
KEEP = """/* drift.keep_drill */
INSERT INTO drift_drill (tenant_id, capability, stage, drilled_at, ok, seconds, detail)
VALUES (%(tenant)s, %(capability)s, %(stage)s, %(now)s, %(ok)s, %(seconds)s, %(detail)s)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What somebody who asks the older endpoint gets: whose answer, under which version of the flag, in the older shape."""

    answered_by: Side
    flag_version: int
    body: Mapping[str, Any]


class Front(Protocol):
    """The older endpoint, as its users find it."""

    def answer(self, *, tenant_id: int, days: int, now: datetime) -> Served:
        """To be called outside of any tenant's transaction."""


_fronts: dict[Capability, Front] = {}


def register_front(*, capability: Capability, front: Front) -> None:
    """Makes this what a drill asks; the last one that is registered holds."""
    _fronts[capability] = front


@dataclass(slots=True, kw_only=True)
class Drill:
    """One drill. `problems` are sentences; without any it went well. `seconds` from the flip to the last new answer."""

    before: Standing
    flipped: Standing
    flipped_at: datetime
    seconds: float = 0.0
    probes: int = 0
    pinned: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether there is a way back."""
        return not self.problems


def drill(
    *,
    tenant_id: int,
    capability: Capability,
    now: datetime,
    probes: Sequence[int] = PROBES,
    wait: Callable[[float], None] = time.sleep,
) -> Drill:
    """The drill, which is kept; afterwards the stage is what it was, two versions later.

    Refused where there is nothing to go back from. Run as the login of the web, outside of any transaction.
    """
    front, before = _front(capability), _standing(tenant_id, capability)
    if before.flag.stage not in BACK:
        raise Refused(f"In {before.flag.stage.value} there is nothing to go back from, and so nothing to drill.")
    made = _flip(before, now=now)
    try:
        _wait(made, wait=wait)
        _probe(made, front, probes=probes, now=now)
    finally:
        _restore(made, now=now)
    _keep(made, now=now)
    return made


def _front(capability: Capability) -> Front:
    found = _fronts.get(capability)
    if found is None or control_of(capability) is None:
        raise Refused(f"{capability.value} has no older endpoint that could be drilled.")
    return found


def _standing(tenant_id: int, capability: Capability) -> Standing:
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER, read_only=True):
        return stage_of(tenant_id=tenant_id, capability=capability)


def _flip(before: Standing, *, now: datetime) -> Drill:
    wanted = Flag(stage=BACK[before.flag.stage], percent=before.flag.percent, version=before.flag.version + 1)
    with entered(tenant_id=before.tenant_id, role=DatabaseRole.WORKER):
        flipped = set_stage(before, wanted=wanted, reason=REASON, cause=StageCause.DRILL, now=now)
    flipped_at = _rows(CLOCK)[0][0].astimezone(UTC)
    made = Drill(before=before, flipped=flipped, flipped_at=flipped_at)
    made.pinned = _answered(made)[0]
    return made


def _wait(made: Drill, *, wait: Callable[[float], None]) -> None:
    """Until whatever had begun before the flip has ended."""
    begun = time.monotonic()
    while _rows(OLDER, flipped=made.flipped_at)[0][0]:
        if time.monotonic() - begun > LONGEST:
            made.problems.append(f"What had begun before the flip had not ended after {LONGEST:.0f} s.")
            break
        wait(PAUSE)
    made.seconds = round(time.monotonic() - begun, 3)


def _probe(made: Drill, front: Front, *, probes: Sequence[int], now: datetime) -> None:
    """Asks as a user would, and the older side itself: both say the same, under the new version."""
    control = control_of(made.before.capability)
    tenant_id = made.before.tenant_id
    for days in probes:
        served = front.answer(tenant_id=tenant_id, days=days, now=now)
        theirs = None if control is None else control.answer(tenant_id=tenant_id, days=days, now=now)
        made.probes += 1
        if served.answered_by is not Side.LEGACY or served.flag_version != made.flipped.flag.version:
            made.problems.append(
                f"After the flip {served.answered_by.value} answered for {days} days under version {served.flag_version}."
            )
        elif not isinstance(theirs, LegacyAnswer) or dict(served.body) != dict(theirs.body):
            made.problems.append(f"For {days} days the answer is not that of the older side.")
    pinned, last = _answered(made)
    if last is not None:
        made.seconds = max(made.seconds, round((last - made.flipped_at).total_seconds(), 3))
    if pinned < made.pinned:
        made.problems.append("Comparisons that were owed when the stage was flipped were not made under their version.")


def _restore(made: Drill, *, now: datetime) -> None:
    """The stage as before, as long as nobody has changed it meanwhile."""
    flag = made.before.flag
    wanted = Flag(stage=flag.stage, percent=flag.percent, version=made.flipped.flag.version + 1)
    try:
        with entered(tenant_id=made.before.tenant_id, role=DatabaseRole.WORKER):
            set_stage(made.flipped, wanted=wanted, reason=REASON, cause=StageCause.DRILL, now=now)
    except Refused:
        made.problems.append("The stage was changed during the drill, and stays as it is now.")


def _keep(made: Drill, *, now: datetime) -> None:
    told = {
        "probes": made.probes,
        "pinned": made.pinned,
        "problems": made.problems,
        "versions": [made.before.flag.version, made.flipped.flag.version],
    }
    with entered(tenant_id=made.before.tenant_id, role=DatabaseRole.WORKER), connection.cursor() as cursor:
        cursor.execute(
            KEEP,
            {
                "tenant": made.before.tenant_id,
                "capability": made.before.capability.value,
                "stage": made.before.flag.stage.value,
                "now": now,
                "ok": made.ok,
                "seconds": made.seconds,
                "detail": json.dumps(told),
            },
        )


def _answered(made: Drill) -> tuple[int, datetime | None]:
    """How many answers were given under the version before the flip, and when the last one after it was."""
    with entered(tenant_id=made.before.tenant_id, role=DatabaseRole.WORKER, read_only=True):
        rows = _rows(
            PINNED,
            tenant=made.before.tenant_id,
            capability=made.before.capability.value,
            version=made.before.flag.version,
            flipped=made.flipped_at,
        )
    count, last = rows[0]
    return int(count), None if last is None else last.astimezone(UTC)


def _rows(statement: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
