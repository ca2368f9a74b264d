"""Stages of a switch from an older answer to ours: which side answers in each, and which steps take a proof."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from typing import Final

from analytics.pure.stages import Stage


class Side(StrEnum):
    """Who answers."""

    LEGACY = "LEGACY"
    CANONICAL = "CANONICAL"


ORDER: Final = tuple(Stage)
COMPARED: Final = (Stage.SHADOW, Stage.LIVE_WITH_SHADOW, Stage.RAMPDOWN)
LIVE: Final = (Stage.LIVE_WITH_SHADOW, Stage.RAMPDOWN)
ALL: Final = 100
# Part of what a tenant's place is hashed from: another salt deals all tenants anew.
SALT: Final = "drift/1"
# A flag is for a while: what stands between OFF and COMPLETE for longer is reported.
STALE_AFTER: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """One tenant's switch of one capability. `version` grows by one with each change; 0 was never changed."""

    stage: Stage = Stage.OFF
    percent: int = ALL
    version: int = 0

    def answered_by(self, *, place: int) -> Side:
        """Who answers a tenant of that place: see `place_of`."""
        if self.stage is Stage.COMPLETE or (self.stage in LIVE and place < self.percent):
            return Side.CANONICAL
        return Side.LEGACY

    @property
    def is_compared(self) -> bool:
        """Whether answers are compared with those of the other side."""
        return self.stage in COMPARED


def place_of(*, capability: str, tenant_id: int, salt: str = SALT) -> int:
    """The tenant's place, 0 to 99. A tenant is in when its place is below the percentage, so a higher one only adds."""
    text = f"{salt}:{capability}:{tenant_id}".encode()
    return int.from_bytes(sha256(text).digest()[:8]) * ALL >> 64


def next_stage(stage: Stage) -> Stage | None:
    """The stage above; None above COMPLETE."""
    return None if stage is Stage.COMPLETE else ORDER[ORDER.index(stage) + 1]


def stage_below(stage: Stage) -> Stage | None:
    """The stage that a breach leads to. None where nobody is answered by us, and from COMPLETE, which has no way back."""
    return ORDER[ORDER.index(stage) - 1] if stage in LIVE else None


def takes_proof(before: Flag, after: Flag, *, place: int) -> bool:
    """Whether the step is one towards us. Neither comparing in the background nor any step back has to be proven."""
    rises = ORDER.index(after.stage) > ORDER.index(before.stage) and after.stage not in (Stage.OFF, Stage.SHADOW)
    moves = (before.answered_by(place=place), after.answered_by(place=place)) == (Side.LEGACY, Side.CANONICAL)
    return rises or moves


def skips(before: Flag, after: Flag) -> bool:
    """Whether a stage is left out on the way up."""
    return ORDER.index(after.stage) - ORDER.index(before.stage) > 1


def refused_step(before: Flag, after: Flag, *, overrides: bool) -> str | None:
    """Why nobody takes that step, whatever is proven; None for one that can be taken. One sentence."""
    if not 0 <= after.percent <= ALL:
        return f"percent: {after.percent} is no percentage; give 0 to 100."
    if before.stage is Stage.COMPLETE:
        return "The switch is complete, and there is no way back from there."
    if (before.stage, before.percent) == (after.stage, after.percent):
        return f"The stage is {before.stage.value} at {before.percent} % already."
    if after.stage is Stage.COMPLETE and after.percent != ALL:
        return "percent: a switch is complete for all or for nobody; leave percent out."
    if skips(before, after) and not overrides:
        return f"Stages are taken one by one: after {before.stage.value} comes {next_stage(before.stage)}."
    return None


def is_stale(flag: Flag, *, changed_at: datetime, now: datetime) -> bool:
    """Whether the flag stands between the two ends for too long."""
    return flag.stage in COMPARED and now - changed_at > STALE_AFTER
