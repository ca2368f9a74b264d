"""Stages of a switch from an older system's answers to ours: what a receipt, a switch and its ledger say."""

from enum import StrEnum


class Stage(StrEnum):
    """How far a tenant's switch of one capability is, in this order."""

    OFF = "OFF"
    SHADOW = "SHADOW"
    LIVE_WITH_SHADOW = "LIVE_WITH_SHADOW"
    RAMPDOWN = "RAMPDOWN"
    COMPLETE = "COMPLETE"
