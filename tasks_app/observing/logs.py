"""Log lines: JSON on servers, readable ones in development. Knows nothing of Django, for the settings are made with it.

On a server nobody's words get into the log: neither variables, names nor titles. An error's text may quote them, so of an
error the log has its type, the places that it went through and what PostgreSQL calls it, and not its text.
"""

import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Final

import structlog
from structlog.typing import Processor

# So many of the innermost places.
MOST_FRAMES: Final = 25
EXTRA: Final = {"error_id"}


def logging_settings(*, as_json: bool) -> dict[str, Any]:
    """Django's LOGGING, and structlog set up to speak through it."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(EXTRA),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    drawn: list[Processor] = [wordless_errors, structlog.processors.JSONRenderer()] if as_json else [_readable()]
    line = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": shared,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *drawn],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": line},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "flowledger.request": {"level": "INFO"},
            # Says of each refused request what the line of the request says, with its path.
            "django.request": {"level": "ERROR"},
        },
    }


def wordless_errors(_: object, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An error without its text: a processor of structlog."""
    given = line.pop("exc_info", None)
    error = given[1] if isinstance(given, tuple) else given
    if isinstance(error, BaseException):
        line["errors"] = [_wordless(each) for each in _chain(error)]
    return line


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and those that it came from, the outermost first."""
    seen = set[int]()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)


def _wordless(error: BaseException) -> Mapping[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
    found: dict[str, Any] = {
        "type": f"{type(error).__module__}.{type(error).__qualname__}",
        "places": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }
    if state := getattr(error, "sqlstate", None):
        found["sqlstate"] = state
    if constraint := getattr(getattr(error, "diag", None), "constraint_name", None):
        found["constraint"] = constraint
    return found


def _readable() -> Processor:
    return structlog.dev.ConsoleRenderer(
        colors=False, timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
    )
