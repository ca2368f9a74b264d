"""Watch of one request: who asks, what, how long each part takes. The middleware begins it, others add to it.

    queue       from the request's arrival in the process until the operation runs: who asks, limits, the transaction's begin
    compute     the operation itself
    serialise   everything after it: the answer's text, the commit

Outside a request, as in a command, there is no watch, and what is told to it is not heard.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from structlog.contextvars import bind_contextvars

from tasks_app.errors import TOO_LONG
from tasks_app.observing.judging import OTHER, Served
from tasks_app.tenancy import Caller

QUEUE, COMPUTE, SERIALISE, WHOLE = "queue", "compute", "serialise", "whole"
HASH_LENGTH = 16


@dataclass(slots=True)
class Watch:
    """One request. All its times are of the monotonic clock, in seconds."""

    began: float = field(default_factory=time.monotonic)
    compute_began: float | None = None
    compute_ended: float | None = None
    caller: Caller | None = None
    operation: str = OTHER
    codes: frozenset[str] | None = None
    timed_out: bool = False
    age: timedelta | None = None
    points: float | None = None
    limit: str | None = None

    @property
    def tenant_id(self) -> int | None:
        """Whose answer it is; None where nobody was admitted."""
        return self.caller.tenant.id if self.caller else None

    def served(self, *, ended: float) -> Served | None:
        """The answer, for the objectives; None where the request was not for one."""
        if self.codes is None:
            return None
        return Served(
            took=timedelta(seconds=ended - self.began),
            codes=self.codes,
            timed_out=self.timed_out,
            age=self.age,
            operation=self.operation,
        )

    def phases(self, *, ended: float) -> Mapping[str, float]:
        """Seconds by phase; the whole alone where no operation ran."""
        whole = {WHOLE: ended - self.began}
        if self.compute_began is None or self.compute_ended is None:
            return whole
        return {
            QUEUE: self.compute_began - self.began,
            COMPUTE: self.compute_ended - self.compute_began,
            SERIALISE: ended - self.compute_ended,
            **whole,
        }


# Names of our own documents by the hash of their text.
_trusted: dict[str, str] = {}
_watch: ContextVar[Watch | None] = ContextVar("_watch", default=None)


def trust(documents: Mapping[str, str]) -> None:
    """These documents, names by `sha256:` of their text, are ours: they are called by their names in metrics and log."""
    _trusted.update({identity.removeprefix("sha256:"): name for identity, name in documents.items()})


def operations() -> frozenset[str]:
    """Every name that an operation can have in metrics and log. No caller can add to them."""
    return frozenset({OTHER, *_trusted.values()})


@contextmanager
def watching() -> Iterator[Watch]:
    """A request begins here and ends here."""
    watch = Watch()
    token = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(token)


def observe(errors: Sequence[Mapping[str, Any]]) -> None:
    """The request is answered, with these errors as the caller sees them. What is told last holds: a commit can still fail."""
    if watch := _watch.get():
        watch.codes = frozenset(error["extensions"]["code"] for error in errors)
        watch.timed_out = any(error["message"] == TOO_LONG for error in errors)


def admitted(caller: Caller) -> None:
    """The caller is known: whatever is logged from here on has their tenant and key, by number."""
    watch = _watch.get()
    if watch is None:
        return
    watch.caller = caller
    bind_contextvars(tenant=caller.tenant.slug, actor=caller.actor_id)
    if caller.api_key_id is not None:
        bind_contextvars(key=caller.api_key_id)


def spent(points: float) -> None:
    """What the operation cost in the end."""
    if watch := _watch.get():
        watch.points = points


def limited(limit: str) -> None:
    """The request is refused by that limit, one of `metrics.LIMITS`."""
    if watch := _watch.get():
        watch.limit = limit


def aged(age: timedelta) -> None:
    """Something of the answer was counted from data that old; of several the oldest counts."""
    if watch := _watch.get():
        watch.age = age if watch.age is None else max(watch.age, age)


@contextmanager
def computing(text: str) -> Iterator[None]:
    """The operation runs inside. Of its document only a hash is kept, of its variables nothing."""
    watch = _watch.get()
    if watch is None:
        yield
        return
    digest = hashlib.sha256(text.encode()).hexdigest()
    watch.operation = _trusted.get(digest, OTHER)
    bind_contextvars(operation=digest[:HASH_LENGTH], document=watch.operation)
    watch.compute_began = time.monotonic()
    try:
        yield
    finally:
        watch.compute_ended = time.monotonic()
