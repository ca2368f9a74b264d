"""The chain of seals of one tenant: each names the one before it, and one line names them all. Standard library alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from struct import pack

from tasks_app.seals.merkle import leaf_hash, root

BEFORE_ALL = bytes(32)
HEAD = re.compile(r"flowledger-head/1 tenant=(\d+) seals=(\d+) head=([0-9a-f]{64}) root=([0-9a-f]{64})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """A sealed range: the rows of all ledgers that transactions of `epoch` up to (`last_xact`, `last_seq`) wrote, after those
    of the seal before. `positions` are the least and the greatest of their positions."""

    tenant_id: int
    number: int
    epoch: int
    last_xact: int
    last_seq: int
    positions: tuple[int, int]
    rows: int
    root: bytes
    previous: bytes

    @property
    def head(self) -> bytes:
        """SHA-256 of the seal and of the head before it."""
        numbers = (self.tenant_id, self.number, self.epoch, self.last_xact, self.last_seq, *self.positions, self.rows)
        return sha256(b"\x02" + pack(">8q", *numbers) + self.root + self.previous).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """All seals of a tenant as one line, to be kept where nobody can change both: `seals` of them, the last one's head, and
    the root of the Merkle tree over all heads."""

    tenant_id: int
    seals: int
    head: bytes
    root: bytes

    def __str__(self) -> str:
        return f"flowledger-head/1 tenant={self.tenant_id} seals={self.seals} head={self.head.hex()} root={self.root.hex()}"


def head_of(*, tenant_id: int, heads: Sequence[bytes]) -> Head:
    """The line of that many seals, by their heads in order."""
    return Head(
        tenant_id=tenant_id,
        seals=len(heads),
        head=heads[-1] if heads else BEFORE_ALL,
        root=root([leaf_hash(head) for head in heads]),
    )


def head_from(line: str) -> Head:
    """The head that a line says. ValueError where it is none."""
    found = HEAD.fullmatch(line.strip())
    if found is None:
        raise ValueError("head: this is no line of a head; it begins with flowledger-head/1 and ends with root=...")
    tenant, seals, head, tree = found.groups()
    return Head(tenant_id=int(tenant), seals=int(seals), head=bytes.fromhex(head), root=bytes.fromhex(tree))


def problems_of_chain(seals: Sequence[Seal]) -> list[str]:
    """What is wrong with the seals by themselves, a sentence each: a number that is missing, a head that does not follow."""
    found, previous, expected = list[str](), BEFORE_ALL, 1
    for seal in seals:
        if seal.number != expected:
            found.append(f"Seal {expected} is missing: the next one that is there is {seal.number}.")
        elif seal.previous != previous:
            found.append(f"Seal {seal.number} does not follow from the one before it: one of the two was changed.")
        previous, expected = seal.head, seal.number + 1
    return found
