"""export_ledger: a tenant's sealed ledgers as files that can be checked anywhere, without PostgreSQL and without us.

manifest.json       the head as a line, the format, and the SHA-256 of each other file
seals.jsonl         a seal a line
rows-000001.jsonl   the rows of one or more seals, in the order in which they were sealed
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from heapq import merge
from itertools import islice
from pathlib import Path
from typing import Any

from tasks_app.models import LedgerSeal
from tasks_app.refusals import Refused
from tasks_app.seals.canonical import LAYOUTS, Layout
from tasks_app.seals.chain import Seal, head_of
from tasks_app.seals.rows import values
from tasks_app.seals.sealing import as_seal

FORMAT = "flowledger-export/1"
SEALS_OF_A_FILE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What was written: seals, rows and the head's line."""

    seals: int
    rows: int
    head: str


def export_ledger(*, tenant_id: int, to: Path, on_rows: Callable[[int], object] = lambda rows: None) -> Exported:
    """Writes all that is sealed to the directory, which must be empty or not there. In a transaction of the tenant."""
    if to.exists() and any(to.iterdir()):
        raise Refused(f"{to} is not empty: name a directory that is not there yet.")
    to.mkdir(parents=True, exist_ok=True)
    seals = [as_seal(row) for row in LedgerSeal.objects.filter(tenant_id=tenant_id).order_by("number")]
    files = {"seals.jsonl": _written(to / "seals.jsonl", (told_seal(seal) for seal in seals))}
    rows = _rows(seals, tenant_id=tenant_id)
    for number, start in enumerate(range(0, len(seals), SEALS_OF_A_FILE), start=1):
        wanted = sum(seal.rows for seal in seals[start : start + SEALS_OF_A_FILE])
        name = f"rows-{number:06}.jsonl"
        files[name] = _written(to / name, islice(rows, wanted))
        on_rows(wanted)
    head = str(head_of(tenant_id=tenant_id, heads=[seal.head for seal in seals]))
    manifest = {"format": FORMAT, "tenant": tenant_id, "head": head, "files": files}
    # Last: an export that was broken off has no manifest, and is none.
    (to / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    return Exported(seals=len(seals), rows=sum(seal.rows for seal in seals), head=head)


def row_as_json(ledger: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as files and proofs have it: the ledger's name and the columns of its canonical form."""
    return {"ledger": ledger, **row}


def _rows(seals: list[Seal], *, tenant_id: int) -> Iterator[dict[str, Any]]:
    """All sealed rows in their order, the ledgers brought together as they are read."""
    last = {seal.epoch: (seal.last_xact, seal.last_seq) for seal in seals}
    for epoch, until in last.items():
        branches = [_of_ledger(layout, tenant_id=tenant_id, epoch=epoch, until=until) for layout in LAYOUTS]
        yield from merge(*branches, key=lambda row: (row["xact"], row["seq"]))


def _of_ledger(layout: Layout, *, tenant_id: int, epoch: int, until: tuple[int, int]) -> Iterator[dict[str, Any]]:
    for row in values(layout=layout, tenant_id=tenant_id, epoch=epoch, until=until):
        yield row_as_json(layout.ledger, row)


def told_seal(seal: Seal) -> dict[str, Any]:
    """A seal as files and proofs have it, hashes in hexadecimal digits."""
    return {
        "number": seal.number,
        "epoch": seal.epoch,
        "lastXact": seal.last_xact,
        "lastSeq": seal.last_seq,
        "positions": list(seal.positions),
        "rows": seal.rows,
        "root": seal.root.hex(),
        "previous": seal.previous.hex(),
        "head": seal.head.hex(),
    }


def _written(path: Path, lines: Iterator[dict[str, Any]]) -> str:
    digest = sha256()
    with path.open("wb") as file:
        for line in lines:
            text = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            digest.update(text)
            file.write(text)
    return digest.hexdigest()
