"""The Merkle tree of the ledger: SHA-256, as RFC 9162 §2.1 (before it RFC 6962 §2.1) defines it. No I/O here.

A *node* is the root of a perfect subtree: node ``(level, index)`` covers the ``1 << level`` leaves from
``index << level`` on, so level 0 holds the leaves themselves. Complete nodes never change as the tree grows,
which is what lets them be stored once and every proof be built from O(log n) of them.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NewType

Hash = NewType("Hash", bytes)  # 32 bytes
NodeReader = Callable[[int, int], Hash]  # (level, index) of a complete node to its hash

HASH_SIZE = 32
EMPTY_ROOT = Hash(hashlib.sha256(b"").digest())


class ProofError(ValueError):
    """A proof does not show what it claims; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Node:
    """A complete node and its place in the tree."""

    level: int
    index: int
    hash: Hash


def leaf_hash(data: bytes) -> Hash:
    """The hash of one entry. The prefix keeps a leaf from passing for an inner node (RFC 9162 §2.1.1)."""
    return Hash(hashlib.sha256(b"\x00" + data).digest())


def node_hash(left: Hash, right: Hash) -> Hash:
    """The hash of an inner node over its two children (RFC 9162 §2.1.1)."""
    return Hash(hashlib.sha256(b"\x01" + left + right).digest())


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree: all that is needed to append to it and to know its root.

    ``peaks`` are the hashes of the maximal perfect subtrees, left to right, one for each set bit of ``size``.
    """

    size: int = 0
    peaks: tuple[Hash, ...] = ()

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"{len(self.peaks)} peaks do not make a frontier of size {self.size}")
        if any(len(peak) != HASH_SIZE for peak in self.peaks):
            raise ValueError(f"a peak is not {HASH_SIZE} bytes")

    @classmethod
    def read(cls, size: int, node: NodeReader) -> "Frontier":
        """The frontier of a stored tree, from its complete nodes."""
        return cls(size, tuple(node(level, index) for level, index in _perfect_subtrees(0, size)))

    def append(self, leaf: Hash) -> tuple["Frontier", tuple[Node, ...]]:
        """Add a leaf hash. Returns the new frontier and every node this completed, the leaf itself first."""
        peaks = list(self.peaks)
        completed = [Node(0, self.size, leaf)]
        index = self.size
        # As in binary counting: each trailing 1 of the old size is a subtree waiting for its right half.
        while index & 1:
            last = completed[-1]
            index >>= 1
            completed.append(Node(last.level + 1, index, node_hash(peaks.pop(), last.hash)))
        peaks.append(completed[-1].hash)
        return Frontier(self.size + 1, tuple(peaks)), tuple(completed)

    def root(self) -> Hash:
        """The root hash of the tree; ``EMPTY_ROOT`` when it has no leaves."""
        return _fold(self.peaks) if self.peaks else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: NodeReader) -> tuple[Hash, ...]:
    """The path that proves leaf ``index`` to be in the tree of ``size`` leaves, nearest sibling first.

    RFC 9162 §2.1.3.1. Raises ``ValueError`` when there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError(f"there is no leaf {index} in a tree of size {size}")
    start, end = 0, size
    path: list[Hash] = []
    while end - start > 1:
        middle = _split(start, end)
        if index < middle:
            path.append(_subtree_root(middle, end, node))
            end = middle
        else:
            path.append(_subtree_root(start, middle, node))
            start = middle
    return tuple(reversed(path))


def consistency_proof(old: int, new: int, node: NodeReader) -> tuple[Hash, ...]:
    """The path that proves the tree of ``new`` leaves to begin with the tree of ``old`` leaves.

    RFC 9162 §2.1.4.1. Empty when ``old`` is ``new``. Raises ``ValueError`` unless 0 < old ≤ new: an empty
    tree proves nothing, as every tree begins with it.
    """
    if not 0 < old <= new:
        raise ValueError(f"there is no consistency proof from size {old} to size {new}")
    start, end = 0, new
    path: list[Hash] = []
    while end != old:
        middle = _split(start, end)
        if old <= middle:
            path.append(_subtree_root(middle, end, node))
            end = middle
        else:
            path.append(_subtree_root(start, middle, node))
            start = middle
    # When the old tree is a perfect subtree of the new one, its root is what the verifier holds already.
    if start > 0:
        path.append(_subtree_root(start, end, node))
    return tuple(reversed(path))


def verify_inclusion(leaf: Hash, index: int, size: int, proof: Sequence[Hash], root: Hash) -> None:
    """Check that ``leaf`` (a leaf hash) is leaf ``index`` of the tree of ``size`` leaves with this ``root``.

    RFC 9162 §2.1.3.2. Raises ``ProofError`` with the reason.
    """
    if not 0 <= index < size:
        raise ProofError(f"there is no leaf {index} in a tree of size {size}")
    _check_lengths(leaf, *proof, root)
    found = leaf
    for sibling, on_left in _climb(index, size - 1, proof):
        found = node_hash(sibling, found) if on_left else node_hash(found, sibling)
    if found != root:
        raise ProofError("the proof leads to another root")


def verify_consistency(old: int, new: int, proof: Sequence[Hash], old_root: Hash, new_root: Hash) -> None:
    """Check that the tree of ``new`` leaves begins with the tree of ``old`` leaves, unaltered.

    RFC 9162 §2.1.4.2. Raises ``ProofError`` with the reason. Equal sizes need an empty proof and equal roots.
    An old tree of size 0 is refused: every tree begins with it, so nothing would have been proved.
    """
    if not 0 < old <= new:
        raise ProofError(f"size {old} cannot be proved consistent with size {new}")
    if old == new:
        _check_same_tree(proof, old_root, new_root)
        return
    _check_lengths(*proof, old_root, new_root)
    if not proof:
        raise ProofError("the proof is empty")
    # A perfect old tree is a node of the new one, and the prover leaves out what the verifier holds.
    path = [old_root, *proof] if old.bit_count() == 1 else list(proof)
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    found_old = found_new = path[0]
    for sibling, on_left in _climb(position, last, path[1:]):
        if on_left:
            found_old, found_new = node_hash(sibling, found_old), node_hash(sibling, found_new)
        else:
            found_new = node_hash(found_new, sibling)
    if found_old != old_root:
        raise ProofError("the proof leads to another old root")
    if found_new != new_root:
        raise ProofError("the proof leads to another new root")


def _check_same_tree(proof: Sequence[Hash], old_root: Hash, new_root: Hash) -> None:
    if proof:
        raise ProofError("the sizes are equal, so the proof must be empty")
    if old_root != new_root:
        raise ProofError("the sizes are equal but the roots are not")


def _check_lengths(*hashes: Hash) -> None:
    if any(len(each) != HASH_SIZE for each in hashes):
        raise ProofError(f"a hash is not {HASH_SIZE} bytes")


def _climb(position: int, last: int, proof: Sequence[Hash]) -> Iterator[tuple[Hash, bool]]:
    """Each sibling on the way up to the root, and whether it stands on the left.

    ``position`` is where the climb starts on its level and ``last`` the last position there (*fn* and *sn* of
    RFC 9162 §2.1.3.2 and §2.1.4.2). Raises ``ProofError`` when the proof is not as long as the way.
    """
    for sibling in proof:
        if last == 0:
            raise ProofError("the proof is too long")
        on_left = position == last or bool(position & 1)
        yield sibling, on_left
        # The ragged right edge has no sibling on some levels, and the proof has no hash for them.
        while on_left and position and not position & 1:
            position, last = position >> 1, last >> 1
        position, last = position >> 1, last >> 1
    if last:
        raise ProofError("the proof is too short")


def _split(start: int, end: int) -> int:
    """Where a subtree divides: the largest power of two smaller than its width (RFC 9162 §2.1.1)."""
    return start + (1 << ((end - start - 1).bit_length() - 1))


def _perfect_subtrees(start: int, end: int) -> Iterator[tuple[int, int]]:
    """The (level, index) of the maximal perfect subtrees of a subtree, from left to right."""
    while start < end:
        level = (end - start).bit_length() - 1
        yield level, start >> level
        start += 1 << level


def _subtree_root(start: int, end: int, node: NodeReader) -> Hash:
    return _fold([node(level, index) for level, index in _perfect_subtrees(start, end)])


def _fold(peaks: Sequence[Hash]) -> Hash:
    """The root over perfect subtrees, at least one: the smallest, at the right, are joined first."""
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root
