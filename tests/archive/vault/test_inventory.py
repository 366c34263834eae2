"""The inventory: versions that add and never take away."""

import json
from datetime import UTC, datetime
from hashlib import sha512

from archive.vault.inventory import NAME, Change, encode, first, following

AT = datetime(2026, 3, 1, 12, 0, 5, 123456, tzinfo=UTC)


def change(**brings: str) -> Change:
    return Change(AT, "filed", "P0001", {name.replace("_", "."): digest for name, digest in brings.items()})


def test_the_first_version_holds_what_it_brings():
    inventory = first("urn:uuid:x", change(a_pdf="aa", b_pdf="bb"))
    assert inventory["head"] == "v1"
    assert inventory["manifest"] == {"aa": ["v1/content/a.pdf"], "bb": ["v1/content/b.pdf"]}
    assert inventory["versions"]["v1"] == {
        "created": "2026-03-01T12:00:05+00:00",
        "message": "filed",
        "user": {"name": "P0001", "address": "urn:muniment:P0001"},
        "state": {"aa": ["a.pdf"], "bb": ["b.pdf"]},
    }


def test_a_following_version_keeps_what_it_does_not_bring_and_alters_nothing_before_it():
    one = first("urn:uuid:x", change(a_pdf="aa", b_pdf="bb"))
    before = json.dumps(one)
    two = following(one, change(a_pdf="cc"))
    assert json.dumps(one) == before
    assert two["head"] == "v2"
    assert two["versions"]["v1"] == one["versions"]["v1"]
    assert two["versions"]["v2"]["state"] == {"cc": ["a.pdf"], "bb": ["b.pdf"]}
    assert two["manifest"] == {**one["manifest"], "cc": ["v2/content/a.pdf"]}


def test_two_names_of_one_content_are_both_held():
    inventory = first("urn:uuid:x", change(a_pdf="aa", b_pdf="aa"))
    assert inventory["versions"]["v1"]["state"] == {"aa": ["a.pdf", "b.pdf"]}
    assert inventory["manifest"] == {"aa": ["v1/content/a.pdf", "v1/content/b.pdf"]}


def test_the_sidecar_is_the_digest_of_the_inventory():
    content, sidecar = encode(first("urn:uuid:x", change(a_pdf="aa")))
    assert sidecar.decode() == f"{sha512(content).hexdigest()} {NAME}\n"
    assert json.loads(content)["id"] == "urn:uuid:x"


def test_the_same_inventory_is_the_same_bytes():
    inventory = first("urn:uuid:x", change(a_pdf="aa"))
    assert encode(inventory) == encode(dict(reversed(inventory.items())))
