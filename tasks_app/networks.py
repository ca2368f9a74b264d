"""Networks: where a request comes from, and those that a key may be used from."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
LONGEST = 64


def client_address(request: HttpRequest) -> Address | None:
    """Where the request comes from; None where nobody can tell, as on a Unix socket.

    X-Forwarded-For is believed only as far as proxies of ours (FLOWLEDGER_TRUSTED_PROXIES) have written it: its last entry
    that is none of them. Anybody can send the header.
    """
    trusted = _networks(tuple(settings.FLOWLEDGER_TRUSTED_PROXIES))
    address = address_of(request.META.get("REMOTE_ADDR") or "")
    for told in reversed(request.headers.get("X-Forwarded-For", "").split(",")):
        if address is None or not is_within(address, trusted) or not told.strip():
            break
        address = address_of(told)
    return address


def address_of(text: str) -> Address | None:
    """The address that the text names, an IPv4 address in IPv6 clothes as IPv4; None for any other text."""
    try:
        address = ip_address(text.strip()) if len(text) <= LONGEST else None
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def network_of(text: str) -> Network | None:
    """The network that the text names, as in 10.0.0.0/8; a single address is a network of one. None for any other text."""
    try:
        return ip_network(text.strip()) if len(text) <= LONGEST else None
    except ValueError:
        return None


def is_within(address: Address, networks: Sequence[Network]) -> bool:
    """Whether one of the networks has the address."""
    return any(address in network for network in networks)


def may_come_from(address: Address | None, cidrs: Sequence[str]) -> bool:
    """Whether a key that is bound to these networks may be used from there; one that is bound to none, from everywhere."""
    return not cidrs or (address is not None and is_within(address, _networks(tuple(cidrs))))


@lru_cache(maxsize=1024)
def _networks(cidrs: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(ip_network(cidr) for cidr in cidrs)
