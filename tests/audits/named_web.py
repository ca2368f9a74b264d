"""The product as a web server serves it, and each reply says which process gave it. `gunicorn tests.audits.named_web`."""

import os
from collections.abc import Callable, Iterable
from typing import Any

from config.wsgi import application as product

PROCESS = "X-Process"


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The product's own response: the server closes it once it is sent."""

    def named(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*headers, (PROCESS, str(os.getpid()))], *rest)

    return product(environ, named)
