"""Cut-offs: what an older figure could see, by when things happened, when they were recorded, and which snapshot it was."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

ANY_TIME: Final = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cutoff:
    """What an older figure could see: what had happened before one instant, as far as it was recorded by the other.

    `happened_before` is when the older job counted, `known_at` the database's clock then; None: by what is known now.
    `snapshot` is the text of the txid_snapshot that it counted in: what was committed later is not seen, though it had been
    recorded by then. None: the instant says it.
    `invented_at`: the older side knows that it did not count then, but made the figure up at that later instant. It is held
    to what it claims all the same; people are told.
    """

    happened_before: datetime
    known_at: datetime | None = None
    snapshot: str | None = None
    invented_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What a txid_snapshot shows: transactions before `end` that were not `busy`; those before `begin` had all ended."""

    begin: int
    end: int
    busy: frozenset[int]

    def is_shown_by(self, later: "Snapshot") -> bool:
        """Whether the later one shows all that this one does."""
        return self.end <= later.end and {each for each in later.busy if each < self.end} <= self.busy


def parsed(text: str) -> Snapshot:
    """A txid_snapshot from its text: xmin:xmax:xip,xip."""
    begin, end, busy = text.split(":")
    return Snapshot(begin=int(begin), end=int(end), busy=frozenset(int(each) for each in busy.split(",") if each))


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedCutoff:
    """A cut-off by its key, of which is known how much was known. `known_at` is ANY_TIME where the snapshot alone says it."""

    key: str
    happened_before: datetime
    known_at: datetime
    snapshot: Snapshot | None

    def may_precede(self, other: "PinnedCutoff") -> bool:
        """Whether all that was known of this one was known of the other."""
        if self.snapshot is None or other.snapshot is None:
            return self.snapshot is other.snapshot and self.known_at <= other.known_at
        return self.known_at <= other.known_at and self.snapshot.is_shown_by(other.snapshot)


def chains(cutoffs: Mapping[str, Cutoff]) -> list[list[PinnedCutoff]]:
    """Those that are pinned, in a few lists in which the time goes on and less is never known than before."""
    found: list[list[PinnedCutoff]] = []
    for each in sorted(_pinned(cutoffs), key=lambda known: known.happened_before):
        chain = next((chain for chain in found if chain[-1].may_precede(each)), None)
        if chain is None:
            found.append([each])
        else:
            chain.append(each)
    return found


def _pinned(cutoffs: Mapping[str, Cutoff]) -> list[PinnedCutoff]:
    return [
        PinnedCutoff(
            key=key,
            happened_before=each.happened_before,
            known_at=each.known_at or ANY_TIME,
            snapshot=parsed(each.snapshot) if each.snapshot else None,
        )
        for key, each in cutoffs.items()
        if each.known_at is not None or each.snapshot is not None
    ]


def chain_columns(chain: Sequence[PinnedCutoff]) -> dict[str, Any]:
    """A chain in columns: instants of happening (`cuts`) and of knowing (`knowns`), the `ends` of the snapshots, the `busy`
    transactions with the number after the `lasts` cut-off that they were busy in, and their `count`.

    What has a transaction number below `since` is shown by all of them.
    """
    shown = [each.snapshot for each in chain if each.snapshot]
    last = {xact: place for place, each in enumerate(shown, start=1) for xact in each.busy}
    return {
        "cuts": [each.happened_before for each in chain],
        "knowns": [each.known_at for each in chain],
        "ends": [each.end for each in shown],
        "busy": list(last),
        "lasts": list(last.values()),
        "since": shown[0].begin if shown else 0,
        "count": len(chain),
    }
