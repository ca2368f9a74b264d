"""Rollback drill: flip, wait for the new path's last answer, compare with the older side, restore.

Web processes read the stage with each request, inside its transaction: whoever begins after the flip sees it. So the last
new answer is given when the last transaction ends that had read the stage before. A drill that is stopped restores, one that
is killed is taken back by the worker, and until then by nobody else.
"""

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol

from django.db import DatabaseError, connection

from analytics.drift.arithmetic.stages import Flag, Side
from analytics.drift.controls import Capability, Control, LegacyFailure, registered
from analytics.drift.stages import Change, Standing, answering, current, set_stage, stage_of
from analytics.engine.rollups.compact import owners
from analytics.engine.statements import fetched
from analytics.models import StageCause
from analytics.pure.stages import Stage
from tasks_app.refusals import Refused
from tasks_app.tenancy import ContextRefused, DatabaseRole, entered

logger = logging.getLogger(__name__)

REASON: Final = "A drill of the way back."
LEFT: Final = "A drill of the way back was broken off, and is taken back."
STOPPED: Final = "The drill was stopped before its end."
BROKE_OFF: Final = "The drill broke off, because the database did not answer."
# Where each stage goes for the length of a drill. In SHADOW nobody is answered by us: what is drilled is the flip alone.
BACK: Final[Mapping[Stage, Stage]] = {
    Stage.SHADOW: Stage.OFF,
    Stage.LIVE_WITH_SHADOW: Stage.SHADOW,
    Stage.RAMPDOWN: Stage.SHADOW,
}
PROBES: Final = (1, 7, 30, 90)
LONGEST: Final = 60.0
PAUSE: Final = 0.05
# No drill takes that long: whoever made it is gone.
LEFT_AFTER: Final = timedelta(minutes=5)
# Of an answer that differs from the older side's once: the midnight job may have come between.
LOOKS: Final = 2
NOT_DRILLED: Final[Mapping[Stage, str]] = {
    Stage.OFF: "In OFF there is nothing to go back from, and so nothing to drill: switch it to SHADOW first.",
    Stage.COMPLETE: "In COMPLETE there is nothing to drill: from there no way leads back.",
}

CLOCK = "/* drift.clock */ SELECT clock_timestamp()"
# What was answered under a version of the flag: still to be compared, or compared of late. What is old may go meanwhile.
PINNED = """/* drift.pinned */
SELECT count(*), max(asked_at) FILTER (WHERE asked_at > %(flipped)s) FROM (
       SELECT asked_at FROM drift_due
        WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND flag_version = %(version)s
       UNION ALL
       SELECT asked_at FROM drift_comparison
        WHERE tenant_id = %(tenant)s AND capability = %(capability)s AND flag_version = %(version)s
          AND compared_at > %(flipped)s - interval '1 day') answered
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
_olders: dict[Capability, Control] = {}


def register_front(*, capability: Capability, front: Front, older: Control) -> None:
    """Makes this what a drill asks, and `older` the side that it goes back to; the last ones that are registered hold.

    A tenant whose answers are compared with those of a system elsewhere still goes back to `older`.
    """
    registered()
    _fronts[capability], _olders[capability] = front, older


@dataclass(slots=True, kw_only=True)
class Drill:
    """One drill. `problems` are sentences; without any it went well. `seconds` from the flip to the last new answer.

    Whoever was answered by us had asked before `flipped_at`, which is the database's clock.
    """

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
    """The drill, which is kept; afterwards the stage is what it was, two versions later, also when this is stopped.

    Refused where there is nothing to go back from, and while another drill is under way. Run as the login of the web,
    outside of any transaction.
    """
    front, before = _front(capability), _ready(tenant_id, capability, now=now)
    made = Drill(before=before, flipped=_flipped(before, now=now), flipped_at=now)
    try:
        _wait(made, wait=wait)
        _probe(made, front, probes=probes, now=now)
    except (DatabaseError, ContextRefused):
        logger.exception("The drill of %s for tenant %s broke off.", capability, tenant_id)
        made.problems.append(BROKE_OFF)
    except BaseException:
        made.problems.append(STOPPED)
        raise
    finally:
        _end(made, now=now)
    return made


def take_back_left(*, now: datetime) -> int:
    """Restores what killed drills have left behind, of every tenant; says how many. One that fails stops no other."""
    taken = 0
    for owner in owners():
        try:
            taken += sum(_taken_back(owner.id, each, now=now) for each in _left(owner.id) if _is_old(each, now=now))
        except DatabaseError:
            logger.exception("What a drill left of tenant %s could not be restored.", owner.slug)
    return taken


def _front(capability: Capability) -> Front:
    registered()
    found = _fronts.get(capability)
    if found is None:
        raise Refused(f"{capability.value} has no older endpoint that could be drilled.")
    return found


def _ready(tenant_id: int, capability: Capability, *, now: datetime) -> Standing:
    """The switch, from which there is a way back. What a drill that was killed left of it is taken back first."""
    for each in _left(tenant_id):
        if each.capability is not capability:
            continue
        if not _is_old(each, now=now):
            raise Refused(
                f"A drill is under way since {each.changed_at:%H:%M:%S} UTC: wait for its end."
                f" If it was killed, the stage is restored after {LEFT_AFTER.seconds // 60} minutes."
            )
        _taken_back(tenant_id, each, now=now)
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER, read_only=True):
        found = stage_of(tenant_id=tenant_id, capability=capability)
    if found.flag.stage not in BACK:
        raise Refused(NOT_DRILLED[found.flag.stage])
    return found


def _left(tenant_id: int) -> list[Change]:
    """The switches that a drill has flipped and not restored."""
    with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER, read_only=True):
        found = current(tenant_id=tenant_id)
    return [each for each in found if each.cause is StageCause.DRILL and BACK.get(each.before.stage) is each.flag.stage]


def _is_old(left: Change, *, now: datetime) -> bool:
    return now - left.changed_at >= LEFT_AFTER


def _taken_back(tenant_id: int, left: Change, *, now: datetime) -> bool:
    """Restores it, and keeps a drill that failed. False where somebody else has just changed the stage."""
    before, flipped = (
        Standing(tenant_id=tenant_id, capability=left.capability, flag=flag) for flag in (left.before, left.flag)
    )
    made = Drill(before=before, flipped=flipped, flipped_at=left.changed_at, problems=[LEFT])
    logger.warning("%s of tenant %s goes back to %s: %s", left.capability, tenant_id, left.before.stage, LEFT)
    _restore(made, reason=LEFT, now=now)
    if made.problems != [LEFT]:
        return False
    _keep(made, now=now)
    return True


def _flipped(before: Standing, *, now: datetime) -> Standing:
    wanted = Flag(stage=BACK[before.flag.stage], percent=before.flag.percent, version=before.flag.version + 1)
    with entered(tenant_id=before.tenant_id, role=DatabaseRole.WORKER):
        return set_stage(before, wanted=wanted, reason=REASON, cause=StageCause.DRILL, now=now)


def _wait(made: Drill, *, wait: Callable[[float], None]) -> None:
    """Until whoever had read the stage before the flip has answered."""
    begun = time.monotonic()
    made.flipped_at = fetched(CLOCK)[0][0].astimezone(UTC)
    made.pinned = _answered(made)[0]
    at = made.before
    while answering(tenant_id=at.tenant_id, capability=at.capability, since=made.flipped_at):
        if time.monotonic() - begun > LONGEST:
            made.problems.append(f"What had begun before the flip had not ended after {LONGEST:.0f} s.")
            break
        wait(PAUSE)
    made.seconds = round(time.monotonic() - begun, 3)


def _probe(made: Drill, front: Front, *, probes: Sequence[int], now: datetime) -> None:
    """Asks as a user would, and the older side itself: both say the same, under the new version."""
    for days in probes:
        made.probes += 1
        found = [_unlike(made, front, days=days, now=now)]
        while found[-1] and len(found) < LOOKS:
            found.append(_unlike(made, front, days=days, now=now))
        if found[-1]:
            made.problems.append(found[-1])
    pinned, last = _answered(made)
    if last is not None:
        made.seconds = max(made.seconds, round((last - made.flipped_at).total_seconds(), 3))
    if made.seconds > LONGEST and not made.problems:
        made.problems.append(f"The new path answered for {made.seconds} s after the flip.")
    if pinned < made.pinned:
        made.problems.append("Comparisons that were owed when the stage was flipped were not made under their version.")


def _unlike(made: Drill, front: Front, *, days: int, now: datetime) -> str:
    """Why this answer is not the older side's, in one sentence; "" when it is."""
    tenant_id = made.before.tenant_id
    try:
        served = front.answer(tenant_id=tenant_id, days=days, now=now)
    except (DatabaseError, ContextRefused, Refused):
        logger.exception("The older endpoint of tenant %s did not answer a drill.", tenant_id)
        return f"After the flip there was no answer for {days} days."
    if served.answered_by is not Side.LEGACY or served.flag_version != made.flipped.flag.version:
        return (
            f"After the flip {served.answered_by.value} answered for {days} days under version {served.flag_version}."
        )
    theirs = _olders[made.before.capability].answer(tenant_id=tenant_id, days=days, now=now)
    if isinstance(theirs, LegacyFailure):
        return f"For {days} days there is nothing to compare with: {theirs.reason}"
    return (
        "" if dict(served.body) == dict(theirs.body) else f"For {days} days the answer is not that of the older side."
    )


def _end(made: Drill, *, now: datetime) -> None:
    """Restored and kept, on a new connection where the old one was lost."""
    try:
        _restore(made, reason=REASON, now=now)
    except (DatabaseError, ContextRefused):
        connection.close()
        _restore(made, reason=REASON, now=now)
    _keep(made, now=now)


def _restore(made: Drill, *, reason: str, now: datetime) -> None:
    """The stage as before, as long as nobody has changed it meanwhile."""
    flag = made.before.flag
    wanted = Flag(stage=flag.stage, percent=flag.percent, version=made.flipped.flag.version + 1)
    try:
        with entered(tenant_id=made.before.tenant_id, role=DatabaseRole.WORKER):
            set_stage(made.flipped, wanted=wanted, reason=reason, cause=StageCause.DRILL, now=now)
    except Refused:
        made.problems.append("The stage was changed during the drill, and stays as it is now.")


def _keep(made: Drill, *, now: datetime) -> None:
    told = {
        "probes": made.probes,
        "pinned": made.pinned,
        "problems": made.problems,
        "versions": [made.before.flag.version, made.flipped.flag.version],
        "flippedAt": made.flipped_at.isoformat(),
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
        rows = fetched(
            PINNED,
            tenant=made.before.tenant_id,
            capability=made.before.capability.value,
            version=made.before.flag.version,
            flipped=made.flipped_at,
        )
    count, last = rows[0]
    return int(count), None if last is None else last.astimezone(UTC)
