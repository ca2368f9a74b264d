"""ReadFrom: where figures are read from, the ledger, the rollups, or both with the live tail."""

from enum import StrEnum


class ReadFrom(StrEnum):
    """Where figures are read from. RAW: the ledger. ROLLUP: rollups alone, which may lag. MERGED: both and the tail."""

    RAW = "RAW"
    ROLLUP = "ROLLUP"
    MERGED = "MERGED"
