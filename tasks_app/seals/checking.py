"""Checking of seals: whether the ledgers are still what was sealed, and which rows are not, each named."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tasks_app.models import LedgerSeal, RecordEpoch
from tasks_app.seals.canonical import LAYOUTS
from tasks_app.seals.chain import Head, head_of, problems_of_chain
from tasks_app.seals.merkle import root
from tasks_app.seals.rows import Leaf, leaves
from tasks_app.seals.sealing import as_seal, sealed_places

LEDGER_OF: Mapping[int, str] = {layout.code: layout.ledger for layout in LAYOUTS}
MOST_NAMED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """How many seals and rows were looked at, how many rows no seal has yet, and what is wrong, a sentence each."""

    seals: int
    rows: int
    unsealed: int
    problems: Sequence[str]
    head: Head


def check_seals(*, tenant_id: int, against: Head | None = None) -> Checked:
    """The chain, and each sealed range made again from the ledgers. `against`: a head that was kept elsewhere.

    In a read-only transaction of the tenant.
    """
    rows = list(LedgerSeal.objects.filter(tenant_id=tenant_id).order_by("number"))
    seals = [as_seal(row) for row in rows]
    problems = [*problems_of_chain(seals), *_unlike_its_head(rows)]
    heads = [seal.head for seal in seals]
    if against is not None:
        problems += _unlike_the_head(against, tenant_id=tenant_id, heads=heads)
    unsealed = 0
    for number, epoch_rows in _by_epoch(rows):
        found = leaves(tenant_id=tenant_id, epoch=number)
        pending = next(found, None)
        for row in epoch_rows:
            batch, pending = _up_to(found, pending, last=(row.last_xact, row.last_seq))
            problems += _unlike_its_rows(row, batch)
        unsealed += sum(1 for _ in found) + (pending is not None)
    return Checked(
        seals=len(seals),
        rows=sum(seal.rows for seal in seals),
        unsealed=unsealed,
        problems=problems,
        head=head_of(tenant_id=tenant_id, heads=heads),
    )


def _by_epoch(rows: Sequence[LedgerSeal]) -> Iterator[tuple[int, list[LedgerSeal]]]:
    """The epochs that have seals, and the one that is current, so that what no seal has yet is counted."""
    for number in RecordEpoch.objects.order_by("number").values_list("number", flat=True):
        yield number, [row for row in rows if row.epoch == number]


def _up_to(found: Iterator[Leaf], pending: Leaf | None, *, last: tuple[int, int]) -> tuple[list[Leaf], Leaf | None]:
    """The leaves up to the last one of a seal, and the first one behind it."""
    batch = list[Leaf]()
    while pending is not None and (pending.xact, pending.seq) <= last:
        batch.append(pending)
        pending = next(found, None)
    return batch, pending


def _unlike_its_head(rows: Sequence[LedgerSeal]) -> list[str]:
    return [
        f"Seal {row.number} is not the one that was made: its head does not follow from what it says."
        for row in rows
        if as_seal(row).head != bytes(row.head)
    ]


def _unlike_the_head(head: Head, *, tenant_id: int, heads: Sequence[bytes]) -> list[str]:
    if head.tenant_id != tenant_id:
        return [f"The head is another tenant's: it names {head.tenant_id}, and this is {tenant_id}."]
    if head.seals > len(heads):
        return [f"The head has {head.seals} seals and there are {len(heads)}: the last ones were removed."]
    if head != head_of(tenant_id=tenant_id, heads=heads[: head.seals]):
        return [f"The first {head.seals} seals are not those of the head: the chain was made anew."]
    return []


def _unlike_its_rows(row: LedgerSeal, batch: Sequence[Leaf]) -> list[str]:
    if len(batch) == row.rows and root([leaf.hash for leaf in batch]) == bytes(row.root):
        return []
    sealed = sealed_places(row)
    found = {leaf.seq: leaf for leaf in batch}
    named = [
        *(f"row {seq} was removed" for seq in sealed if seq not in found),
        *(f"row {seq} of {LEDGER_OF[leaf.ledger]} was put in" for seq, leaf in found.items() if seq not in sealed),
        *(
            f"row {seq} of {LEDGER_OF[leaf.ledger]} was changed"
            for seq, leaf in found.items()
            if seq in sealed and leaf.hash[:8] != sealed[seq]
        ),
    ]
    told = "; ".join(named[:MOST_NAMED]) or "its rows are those that it names, and its root is not theirs"
    more = f"; and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return [f"Seal {row.number}: {told}{more}."]
