"""Rows of the ledgers in the order in which they are sealed: by transaction and then by position, epoch by epoch.

By transaction, because positions of a transaction that is still open may lie below those of one that has ended: of all
transactions below the oldest one that runs, nothing more will come.
"""

from collections.abc import Iterator
from typing import NamedTuple

from django.db import connection

from tasks_app.seals.canonical import LAYOUTS, Layout, bytes_in_sql, columns_in_sql

# A row that was written here before anybody noticed that the record had moved names the epoch before its own.
OF_EPOCH = """
l.tenant_id = %(tenant)s
   AND ((l.epoch = %(epoch)s
         AND NOT EXISTS (SELECT FROM record_epoch n WHERE n.number = %(epoch)s + 1 AND l.seq = ANY (n.strays)))
        OR (l.epoch = %(epoch)s - 1
            AND EXISTS (SELECT FROM record_epoch n WHERE n.number = %(epoch)s AND l.seq = ANY (n.strays))))
   AND (l.xact, l.seq) > (%(after_xact)s, %(after_seq)s) AND (l.xact, l.seq) <= (%(until_xact)s, %(until_seq)s)
"""
LEAVES = """/* seals.leaves */
SELECT f.xact, f.seq, f.ledger, f.leaf FROM (
{branches}
) f ORDER BY f.xact, f.seq
"""
LEAF = """
    SELECT l.xact, l.seq, {code}::smallint AS ledger, sha256('\\x00'::bytea || {packed}) AS leaf
      FROM {ledger} l WHERE {of_epoch}
"""
VALUES = """/* seals.values */
SELECT {columns} FROM {ledger} l WHERE {of_epoch} ORDER BY l.xact, l.seq
"""
BATCH = 20_000
BEFORE_ALL = (-1, -1)
AFTER_ALL = (9_223_372_036_854_775_807, 9_223_372_036_854_775_807)


class Leaf(NamedTuple):
    """A row's transaction, its position, its ledger's code and the hash of its canonical bytes."""

    xact: int
    seq: int
    ledger: int
    hash: bytes


def leaves(
    *, tenant_id: int, epoch: int, after: tuple[int, int] = BEFORE_ALL, until: tuple[int, int] = AFTER_ALL
) -> Iterator[Leaf]:
    """The rows of an epoch after one (transaction, position) up to another, a batch of them in memory."""
    branches = "     UNION ALL".join(
        LEAF.format(code=each.code, packed=bytes_in_sql(each), ledger=each.ledger, of_epoch=OF_EPOCH)
        for each in LAYOUTS
    )
    values = _bounds(tenant_id=tenant_id, epoch=epoch, after=after, until=until)
    with connection.chunked_cursor() as cursor:
        cursor.execute(LEAVES.format(branches=branches), values)
        while rows := cursor.fetchmany(BATCH):
            for xact, seq, ledger, leaf in rows:
                yield Leaf(xact, seq, ledger, bytes(leaf))


def values(
    *,
    layout: Layout,
    tenant_id: int,
    epoch: int,
    after: tuple[int, int] = BEFORE_ALL,
    until: tuple[int, int] = AFTER_ALL,
) -> Iterator[dict[str, object]]:
    """The same rows of one ledger as they are exported, by the names of their columns."""
    names = [field.name for field in layout.fields]
    statement = VALUES.format(columns=columns_in_sql(layout), ledger=layout.ledger, of_epoch=OF_EPOCH)
    with connection.chunked_cursor() as cursor:
        cursor.execute(statement, _bounds(tenant_id=tenant_id, epoch=epoch, after=after, until=until))
        while rows := cursor.fetchmany(BATCH):
            for row in rows:
                yield dict(zip(names, row, strict=True))


def _bounds(*, tenant_id: int, epoch: int, after: tuple[int, int], until: tuple[int, int]) -> dict[str, int]:
    return {
        "tenant": tenant_id,
        "epoch": epoch,
        "after_xact": after[0],
        "after_seq": after[1],
        "until_xact": until[0],
        "until_seq": until[1],
    }
