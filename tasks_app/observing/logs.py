"""Log lines: JSON on servers, readable ones in development. Knows nothing of Django, for the settings are made with it.

On a server nobody's words get into the log: neither variables, names nor titles. An error's text may quote them, so of an
error the log has its type, the places that it went through and what PostgreSQL calls it, and not its text.
"""

import logging
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from structlog.typing import Processor


# So many of the innermost places.
MOST_FRAMES: Final = 25
EXTRA: Final = {"error_id"}


class LineFormatter(logging.Formatter):
    """Draws log lines by structlog, which is imported with the first line: most commands write none."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json
        self._drawn: logging.Formatter | None = None

    def format(self, record: logging.LogRecord) -> str:
        """The line: JSON, or readable text."""
        if self._drawn is None:
            self._drawn = _formatter(as_json=self._as_json)
        return self._drawn.format(record)


def logging_settings(*, as_json: bool) -> dict[str, Any]:
    """Django's LOGGING."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": LineFormatter, "as_json": as_json}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {
            "flowledger.request": {"level": "INFO"},
            # Says of each refused request what the line of the request says, with its path.
            "django.request": {"level": "ERROR"},
        },
    }


def _formatter(*, as_json: bool) -> logging.Formatter:
    import structlog

    drawn: list[Processor] = [wordless_errors, structlog.processors.JSONRenderer()] if as_json else [_readable()]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_shared(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *drawn],
    )


def speak_through_logging() -> None:
    """Sets structlog up for who writes lines by it: they go through Python's logging. Again is a no-op."""
    import structlog

    structlog.configure(
        processors=[*_shared(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _shared() -> "list[Processor]":
    import structlog

    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(EXTRA),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]


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


def _readable() -> "Processor":
    import structlog

    return structlog.dev.ConsoleRenderer(
        colors=False, timestamp_key="at", exception_formatter=structlog.dev.plain_traceback
    )
