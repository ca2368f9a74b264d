"""Drills of the way back, one after the other, of a tenant that is asked all the time over four web processes.

With comparisons owed and analytics jobs in flight. What clients were told decides, not what the drill says of itself.
"""

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.conf import settings
from django_q.tasks import async_task

from analytics.drift.due import owe
from analytics.models import DriftDrill
from analytics.pure.stages import Stage
from analytics.switching import FLOW
from tasks_app.tenancy import entered
from tests.audits.findings import Finding, Request
from tests.audits.job_load import someone, submit_some
from tests.audits.scene import clock, say
from tests.audits.switched import (
    NOT_ONCE,
    OWED_BY_VERSION,
    OWED_NOW,
    WATCH,
    WEBS,
    Clients,
    Reply,
    asked,
    clients_asking,
    keys_of,
    ledger_of,
    lived,
    old_bodies,
    switch,
    wait_until,
)
from tests.legacy.replay import Replay

DRILLS = 5
DAYS = 40
SLEPT = (11, 23, 24)
ASKED_DAYS = (1, 7, 30, 40)
OWED, JOBS = 60, 15
WORKS_WITHIN = 300.0
LONGEST = 60.0
BETWEEN_SECONDS = 1.5
MOST_TOLD = 5

ACTIVE = "/* audits.active */ SELECT count(*) FROM analytics_job WHERE state IN ('PENDING', 'RUNNING')"
COMPARED = "/* audits.compared */ SELECT count(*) FROM drift_comparison WHERE tenant_id = %s"
JOBS_DONE = "/* audits.jobs_done */ SELECT state, attempt, count(*) FROM analytics_job GROUP BY 1, 2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drilled:
    """One drill as its command told it, and as it is kept."""

    printed: dict[str, Any]
    version: int
    flipped_at: datetime
    restored_at: datetime
    probes: int
    in_flight: tuple[int, int]


@dataclass(kw_only=True)
class _Load:
    tenant: Replay
    clients: Clients
    chance: Random = field(default_factory=lambda: Random(1))
    owed: int = 0


def drill_rollback(request: Request) -> Finding:
    """5 drills by default."""
    begun = time.monotonic()
    asked(WATCH)
    tenant, other = (
        lived(slug=slug, days=DAYS, sleeping=SLEPT, seed=seed) for seed, slug in ((1, "drilled"), (2, "other"))
    )
    version, _ = switch(tenant, Stage.RAMPDOWN), switch(other, Stage.RAMPDOWN)
    expected = old_bodies(tenant, ASKED_DAYS)
    with clients_asking(keys=keys_of([tenant, other]), days=ASKED_DAYS) as clients:
        load = _Load(tenant=tenant, clients=clients)
        made = [_drilled(load, version + 2 * number) for number in range(request.times(DRILLS))]
        time.sleep(BETWEEN_SECONDS)
    wait_until(lambda: asked(ACTIVE)[0][0] == 0, within=WORKS_WITHIN, what="The end of all jobs")
    told = clients.of(tenant.slug)
    wrong = [
        *(sentence for each in made for sentence in _wrong_drill(each, told, expected)),
        *(sentence for slug in clients.keys for sentence in _not_answered(clients.of(slug))),
        *_wrong_processes(told, made),
        *_wrong_comparisons(load, told),
        *_touched(other, clients.of(other.slug)),
        *(
            f"{count} jobs are {state} at attempt {n}."
            for state, n, count in asked(JOBS_DONE)
            if (state, n) != ("SUCCEEDED", 1)
        ),
    ]
    figures = _figures(made, clients, told) | {"seconds": round(time.monotonic() - begun)}
    return Finding(
        name="drill_rollback", ok=not wrong, figures=figures | {"wrong": len(wrong), "first_wrong": wrong[:MOST_TOLD]}
    )


def _drilled(load: _Load, version: int) -> Drilled:
    """A drill, by the command, while the worker is in the middle of comparisons and jobs."""
    _fill(load, version)
    in_flight = (asked(OWED_NOW, load.tenant.tenant_id)[0][0], asked(ACTIVE)[0][0])
    command = [sys.executable, "manage.py", "drill_rollback", "--tenant", load.tenant.slug, "--capability", FLOW.value]
    with load.clients.hurried():
        ended = subprocess.run(command, cwd=settings.BASE_DIR, capture_output=True, text=True, check=False)
    if not ended.stdout:
        raise RuntimeError(f"The drill said nothing: {ended.stderr}")
    kept = DriftDrill.objects.filter(tenant_id=load.tenant.tenant_id).latest("id")
    detail = json.loads(kept.detail)
    say(f"drill: {ended.stdout.strip()} {ended.stderr.strip()}, in flight {in_flight}, {detail}")
    time.sleep(BETWEEN_SECONDS)
    return Drilled(
        printed=json.loads(ended.stdout),
        version=detail["versions"][0],
        flipped_at=datetime.fromisoformat(detail["flippedAt"]),
        restored_at=clock() - timedelta(seconds=BETWEEN_SECONDS),
        probes=detail["probes"],
        in_flight=in_flight,
    )


def _fill(load: _Load, version: int) -> None:
    """Comparisons of the present stage and jobs, of which the worker has begun the first when this returns."""
    tenant_id = load.tenant.tenant_id
    with entered(tenant_id=tenant_id):
        for _ in range(OWED):
            owe(
                tenant_id=tenant_id,
                capability=FLOW,
                days=load.chance.choice(ASKED_DAYS),
                stage=Stage.RAMPDOWN.value,
                flag_version=version,
                asked_at=clock(),
            )
    load.owed += OWED
    compared = asked(COMPARED, tenant_id)[0][0]
    wait_until(lambda: asked(COMPARED, tenant_id)[0][0] > compared, within=WORKS_WITHIN, what="A comparison")
    wait_until(lambda: asked(ACTIVE)[0][0] == 0, within=WORKS_WITHIN, what="The end of the last drill's jobs")
    submit_some(chance=load.chance, callers=[someone(tenant_id)], number=JOBS)
    async_task("analytics.jobs.sweep_all", save=False)
    wait_until(lambda: asked(ACTIVE)[0][0] < JOBS, within=WORKS_WITHIN, what="The first job")


def _wrong_drill(made: Drilled, told: list[Reply], expected: dict[int, Any]) -> list[str]:
    """What clients were told that a way back does not allow."""
    new, flipped = made.version, made.version + 1
    found = []
    if made.printed.get("ok") is not True or made.printed["seconds"] > LONGEST:
        found.append(f"The drill said {made.printed}.")
    late = [each for each in told if each.version == new and each.began > made.flipped_at]
    found += [f"{each.answered_by} answered under version {new} what was asked at {each.began}." for each in late]
    if _seconds(made, told) > LONGEST:
        found.append(f"The last answer of version {new} came after {_seconds(made, told):.1f} s.")
    for each in (each for each in told if each.version == flipped):
        if (each.answered_by, each.stage) != ("LEGACY", "SHADOW"):
            found.append(f"{each.answered_by} answered in {each.stage} under version {flipped}.")
        elif each.body != expected[each.days]:
            found.append(f"For {each.days} days the answer under version {flipped} is not the older side's.")
    after = [each for each in told if each.version == new + 2]
    if not after or any((each.answered_by, each.stage) != ("CANONICAL", "RAMPDOWN") for each in after):
        found.append(f"After the drill of version {new} it was not all ours again.")
    stale = [each for each in told if each.version <= flipped and each.began > made.restored_at]
    return found + [f"Under version {each.version} after the drill's end, asked at {each.began}." for each in stale]


def _seconds(made: Drilled, told: list[Reply]) -> float:
    """From the flip to the last reply of the version before it, as clients had it."""
    ends = [each.ended for each in told if each.version == made.version]
    return max(0.0, (max(ends) - made.flipped_at).total_seconds()) if ends else 0.0


def _not_answered(told: list[Reply]) -> list[str]:
    return [f"{each.slug} was answered with status {each.status}: {each.body}" for each in told if each.status != 200]


def _wrong_processes(told: list[Reply], made: list[Drilled]) -> list[str]:
    """Four processes answered, somebody was answered while the stage was flipped, and there was work in flight."""
    flipped = {each.version + 1 for each in made}
    found = []
    if (number := len({each.process for each in told})) != WEBS:
        found.append(f"{number} processes answered.")
    if not any(each.version in flipped for each in told):
        found.append("Nobody asked while the stage was flipped.")
    if not all(number for each in made for number in each.in_flight):
        found.append("Nothing was in flight at a flip.")
    return found


def _wrong_comparisons(load: _Load, told: list[Reply]) -> list[str]:
    """Each answer owed once, each owed one compared once, under the stage and version of the answer."""
    pk = load.tenant.tenant_id
    found = [f"Owed and compared: {row}" for row in asked(NOT_ONCE, pk, pk)]
    owed = sum(count for _, count in asked(OWED_BY_VERSION, pk)) - load.owed
    return found if owed == len(told) else [*found, f"{len(told)} answers, and {owed} are owed a comparison."]


def _touched(other: Replay, told: list[Reply]) -> list[str]:
    """What another tenant noticed."""
    found = [
        f"{other.slug}: {each.answered_by} under {each.version}."
        for each in told
        if (each.answered_by, each.version) != ("CANONICAL", 1)
    ]
    return found if len(ledger_of(other)) == 1 else [*found, f"The stage of {other.slug} was changed."]


def _figures(made: list[Drilled], clients: Clients, told: list[Reply]) -> dict[str, Any]:
    flipped = {each.version + 1 for each in made}
    while_flipped = [each for each in told if each.version in flipped]
    return {
        "drills": len(made),
        "seconds_at_most": max(each.printed["seconds"] for each in made),
        "seconds_for_clients_at_most": round(max(_seconds(each, told) for each in made), 3),
        "probes_equal": sum(each.probes for each in made),
        "replies": {slug: len(clients.of(slug)) for slug in clients.keys},
        "replies_while_flipped": len(while_flipped),
        "processes": sorted({each.process for each in told}),
        "processes_while_flipped": len({each.process for each in while_flipped}),
        "owed_in_flight_at_least": min(each.in_flight[0] for each in made),
        "jobs_in_flight_at_least": min(each.in_flight[1] for each in made),
    }
