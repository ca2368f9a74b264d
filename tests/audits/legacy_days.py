"""500 days lived through the live tables, with the midnight job running, and sleeping in some nights."""

import time
from collections import Counter
from random import Random

from tests.audits.findings import Finding, Request
from tests.audits.scene import say
from tests.legacy.replay import replayed, verdicts, wrong_days

DAYS = 500
SLEPT_SHARE = 0.04


def legacy_days(request: Request) -> Finding:
    """Each day on which the job ran has no drift; those that it slept through are its errors; invented ones are drift."""
    days, begun = request.times(DAYS), time.monotonic()
    chance = Random(6)
    sleeping = {number for number in range(1, days - 1) if chance.random() < SLEPT_SHARE}
    say(f"legacy_days: {days} days, {len(sleeping)} nights without a job")
    replay = replayed(slug="legacy-days", days=days, sleeping=sleeping, seed=6)
    before = replay.compared()
    wrong = wrong_days(replay, before)
    invented = replay.invent() if replay.slept else 0
    after = replay.compared()
    wrong += wrong_days(replay, after, invented=replay.slept)
    return Finding(
        name="legacy_days",
        ok=not wrong,
        figures={
            "days": days,
            "slept": len(sleeping),
            "verdicts": dict(Counter(verdicts(before).values())),
            "invented": invented,
            "verdictsWithBackfill": dict(Counter(verdicts(after).values())),
            "wrong": wrong[:10],
            "seconds": round(time.monotonic() - begun, 1),
        },
    )
