"""The older side of a tenant becomes wrong while everybody is asked all the time: that tenant's switch takes itself back.

Slept nights are filled with invented days, as an operator would. The worker finds out by its schedule alone; nobody helps it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from analytics.drift.stages import Change
from analytics.models import DriftComparison, StageCause
from analytics.pure.stages import Stage
from tasks_app.models import Actor
from tests.audits.findings import Finding, Request
from tests.audits.scene import clock, say
from tests.audits.switched import (
    WEBS,
    Clients,
    Reply,
    asked,
    clients_asking,
    keys_of,
    ledger_of,
    lived,
    switch,
    wait_until,
)
from tests.legacy.replay import Replay

TENANTS = 3
DAYS = 40
SLEPT = (11, 23, 24)
# The invented days are in the longer ones alone.
ASKED_DAYS = (1, 7, 30, 40)
# Comparisons of the tenant that were right before.
WARMED = 10
WARM_WITHIN, TAKEN_WITHIN = 300.0, 180.0
AFTERWARDS_SECONDS = 3
LONGEST = 60.0
MOST_TOLD = 5

COMPARED = "/* audits.compared */ SELECT count(*) FROM drift_comparison WHERE tenant_id = %s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fallen:
    """One tenant's way back: when its older side became wrong, and when the audit first saw the switch one stage lower."""

    tenant: Replay
    invented: int
    wrong_at: datetime
    seen_at: datetime
    change: Change


def demotion(request: Request) -> Finding:
    """3 tenants by default, one after the other."""
    begun = time.monotonic()
    tenants = [
        lived(slug=f"tenant-{number}", days=DAYS, sleeping=SLEPT, seed=number)
        for number in range(1, request.times(TENANTS) + 2)
    ]
    for tenant in tenants:
        switch(tenant, Stage.LIVE_WITH_SHADOW)
    *falling, standing = tenants
    with clients_asking(keys=keys_of(tenants), days=ASKED_DAYS) as clients:
        fallen = [_fallen(tenant) for tenant in falling]
        time.sleep(AFTERWARDS_SECONDS)
    wrong = [
        *(sentence for each in fallen for sentence in _wrong_fall(each, clients.of(each.tenant.slug))),
        *_wrong_replies(clients),
        *([] if len(ledger_of(standing)) == 1 else [f"{standing.slug} was switched, too."]),
    ]
    figures = _figures(fallen, clients) | {"seconds": round(time.monotonic() - begun)}
    return Finding(
        name="demotion", ok=not wrong, figures=figures | {"wrong": len(wrong), "first_wrong": wrong[:MOST_TOLD]}
    )


def _fallen(tenant: Replay) -> Fallen:
    """Makes the older side wrong, and waits for the switch to fall."""
    wait_until(lambda: asked(COMPARED, tenant.tenant_id)[0][0] >= WARMED, within=WARM_WITHIN, what="The warming up")
    invented, wrong_at = tenant.invent(), clock()
    wait_until(lambda: len(ledger_of(tenant)) > 1, within=TAKEN_WITHIN, what="The step back")
    found = Fallen(tenant=tenant, invented=invented, wrong_at=wrong_at, seen_at=clock(), change=ledger_of(tenant)[0])
    say(f"{tenant.slug}: {invented} days invented, back after {(found.seen_at - wrong_at).total_seconds():.1f} s")
    return found


def _wrong_fall(fallen: Fallen, told: Sequence[Reply]) -> list[str]:
    """What is not as a step back has to be."""
    change, slug, found = fallen.change, fallen.tenant.slug, []
    who = Actor.objects.get(id=change.actor_id).name
    steps = (change.before.stage.value, change.flag.stage.value, change.cause.value, who, len(ledger_of(fallen.tenant)))
    if steps != ("LIVE_WITH_SHADOW", "SHADOW", StageCause.BREACH.value, "dual run", 2):
        found.append(f"{slug} fell by {steps}.")
    late = [each for each in told if each.began > fallen.seen_at and each.answered_by != "LEGACY"]
    found += [f"{slug} was answered by {each.answered_by} after it fell, asked at {each.began}." for each in late]
    if not any(each.began > fallen.seen_at for each in told):
        found.append(f"Nobody asked for {slug} after it fell.")
    for since, seconds in (
        ("the older side was wrong", _in_all(fallen, told)),
        ("drift was found", _seconds(fallen, told)),
    ):
        if seconds > LONGEST:
            found.append(f"The last new answer to {slug} came {seconds:.1f} s after {since}.")
    return found


def _last_new(told: Sequence[Reply]) -> datetime:
    return max(each.ended for each in told if each.answered_by == "CANONICAL")


def _in_all(fallen: Fallen, told: Sequence[Reply]) -> float:
    """From when the older side was wrong to the last reply of ours, as clients had it."""
    return (_last_new(told) - fallen.wrong_at).total_seconds()


def _seconds(fallen: Fallen, told: Sequence[Reply]) -> float:
    """The same, from the first comparison that found drift."""
    drift = DriftComparison.objects.filter(tenant_id=fallen.tenant.tenant_id, verdict="DRIFT").earliest("compared_at")
    return max(0.0, (_last_new(told) - drift.compared_at).total_seconds())


def _wrong_replies(clients: Clients) -> list[str]:
    """Every request was answered, by one of four processes."""
    told = [each for slug in clients.keys for each in clients.of(slug)]
    processes = {each.process for each in told}
    found = [f"{each.slug} was answered with status {each.status}: {each.body}" for each in told if each.status != 200]
    return found if len(processes) == WEBS else [*found, f"{len(processes)} processes answered."]


def _figures(fallen: Sequence[Fallen], clients: Clients) -> dict[str, Any]:
    told = {each.tenant.slug: clients.of(each.tenant.slug) for each in fallen}
    return {
        "breaches": len(fallen),
        "invented_days": [each.invented for each in fallen],
        "seconds_from_the_first_drift": [round(_seconds(each, told[each.tenant.slug]), 2) for each in fallen],
        "seconds_in_all": [round(_in_all(each, told[each.tenant.slug]), 2) for each in fallen],
        "reasons": [each.change.reason for each in fallen],
        "replies": {slug: len(clients.of(slug)) for slug in clients.keys},
        "processes": len({each.process for slug in clients.keys for each in clients.of(slug)}),
    }
