"""load: twice as many requests as the plan admits, for a minute, over eight connections."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tasks_app.models import TenantPlan
from tests.audits.asking import post
from tests.audits.doors import new_key, open_door
from tests.audits.findings import Finding, Request
from tests.audits.scene import populate, say

SECONDS = 60
CONNECTIONS = 8
A_SECOND = 30
BURST = 30
WITHIN = 0.01
QUERY = "{ viewer { name } }"  # one point


@dataclass(frozen=True, kw_only=True)
class Sent:
    """One request: its status, when it went out and how long it took."""

    status: int
    at: float
    seconds: float
    retry_after: int | None


def load(request: Request) -> Finding:
    """No fault of the server, and as much admitted as the plan says: its burst and its rate times the time."""
    seconds = request.times(SECONDS)
    people = populate(tasks_per_board=1)
    TenantPlan.objects.create(
        tenant=people.acme.tenant,
        points_a_minute=A_SECOND * 60,
        burst=BURST,
        tenant_points_a_minute=A_SECOND * 600,
        tenant_burst=A_SECOND * 600,
        at_once=100,
    )
    secret = new_key(tenant_id=people.acme.tenant.id)
    with open_door() as server:
        post(server.url, key=new_key(tenant_id=people.acme.tenant.id), query=QUERY)
        say(f"{2 * A_SECOND} requests a second for {seconds} s")
        with ThreadPoolExecutor(CONNECTIONS) as threads:
            begun = time.monotonic()
            paces = [
                threads.submit(_paced, server.url, secret, begun, number, seconds) for number in range(CONNECTIONS)
            ]
            sent = sorted((each for pace in paces for each in pace.result()), key=lambda each: each.at)
    return _finding(sent)


def _paced(url: str, secret: str, begun: float, number: int, seconds: int) -> list[Sent]:
    """Requests at their instants, late ones at once: how many are sent depends on the clock and not on the server."""
    every = CONNECTIONS / (2 * A_SECOND)
    sent: list[Sent] = []
    for turn in range(int(seconds / every)):
        due = begun + (turn + number / CONNECTIONS) * every
        time.sleep(max(0.0, due - time.monotonic()))
        at = time.monotonic()
        reply = post(url, key=secret, query=QUERY)
        retry_after = reply.headers.get("Retry-After")
        sent.append(
            Sent(
                status=reply.status,
                at=at - begun,
                seconds=time.monotonic() - at,
                retry_after=int(retry_after) if retry_after else None,
            )
        )
    return sent


def _finding(sent: list[Sent]) -> Finding:
    admitted = [each for each in sent if each.status == 200]
    refused = [each for each in sent if each.status == 429]
    lasted = sent[-1].at - sent[0].at
    plan = BURST + A_SECOND * lasted
    offered = len(sent) / (A_SECOND * lasted)
    off = len(admitted) / plan - 1
    told = all(each.retry_after is not None for each in refused)
    return Finding(
        name="load",
        ok=len(admitted) + len(refused) == len(sent) and abs(off) <= WITHIN and told and offered > 1.5,
        figures={
            "requests": len(sent),
            "offered_of_the_rate": round(offered, 2),
            "server_errors": sum(each.status >= 500 for each in sent),
            "admitted": len(admitted),
            "the_plan_admits": round(plan, 1),
            "off_by_percent": round(100 * off, 2),
            "admitted_p50_ms": _milliseconds(admitted, 0.5),
            "admitted_p99_ms": _milliseconds(admitted, 0.99),
            "refused_p99_ms": _milliseconds(refused, 0.99),
        },
    )


def _milliseconds(sent: list[Sent], share: float) -> float:
    ranked = sorted(each.seconds for each in sent)
    return round(1000 * ranked[min(len(ranked) - 1, int(share * len(ranked)))], 1) if ranked else 0.0
