"""Destinations allowed for outgoing HTTP: hosts on a list, at addresses that are nobody's own network."""

import ipaddress
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

PORTS: Final[Mapping[str, int]] = {"http": 80, "https": 443}
# What a URL is made of. Anything else could mean one thing to us and another to whoever reads it next.
LONGEST: Final = 4_000
# All that was ever given out of IPv6. What is left of it has old ways of saying IPv4, and nobody's servers.
GIVEN_OUT: Final = ipaddress.ip_network("2000::/3")
PLAIN: Final = re.compile(r"[!-~]+")
HOST: Final = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?|[0-9a-f:.]+")
# IPv4 addresses that travel inside IPv6 ones.
CARRIERS: Final = tuple(
    ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32")
)


class NotAllowed(Exception):
    """This is not asked: the text says why, in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A URL that may be asked. `private_is_fine`: the list names host and port, so whoever wrote it meant that server."""

    scheme: str
    host: str
    port: int
    target: str
    private_is_fine: bool

    @property
    def origin(self) -> tuple[str, str, int]:
        """What must stay the same through redirects."""
        return self.scheme, self.host, self.port

    @property
    def named(self) -> str:
        """Host and port, as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole of it again."""
        return f"{self.scheme}://{self.named}{self.target}"


def destination(*, url: str, allowed: Collection[str]) -> Destination:
    """Where the URL leads. `host` on the list stands for https at its usual port, `host:port` for that port, any scheme.

    NotAllowed for everything else, and for a URL that can be read in two ways.
    """
    parts = _split(url)
    host = (parts.hostname or "").removesuffix(".")
    port = _port(parts)
    if len(host) > 253 or not HOST.fullmatch(host):
        raise NotAllowed("The URL has no host that can be asked.")
    listed = {_normal(each) for each in allowed}
    with_port = (host, port) in listed
    if not with_port and not ((host, None) in listed and (parts.scheme, port) == ("https", PORTS["https"])):
        raise NotAllowed(f"{host}:{port} is not among the hosts that FLOWLEDGER_OUTSIDE_HOSTS allows.")
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Destination(scheme=parts.scheme, host=host, port=port, target=target, private_is_fine=with_port)


def refused_address(text: str, *, private_is_fine: bool) -> str | None:
    """Why that address is not connected to; None when it may be. Link-local ones never are: clouds keep secrets there."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "it cannot be read"
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return refused_address(str(address.ipv4_mapped), private_is_fine=private_is_fine)
        if any(address in network for network in CARRIERS):
            return "it carries another one"
    if address.is_link_local or address.is_multicast or address.is_unspecified:
        return "it is link-local, multicast or unspecified"
    if _is_public(address) or (private_is_fine and (address.is_private or address.is_loopback)):
        return None
    return "it is private, loopback or reserved"


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return address.is_global and (address.version == 4 or address in GIVEN_OUT)


def _split(url: str) -> SplitResult:
    if len(url) > LONGEST or not PLAIN.fullmatch(url) or "\\" in url:
        raise NotAllowed("The URL has characters that do not belong in one.")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise NotAllowed("The URL cannot be read.") from None
    if parts.scheme not in PORTS:
        raise NotAllowed("The URL has to begin with https:// or http://.")
    if parts.username is not None or parts.password is not None:
        raise NotAllowed("The URL has a login in it: send it as a header instead.")
    return parts


def _port(parts: SplitResult) -> int:
    try:
        port = parts.port
    except ValueError:
        port = 0
    found = PORTS[parts.scheme] if port is None else port
    if not 1 <= found <= 65_535:
        raise NotAllowed("The URL has a port that there is not.")
    return found


def _normal(entry: str) -> tuple[str, int | None]:
    """Host and port of an entry of the list; a bare IPv6 address with a port is written in brackets."""
    text = entry.strip().lower()
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, int(port[1:]) if port[1:].isdecimal() else None
    host, colon, port = text.rpartition(":")
    if colon and ":" not in host and port.isdecimal():
        return host.removesuffix("."), int(port)
    return text.removesuffix("."), None
