"""Middleware that watches every request, and what becomes of what it saw: counts, metrics, one line in the log."""

import re
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bound_contextvars, clear_contextvars

from tasks_app.observing import metrics
from tasks_app.observing.flushing import count
from tasks_app.observing.judging import Served, refusals, verdicts
from tasks_app.observing.logs import speak_through_logging
from tasks_app.observing.watch import COMPUTE, QUEUE, SERIALISE, WHOLE, Watch, watching

speak_through_logging()
log = structlog.stdlib.get_logger("flowledger.request")

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}", re.ASCII)
# Asked every few seconds by machines; a line each would be most of the log.
PROBES = frozenset({"health/live", "health/ready", "metrics"})

Handler = Callable[[HttpRequest], HttpResponse]


def watch_requests(get_response: Handler) -> Handler:
    """A middleware, to be the first. The answer has the request's id as X-Request-ID, and so has each line in the log."""

    def watched(request: HttpRequest) -> HttpResponse:
        clear_contextvars()
        name = request_id(request)
        with bound_contextvars(request_id=name), watching() as watch:
            response = get_response(request)
            response.headers["X-Request-ID"] = name
            try:
                _told(watch, request=request, response=response)
            except Exception:  # an answer must never fail because it could not be told of
                log.exception("answer not counted")
            finally:
                clear_contextvars()
        return response

    return watched


def request_id(request: HttpRequest) -> str:
    """The one that a proxy has given it, where that is plain enough to stand in a log; else a new one."""
    given = request.headers.get("X-Request-ID", "")
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def job_ended(
    *,
    tenant_id: int,
    kind: str,
    queued: timedelta,
    computed: timedelta,
    stored: timedelta = timedelta(),
    codes: frozenset[str] = frozenset(),
    now: datetime,
) -> None:
    """Counts a job: `queued` from its acceptance until a worker took it, `computed` and `stored` by that worker.

    `codes` are of the error that it ended with. Cancelled jobs are not to be counted. Written in the background, where
    `FLUSHER.switch_on` was called in this process; else by the next `flush`.
    """
    took = queued + computed + stored
    served = Served(took=took, codes=codes, is_job=True)
    phases = {QUEUE: queued, COMPUTE: computed, SERIALISE: stored, WHOLE: took}
    metrics.job_ended(kind=kind, served=served, phases={name: each.total_seconds() for name, each in phases.items()})
    _counted(served, tenant_id=tenant_id, now=now)


def _told(watch: Watch, *, request: HttpRequest, response: HttpResponse) -> None:
    ended = time.monotonic()
    phases = watch.phases(ended=ended)
    served = watch.served(ended=ended)
    if served is not None:
        metrics.answered(served, phases=phases)
        now = datetime.now(UTC)  # noqa: TID251 - a request's end is an edge
        _counted(served, tenant_id=watch.tenant_id, now=now)
    if watch.points is not None:
        metrics.spent(watch.points, operation=watch.operation)
    if watch.limit is not None:
        metrics.limited(watch.limit)
    line = _line(watch, served, phases=phases, request=request, response=response)
    if line["route"] not in PROBES or response.status_code >= 400:
        log.info("request", **line)


def _counted(served: Served, *, tenant_id: int | None, now: datetime) -> None:
    found = list(verdicts(served, settings.FLOWLEDGER_SERVICE_LEVELS.objectives))
    metrics.judged(found)
    if told := [*found, *refusals(served)]:
        count(tenant_id=tenant_id, verdicts=told, now=now)


def _line(
    watch: Watch, served: Served | None, *, phases: Mapping[str, float], request: HttpRequest, response: HttpResponse
) -> dict[str, Any]:
    """What the log has of a request: its route and never its path or query, which hold people's words."""
    found: dict[str, Any] = {
        "method": request.method if request.method in ("GET", "POST", "HEAD", "OPTIONS") else "OTHER",
        "route": request.resolver_match.route if request.resolver_match else None,
        "status": response.status_code,
        "ms": {name: round(seconds * 1000, 1) for name, seconds in phases.items()},
    }
    if not response.streaming:
        found["bytes"] = len(response.content)
    if served is not None:
        found["code"] = metrics.code_label(served)
    told = {"points": watch.points, "limit": watch.limit}
    return {**found, **{name: value for name, value in told.items() if value is not None}}
