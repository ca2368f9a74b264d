"""limiter_rate: checks of the rate limiter a second, from several processes, and whether more was admitted than may be."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection

from tasks_app.rate.gcra import Rate, take
from tests.benchmarks.outcomes import Outcome, Request

GOAL = 10_000.0
CHECKS = 20_000
PROCESSES = 4
# Half of what is asked for is admitted.
HOT, SPREAD = "hot", "spread"
# What is measured imports models, which takes that Django is set up before.
SHARE = "import django; django.setup(); from tests.benchmarks.limiter import share; share()"


def limiter_rate(request: Request) -> Iterator[Outcome]:
    """One bucket that everybody wants, and a thousand; each check is one `take` on a connection of a web process."""
    checks = request.size(CHECKS)
    found = {kind: _measured(kind, checks) for kind in (HOT, SPREAD)}
    admitted, seconds = found[HOT]
    most = _hot_rate(checks).at_once
    yield Outcome(
        name="limiter_rate",
        ratio=checks / seconds,
        goal=GOAL,
        at_least=True,
        also=admitted <= most,
        detail={
            "unit": "checks a second, one hot bucket",
            "spread_over_1000": round(checks / found[SPREAD][1]),
            "processes": PROCESSES,
            "admitted": admitted,
            "may_be_admitted": most,
            "select_1": round(checks / _measured("nothing", checks)[1]),
        },
    )


def _hot_rate(checks: int) -> Rate:
    """Nothing comes back within the run: all checks are of one instant."""
    return Rate(points=checks // 2, seconds=3600)


def _measured(kind: str, checks: int) -> tuple[int, float]:
    """How many were admitted, and the seconds from the first process's begin to the last one's end."""
    environ = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.benchmarks.served",
        "FLOWLEDGER_BENCH_DATABASE": settings.DATABASES["default"]["NAME"],
    }
    command = [sys.executable, "-c", SHARE, kind, str(checks)]
    crew = [
        subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    pipes = [(process.stdin, process.stdout) for process in crew]
    for _, output in pipes:
        assert output is not None
        output.readline()
    begun = time.perf_counter()
    for asked, _ in pipes:
        assert asked is not None
        asked.write("go\n")
        asked.flush()
    admitted = sum(int(output.readline()) for _, output in pipes if output is not None)
    seconds = time.perf_counter() - begun
    for process in crew:
        process.communicate()
    return admitted, seconds


def _work(kind: str, checks: int) -> int:
    """This process's share."""
    now, rate = datetime(2026, 1, 1, tzinfo=UTC), _hot_rate(checks)
    admitted = 0
    for number in range(checks // PROCESSES):
        if kind == "nothing":
            with connection.cursor() as cursor:
                cursor.execute("/* benchmarks.nothing */ SELECT 1")
                cursor.fetchall()
            continue
        bucket = HOT if kind == HOT else f"{os.getpid()}/{number % (1_000 // PROCESSES)}"
        admitted += take(bucket=bucket, cost=1, rate=rate, now=now).admitted
    return admitted


def share() -> None:
    """What each process does once it is told to: prints how many of its checks were admitted."""
    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    print(_work(sys.argv[1], int(sys.argv[2])), flush=True)
