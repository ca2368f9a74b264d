"""Inclusion proofs: that one row is in the ledger as it was sealed, with nothing else of the ledger shown."""

from collections.abc import Mapping
from typing import Any

from django.db import connection

from tasks_app.models import LedgerSeal
from tasks_app.seals.canonical import LAYOUTS, Layout, bytes_in_sql, columns_in_sql
from tasks_app.seals.chain import head_of
from tasks_app.seals.exporting import row_as_json, told_seal
from tasks_app.seals.merkle import leaf_hash, path
from tasks_app.seals.sealing import as_seal, sealed_places

# By positions, which a seal names: a look-up each.
ROW = """/* seals.row */
SELECT {columns} FROM {ledger} l WHERE l.tenant_id = %(tenant)s AND l.seq = %(seq)s
"""
LEAVES = """/* seals.leaves_of_seal */
SELECT l.seq, sha256('\\x00'::bytea || {packed}) FROM {ledger} l
 WHERE l.tenant_id = %(tenant)s AND l.seq = ANY (%(seqs)s::bigint[])
"""


def proof_of(*, tenant_id: int, seq: int) -> dict[str, Any] | None:
    """The proof of the row at that position; None where it is not sealed yet, or not there.

    `{"row", "index", "path", "seal", "sealPath", "head"}`, hashes in hexadecimal digits: `python -m tasks_app.verify_export
    --proof FILE` checks it. In a read-only transaction of the tenant.
    """
    found = _row(tenant_id=tenant_id, seq=seq)
    if found is None:
        return None
    layout, row = found
    sealed = (
        LedgerSeal.objects.filter(
            tenant_id=tenant_id, from_position__lte=seq, to_position__gte=seq, epoch__gte=row["epoch"]
        )
        .order_by("number")
        .iterator()
    )
    for each in sealed:
        seqs = list(sealed_places(each))
        if seq in seqs:
            return _proof(row_as_json(layout.ledger, row), seal=each, seqs=seqs)
    return None


def _proof(row: Mapping[str, Any], *, seal: LedgerSeal, seqs: list[int]) -> dict[str, Any]:
    leaves = _leaves(tenant_id=seal.tenant_id, seqs=seqs)
    index = seqs.index(row["seq"])
    heads = [
        bytes(head)
        for head in LedgerSeal.objects.filter(tenant_id=seal.tenant_id)
        .order_by("number")
        .values_list("head", flat=True)
    ]
    return {
        "row": dict(row),
        "index": index,
        "path": [each.hex() for each in path([leaves[place] for place in seqs], index)],
        "seal": told_seal(as_seal(seal)),
        "sealPath": [each.hex() for each in path([leaf_hash(head) for head in heads], seal.number - 1)],
        "head": str(head_of(tenant_id=seal.tenant_id, heads=heads)),
    }


def _row(*, tenant_id: int, seq: int) -> tuple[Layout, dict[str, Any]] | None:
    with connection.cursor() as cursor:
        for layout in LAYOUTS:
            cursor.execute(
                ROW.format(columns=columns_in_sql(layout), ledger=layout.ledger), {"tenant": tenant_id, "seq": seq}
            )
            if row := cursor.fetchone():
                return layout, dict(zip((field.name for field in layout.fields), row, strict=True))
    return None


def _leaves(*, tenant_id: int, seqs: list[int]) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    with connection.cursor() as cursor:
        for layout in LAYOUTS:
            statement = LEAVES.format(packed=bytes_in_sql(layout), ledger=layout.ledger)
            cursor.execute(statement, {"tenant": tenant_id, "seqs": seqs})
            found |= {seq: bytes(leaf) for seq, leaf in cursor.fetchall()}
    return found
