"""Stops the embedded server when nobody uses it any more. A process of its own, standard library only.

python -m config.database.janitor HOME DATA PG_CTL [UID GID]

1. Take HOME/janitor.lock, or end: one janitor is enough.
2. Fork, so that whoever started this one need not wait.
3. Wait for HOME/users.lock alone: every user holds it shared, and the kernel drops it when they die.
4. Give newcomers a moment, and begin again when one came.
5. Stop the server while holding users.lock: a newcomer waits until it may start the server again.
"""

import fcntl
import os
import subprocess
import sys
import time
from pathlib import Path

from config.database import locks, postmaster

GRACE_SECONDS = 1.0


def main(arguments: list[str]) -> None:
    home, data, pg_ctl = (Path(argument) for argument in arguments[:3])
    account = [int(number) for number in arguments[3:]]
    mine = locks.opened(path=home / "janitor.lock")
    users = locks.opened(path=home / "users.lock")
    if not locks.try_exclusive(descriptor=mine) or os.fork():
        return
    os.chdir("/")
    _wait_for_last_user(users)
    if locks.is_current(descriptor=users, path=home / "users.lock"):
        _stop(data=data, pg_ctl=pg_ctl, account=account)
    # In this order: whoever gets users.lock next must find no janitor, and start one.
    os.close(mine)
    os.close(users)


def _wait_for_last_user(users: int) -> None:
    while True:
        fcntl.flock(users, fcntl.LOCK_EX)
        fcntl.flock(users, fcntl.LOCK_UN)
        time.sleep(GRACE_SECONDS)
        if locks.try_exclusive(descriptor=users):
            return


def _stop(*, data: Path, pg_ctl: Path, account: list[int]) -> None:
    # pg_ctl believes the pid file, and would signal a stranger who has the number now.
    if postmaster.running(data=data) is None:
        return
    uid, gid = account or (None, None)
    subprocess.run(  # noqa: S603 - a fixed program, no shell
        [pg_ctl, "stop", "-D", data, "-m", "fast", "-w", "-t", "60"],
        cwd=data,
        user=uid,
        group=gid,
        extra_groups=[] if account else None,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


if __name__ == "__main__":
    main(sys.argv[1:])
