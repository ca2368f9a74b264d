"""seal(): what is settled of a tenant's ledgers gets its seals, off the write path. Again is a no-op until more is settled."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from struct import iter_unpack, pack

from django.db import IntegrityError, connection

from tasks_app.models import LedgerSeal, RecordEpoch
from tasks_app.seals.chain import BEFORE_ALL, Seal
from tasks_app.seals.merkle import root
from tasks_app.seals.rows import AFTER_ALL, Leaf, leaves
from tasks_app.seals.rows import BEFORE_ALL as FIRST
from tasks_app.tenancy import DatabaseRole, entered

# Rows of one seal. A proof reads those of its row's seal, and a larger one makes proofs longer and slower.
MOST_ROWS = 1_024
TIMEOUT_SECONDS = 3_600
# A row's position, and the first eight bytes of its hash.
PLACE = ">q8s"

# Below it every transaction has ended, and none gets such a number any more.
SETTLED = "/* seals.settled */ SELECT txid_snapshot_xmin(txid_current_snapshot())"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """How many seals were made, over how many rows."""

    seals: int
    rows: int


def seal(*, tenant_id: int, now: datetime) -> Sealed:
    """Seals all rows of the tenant's ledgers that are settled, in one transaction, and says how many.

    Of two at a time one waits for the other at the number of the next seal, and then has nothing to do.
    """
    try:
        with entered(tenant_id=tenant_id, role=DatabaseRole.WORKER, timeout_seconds=TIMEOUT_SECONDS):
            return _seal(tenant_id=tenant_id, now=now)
    except IntegrityError:
        return Sealed(seals=0, rows=0)


def _seal(*, tenant_id: int, now: datetime) -> Sealed:
    with connection.cursor() as cursor:
        cursor.execute(SETTLED)
        settled = cursor.fetchall()[0][0]
    last = last_seal(tenant_id=tenant_id)
    made = rows = 0
    for epoch in _epochs(since=last.epoch if last else 1):
        after = (last.last_xact, last.last_seq) if last and last.epoch == epoch.number else FIRST
        until = (settled - 1, AFTER_ALL[1]) if epoch.is_current else AFTER_ALL
        for batch in _batches(leaves(tenant_id=tenant_id, epoch=epoch.number, after=after, until=until)):
            last = _sealed(batch, tenant_id=tenant_id, epoch=epoch.number, last=last, now=now)
            made, rows = made + 1, rows + len(batch)
    return Sealed(seals=made, rows=rows)


def last_seal(*, tenant_id: int) -> Seal | None:
    """The tenant's last seal; None where there is none. In a transaction of the tenant."""
    row = LedgerSeal.objects.filter(tenant_id=tenant_id).order_by("-number").first()
    return None if row is None else as_seal(row)


def as_seal(row: LedgerSeal) -> Seal:
    """The row's seal."""
    return Seal(
        tenant_id=row.tenant_id,
        number=row.number,
        epoch=row.epoch,
        last_xact=row.last_xact,
        last_seq=row.last_seq,
        positions=(row.from_position, row.to_position),
        rows=row.rows,
        root=bytes(row.root),
        previous=bytes(row.previous),
    )


def places_of(batch: Sequence[Leaf]) -> bytes:
    """Where each row is, and half of its hash's half: what names a row that was changed."""
    return b"".join(pack(PLACE, leaf.seq, leaf.hash[:8]) for leaf in batch)


def sealed_places(row: LedgerSeal) -> dict[int, bytes]:
    """By position, in the order in which they were sealed: what `places_of` kept of each row's hash."""
    return dict(iter_unpack(PLACE, bytes(row.places)))


@dataclass(frozen=True, slots=True)
class _Epoch:
    number: int
    is_current: bool


def _epochs(*, since: int) -> list[_Epoch]:
    numbers = list(RecordEpoch.objects.filter(number__gte=since).order_by("number").values_list("number", flat=True))
    return [_Epoch(number, number == numbers[-1]) for number in numbers]


def _batches(found: Iterator[Leaf]) -> Iterator[list[Leaf]]:
    while batch := list(islice(found, MOST_ROWS)):
        yield batch


def _sealed(batch: Sequence[Leaf], *, tenant_id: int, epoch: int, last: Seal | None, now: datetime) -> Seal:
    positions = [leaf.seq for leaf in batch]
    made = Seal(
        tenant_id=tenant_id,
        number=last.number + 1 if last else 1,
        epoch=epoch,
        last_xact=batch[-1].xact,
        last_seq=batch[-1].seq,
        positions=(min(positions), max(positions)),
        rows=len(batch),
        root=root([leaf.hash for leaf in batch]),
        previous=last.head if last else BEFORE_ALL,
    )
    LedgerSeal.objects.create(
        tenant_id=tenant_id,
        number=made.number,
        epoch=epoch,
        last_xact=made.last_xact,
        last_seq=made.last_seq,
        from_position=made.positions[0],
        to_position=made.positions[1],
        rows=made.rows,
        root=made.root,
        previous=made.previous,
        head=made.head,
        places=places_of(batch),
        sealed_at=now,
    )
    return made
