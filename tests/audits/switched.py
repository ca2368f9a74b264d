"""Tenants with a switch and real days behind them, asked for their old diagram all the time over a real server."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django_q.tasks import async_task

from analytics.drift.arithmetic.stages import Flag
from analytics.drift.stages import Change, changes, set_stage, stage_of
from analytics.legacy.control import CfdControl
from analytics.models import StageCause
from analytics.pure.stages import Stage
from analytics.switching import FLOW
from tasks_app.models import Actor, ActorKind, Membership, Role, Tenant, User
from tasks_app.tenancy import DatabaseRole, entered
from tests.audits.doors import generous_plan, new_key, open_door
from tests.audits.named_web import PROCESS
from tests.audits.scene import clock
from tests.legacy.replay import ZONE, Replay, replayed
from tests.serving import HOST

WEBS = 4
CLIENTS = 8
# Between two requests of a client: the load is to be constant, not to fill the machine.
PAUSE_SECONDS = 1.0
HURRIED_SECONDS = 0.3
MOVES = 4
END_SECONDS = 30

# Every answer that is owed a comparison, also after it is compared.
WATCH = """
CREATE TABLE audit_owed (tenant bigint, stage text, version int, asked_at timestamptz);
GRANT INSERT ON audit_owed TO fl_worker, fl_tenant;
CREATE FUNCTION audit_owed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit_owed VALUES (NEW.tenant_id, NEW.stage, NEW.flag_version, NEW.asked_at);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_owed AFTER INSERT ON drift_due FOR EACH ROW EXECUTE FUNCTION audit_owed();
"""
OWED_NOW = "/* audits.owed_now */ SELECT count(*) FROM drift_due WHERE tenant_id = %s"
# What was owed and not compared as often, and the other way round. Stored figures are compared in no stage.
NOT_ONCE = """/* audits.not_once */
SELECT stage, version, asked_at, owed, compared FROM
       (SELECT stage, version, asked_at, count(*) AS owed FROM audit_owed WHERE tenant = %s GROUP BY 1, 2, 3) o
  FULL JOIN
       (SELECT stage, flag_version AS version, asked_at, count(*) AS compared
          FROM drift_comparison WHERE tenant_id = %s AND stage <> '' GROUP BY 1, 2, 3) c USING (stage, version, asked_at)
 WHERE owed IS DISTINCT FROM compared
"""
OWED_BY_VERSION = (
    "/* audits.owed_by_version */ SELECT version, count(*) FROM audit_owed WHERE tenant = %s GROUP BY version"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A reply as a client has it; the instants are the machine's clock, which is the database's, too."""

    slug: str
    days: int
    began: datetime
    ended: datetime
    status: int
    answered_by: str
    stage: str
    version: int
    process: str
    body: Any


@dataclass(kw_only=True)
class Clients:
    """What clients were told so far, by tenant."""

    port: int
    keys: Mapping[str, str]
    days: Sequence[int]
    pause: float = PAUSE_SECONDS
    told: dict[str, list[Reply]] = field(default_factory=dict)
    stop: threading.Event = field(default_factory=threading.Event)

    def of(self, slug: str) -> list[Reply]:
        """Those of one tenant, as they began."""
        return sorted(self.told.get(slug, []), key=lambda each: each.began)

    def ask(self, chance: Random) -> None:
        """Until it is to stop, somebody asks for some days of some tenant."""
        while not self.stop.is_set():
            slug = chance.choice(list(self.keys))
            self.told.setdefault(slug, []).append(self._reply(slug, chance.choice(self.days)))
            time.sleep(self.pause * 2 * chance.random())

    @contextmanager
    def hurried(self) -> Iterator[None]:
        """Inside they ask far more often: what lasts for a moment is to be seen."""
        self.pause = HURRIED_SECONDS
        try:
            yield
        finally:
            self.pause = PAUSE_SECONDS

    def _reply(self, slug: str, days: int) -> Reply:
        url = f"http://{HOST}:{self.port}/api/v1/analytics/cfd?days={days}"
        request = urllib.request.Request(url, headers={"Authorization": f"Bearer {self.keys[slug]}"})
        began = _now()
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                status, headers, text = response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            with error:
                status, headers, text = error.code, error.headers, error.read()
        except OSError as error:  # no reply at all
            status, headers, text = 0, {}, json.dumps(str(error)).encode()
        return Reply(
            slug=slug,
            days=days,
            began=began,
            ended=_now(),
            status=status,
            answered_by=headers.get("X-Answered-By", ""),
            stage=headers.get("X-Stage", ""),
            version=int(headers.get("X-Flag-Version", -1)),
            process=headers.get(PROCESS, ""),
            body=json.loads(text),
        )


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - what clients are told is timed


@contextmanager
def clients_asking(*, keys: Mapping[str, str], days: Sequence[int]) -> Iterator[Clients]:
    """Four web processes and a worker, and clients who ask all the time until the inside ends."""
    with _worker():
        with open_door(workers=WEBS, application="tests.audits.named_web") as server:
            clients = Clients(port=server.port, keys=keys, days=days)
            threads = [threading.Thread(target=clients.ask, args=[Random(seed)]) for seed in range(CLIENTS)]
            for thread in threads:
                thread.start()
            try:
                yield clients
            finally:
                clients.stop.set()
                for thread in threads:
                    thread.join()
        # Only now: what is owed for an answer is written once it is sent.
        drain(list(keys))


@contextmanager
def _worker() -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "manage.py", "qcluster"],
        cwd=settings.BASE_DIR,
        stdout=sys.stderr.fileno(),
        start_new_session=True,
    )
    try:
        yield
    finally:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=END_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def drain(slugs: Collection[str], *, within: float = 300) -> None:
    """Has the worker compare all that is owed. Raises when something is left."""
    ids = [Tenant.objects.get(slug=slug).id for slug in slugs]
    deadline = time.monotonic() + within
    async_task("analytics.jobs.compare_all", save=False)
    while any(asked(OWED_NOW, pk)[0][0] for pk in ids):
        if time.monotonic() > deadline:
            raise RuntimeError("What is owed was not compared in time.")
        time.sleep(0.5)


def lived(*, slug: str, days: int, sleeping: Collection[int] = (), seed: int = 1) -> Replay:
    """A tenant that has lived the days before today, with an owner and points without end."""
    today = clock().astimezone(ZoneInfo(ZONE)).date()
    replay = replayed(
        slug=slug, days=days, sleeping=sleeping, seed=seed, moves=MOVES, first=today - timedelta(days=days)
    )
    tenant = Tenant.objects.get(pk=replay.tenant_id)
    generous_plan(tenant)
    user = User.objects.create_user(email=f"owner@{slug}.example", name="Olga")
    user.tenants.add(tenant)
    Membership.objects.create(tenant=tenant, user=user, role=Role.OWNER)
    Actor.objects.create(tenant=tenant, kind=ActorKind.USER, name="Olga", user=user)
    return replay


def keys_of(replays: Sequence[Replay]) -> dict[str, str]:
    """A service key of each, by slug."""
    return {replay.slug: new_key(tenant_id=replay.tenant_id) for replay in replays}


def switch(replay: Replay, stage: Stage) -> int:
    """Straight to a stage; the flag's version."""
    with entered(tenant_id=replay.tenant_id, actor_id=replay.actor_id, role=DatabaseRole.WORKER):
        before = stage_of(tenant_id=replay.tenant_id, capability=FLOW)
        wanted = Flag(stage=stage, percent=100, version=before.flag.version + 1)
        set_stage(before, wanted=wanted, reason="For an audit.", cause=StageCause.ASKED, overrides=True, now=clock())
    return wanted.version


def ledger_of(replay: Replay) -> list[Change]:
    """The newest change first."""
    with entered(tenant_id=replay.tenant_id, role=DatabaseRole.WORKER, read_only=True):
        return changes(tenant_id=replay.tenant_id, capability=FLOW)


def old_bodies(replay: Replay, days: Sequence[int]) -> dict[int, Any]:
    """What the older side says for so many days."""
    return {each: _old_body(replay, each) for each in days}


def _old_body(replay: Replay, days: int) -> Any:
    answer: Any = CfdControl().answer(tenant_id=replay.tenant_id, days=days, now=clock())
    return json.loads(json.dumps(answer.body))


def wait_until(holds: Callable[[], bool], *, within: float, what: str) -> None:
    """Raises when it does not within so many seconds."""
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not happen within {within:.0f} s.")
        time.sleep(0.05)


def asked(statement: str, *values: Any) -> list[Any]:
    """The rows of a statement."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []
