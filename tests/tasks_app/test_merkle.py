"""Merkle trees: the RFC's own shape, and paths that prove what they are for and nothing else."""

from hashlib import sha256
from random import Random

from tasks_app.seals.merkle import EMPTY, leaf_hash, path, root, root_by_path


def by_the_rfc(leaves: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.1, word by word: split at the largest power of two below the size."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + by_the_rfc(leaves[:split]) + by_the_rfc(leaves[split:])).digest()


def some(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def test_a_tree_is_the_one_of_the_rfc() -> None:
    assert root([]) == EMPTY
    for size in (*range(1, 70), 127, 128, 129, 1_000):
        assert root(some(size)) == by_the_rfc(some(size)), size


def test_every_path_leads_to_the_root() -> None:
    for size in range(1, 40):
        leaves = some(size)
        for index in range(size):
            assert root_by_path(leaf=leaves[index], index=index, size=size, path=path(leaves, index)) == root(leaves)


def test_ten_thousand_paths_hold_and_none_of_them_with_one_bit_flipped() -> None:
    """A flipped bit in the leaf, the index, the size or any partner leads elsewhere, or nowhere."""
    chance = Random(9162)
    held = flipped = 0
    trees = [(leaves := some(size), root(leaves)) for size in (1, 2, 3, 100, 1_023, 1_024)]
    for _ in range(10_000):
        leaves, top = chance.choice(trees)
        index = chance.randrange(len(leaves))
        leaf, found = leaves[index], path(leaves, index)
        held += root_by_path(leaf=leaf, index=index, size=len(leaves), path=found) == top
        place, bit = chance.randrange(-1, len(found)), 1 << chance.randrange(256)
        changed = [leaf, *found]
        changed[place + 1] = (int.from_bytes(changed[place + 1]) ^ bit).to_bytes(32)
        flipped += root_by_path(leaf=changed[0], index=index, size=len(leaves), path=changed[1:]) == top
    assert (held, flipped) == (10_000, 0)


def test_a_path_of_another_length_is_none() -> None:
    leaves = some(100)
    found = path(leaves, 7)
    assert root_by_path(leaf=leaves[7], index=7, size=100, path=found[:-1]) is None
    assert root_by_path(leaf=leaves[7], index=7, size=100, path=[*found, leaves[0]]) is None
    assert root_by_path(leaf=leaves[7], index=100, size=100, path=found) is None
