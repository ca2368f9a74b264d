"""File locks that the kernel releases when their holder dies. Standard library only."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path


def opened(*, path: Path) -> int:
    """A descriptor to lock. Reading suffices for a lock, so another user's lock file can be shared."""
    return os.open(path, os.O_RDONLY | os.O_CREAT, 0o644)


def try_exclusive(*, descriptor: int) -> bool:
    """True when the descriptor now holds the lock alone, False when somebody else holds it. Never waits."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(*, path: Path) -> bool:
    """True when somebody holds the lock of this file."""
    descriptor = opened(path=path)
    try:
        return not try_exclusive(descriptor=descriptor)
    finally:
        os.close(descriptor)


def is_current(*, descriptor: int, path: Path) -> bool:
    """True when the descriptor is the file that lies at this path today, not one that was deleted since."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def exclusive(*, path: Path) -> Iterator[None]:
    """Holds the lock of this file alone; waits for whoever has it."""
    descriptor = opened(path=path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        # Closing is not enough: a child that another thread forked meanwhile shares the lock.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def shared(*, path: Path) -> int:
    """Holds the lock of this file together with others until the process and its forks are gone."""
    descriptor = opened(path=path)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor
