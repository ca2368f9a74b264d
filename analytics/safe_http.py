"""Safe HTTP client for other people's servers: only hosts on the list, at a checked address, and never for long.

Names are resolved once. The connection goes to the very address that was checked, so that a name which means another one
a moment later leads nowhere. What goes wrong is a LegacyFailure with its reason; nothing is raised.
"""

import http.client
import io
import json
import math
import queue
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urljoin

from analytics.pure.destinations import Destination, NotAllowed, destination, refused_address

CHUNK: Final = 65_536
REDIRECTS: Final = (301, 302, 303, 307, 308)
JSON_TYPES: Final = ("application/json", "text/json")
AGENT: Final = "flowledger"
BROKEN_OFF: Final = "The older side broke off in the middle of its answer."

# The addresses of a name, as text.
Resolve = Callable[[str, int], Sequence[str]]


class FailureKind(StrEnum):
    """Why there is no answer to compare with. The first three are nobody's error: nothing was found out."""

    TIMEOUT = "TIMEOUT"
    STALE = "STALE"
    NOT_ASKED = "NOT_ASKED"  # the daily ceiling is reached, or the circuit is open
    UNREACHABLE = "UNREACHABLE"
    STATUS = "STATUS"
    CONTENT = "CONTENT"  # not JSON, too long, or not numbers where numbers belong
    SHAPE = "SHAPE"
    FOREIGN = "FOREIGN"  # another tenant's data
    REFUSED = "REFUSED"  # an address or a redirect that is not allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyFailure:
    """No answer. `reason` is one sentence for people, without anything secret."""

    kind: FailureKind
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long all of it may take, redirects included, and how long an answer may be, unpacked."""

    seconds: float = 10.0
    most_bytes: int = 5_000_000
    most_redirects: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OutsideAnswer:
    """What the other server said: JSON, with finite numbers only."""

    body: Any
    status: int


def resolved(host: str, port: int) -> list[str]:
    """The addresses that the system's resolver knows for a name, without repeats."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def fetch_json(
    *,
    url: str,
    headers: Mapping[str, str],
    allowed: Collection[str],
    limits: Limits | None = None,
    resolve: Resolve = resolved,
    trust: ssl.SSLContext | None = None,
) -> OutsideAnswer | LegacyFailure:
    """What a GET of the address answers. `allowed` are hosts as FLOWLEDGER_OUTSIDE_HOSTS has them.

    Redirects are followed on the same scheme, host and port alone; `headers` go nowhere else. No reason has a header or
    what stands in the address after its host.
    """
    asked = _Asked(
        headers=headers,
        allowed=allowed,
        limits=limits or Limits(),
        resolve=resolve,
        trust=trust,
        begun=time.monotonic(),
    )
    try:
        if not all(is_sendable(value) for value in headers.values()):
            raise ValueError
        return asked.answer(url)
    except _Failed as failed:
        return failed.failure
    except NotAllowed as refused:
        return LegacyFailure(kind=FailureKind.REFUSED, reason=str(refused))
    except TimeoutError:
        return LegacyFailure(
            kind=FailureKind.TIMEOUT, reason=f"The older side took longer than {asked.limits.seconds:g} s."
        )
    except (OSError, http.client.HTTPException, ValueError) as error:
        reason = f"The older side could not be asked: {type(error).__name__}."
        return LegacyFailure(kind=FailureKind.UNREACHABLE, reason=reason)


def is_sendable(value: str) -> bool:
    """Whether a header may have that value: what can be printed in ASCII, which nobody reads as anything else."""
    return value.isascii() and value.isprintable()


class _Failed(Exception):
    """Carries a failure up to fetch_json."""

    def __init__(self, kind: FailureKind, reason: str) -> None:
        super().__init__(reason)
        self.failure = LegacyFailure(kind=kind, reason=reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """One question, redirects included."""

    headers: Mapping[str, str]
    allowed: Collection[str]
    limits: Limits
    resolve: Resolve
    trust: ssl.SSLContext | None
    begun: float

    def left(self) -> float:
        """Seconds until the deadline; TimeoutError when it is over."""
        left = self.limits.seconds - (time.monotonic() - self.begun)
        if left <= 0:
            raise TimeoutError
        return left

    def answer(self, url: str) -> OutsideAnswer:
        """The answer at the end of the redirects."""
        first = destination(url=url, allowed=self.allowed)
        place = first
        for _ in range(self.limits.most_redirects + 1):
            found = self._once(place)
            if isinstance(found, OutsideAnswer):
                return found
            place = destination(url=urljoin(place.url, found), allowed=self.allowed)
            if place.origin != first.origin:
                raise NotAllowed("The older side redirects to another host, which is not followed.")
        raise _Failed(FailureKind.STATUS, f"The older side redirects more than {self.limits.most_redirects} times.")

    def _once(self, place: Destination) -> OutsideAnswer | str:
        """The answer of one server, or where it says to ask instead."""
        wire = _Wire(self._connected(place), left=self.left)
        connection = http.client.HTTPConnection(place.host, place.port)
        connection.sock = wire  # as much of a socket as http.client uses
        try:
            connection.request("GET", place.target, headers={**self.headers, **_own_headers(place)})
            response = connection.getresponse()
            if response.status in REDIRECTS and (location := response.getheader("Location")):
                return location
            return OutsideAnswer(body=self._read(response), status=response.status)
        finally:
            wire.end()

    def _connected(self, place: Destination) -> socket.socket:
        """A connection to an address of the host that may be asked. All of them must be: one that may not is a trap."""
        addresses = self._addresses(place)
        for address in addresses:
            if reason := refused_address(address, private_is_fine=place.private_is_fine):
                raise NotAllowed(f"{place.host} is at an address that is not asked: {reason}.")
        connection = self._first_that_answers(addresses, place.port)
        if place.scheme != "https":
            return connection
        try:
            connection.settimeout(self.left())
            context = self.trust or ssl.create_default_context()
            return context.wrap_socket(connection, server_hostname=place.host)
        except BaseException:
            connection.close()
            raise

    def _addresses(self, place: Destination) -> Sequence[str]:
        """The resolver knows no deadline, so it runs beside us."""
        answers: queue.SimpleQueue[Sequence[str] | OSError] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answers.put(self.resolve(place.host, place.port))
            except (OSError, UnicodeError):
                answers.put(OSError())

        threading.Thread(target=ask, daemon=True).start()
        try:
            found = answers.get(timeout=self.left())
        except queue.Empty:
            raise TimeoutError from None
        if isinstance(found, OSError) or not found:
            raise _Failed(FailureKind.UNREACHABLE, f"{place.host} has no address.")
        return found

    def _first_that_answers(self, addresses: Sequence[str], port: int) -> socket.socket:
        """Tried in the resolver's order."""
        refused: OSError = OSError()
        for address in addresses:
            try:
                return socket.create_connection((address, port), timeout=self.left())
            except TimeoutError:
                raise
            except OSError as error:
                refused = error
        raise refused

    def _read(self, response: http.client.HTTPResponse) -> Any:
        if response.status != 200:
            raise _Failed(FailureKind.STATUS, f"The older side answered status {response.status}.")
        kind = (response.getheader("Content-Type") or "").partition(";")[0].strip().lower()
        if kind not in JSON_TYPES and not (kind.startswith("application/") and kind.endswith("+json")):
            raise _Failed(FailureKind.CONTENT, "The older side answered something else than JSON.")
        content = bytearray()
        for piece in _unpacked(response, most=self.limits.most_bytes):
            content += piece
            if len(content) > self.limits.most_bytes:
                raise _too_long(self.limits.most_bytes)
        return _parsed(bytes(content))


def _own_headers(place: Destination) -> dict[str, str]:
    return {
        "Host": place.named,
        "Accept": "application/json",
        "Accept-Encoding": "identity",
        "Connection": "close",
        "User-Agent": AGENT,
    }


def _pieces(response: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while piece := response.read(CHUNK):
            yield piece
    except http.client.IncompleteRead:
        raise _Failed(FailureKind.CONTENT, BROKEN_OFF) from None
    if response.length:
        raise _Failed(FailureKind.CONTENT, BROKEN_OFF)


def _unpacked(response: http.client.HTTPResponse, *, most: int) -> Iterator[bytes]:
    """The content in pieces, none of them far longer than what is read: a packed one may hold a thousand times its size."""
    coding = (response.getheader("Content-Encoding") or "identity").strip().lower()
    if coding not in ("identity", "gzip"):
        raise _Failed(FailureKind.CONTENT, "The older side packed its answer in a way that is not read.")
    if response.length is not None and response.length > most:
        raise _too_long(most)
    yield from _pieces(response) if coding == "identity" else _ungzipped(_pieces(response))


def _ungzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        for packed in pieces:
            rest = packed
            while rest and not unpacking.eof:
                yield unpacking.decompress(rest, CHUNK)
                rest = unpacking.unconsumed_tail
    except zlib.error:
        raise _Failed(FailureKind.CONTENT, "The older side's packed answer cannot be unpacked.") from None
    if not unpacking.eof:
        raise _Failed(FailureKind.CONTENT, BROKEN_OFF)


def _too_long(most: int) -> _Failed:
    return _Failed(FailureKind.CONTENT, f"The older side's answer is longer than {most:,} bytes.")


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(
            content.decode(), parse_constant=_no_number, parse_float=_finite, object_pairs_hook=_each_once
        )
    except _Failed:
        raise
    except (ValueError, RecursionError):
        raise _Failed(FailureKind.CONTENT, "The older side's answer says that it is JSON and is not.") from None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A name that is there twice means one thing to us and another to whoever reads its first value."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Failed(FailureKind.CONTENT, "The older side's answer has one name twice in one object.")
    return found


def _no_number(name: str) -> float:
    raise _Failed(FailureKind.CONTENT, f"The older side's answer has {name} where a number belongs.")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number("a number beyond all bounds")


class _Wire:
    """A socket for http.client whose every read ends at the one deadline: a byte a second would outlive any timeout."""

    def __init__(self, connection: socket.socket, *, left: Callable[[], float]) -> None:
        self._connection = connection
        self._left = left

    def sendall(self, data: Any) -> None:
        """Sends, until the deadline at most."""
        self._connection.settimeout(self._left())
        self._connection.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What is received, to read."""
        return io.BufferedReader(_Received(self._connection, self._left), CHUNK)

    def close(self) -> None:
        """Nothing: http.client lets go of its socket before the answer is read."""

    def end(self) -> None:
        """Ends the connection."""
        self._connection.close()


class _Received(io.RawIOBase):
    def __init__(self, connection: socket.socket, left: Callable[[], float]) -> None:
        super().__init__()
        self._connection = connection
        self._left = left

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """What there is, waited for until the deadline at most."""
        self._connection.settimeout(self._left())
        return self._connection.recv_into(buffer)
