"""kill -9 of workers, web processes and the whole server with 200 jobs waiting: each job is answered once, and none is stuck.

A trigger of the audit's own writes down each claim and each answer of each job. In the end every job has one answer, which is
that of a request; and whatever was left by the dead was taken up within a lease's length after its lease was over.
"""

import json
import time
from dataclasses import dataclass, field
from random import Random
from typing import Any

from django.db import Error, connection

from analytics.jobs.rows import LEASE
from tasks_app.tenancy import Caller, ContextRefused
from tests.audits.crew import Crew, Process, crew
from tests.audits.findings import Finding, Request
from tests.audits.home import kill_server
from tests.audits.job_load import answered, someone, submit_some
from tests.audits.scene import populate, say

KILLS = 50
# Filled up to so many before each kill, that 200 are left at it.
IN_FLIGHT = 480
TASKS_PER_BOARD = 200
WORKERS, WEBS = 2, 2
# Of ten kills five are of workers, three of web processes, two of the server.
VICTIMS = ("worker",) * 5 + ("web",) * 3 + ("server",) * 2
DRAINED_WITHIN_SECONDS = 300
MOST_COMPARED = 100
MOST_WRONG = 5

WATCH = """
CREATE TABLE audit_effect (job bigint, attempt int, state text, at timestamptz, late interval);
GRANT INSERT ON audit_effect TO fl_worker, fl_tenant;
CREATE FUNCTION audit_effect() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO audit_effect VALUES (NEW.id, NEW.attempt, NEW.state, clock_timestamp(),
        CASE WHEN OLD.state = 'RUNNING' AND NEW.state = 'RUNNING' THEN clock_timestamp() - OLD.lease_until END);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_effect AFTER UPDATE ON analytics_job FOR EACH ROW
    WHEN (OLD.attempt <> NEW.attempt OR OLD.state <> NEW.state) EXECUTE FUNCTION audit_effect();
"""
ACTIVE = "/* audits.active */ SELECT count(*) FROM analytics_job WHERE state IN ('PENDING', 'RUNNING')"
STATES = "/* audits.states */ SELECT state || ' ' || error_code, count(*) FROM analytics_job GROUP BY 1"
NOT_ONCE = """/* audits.not_once */
SELECT j.id, j.state, count(e.job) FROM analytics_job j LEFT JOIN audit_effect e ON e.job = j.id AND e.state = 'SUCCEEDED'
 GROUP BY j.id, j.state HAVING count(e.job) <> 1
"""
TAKEN_UP = """/* audits.taken_up */
SELECT count(late), coalesce(max(extract(epoch FROM late)), 0)::float8, max(attempt) FROM audit_effect
"""
ANSWERS = """/* audits.answers */
SELECT tenant_id, variables, result FROM analytics_job WHERE state = 'SUCCEEDED' ORDER BY random() LIMIT %s
"""
FOREVER = 10_000


@dataclass(kw_only=True)
class _Load:
    request: Request
    staff: Crew
    callers: list[Caller]
    chance: Random = field(default_factory=lambda: Random(1))
    hired: dict[str, list[Process]] = field(default_factory=lambda: {"worker": [], "web": []})
    kills: dict[str, int] = field(default_factory=dict)
    in_flight: list[int] = field(default_factory=list)


def kill_jobs(request: Request) -> Finding:
    """50 kills by default."""
    begun = time.monotonic()
    people = populate(tasks_per_board=TASKS_PER_BOARD)
    _ask(WATCH)
    callers = [someone(person.membership.tenant_id) for person in (people.alice, people.carol)]
    with crew(database=connection.settings_dict["NAME"]) as staff:
        load = _Load(request=request, staff=staff, callers=callers)
        for _ in range(request.times(KILLS)):
            _strike(load)
        _fill(load)
        # Who asks stops first: what a web process has handed over is left to the workers, which drain it.
        wrong = staff.dismiss(load.hired["web"]).wrong
        drained = _drained()
        wrong += staff.dismiss(load.hired["worker"]).wrong
    figures = _figures(load, wrong=wrong, drained=drained) | {"seconds": round(time.monotonic() - begun)}
    ok = not figures["wrong"] and drained and figures["seconds_left_at_most"] <= LEASE.total_seconds()
    return Finding(name="kill_jobs", ok=ok, figures=figures)


def _strike(load: _Load) -> None:
    """One kill, at a random moment of a load that is complete."""
    _fill(load)
    time.sleep(load.chance.uniform(0, 0.8))
    load.in_flight.append(_ask(ACTIVE)[0][0])
    kind = load.chance.choice(VICTIMS)
    if kind == "server":
        if kill_server(load.request.home) == 0:
            raise RuntimeError("The server was not there to be killed.")
        connection.close()
    else:
        victim = load.chance.choice(load.hired[kind])
        load.hired[kind].remove(victim)
        load.staff.kill(victim)
    load.kills[kind] = load.kills.get(kind, 0) + 1
    say(f"kill {sum(load.kills.values())} ({kind}), {load.in_flight[-1]} jobs in flight")


def _fill(load: _Load) -> None:
    """So many processes of each kind and so many jobs as there are to be."""
    for kind, number in (("worker", WORKERS), ("web", WEBS)):
        load.hired[kind] += load.staff.hire({f"job_{kind}": number - len(load.hired[kind])})
    missing = IN_FLIGHT - _ask(ACTIVE)[0][0]
    submit_some(chance=load.chance, callers=load.callers, number=max(missing, 0))


def _drained() -> bool:
    deadline = time.monotonic() + DRAINED_WITHIN_SECONDS
    while _ask(ACTIVE)[0][0] and time.monotonic() < deadline:
        time.sleep(0.5)
    return not _ask(ACTIVE)[0][0]


def _figures(load: _Load, *, wrong: list[str], drained: bool) -> dict[str, Any]:
    not_once = [f"Job {job} is {state} and was answered {times} times." for job, state, times in _ask(NOT_ONCE)]
    taken_up, left, attempts = _ask(TAKEN_UP)[0]
    wrong = [*wrong, *not_once, *_unlike(load)]
    return {
        "kills": load.kills,
        "in_flight_at_least": min(load.in_flight),
        "jobs": {state.strip(): count for state, count in _ask(STATES)},
        "drained": drained,
        "taken_up": taken_up,
        "seconds_left_at_most": round(left, 2),
        "attempts_at_most": attempts,
        "wrong": len(wrong),
        "first_wrong": wrong[:MOST_WRONG],
    }


def _unlike(load: _Load) -> list[str]:
    """Answers that a request would not have given."""
    found = []
    callers = {caller.tenant.id: caller for caller in load.callers}
    for tenant_id, variables, result in _ask(ANSWERS, MOST_COMPARED):
        if json.loads(result)["data"] != answered(callers[tenant_id], json.loads(variables)).data:
            found.append(f"The answer of {variables} is not a request's.")
    return found


def _ask(statement: str, *values: int) -> list[Any]:
    """What the statement finds; a server that is coming up again is waited for."""
    for _ in range(FOREVER):
        try:
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []
        except (Error, ContextRefused):
            connection.close()
            time.sleep(0.2)
    raise RuntimeError("The server did not come back.")
