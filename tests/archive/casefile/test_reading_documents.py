"""Reading: checked before it is opened. What was altered or taken away is said, recorded, and not opened."""

import shutil

import pytest
import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.reference import Reference
from archive.errors import Code, MunimentError
from archive.keys.filekey import CaseFileId
from archive.ledger import tables as ledger_tables
from archive.ledger.acts import Act
from archive.ledger.entries import SYSTEM
from archive.ledger.log import entries

FIRST = "2026-一级-剧本相关-001"


@pytest.fixture
def stored(archive):
    """The path of the photograph."""
    return (
        archive.founded.vault.now.root / Reference.parse(FIRST).folder / "v1" / "content" / f"{FIRST}-01.pdf"
    )


@pytest.fixture
def damage(archive):
    def found() -> list[tuple]:
        catalogue = archive.founded.catalogue
        with catalogue.reading() as connection:
            query = sa.select(ledger_tables.entry.c.position).where(
                ledger_tables.entry.c.act == Act.DAMAGE_FOUND.value
            )
            seen = list(entries(connection, catalogue.ledger, query, archive.case_files.file_key))
        return [(each.actor, each.subject, each.detail) for each in seen]

    return found


def refusal(archive, ordinal: int = 1) -> Code:
    with pytest.raises(MunimentError) as caught:
        archive.case_files.open_document(archive.case_files.get(FIRST), ordinal)
    assert caught.value.say("zh")
    return caught.value.code


@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_one_flipped_bit_is_found_and_recorded(archive, stored, damage, place):
    content = bytearray(stored.read_bytes())
    content[{"first": 0, "middle": len(content) // 2, "last": -1}[place]] ^= 1
    stored.write_bytes(content)
    assert refusal(archive) is Code.DOCUMENT_ALTERED
    assert damage() == [(SYSTEM, FIRST, {"document": 1, "problem": "document-altered"})]
    archive.case_files.open_document(archive.case_files.get(FIRST), 0)[0].close()


def test_a_document_cut_short_or_made_longer_is_found(archive, stored):
    content = stored.read_bytes()
    for altered in (b"", content[:-1], content + b"\0"):
        stored.write_bytes(altered)
        assert refusal(archive) is Code.DOCUMENT_ALTERED


def test_a_document_taken_away_is_missing_and_recorded(archive, stored, damage):
    stored.unlink()
    assert refusal(archive) is Code.DOCUMENT_MISSING
    assert damage() == [(SYSTEM, FIRST, {"document": 1, "problem": "document-missing"})]


def test_a_vault_taken_away_is_missing(archive):
    shutil.rmtree(archive.founded.vault.now.root)
    assert refusal(archive) is Code.DOCUMENT_MISSING


def test_a_document_exchanged_together_with_its_digest_in_the_catalogue_is_found(archive, stored):
    """Whoever can write both the vault and the catalogue does not have the file's key: the HMAC gives it away."""
    from hashlib import sha512

    stored.write_bytes(b"forged")
    with archive.founded.catalogue.housekeeping() as connection:
        connection.execute(
            sa.update(tables.document)
            .where(tables.document.c.ordinal == 1)
            .values(sha512=sha512(b"forged").hexdigest())
        )
    assert refusal(archive) is Code.DOCUMENT_ALTERED


def test_a_document_that_was_never_there_is_no_damage(archive, damage):
    assert refusal(archive, 7) is Code.PAGE_NOT_FOUND
    assert damage() == []


def test_a_file_whose_key_was_shredded_is_not_found(archive):
    with archive.founded.catalogue.housekeeping() as connection:
        connection.execute(tables.file_key.delete())
    assert refusal(archive) is Code.FILE_NOT_FOUND
    assert archive.case_files.file_key(archive.case_files.get(FIRST).id) is None


def test_files_are_given_newest_first_and_by_id_in_the_order_asked_for(archive, forms):
    second = archive.filing.file("P0001", forms.submission()).reference
    every = archive.case_files.select()
    assert [each.reference for each in every] == [second, FIRST]
    ids = [every[1].id, CaseFileId("unknown"), every[0].id]
    assert [each.reference for each in archive.case_files.by_ids(ids)] == [FIRST, second]
    chosen = sa.select(tables.case_file.c.id).where(tables.case_file.c.reference == FIRST)
    assert [each.reference for each in archive.case_files.select(chosen)] == [FIRST]


def test_the_newest_version_of_each_document_is_read(archive):
    archive.voiding.void("P0001", FIRST, "重复登记")
    case_file = archive.case_files.get(FIRST)
    assert [(each.ordinal, each.version) for each in archive.case_files.documents(case_file)] == [
        (0, 2),
        (1, 1),
    ]
    for ordinal in (0, 1):
        archive.case_files.open_document(case_file, ordinal)[0].close()
    assert set(archive.case_files.titles(case_file)) == {0, 1}
