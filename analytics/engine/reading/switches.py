"""Switch of a capability: how far a tenant's answers are given by this product instead of an older one, for receipts.

Whoever has the switches registers how they are found, because the engine knows nothing of older systems.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from analytics.pure.stages import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """How far one tenant's switch of one capability is. `version` grows by one with each change; 0 was never changed."""

    stage: Stage = Stage.OFF
    version: int = 0


class Switches(Protocol):
    """How a switch is found, inside a transaction of its tenant."""

    def __call__(self, *, tenant_id: int, capability: str, at: datetime | None) -> Switch:
        """As it is now, or as it was at an instant."""


_registered: list[Switches] = []


def register(switches: Switches) -> None:
    """Makes this the way to find a switch; the last one that is registered holds."""
    _registered[:] = [switches]


def switch_of(*, tenant_id: int, capability: str | None, at: datetime | None) -> Switch:
    """The switch at an instant (None: now). Off where there is no capability, or nobody has switches."""
    if capability is None or not _registered:
        return Switch()
    return _registered[0](tenant_id=tenant_id, capability=capability, at=at)
