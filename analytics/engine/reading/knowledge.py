"""Knowledge that an answer is given with: facts and definitions, up to an instant of recording or as a snapshot shows."""

from collections.abc import Set
from dataclasses import dataclass
from datetime import datetime
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownDefinitions:
    """The definitions recorded up to `known_at` (None: all), visible in `snapshot` (None: by now), but for those `without`.

    `without` are rows of the ledger of definitions, by their seq.
    """

    known_at: datetime | None = None
    snapshot: str | None = None
    without: Set[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """The facts recorded up to `known_at` (None: all) and visible in `snapshot`, the text of a txid_snapshot (None: by now).

    Definitions are known as the facts are, unless `defined` says otherwise.
    """

    known_at: datetime | None = None
    snapshot: str | None = None
    defined: KnownDefinitions | None = None

    @property
    def definitions(self) -> KnownDefinitions:
        """What is known of definitions."""
        return self.defined or KnownDefinitions(known_at=self.known_at, snapshot=self.snapshot)

    @property
    def is_all(self) -> bool:
        """Whether it is all that is recorded by now, which alone rollups can say."""
        return self == ALL_RECORDED


ALL_RECORDED: Final = Knowledge()
ALL_DEFINITIONS: Final = KnownDefinitions()
