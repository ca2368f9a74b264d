"""Counts of answers and processes that are killed: a web of two workers on an embedded server of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.jobs.test_schedule import PROJECT, home, run, started
from tests.processes import PATIENCE, wait_until

KEY = """
import json
from datetime import UTC, datetime
from tasks_app.operations.keys import create_api_key
from tasks_app.operations.tenants import tenant_named
from tasks_app.tenancy import entered
tenant = tenant_named(slug="mine")
with entered(tenant_id=tenant.id):
    print(json.dumps(create_api_key(
        tenant_id=tenant.id, name="k", scopes=["ANALYTICS_READ"], owner=None, expires_at=None, now=datetime.now(UTC))[1]))
"""
COUNTED = """
import json
from tasks_app.observing.rows import days
from tasks_app.operations.tenants import tenant_named
from tasks_app.tenancy import entered
from datetime import date
tenant = tenant_named(slug="mine")
with entered(tenant_id=tenant.id):
    print(json.dumps(sum(each.count.valid for each in days(tenant_id=tenant.id, since=date(2020, 1, 1))
                         if each.objective == "OBJECTIVE")))
"""
WRITTEN = "SELECT coalesce(sum(valid), 0) FROM service_day WHERE objective = 'availability'"
# A job that a worker ended, and then how many are counted, once one is.
JOB = """
import time
from datetime import UTC, datetime, timedelta
from django_q.tasks import async_task
from tasks_app.operations.tenants import tenant_named
tenant = tenant_named(slug="mine")
second = timedelta(seconds=1)
async_task("tasks_app.observing.serving.job_ended", tenant_id=tenant.id, kind="analytics", queued=second, computed=second,
           now=datetime.now(UTC))
from tasks_app.models import ServiceTotal
from django.db import connection
while not ServiceTotal.objects.filter(objective="latency_asynchronous").exists():
    time.sleep(0.2)
"""


@pytest.mark.own_server
def test_a_kill_loses_seconds_and_an_end_loses_nothing(tmp_path: Path) -> None:
    """And whichever worker is asked for the metrics tells those of both. What a job's worker counts is written, too."""
    with home() as directory:
        migrated(directory)
        key = shell(directory, KEY)
        metrics = tmp_path / "metrics"
        metrics.mkdir()
        with web(directory, metrics=metrics) as (port, server):
            for _ in range(20):
                asked(port, key)
            told = [told_answers(port) for _ in range(6)]
            wait_until(lambda: written(directory) == 20)
            os.killpg(server.pid, signal.SIGKILL)
        assert told == [20.0] * 6
        assert counted(directory) == 20
        with web(directory, metrics=metrics) as (port, server):
            for _ in range(7):
                asked(port, key)
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=PATIENCE)
        assert counted(directory) == 27
        with started(directory, "qcluster"):
            assert shell(directory, JOB + COUNTED.replace("OBJECTIVE", "latency_asynchronous")) == 1


def counted(directory: Path) -> Any:
    """Answers that count for availability, as the tables have them."""
    return shell(directory, COUNTED.replace("OBJECTIVE", "availability"))


def written(directory: Path) -> int:
    """The same, at once: no process is started for it."""
    with psycopg.connect(host=str(directory / "run"), port=5432, user="fl_owner", dbname="flowledger") as owner:
        return int(owner.execute(WRITTEN).fetchall()[0][0])


def migrated(directory: Path) -> None:
    for arguments in (["migrate", "--verbosity", "0"], ["create_tenant", "mine", "--timezone", "UTC"]):
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=environment(directory),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr


def shell(directory: Path, text: str) -> Any:
    """What the program printed."""
    return run(directory, "shell", "--no-imports", "-c", text)


def environment(directory: Path, **more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("DATABASE_", "DJANGO_"))}
    return {**kept, "FLOWLEDGER_HOME": str(directory), **more}


@contextmanager
def web(directory: Path, *, metrics: Path) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """Two workers, as a server runs them; its port and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"127.0.0.1:{port}", "--workers", "2"],
        cwd=PROJECT,
        env=environment(directory, PROMETHEUS_MULTIPROC_DIR=str(metrics)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        wait_until(lambda: server.poll() is not None or lives(port))
        yield port, server
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGKILL)
        server.wait(timeout=PATIENCE)


def lives(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/live", timeout=PATIENCE) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def asked(port: int, key: str) -> None:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql",
        data=json.dumps({"query": "{ viewer { name } }"}).encode(),
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
        assert "errors" not in json.load(answer)


def told_answers(port: int) -> float:
    """Answers that /metrics tells of, over all operations and codes."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
        text = answer.read().decode()
    return sum(float(value) for value in re.findall(r"^flowledger_answers_total\{.*\} (\S+)$", text, re.MULTILINE))
