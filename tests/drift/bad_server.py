"""A small real HTTP server that answers as older systems do on their worst days."""

import gzip
import json
import socketserver
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

DAYS = [
    {"date": f"2026-03-{number:02d}", "todo": number, "in_progress": 2, "review": 1, "done": 0} for number in (1, 2, 3)
]
GOOD: Mapping[str, Any] = {"version": 1, "organisation": "acme", "timezone": "UTC", "generated_at": None, "days": DAYS}
MEGABYTE = b" " * 1_000_000

Send = Callable[[bytes], None]
Behaviour = Callable[[Send, "BadServer"], None]


@dataclass(kw_only=True)
class BadServer:
    """Where it listens, and the requests that came: their first lines and headers, as they were sent."""

    port: int
    requests: list[str] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    aborted: threading.Event = field(default_factory=threading.Event)

    def url(self, behaviour: str, host: str = "127.0.0.1") -> str:
        """Where it behaves like that."""
        return f"http://{host}:{self.port}/{behaviour}"

    @property
    def host(self) -> str:
        """What the list of allowed hosts calls it."""
        return f"127.0.0.1:{self.port}"


def answered(
    body: bytes, *, status: str = "200 OK", kind: str = "application/json", more: str = "", length: int | None = None
) -> Behaviour:
    """A whole answer."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body) if length is None else length}\r\n"

    def send(send: Send, _: BadServer) -> None:
        send(f"{head}{more}\r\n".encode() + body)

    return send


def redirected(place: str) -> Behaviour:
    """Says to ask elsewhere; {port} is its own."""

    def send(send: Send, server: BadServer) -> None:
        location = place.replace("{port}", str(server.port))
        send(f"HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n".encode())

    return send


def as_json(value: Any) -> bytes:
    """The value as JSON."""
    return json.dumps(value).encode()


def _dripping(send: Send, server: BadServer) -> None:
    """A byte ten times a second, for ever: no single read ever waits long."""
    send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
    while not server.stopped.wait(0.1):
        send(b" ")


def _dripping_headers(send: Send, server: BadServer) -> None:
    send(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not server.stopped.wait(0.1):
        send(b"x")


def _silent(_: Send, server: BadServer) -> None:
    server.stopped.wait()


def _hundred_megabytes(send: Send, server: BadServer) -> None:
    """Without saying how long it is."""
    send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n[")
    try:
        for _ in range(100):
            send(MEGABYTE)
    except OSError:
        server.aborted.set()


def _in_chunks(send: Send, _: BadServer) -> None:
    body = as_json(GOOD)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    pieces = [body[place : place + 50] for place in range(0, len(body), 50)]
    send(head + b"".join(f"{len(each):x}\r\n".encode() + each + b"\r\n" for each in pieces) + b"0\r\n\r\n")


def _broken_chunks(send: Send, _: BadServer) -> None:
    send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n[1, 2")


def _for_ever(begin: bytes, piece: bytes) -> Behaviour:
    """The same again and again, as fast as it is taken."""

    def send(send: Send, server: BadServer) -> None:
        send(begin)
        while not server.stopped.is_set():
            send(piece)

    return send


def _hangs_up(_: Send, __: BadServer) -> None:
    """Not a byte."""


PACKED = "Content-Encoding: gzip\r\n"
OK_JSON = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = OK_JSON + b"Transfer-Encoding: chunked\r\n\r\n"
BEHAVIOURS: Mapping[str, Behaviour] = {
    "good": answered(as_json(GOOD)),
    "chunks": _in_chunks,
    "packed": answered(gzip.compress(as_json(GOOD)), more=PACKED),
    "html": answered(b"<html><body>Sign in</body></html>", kind="text/html; charset=utf-8"),
    "html-as-json": answered(b"<html><body>Sign in</body></html>"),
    "error": answered(as_json({"days": []}), status="500 Internal Server Error"),
    "empty": answered(b""),
    "nothing": answered(b"", status="204 No Content"),
    "drip": _dripping,
    "drip-headers": _dripping_headers,
    "silent": _silent,
    "long": _hundred_megabytes,
    "announced": answered(b"[]", length=100_000_000),
    "bomb": answered(gzip.compress(b"[" + MEGABYTE * 60 + b"]"), more=PACKED),
    "torn": answered(as_json(GOOD)[:-20], length=len(as_json(GOOD))),
    "torn-chunks": _broken_chunks,
    "torn-gzip": answered(gzip.compress(as_json(GOOD))[:-30], more=PACKED),
    "no-gzip": answered(as_json(GOOD), more=PACKED),
    "brotli": answered(b"\x0b\x02\x80[]\x03", more="Content-Encoding: br\r\n"),
    "foreign": answered(as_json({**GOOD, "organisation": "globex"})),
    "nameless": answered(as_json({"days": DAYS})),
    "nan": answered(as_json({**GOOD, "days": [{**DAYS[0], "todo": float("nan")}]})),
    "infinite": answered(as_json(GOOD).replace(b'"done": 0', b'"done": 1e999')),
    "text-numbers": answered(as_json({**GOOD, "days": [{**DAYS[0], "todo": "1"}]})),
    "another-order": answered(as_json({**GOOD, "days": DAYS[::-1]})),
    "a-day-twice": answered(as_json({**GOOD, "days": [DAYS[0], DAYS[0]]})),
    "missing": answered(as_json({**GOOD, "days": [{"date": "2026-03-01", "todo": 1}]})),
    "no-dates": answered(as_json({**GOOD, "days": [{"todo": 1, "in_progress": 2, "review": 1, "done": 0}]})),
    "a-list": answered(as_json([GOOD])),
    "wrong": answered(b'{"version": 1, "days": ['),
    "deep": answered(b"[" * 100_000 + b"]" * 100_000),
    "bytes": answered(b'{"organisation": "\xff\xfe"}'),
    "endless-continue": _for_ever(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "endless-headers": _for_ever(b"HTTP/1.1 200 OK\r\n", b"X-More: of it\r\n"),
    "endless-trailers": _for_ever(CHUNKED + b"2\r\n{}\r\n0\r\n", b"X-More: of it\r\n"),
    "endless-rest": _for_ever(OK_JSON + PACKED.encode() + b"\r\n" + gzip.compress(as_json(GOOD)), b"x" * 1_000),
    "negative-chunk": lambda send, _: send(CHUNKED + b"-5\r\n" + as_json(GOOD)),
    "huge-chunk": lambda send, _: send(CHUNKED + b"FFFFFFFFFFFFFFFF\r\n" + as_json(GOOD)),
    "other-letters": answered(as_json(GOOD).decode().encode("utf-16")),
    "hangs-up": _hangs_up,
    "garbage": lambda send, _: send(b"\x00\x01\x02 what is this\r\n\r\n"),
    "moved": redirected("/good"),
    "moved-away": redirected("http://example.com/good"),
    "moved-to-metadata": redirected("http://169.254.169.254/latest/meta-data/"),
    "moved-to-private": redirected("http://10.0.0.1/"),
    "moved-to-loopback-name": redirected("http://localhost:{port}/good"),
    "moved-to-a-file": redirected("file:///etc/passwd"),
    "moved-in-a-ring": redirected("/moved-in-a-ring"),
    "moved-with-a-login": redirected("http://somebody:secret@127.0.0.1:{port}/good"),
    "moved-without-a-scheme": redirected("//example.com/good"),
    "moved-by-a-backslash": redirected("/\\example.com/good"),
    "moved-to-an-octal-address": redirected("http://0177.0.0.1:{port}/good"),
    "moved-to-a-mapped-address": redirected("http://[::ffff:127.0.0.1]:{port}/good"),
}


class _Handler(socketserver.StreamRequestHandler):
    """Reads one request, and behaves as its path says."""

    def handle(self) -> None:
        lines = []
        while (line := self.rfile.readline(10_000)).strip():
            lines.append(line.decode("latin-1"))
        if not lines:
            return
        behaving: BadServer = self.server.behaving  # type: ignore[attr-defined]
        behaving.requests.append("".join(lines))
        name = lines[0].split(" ")[1].partition("?")[0].strip("/")
        try:
            BEHAVIOURS[name](self.request.sendall, behaving)
        except OSError:
            behaving.aborted.set()


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    behaving: BadServer


@contextmanager
def bad_server() -> Iterator[BadServer]:
    """The server, for as long as it is needed."""
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.behaving = BadServer(port=server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        try:
            yield server.behaving
        finally:
            server.behaving.stopped.set()
            server.shutdown()
            thread.join()
