"""Serving the demo: web and worker as children of one command, both or neither."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping

from django.conf import settings

from tasks_app.refusals import Refused

HOST = "127.0.0.1"
HEALTH = "/health/live"
WEB_WORKERS = 2
READY_WITHIN_SECONDS = 60
GRACE_SECONDS = 10
PAUSE_SECONDS = 0.1
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Children = Mapping[str, "subprocess.Popen[bytes]"]


def check_port(*, port: int) -> None:
    """Raises Refused when nobody may serve there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OverflowError:
            raise Refused(f"{port} is no port: give one from 1 to 65535.") from None
        except OSError as error:
            raise Refused(f"Port {port} cannot be used ({error.strerror}): choose another with --port.") from None


def serve(*, port: int, on_ready: Callable[[], object]) -> None:
    """Serves until Ctrl-C or SIGTERM, then ends web and worker. Raises Refused when one of them ends by itself.

    Calls `on_ready` once the web answers.
    """
    with _stop_signals() as stop_asked, _children(port=port) as children:
        _wait(children, until=lambda: stop_asked() or _answers(port), within=READY_WITHIN_SECONDS)
        if not stop_asked():
            on_ready()
        _wait(children, until=stop_asked)


@contextlib.contextmanager
def _stop_signals() -> Iterator[Callable[[], bool]]:
    """While inside, the signals to stop are only noted; what is given says whether one came."""
    seen: list[int] = []
    before = {number: signal.signal(number, lambda number, _: seen.append(number)) for number in STOP_SIGNALS}
    try:
        yield lambda: bool(seen)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _children(*, port: int) -> Iterator[Children]:
    """Web and worker, in sessions of their own: Ctrl-C on the terminal reaches this process alone, which ends them."""
    web = ["-m", "gunicorn", "config.wsgi", "--bind", f"{HOST}:{port}", "--workers", str(WEB_WORKERS)]
    commands = {"web": [*web, "--log-level", "warning"], "worker": ["manage.py", "qcluster"]}
    started: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, arguments in commands.items():
            started[name] = subprocess.Popen(  # noqa: S603 - fixed programs, no shell
                [sys.executable, *arguments],
                cwd=settings.BASE_DIR,
                stdin=subprocess.DEVNULL,
                stdout=sys.stderr.fileno(),
                start_new_session=True,
            )
        yield started
    finally:
        _end(started)


def _wait(children: Children, *, until: Callable[[], bool], within: float | None = None) -> None:
    started = time.monotonic()
    while not until():
        for name, child in children.items():
            if child.poll() is not None:
                raise Refused(
                    f"The {name} ended by itself with exit code {child.returncode}; its last words are above."
                )
        if within is not None and time.monotonic() - started > within:
            raise Refused(f"The web did not answer within {within:.0f} seconds; what it said is above.")
        time.sleep(PAUSE_SECONDS)


def _answers(port: int) -> bool:
    """A whole request is asked: the socket takes connections before anything stands behind it."""
    web = http.client.HTTPConnection(HOST, port, timeout=1)
    with contextlib.suppress(OSError, http.client.HTTPException):
        web.request("GET", HEALTH)
        return web.getresponse().status == http.HTTPStatus.OK
    return False


def _end(children: Children) -> None:
    for child in children.values():
        child.terminate()
    deadline = time.monotonic() + GRACE_SECONDS
    for child in children.values():
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(timeout=max(deadline - time.monotonic(), 0.1))
        # Also what a child left behind: its session is its own, so the group is too.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
