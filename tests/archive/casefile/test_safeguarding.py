"""An archive from before there were records and a journal is brought to where a rebuild brings everything back."""

import json
from hashlib import sha512

import pytest
import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reference import Reference
from archive.fixity.report import Fault
from archive.keys.journal import KeyJournal
from archive.ledger.entries import CONSOLE
from web.wiring import House


def age(house: House, reference: str) -> None:
    """The object and the rows as they were before there were records."""
    folder = house.founded.vault.now.root / Reference.parse(reference).folder
    for path in folder.rglob("*.record"):
        path.unlink()
    for path in folder.rglob("inventory.json"):
        document = json.loads(path.read_text())
        for digest, places in list(document["manifest"].items()):
            if places[0].endswith(".record"):
                del document["manifest"][digest]
                for version in document["versions"].values():
                    version["state"].pop(digest, None)
        content = json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True).encode()
        path.write_bytes(content)
        path.with_name("inventory.json.sha512").write_text(f"{sha512(content).hexdigest()} inventory.json\n")
    with house.catalogue.housekeeping() as connection:
        one = (
            sa.select(tables.case_file.c.id)
            .where(tables.case_file.c.reference == reference)
            .scalar_subquery()
        )
        connection.execute(sa.delete(tables.record).where(tables.record.c.case_file == one))


@pytest.fixture
def old(house: House, filed) -> list[str]:
    for each in filed:
        age(house, each)
    house.settings.journal_path.unlink()
    return filed


def test_files_without_a_record_are_counted_and_no_damage(house: House, old):
    house.journalling.begin()
    assert house.safeguarding.unrecorded() == 3
    assert house.fixity.check(CONSOLE).whole


def test_each_is_given_a_record_once(house: House, old):
    assert house.safeguarding.journal() == 3
    assert [each.recorded for each in house.safeguarding.record_all(CONSOLE)] == [True] * 3
    assert [each.recorded for each in house.safeguarding.record_all(CONSOLE)] == [False] * 3
    assert house.safeguarding.unrecorded() == 0
    assert house.fixity.check(CONSOLE).whole
    assert len(KeyJournal(house.settings.journal_path).read().file_keys) == 3


def test_an_act_on_an_old_file_gives_it_a_record_too(house: House, old):
    house.holds.place(CONSOLE, old[1], "诉讼")
    assert house.safeguarding.unrecorded() == 2
    house.journalling.renew()
    assert house.fixity.check(CONSOLE).whole


def test_a_stale_record_is_named_and_written_anew(house: House, filed):
    with house.catalogue.housekeeping() as connection:
        case_file = tables.case_file
        connection.execute(
            sa.update(case_file).where(case_file.c.reference == filed[0]).values(store="别处的店")
        )
    (finding,) = house.fixity.check(CONSOLE).findings
    assert (finding.fault, finding.reference) == (Fault.RECORD_STALE, filed[0])
    assert [each.reference for each in house.safeguarding.record_all(CONSOLE) if each.recorded] == [filed[0]]
    assert house.fixity.check(CONSOLE).whole


def test_one_that_is_damaged_stops_no_other(house: House, old):
    folder = house.founded.vault.now.root / Reference.parse(old[0]).folder
    for path in folder.rglob("inventory.json*"):
        path.unlink()
    outcomes = {each.reference: each for each in house.safeguarding.record_all(CONSOLE)}
    assert outcomes[old[0]].refusal is not None
    assert outcomes[old[1]].recorded
    assert outcomes[old[2]].recorded
