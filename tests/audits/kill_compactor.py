"""kill -9 of folding processes, and of the whole server, at random moments of a load: nothing is lost or counted twice.

After each kill, while the load goes on, the rollups of every tenant are those of the facts that have left the tail. With
the load standing still and the rest folded, rollups alone answer as the ledger does.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from django.db import connection

from analytics.engine.rollups.compact import owners
from tests.audits.comparisons import compared_when_folded, unsound
from tests.audits.crew import Crew, Process, crew
from tests.audits.findings import Finding, Request
from tests.audits.home import kill_server
from tests.audits.scene import populate, say

KILLS = 50
# One kill of the server for so many of a process.
PER_SERVER_KILL = 5
TASKS_PER_BOARD = 10
QUESTIONS = 2
MOST_WRONG = 5

# What a process is at when it is killed. Its transaction is open, or it is between two.
FOLDING = """/* audits.folding */
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND xact_start IS NOT NULL AND query ~ '^/\\* rollups\\.'
   AND query !~ '^/\\* rollups\\.(owners|oldest_in_tail|heartbeat)'
"""
FACTS = "/* audits.facts */ SELECT count(*) FROM task_ledger"


@dataclass(kw_only=True)
class _Tally:
    kills: int = 0
    amid_a_fold: int = 0
    unsound: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def kill_compactor(request: Request) -> Finding:
    """50 kills of a compactor or a rebuild, 10 of PostgreSQL."""
    begun = time.monotonic()
    kills = request.times(KILLS)
    chance, of_processes, of_servers = Random(1), _Tally(), _Tally()
    populate(tasks_per_board=TASKS_PER_BOARD)
    with crew(database=connection.settings_dict["NAME"]) as load:
        writers = load.hire({"writer": 2})
        for number in range(kills):
            kind = "rebuilder" if number % 5 == 4 else "compactor"
            _strike(load, kind, writers, chance, of_processes, lambda process: load.kill(process))
        for _ in range(-(-kills // PER_SERVER_KILL)):
            _strike(load, "compactor", writers, chance, of_servers, lambda _: _kill_server(request))
        written = load.dismiss(writers)
    figures = {
        **{f"process_{name}": value for name, value in _told(of_processes).items()},
        **{f"server_{name}": value for name, value in _told(of_servers).items()},
        "facts": _count(FACTS),
        "transactions": written.done["committed"],
        "connections_lost": written.done["lost"],
        "seconds": round(time.monotonic() - begun),
        "first_wrong": [*of_processes.unsound, *of_processes.wrong, *of_servers.unsound, *of_servers.wrong][
            :MOST_WRONG
        ],
    }
    return Finding(name="kill_compactor", ok=not figures["first_wrong"], figures=figures)


def _strike(
    load: Crew, kind: str, writers: list[Process], chance: Random, tally: _Tally, kill: Callable[[Process], None]
) -> None:
    (victim,) = load.hire({kind: 1})
    time.sleep(chance.uniform(0, 0.6))
    tally.amid_a_fold += _count(FOLDING) > 0
    kill(victim)
    tally.kills += 1
    tally.unsound += [sentence for owner in owners() for sentence in unsound(owner=owner)]
    if victim in load.processes:
        load.dismiss([victim])
    with load.paused(writers):
        for owner in owners():
            tally.wrong += compared_when_folded(owner=owner, questions=QUESTIONS, chance=chance)
    say(f"kill {tally.kills}, by then {_count(FACTS)} facts, {len(tally.unsound) + len(tally.wrong)} wrong")


def _kill_server(request: Request) -> None:
    if kill_server(request.home) == 0:
        raise RuntimeError("The server was not there to be killed.")
    connection.close()


def _told(tally: _Tally) -> dict[str, int]:
    return {
        "kills": tally.kills,
        "amid_a_fold": tally.amid_a_fold,
        "unsound": len(tally.unsound),
        "wrong": len(tally.wrong),
    }


def _count(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchall()[0][0])
