"""A real web server in processes of its own, for what must go over a socket."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from django.conf import settings

HOST = "127.0.0.1"
READY_WITHIN_SECONDS = 180


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where it listens, and the process above its workers."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        """Of the GraphQL endpoint."""
        return f"http://{HOST}:{self.port}/graphql"


@contextmanager
def served(*, environ: Mapping[str, str], workers: int = 1, application: str = "config.wsgi") -> Iterator[Server]:
    """A gunicorn that answers when this is entered, and is gone afterwards. `environ` is beyond this process's own."""
    port = _free_port()
    command = [sys.executable, "-m", "gunicorn", application, "--bind", f"{HOST}:{port}", "--workers", str(workers)]
    process = subprocess.Popen(
        [*command, "--log-level", "warning"],
        cwd=settings.BASE_DIR,
        env={**os.environ, **environ},
        stdout=sys.stderr.fileno(),
    )
    try:
        _wait(port, process)
        yield Server(port=port, pid=process.pid)
    finally:
        process.terminate()
        process.wait(timeout=READY_WITHIN_SECONDS)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_WITHIN_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://{HOST}:{port}/health/live", timeout=5).close()
        except OSError:  # refused, or accepted by a worker that is still loading
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("The server did not answer; what it said is above.")
