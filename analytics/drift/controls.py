"""Control, an older system's side of a comparison: something that can be asked, and what comes back.

The built-in legacy endpoints and external ones are both a Control. They register themselves here, because what compares
knows nothing of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from analytics.pure.cutoffs import Cutoff
from analytics.safe_http import FailureKind, LegacyFailure

__all__ = [
    "Basis",
    "Capability",
    "Control",
    "FailureKind",
    "LegacyAnswer",
    "LegacyFailure",
    "control_of",
    "register",
    "register_at_first_use",
    "registered",
]


class Capability(StrEnum):
    """What can be compared and switched, tenant by tenant."""

    CUMULATIVE_FLOW = "CUMULATIVE_FLOW"
    BILLING = "BILLING"
    SEVERITY_TREND = "SEVERITY_TREND"
    COMPLIANCE_TREND = "COMPLIANCE_TREND"
    SAMPLES = "SAMPLES"


class Basis(StrEnum):
    """How a cut-off is known. KNOWN: the older system says it. ASSUMED: by its rule; such comparisons open no gate."""

    KNOWN = "KNOWN"
    ASSUMED = "ASSUMED"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegacyAnswer:
    """An answer in the older system's shape.

    `as_of` is the cut-off of the answer as a whole, where it has one. `cutoffs` are those of single elements by their
    key, for a diagram by ISO date; an element without one goes by the capability's rule, and is ASSUMED then.
    `uncertain_by`: the true cut-off may lie that much before or after.
    """

    body: Mapping[str, Any]
    status: int
    as_of: datetime | None
    basis: Basis
    cutoffs: Mapping[str, Cutoff] = field(default_factory=dict)
    uncertain_by: timedelta = timedelta(0)


class Control(Protocol):
    """The older side. It answers or says why not; it raises nothing, and only reads."""

    def answer(self, *, tenant_id: int, days: int, now: datetime) -> LegacyAnswer | LegacyFailure:
        """The last `days` local days of the tenant, as asked at `now`. To be called outside of any tenant's transaction."""


_registered: dict[Capability, Control] = {}
_to_register: list[Callable[[], None]] = []


def register_at_first_use(fill: Callable[[], None]) -> None:
    """Has `fill` register the sides when one is first asked for: they need most of the product, and most commands none."""
    _to_register.append(fill)


def registered() -> Mapping[Capability, Control]:
    """The older sides by capability, as they were registered last."""
    while _to_register:
        _to_register.pop()()
    return _registered


def register(*, capability: Capability, control: Control) -> None:
    """Makes this the older side of a capability; the last one that is registered holds."""
    registered()
    _registered[capability] = control


def control_of(capability: Capability) -> Control | None:
    """The older side; None where there is none."""
    return registered().get(capability)
