"""Breaches: when a switch takes itself back, from one tenant's answers of the last hour under its flag's present version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from analytics.drift.arithmetic.parity import parity_of
from analytics.drift.arithmetic.stages import Flag, stage_below
from analytics.drift.arithmetic.verdicts import Verdict

LONG: Final = timedelta(hours=1)
SHORT: Final = timedelta(minutes=5)
# So few are no breach: one failure in twelve is no page.
LEAST_WRONG: Final = 3
MOST_WRONG: Final = 0.01
# Between two steps back that nobody asked for so much time goes by.
COOL_DOWN: Final = timedelta(minutes=5)

Counts = Mapping[Verdict, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recent:
    """Comparisons made under the flag's present version: those of the last hour, and the last five minutes of it.

    A new version begins at nothing. So what led to one step back never leads to a second one.
    """

    long: Counts
    short: Counts


def breach(recent: Recent) -> str | None:
    """Why the switch has to be taken back, one sentence; None while it has not.

    The long window says that it matters, the short one that it still goes on.
    """
    long, short = parity_of(recent.long), parity_of(recent.short)
    wrong = long.conclusive - long.good
    if wrong < LEAST_WRONG or wrong <= MOST_WRONG * long.conclusive or short.good == short.conclusive:
        return None
    return f"{wrong:,} of {long.conclusive:,} answers compared within an hour differ, the latest within five minutes."


def may_step_back(flag: Flag, *, demoted_at: datetime | None, now: datetime) -> bool:
    """Whether the flag may be taken back by itself: somebody is answered by us, and the last time is some time ago."""
    return stage_below(flag.stage) is not None and (demoted_at is None or now - demoted_at >= COOL_DOWN)
