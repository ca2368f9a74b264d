"""`python -m tests.audits.workers KIND SEED DATABASE`: one process of a load, working until its input is closed.

It says "ready", and in the end a JSON object: how often it did what, and the first wrong answers in `wrong`.
"""

import json
import os
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import django

MOST_WRONG = 5
MOST_BATCHES = 10


def main() -> None:
    kind, seed, database = sys.argv[1:]
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    os.environ["DJANGO_DEBUG"] = "0"
    django.setup()
    from django.db import connection

    connection.settings_dict["NAME"] = database
    stop = threading.Event()
    threading.Thread(target=_until_told, args=[stop], daemon=True).start()
    print("ready", flush=True)
    print(json.dumps(_work(WORK[kind], Random(seed), stop)), flush=True)


def _until_told(stop: threading.Event) -> None:
    sys.stdin.read()
    stop.set()


def _work(step: Callable[[Random, list[str]], str], chance: Random, stop: threading.Event) -> dict[str, Any]:
    from django.db import connection

    done: Counter[str] = Counter()
    wrong: list[str] = []
    while not stop.is_set():
        try:
            done[step(chance, wrong)] += 1
        except Exception as error:
            # A server that was killed: the next connection starts it again. Whatever else fails, fails.
            if not _is_lost(error):
                raise
            connection.close()
            done["lost"] += 1
            time.sleep(0.1)
    return {"done": done, "wrong": wrong[:MOST_WRONG], "wrongs": len(wrong)}


def _is_lost(error: Exception) -> bool:
    """Whether the server went away: libpq knows no SQLSTATE then, or the server gave one of its own going or coming."""
    import psycopg
    from django.db import InterfaceError, OperationalError

    from analytics.engine.rollups.compact import NotFolded
    from tasks_app.tenancy import ContextRefused

    if isinstance(error, NotFolded):
        return all(map(_is_lost, error.errors))
    if isinstance(error, OperationalError | InterfaceError):
        state = getattr(error.__cause__, "sqlstate", None)
        return state is None or state.startswith(("08", "57P"))
    return isinstance(error, ContextRefused | psycopg.OperationalError)


def _tenant(chance: Random) -> Any:
    from analytics.engine.rollups.compact import owners

    return chance.choice(owners())


def _write(chance: Random, _wrong: list[str]) -> str:
    from tests.audits.changes import change_something

    time.sleep(0.01)
    return change_something(tenant_id=_tenant(chance).id, chance=chance)


def _redefine(chance: Random, _wrong: list[str]) -> str:
    from tests.audits.changes import redefine_something

    time.sleep(chance.uniform(0.3, 1.5))
    return redefine_something(tenant_id=_tenant(chance).id, chance=chance)


class _EnoughError(Exception):
    pass


def _compact(chance: Random, _wrong: list[str]) -> str:
    from analytics.engine.rollups.compact import compact
    from tests.audits.scene import clock

    batches = iter(range(MOST_BATCHES))

    def count(_facts: int) -> None:
        # Between two folds: while others write, small batches may never come to the tail's end.
        if next(batches, None) is None:
            raise _EnoughError

    time.sleep(0.01)
    try:
        return "compacted" if compact(now=clock(), most_facts=chance.choice([5, 20, 60]), on_facts=count) else "idle"
    except _EnoughError:
        return "compacted"


def _rebuild(chance: Random, wrong: list[str]) -> str:
    from analytics.engine.rollups.rebuild import rebuild
    from tests.audits.comparisons import unsound
    from tests.audits.scene import clock

    owner = _tenant(chance)
    rebuild(now=clock(), tenant_id=owner.id)
    wrong += unsound(owner=owner)
    return "rebuilt"


def _compare(chance: Random, wrong: list[str]) -> str:
    from analytics.engine.reading.read_from import ReadFrom
    from tests.audits.comparisons import compared

    found = compared(tenant_id=_tenant(chance).id, read_from=ReadFrom.MERGED, chance=chance)
    wrong += found.wrong
    return found.came_from


def _work_on_jobs(chance: Random, wrong: list[str]) -> str:
    from tests.audits.job_load import work

    return work(chance, wrong)


def _ask_heavily(chance: Random, wrong: list[str]) -> str:
    from tests.audits.job_load import ask

    return ask(chance, wrong)


WORK: dict[str, Callable[[Random, list[str]], str]] = {
    "writer": _write,
    "definer": _redefine,
    "compactor": _compact,
    "rebuilder": _rebuild,
    "reader": _compare,
    "job_worker": _work_on_jobs,
    "job_web": _ask_heavily,
}

if __name__ == "__main__":
    main()
