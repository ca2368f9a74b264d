"""Merkle trees as RFC 9162 has them: roots, inclusion paths and their check, by the standard library alone.

A level is made by pairing the one below; a last node without a partner goes up as it is. That is the tree of the RFC, which
splits at the largest power of two below the size.
"""

from collections.abc import Sequence
from hashlib import sha256

LEAF, NODE = b"\x00", b"\x01"
EMPTY = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """The hash of an entry, 32 bytes."""
    return sha256(LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two nodes, 32 bytes."""
    return sha256(NODE + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The root over the hashes of entries, in their order."""
    level = list(leaves)
    if not level:
        return EMPTY
    while len(level) > 1:
        level = _above(level)
    return level[0]


def path(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """The inclusion path of the leaf with that index, from 0: the partners on its way up, the lowest first."""
    if not 0 <= index < len(leaves):
        raise ValueError(f"index: {index} is none of {len(leaves)} leaves.")
    level, found = list(leaves), list[bytes]()
    while len(level) > 1:
        if index ^ 1 < len(level):
            found.append(level[index ^ 1])
        level, index = _above(level), index // 2
    return found


def root_by_path(*, leaf: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that the path leads to from that leaf of a tree of `size`; None where it is no path of such a tree."""
    if not 0 <= index < size:
        return None
    partners, found = list(path), leaf
    while size > 1:
        if index ^ 1 < size:
            if not partners:
                return None
            partner = partners.pop(0)
            found = node_hash(partner, found) if index % 2 else node_hash(found, partner)
        index, size = index // 2, (size + 1) // 2
    return None if partners else found


def _above(level: Sequence[bytes]) -> list[bytes]:
    pairs = [node_hash(level[place], level[place + 1]) for place in range(0, len(level) - 1, 2)]
    return [*pairs, level[-1]] if len(level) % 2 else pairs
