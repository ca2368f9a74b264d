"""Throttle of sign-in: per account, so that no password is guessed, and per address, so that no list of them is."""

from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv6Address, ip_network
from math import ceil

from tasks_app.models import email_of_login
from tasks_app.networks import Address
from tasks_app.observing.watch import limited
from tasks_app.rate.gcra import Claim, Rate, give_back, take_all

# Of IPv6 a household has as many addresses as it likes: all of its network count as one.
NETWORK_OF_ONE = 64


@dataclass(frozen=True, kw_only=True)
class Door:
    """One sort of attempt, and how often it may be made."""

    name: str
    per_account: Rate
    per_address: Rate

    def claims(self, *, account: str, address: Address | None) -> list[Claim]:
        """What one attempt takes. Accounts are what was typed, whether there is one or not: both are refused alike."""
        return [
            Claim(bucket=f"{self.name}:account:{email_of_login(account)}", cost=1, rate=self.per_account),
            Claim(bucket=f"{self.name}:address:{_place(address)}", cost=1, rate=self.per_address),
        ]


LOGIN = Door(name="login", per_account=Rate(points=10, seconds=600), per_address=Rate(points=30, seconds=60))
RESET = Door(name="reset", per_account=Rate(points=3, seconds=3600), per_address=Rate(points=30, seconds=3600))
CONFIRM = Door(name="confirm", per_account=Rate(points=10, seconds=600), per_address=Rate(points=30, seconds=60))


def wait_seconds(claims: list[Claim], *, now: datetime) -> int:
    """0 when the attempt may be made, which takes the claims; else the seconds after which it may."""
    levels = take_all(claims, now=now)
    seconds = max(0 if level.admitted else ceil(level.retry_after or 0) or 1 for level in levels)
    if seconds:
        limited("sign_in")
    return seconds


def forgive(claims: list[Claim], *, now: datetime) -> None:
    """Gives the attempt back: whoever signs in is no guesser."""
    give_back(claims, now=now)


def too_often(seconds: int) -> str:
    """The sentence for whoever tries too often."""
    return f"Too many attempts: try again in {seconds} second{'' if seconds == 1 else 's'}."


def _place(address: Address | None) -> str:
    if isinstance(address, IPv6Address):
        return str(ip_network((address, NETWORK_OF_ONE), strict=False))
    return str(address)
