"""Requests to the product's doors through the whole of Django, in this process."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

from django.core.cache import cache
from django.core.handlers.wsgi import WSGIHandler


@dataclass(frozen=True, kw_only=True)
class Door:
    """POST /graphql with an API key, through every middleware. Answers that the product keeps are forgotten before each."""

    application: WSGIHandler
    secret: str

    def seconds(self, query: str, variables: Mapping[str, Any]) -> float:
        """What it takes to answer, from the request's bytes to those of the answer; RuntimeError for one with errors."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        cache.clear()
        begun = time.perf_counter()
        answer = self._asked(body)
        taken = time.perf_counter() - begun
        if "errors" in json.loads(answer):
            raise RuntimeError(f"Not answered: {answer.decode()}")
        return taken

    def _asked(self, body: bytes) -> bytes:
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        environ |= {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/graphql",
            "HTTP_HOST": "localhost",
            "HTTP_AUTHORIZATION": f"Bearer {self.secret}",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": BytesIO(body),
        }
        start: Any = _started
        response = self.application(environ, start)
        try:
            return b"".join(response)
        finally:
            response.close()


@dataclass(frozen=True, kw_only=True)
class OldDoor:
    """GET of an older endpoint with an API key, through every middleware, as a web server calls it."""

    application: WSGIHandler
    secret: str
    path: str
    query: str = ""

    def seconds(self) -> tuple[float, float]:
        """Until the last byte of the answer, and then until what is owed for it is done; RuntimeError for another status."""
        statuses: list[str] = []
        environ: dict[str, Any] = {}
        setup_testing_defaults(environ)
        environ |= {
            "PATH_INFO": self.path,
            "QUERY_STRING": self.query,
            "HTTP_HOST": "localhost",
            "HTTP_AUTHORIZATION": f"Bearer {self.secret}",
        }
        start: Any = partial(_noted, statuses)
        begun = time.perf_counter()
        response = self.application(environ, start)
        answer = b"".join(response)
        replied = time.perf_counter()
        response.close()
        closed = time.perf_counter()
        if statuses != ["200 OK"]:
            raise RuntimeError(f"Not answered: {statuses} {answer.decode()}")
        return replied - begun, closed - replied


def _noted(statuses: list[str], status: str, *_: object) -> None:
    """WSGI's call for status and headers."""
    statuses.append(status)


def _started(*_: object) -> None:
    """WSGI's call for status and headers, which nobody looks at here."""
