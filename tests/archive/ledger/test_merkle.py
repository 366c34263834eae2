"""The Merkle tree against published figures, against the recursive definition, and against forgers."""

import base64
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.ledger import merkle
from archive.ledger.merkle import EMPTY_ROOT, Frontier, Hash, Node, ProofError, leaf_hash, node_hash

# The eight entries of the Certificate Transparency reference tree and its root at each size from 0 to 8
# (transparency-dev/merkle, testonly/constants.go; before it the C++ tests of certificate-transparency).
REFERENCE_ENTRIES = [
    bytes.fromhex(entry)
    for entry in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
REFERENCE_ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Leaf 5 of the tree of 8, and size 6 in the tree of 8, from the same source.
REFERENCE_INCLUSION = [
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]
REFERENCE_CONSISTENCY = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]

LARGEST = 300
CORPUS = Path(os.environ.get("MUNIMENT_CORPUS", Path(__file__).parents[4] / "shared" / "corpus"))


class Stored:
    """A tree grown leaf by leaf, keeping what a ledger would keep: its complete nodes."""

    def __init__(self, leaves: list[Hash]) -> None:
        self.leaves = leaves
        self.nodes: dict[tuple[int, int], Hash] = {}
        self.roots = [EMPTY_ROOT]
        self.reads = 0
        frontier = Frontier()
        for leaf in leaves:
            frontier, completed = frontier.append(leaf)
            for node in completed:
                assert (node.level, node.index) not in self.nodes
                self.nodes[node.level, node.index] = node.hash
            self.roots.append(frontier.root())

    def node(self, level: int, index: int) -> Hash:
        self.reads += 1
        return self.nodes[level, index]


def defined_root(leaves: list[Hash]) -> Hash:
    """The definition of RFC 9162 §2.1.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return node_hash(defined_root(leaves[:k]), defined_root(leaves[k:]))


def leaves_of(size: int, salt: bytes = b"") -> list[Hash]:
    return [leaf_hash(salt + n.to_bytes(4, "big")) for n in range(size)]


GROWN = Stored(leaves_of(LARGEST))
REFERENCE = Stored([leaf_hash(entry) for entry in REFERENCE_ENTRIES])

sizes = st.integers(min_value=1, max_value=LARGEST)
places = sizes.flatmap(lambda size: st.tuples(st.integers(0, size - 1), st.just(size)))
size_pairs = sizes.flatmap(lambda new: st.tuples(st.integers(1, new), st.just(new)))


def forgeries(proof: tuple[Hash, ...], data: st.DataObject) -> tuple[Hash, ...]:
    """The proof with one thing wrong: a bit, the order, or the length."""
    kinds = ["extend", "prepend"]
    if proof:
        kinds += ["flip", "truncate", "behead", "repeat"]
    if len(set(proof)) > 1:
        kinds += ["swap", "reverse"]
    kind = data.draw(st.sampled_from(kinds), label="forgery")
    extra = leaf_hash(data.draw(st.binary(max_size=4), label="extra"))
    at = data.draw(st.integers(0, max(0, len(proof) - 1)), label="at")
    match kind:
        case "extend":
            return (*proof, extra)
        case "prepend":
            return (extra, *proof)
        case "flip":
            return (*proof[:at], flip(proof[at], data), *proof[at + 1 :])
        case "truncate":
            return proof[:-1]
        case "behead":
            return proof[1:]
        case "repeat":
            return (*proof[:at], proof[at], *proof[at:])
        case "reverse":
            return proof[::-1]
        case _:
            other = data.draw(st.sampled_from([n for n in range(len(proof)) if n != at]), label="other")
            swapped = list(proof)
            swapped[at], swapped[other] = swapped[other], swapped[at]
            return tuple(swapped)


def flip(value: Hash, data: st.DataObject) -> Hash:
    bit = data.draw(st.integers(0, 255), label="bit")
    return Hash((int.from_bytes(value, "big") ^ (1 << bit)).to_bytes(32, "big"))


def test_the_empty_root_is_the_hash_of_nothing():
    assert EMPTY_ROOT.hex() == REFERENCE_ROOTS[0]
    assert Frontier().root() == EMPTY_ROOT


def test_a_single_leaf_is_its_own_root():
    leaf = leaf_hash(b"")
    frontier, completed = Frontier().append(leaf)
    assert frontier.root().hex() == REFERENCE_ROOTS[1]
    assert completed == (Node(0, 0, leaf),)


@pytest.mark.parametrize("size", range(9))
def test_the_reference_tree_has_its_published_roots(size: int):
    assert REFERENCE.roots[size].hex() == REFERENCE_ROOTS[size]


def test_the_reference_tree_gives_the_published_inclusion_proof():
    proof = merkle.inclusion_proof(5, 8, REFERENCE.node)
    assert [each.hex() for each in proof] == REFERENCE_INCLUSION


def test_the_reference_tree_gives_the_published_consistency_proof():
    proof = merkle.consistency_proof(6, 8, REFERENCE.node)
    assert [each.hex() for each in proof] == REFERENCE_CONSISTENCY


def test_a_leaf_cannot_pass_for_an_inner_node():
    left, right = leaves_of(2)
    assert leaf_hash(left + right) != node_hash(left, right)


def test_appending_completes_every_node_that_ends_at_the_new_leaf():
    frontier = Frontier()
    for leaf in leaves_of(7):
        frontier, _ = frontier.append(leaf)
    _, completed = frontier.append(leaf_hash(b"the eighth"))
    assert [(node.level, node.index) for node in completed] == [(0, 7), (1, 3), (2, 1), (3, 0)]


@given(st.lists(st.binary(max_size=8), max_size=LARGEST))
def test_the_root_is_the_one_the_definition_gives(entries: list[bytes]):
    leaves = [leaf_hash(entry) for entry in entries]
    assert Stored(leaves).roots[-1] == defined_root(leaves)


def test_the_root_is_the_one_the_definition_gives_at_every_size():
    assert GROWN.roots == [defined_root(GROWN.leaves[:size]) for size in range(LARGEST + 1)]


def test_every_complete_node_is_the_root_of_its_leaves_and_none_is_missing():
    expected = {
        (level, index): defined_root(GROWN.leaves[index << level : (index + 1) << level])
        for level in range(LARGEST.bit_length())
        for index in range(LARGEST >> level)
    }
    assert GROWN.nodes == expected


@given(st.integers(0, LARGEST))
def test_a_frontier_read_from_stored_nodes_goes_on_as_the_one_that_grew(size: int):
    grown = Frontier()
    for leaf in GROWN.leaves[:size]:
        grown, _ = grown.append(leaf)
    read = Frontier.read(size, GROWN.node)
    assert read == grown
    assert read.append(leaf_hash(b"next")) == grown.append(leaf_hash(b"next"))


@pytest.mark.parametrize(("size", "peaks"), [(0, 1), (1, 0), (3, 1), (4, 2), (-1, 1)])
def test_a_frontier_whose_peaks_do_not_fit_its_size_is_refused(size: int, peaks: int):
    with pytest.raises(ValueError, match="do not make a frontier"):
        Frontier(size, tuple(leaves_of(peaks)))


def test_a_frontier_with_a_cut_off_hash_is_refused():
    with pytest.raises(ValueError, match="not 32 bytes"):
        Frontier(1, (Hash(EMPTY_ROOT[:31]),))


def test_every_inclusion_proof_of_small_trees_verifies():
    for size in range(1, 40):
        for index in range(size):
            proof = merkle.inclusion_proof(index, size, GROWN.node)
            merkle.verify_inclusion(GROWN.leaves[index], index, size, proof, GROWN.roots[size])


def test_every_consistency_proof_of_small_trees_verifies():
    for new in range(1, 40):
        for old in range(1, new + 1):
            proof = merkle.consistency_proof(old, new, GROWN.node)
            merkle.verify_consistency(old, new, proof, GROWN.roots[old], GROWN.roots[new])


@given(places)
def test_an_inclusion_proof_verifies(place: tuple[int, int]):
    index, size = place
    proof = merkle.inclusion_proof(index, size, GROWN.node)
    merkle.verify_inclusion(GROWN.leaves[index], index, size, proof, GROWN.roots[size])


@given(size_pairs)
def test_a_consistency_proof_verifies(pair: tuple[int, int]):
    old, new = pair
    proof = merkle.consistency_proof(old, new, GROWN.node)
    merkle.verify_consistency(old, new, proof, GROWN.roots[old], GROWN.roots[new])


@given(places, st.data())
def test_a_forged_inclusion_proof_fails(place: tuple[int, int], data: st.DataObject):
    index, size = place
    proof = forgeries(merkle.inclusion_proof(index, size, GROWN.node), data)
    with pytest.raises(ProofError):
        merkle.verify_inclusion(GROWN.leaves[index], index, size, proof, GROWN.roots[size])


@given(size_pairs, st.data())
def test_a_forged_consistency_proof_fails(pair: tuple[int, int], data: st.DataObject):
    old, new = pair
    proof = forgeries(merkle.consistency_proof(old, new, GROWN.node), data)
    with pytest.raises(ProofError):
        merkle.verify_consistency(old, new, proof, GROWN.roots[old], GROWN.roots[new])


@given(places, st.data())
def test_an_inclusion_proof_fails_for_another_leaf_place_or_root(place: tuple[int, int], data: st.DataObject):
    index, size = place
    leaf, root = GROWN.leaves[index], GROWN.roots[size]
    proof = merkle.inclusion_proof(index, size, GROWN.node)
    with pytest.raises(ProofError, match="another root"):
        merkle.verify_inclusion(flip(leaf, data), index, size, proof, root)
    with pytest.raises(ProofError, match="another root"):
        merkle.verify_inclusion(leaf, index, size, proof, flip(root, data))
    elsewhere = data.draw(st.integers(-1, size).filter(lambda n: n != index), label="elsewhere")
    with pytest.raises(ProofError):
        merkle.verify_inclusion(leaf, elsewhere, size, proof, root)


@given(size_pairs, st.data())
def test_a_consistency_proof_fails_for_another_root(pair: tuple[int, int], data: st.DataObject):
    old, new = pair
    proof = merkle.consistency_proof(old, new, GROWN.node)
    with pytest.raises(ProofError, match="root"):
        merkle.verify_consistency(old, new, proof, flip(GROWN.roots[old], data), GROWN.roots[new])
    with pytest.raises(ProofError, match="root"):
        merkle.verify_consistency(old, new, proof, GROWN.roots[old], flip(GROWN.roots[new], data))


@given(st.integers(2, 100).flatmap(lambda new: st.tuples(st.integers(1, new - 1), st.just(new))), st.data())
def test_a_log_that_rewrote_an_old_entry_cannot_prove_itself_consistent(
    pair: tuple[int, int], data: st.DataObject
):
    old, new = pair
    rewritten = GROWN.leaves[:new]
    rewritten[data.draw(st.integers(0, old - 1), label="rewritten")] = leaf_hash(b"rewritten")
    forged = Stored(rewritten)
    proof = merkle.consistency_proof(old, new, forged.node)
    with pytest.raises(ProofError, match=r"another (old|new) root"):
        merkle.verify_consistency(old, new, proof, GROWN.roots[old], forged.roots[new])


@given(sizes)
def test_the_same_tree_needs_an_empty_proof_and_the_same_root(size: int):
    assert merkle.consistency_proof(size, size, GROWN.node) == ()
    merkle.verify_consistency(size, size, (), GROWN.roots[size], GROWN.roots[size])
    with pytest.raises(ProofError, match="must be empty"):
        merkle.verify_consistency(size, size, (EMPTY_ROOT,), GROWN.roots[size], GROWN.roots[size])
    with pytest.raises(ProofError, match="roots are not"):
        merkle.verify_consistency(size, size, (), GROWN.roots[size], GROWN.roots[size - 1])


@given(places, size_pairs)
def test_a_proof_reads_and_holds_a_number_of_nodes_that_grows_with_the_logarithm(
    place: tuple[int, int], pair: tuple[int, int]
):
    for proof_of, (at, size) in ((merkle.inclusion_proof, place), (merkle.consistency_proof, pair)):
        before = GROWN.reads
        proof = proof_of(at, size, GROWN.node)
        assert len(proof) <= size.bit_length() + 1
        assert GROWN.reads - before <= 2 * size.bit_length() + 1


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 4), (4, 4), (0, -1)])
def test_there_is_no_inclusion_proof_for_a_leaf_outside_the_tree(index: int, size: int):
    with pytest.raises(ValueError, match="there is no leaf"):
        merkle.inclusion_proof(index, size, GROWN.node)
    with pytest.raises(ProofError, match="there is no leaf"):
        merkle.verify_inclusion(GROWN.leaves[0], index, size, (), GROWN.leaves[0])


@pytest.mark.parametrize(("old", "new"), [(0, 0), (0, 4), (5, 4), (-1, 4)])
def test_there_is_no_consistency_proof_from_an_empty_or_larger_tree(old: int, new: int):
    with pytest.raises(ValueError, match="there is no consistency proof"):
        merkle.consistency_proof(old, new, GROWN.node)
    with pytest.raises(ProofError, match="cannot be proved consistent"):
        merkle.verify_consistency(old, new, (), EMPTY_ROOT, EMPTY_ROOT)


def test_an_inner_node_cannot_be_passed_off_as_a_leaf_by_a_shorter_proof():
    inner = GROWN.nodes[1, 0]
    with pytest.raises(ProofError, match="too short"):
        merkle.verify_inclusion(inner, 0, 4, [GROWN.nodes[1, 1]], GROWN.roots[4])


def test_the_last_leaf_of_a_large_tree_cannot_be_passed_off_as_the_last_of_a_small_one():
    proof = merkle.inclusion_proof(7, 8, GROWN.node)
    with pytest.raises(ProofError, match="too long"):
        merkle.verify_inclusion(GROWN.leaves[7], 1, 2, proof, GROWN.roots[8])


def test_a_consistency_proof_to_a_small_tree_does_not_do_for_a_larger_size():
    proof = merkle.consistency_proof(4, 8, GROWN.node)
    with pytest.raises(ProofError, match="too short"):
        merkle.verify_consistency(4, 16, proof, GROWN.roots[4], GROWN.roots[8])


@pytest.mark.parametrize(("old", "new"), [(3, 7), (4, 7)])
def test_different_sizes_need_a_proof(old: int, new: int):
    with pytest.raises(ProofError, match="the proof is empty"):
        merkle.verify_consistency(old, new, (), GROWN.roots[old], GROWN.roots[new])


def test_a_hash_of_another_length_is_refused_before_it_is_hashed():
    left, right = leaves_of(2)
    root = node_hash(left, right)
    with pytest.raises(ProofError, match="not 32 bytes"):
        merkle.verify_inclusion(left, 0, 2, [Hash(right[:-1])], root)
    with pytest.raises(ProofError, match="not 32 bytes"):
        merkle.verify_consistency(1, 2, [Hash(right + b"\x00")], left, root)
    # A longer sibling and a shorter leaf would hash to the very same root.
    with pytest.raises(ProofError, match="not 32 bytes"):
        merkle.verify_inclusion(Hash(left[:-1]), 0, 2, [Hash(left[-1:] + right)], root)


def test_the_published_proof_vectors_are_judged_as_published():
    folder = CORPUS / "merkle"
    if not folder.is_dir():
        pytest.skip(f"the proof vectors are not there: {folder}")
    vectors = [json.loads(path.read_bytes()) for path in sorted(folder.glob("inclusion/**/*.json"))]
    vectors += [json.loads(path.read_bytes()) for path in sorted(folder.glob("consistency/**/*.json"))]
    assert len(vectors) > 100
    assert {vector["wantErr"] for vector in vectors} == {True, False}
    wrong = [vector for vector in vectors if refuses(vector) != vector["wantErr"]]
    assert wrong == []


def refuses(vector: dict) -> bool:
    """Whether we refuse a proof of transparency-dev/merkle's test data."""

    def value(name: str) -> Hash:
        return Hash(base64.b64decode(vector[name] or ""))

    proof = [Hash(base64.b64decode(each or "")) for each in vector["proof"] or ()]
    try:
        if "leafIdx" in vector:
            merkle.verify_inclusion(
                value("leafHash"), vector["leafIdx"], vector["treeSize"], proof, value("root")
            )
        else:
            merkle.verify_consistency(vector["size1"], vector["size2"], proof, value("root1"), value("root2"))
    except ProofError:
        return True
    return False
