"""Damage is mended from another copy when that copy is the document that was filed, and never otherwise."""

import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from archive.casefile.reference import Reference
from archive.fixity.copies import MirrorCopies
from archive.fixity.repairing import Repair, Repairing
from archive.fixity.report import Fault
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.ledger.log import follow
from tests.conftest import QUICK
from web.backup_places import place
from web.settings import Settings
from web.wiring import House, opened


@pytest.fixture
def mirror(house: House, filed, tmp_path) -> Path:
    shutil.copytree(house.founded.vault.now.root, tmp_path / "mirror")
    return tmp_path / "mirror"


@pytest.fixture
def mending(house: House, mirror) -> Repairing:
    founded = house.founded
    return Repairing(
        house.catalogue,
        house.case_files,
        founded.vault,
        house.sandbox,
        house.recording,
        lambda: MirrorCopies(mirror),
    )


def mend(house: House, mending: Repairing) -> tuple[Repair, ...]:
    return mending.repair(CONSOLE, house.fixity.check(CONSOLE))


def vault_files(house: House) -> list[Path]:
    return sorted(path for path in house.founded.vault.now.root.rglob("*") if path.is_file())


def document(house: House, reference: str) -> Path:
    folder = house.founded.vault.now.root / Reference.parse(reference).folder
    return folder / "v1" / "content" / f"{reference}.pdf"


def test_any_file_of_a_case_file_that_is_altered_or_missing_is_mended_byte_for_byte(
    house: House, filed, mending, record_property
):
    dice, mended = random.Random(3), 0
    for path in vault_files(house):
        if path.parent == house.founded.vault.now.root:
            continue  # the root's own declaration belongs to no case file
        content = path.read_bytes()
        altered = bytearray(content)
        altered[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
        for damage in (lambda p=path, a=altered: p.write_bytes(a), path.unlink):
            damage()
            (repair,) = mend(house, mending)
            assert repair.left == ()
            assert path.name in repair.replaced
            assert path.read_bytes() == content
            mended += 1
    assert house.fixity.check(CONSOLE).whole
    record_property("faults", (mended, "a stored file damaged, and mended from a mirror"))


def test_what_was_damaged_is_kept_aside_and_the_repair_recorded(house: House, filed, mending):
    path = document(house, filed[0])
    path.write_bytes(b"damaged")
    mend(house, mending)
    (aside,) = (each for each in house.settings.home.joinpath("aside").rglob("*") if each.is_file())
    assert aside.read_bytes() == b"damaged"
    with house.catalogue.reading() as connection:
        last = follow(connection, 0)[-1]
    assert (last.act, last.subject) == (Act.REPAIRED, filed[0])


@pytest.mark.parametrize("kind", ["altered", "other", "missing", "away"])
def test_a_copy_that_is_not_what_was_filed_is_never_taken(house: House, filed, mending, mirror, kind):
    path = document(house, filed[0])
    copy = mirror / path.relative_to(house.founded.vault.now.root)
    other = mirror / document(house, filed[1]).relative_to(house.founded.vault.now.root)
    path.write_bytes(b"damaged")
    if kind == "altered":
        copy.write_bytes(copy.read_bytes()[:-1] + b"?")
    elif kind == "other":
        shutil.copy(other, copy)
    elif kind == "missing":
        copy.unlink()
    else:
        shutil.rmtree(mirror)
    (repair,) = mend(house, mending)
    assert repair.replaced == ()
    assert {each.fault for each in repair.left} == {Fault.ALTERED}
    assert path.read_bytes() == b"damaged"
    assert not house.settings.home.joinpath("aside").exists()


def test_an_inventory_mends_itself_from_its_second_copy(house: House, filed, mending, mirror):
    shutil.rmtree(mirror)
    folder = document(house, filed[2]).parents[2]
    good = (folder / "inventory.json").read_bytes()
    (folder / "inventory.json").write_bytes(b"{}")
    (folder / "v2" / "inventory.json.sha512").unlink()
    (folder / "0=ocfl_object_1.1").write_bytes(b"")
    (repair,) = mend(house, mending)
    assert repair.left == ()
    assert (folder / "inventory.json").read_bytes() == good
    assert house.fixity.check(CONSOLE).whole


def test_an_altered_time_in_one_inventory_gives_way_to_the_one_its_sidecar_confirms(
    house: House, filed, mending, mirror
):
    shutil.rmtree(mirror)
    folder = document(house, filed[0]).parents[2]
    good = (folder / "v1" / "inventory.json").read_bytes()
    (folder / "v1" / "inventory.json").write_bytes(good.replace(b"2026-11", b"2016-11"))
    assert mend(house, mending)[0].left == ()
    assert (folder / "v1" / "inventory.json").read_bytes() == good


def test_a_backup_serves_as_the_other_copy(house: House, filed, tmp_path):
    house.backups.take(CONSOLE, place(house.settings, str(tmp_path / "backup")))
    path = document(house, filed[0])
    good = path.read_bytes()
    settings = replace(house.settings, mirror=str(tmp_path / "backup"))
    with opened(settings, clock=house.clock, passwords=QUICK) as mirrored:
        for damage in (path.unlink, lambda: path.write_bytes(good[1:])):
            damage()
            (repair,) = mend(mirrored, mirrored.repairing)
            assert (repair.replaced, repair.left) == ((path.name,), ())
            assert path.read_bytes() == good


def test_without_another_copy_there_is_nothing_to_repair_with(house: House):
    assert house.repairing is None
    assert Settings().mirror is None
