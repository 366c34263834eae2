"""Voiding: stamped 作废 and kept whole, once (P9)."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pikepdf
import pytest
import sqlalchemy as sa

from archive.casefile.reading import FileState
from archive.errors import Code, MunimentError
from archive.ledger import tables
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.ledger.log import entries

ACTOR = Actor("P0002")
FIRST = "2026-一级-剧本相关-001"


def recorded(archive, act: Act):
    catalogue = archive.founded.catalogue
    with catalogue.reading() as connection:
        query = sa.select(tables.entry.c.position).where(tables.entry.c.act == act.value)
        return list(entries(connection, catalogue.ledger, query, archive.case_files.file_key))


def refusal(work) -> Code:
    with pytest.raises(MunimentError) as caught:
        work()
    assert caught.value.say("zh")
    return caught.value.code


def test_a_void_file_is_stamped_and_all_of_it_is_kept(archive):
    before = archive.case_files.get(FIRST)
    documents = archive.case_files.documents(before)
    after = archive.voiding.void(ACTOR, FIRST, " 重复登记 ")
    assert (after.state, after.version, after.number) == (FileState.VOID, 2, before.number)
    stamped, *rest = archive.case_files.documents(after)
    assert stamped.version == 2
    assert tuple(rest) == documents[1:]
    assert "作废" in "".join(archive.case_files.texts(after)[0])
    assert archive.case_files.voucher(after) == archive.case_files.voucher(before)
    stream, password = archive.case_files.open_document(after, 0)
    with stream, pikepdf.open(stream, password=password) as pdf:
        assert len(pdf.pages) == stamped.pages
    content = archive.home / "vault" / "2026" / "一级" / "剧本相关" / FIRST
    assert (content / "v1" / "content" / f"{FIRST}.pdf").exists()
    assert archive.wrong() == []


def test_voiding_is_recorded_with_its_reason_sealed(archive):
    archive.voiding.void(ACTOR, FIRST, "重复登记")
    (entry,) = recorded(archive, Act.VOIDED)
    assert (entry.actor, entry.subject, entry.detail["reason"]) == (ACTOR, FIRST, "重复登记")


@pytest.mark.parametrize("reason", ["", "  ", "\n\t"])
def test_a_reason_is_needed(archive, reason):
    assert refusal(lambda: archive.voiding.void(ACTOR, FIRST, reason)) is Code.REASON_MISSING
    assert archive.case_files.get(FIRST).state is FileState.FILED


def test_a_file_is_voided_once(archive):
    archive.voiding.void(ACTOR, FIRST, "重复登记")
    assert refusal(lambda: archive.voiding.void(ACTOR, FIRST, "再次")) is Code.ALREADY_VOID
    assert len(recorded(archive, Act.VOIDED)) == 1


def test_of_two_who_void_at_once_one_is_told(archive):
    begin = Barrier(2)

    def void(_: int) -> str:
        begin.wait()
        try:
            return archive.voiding.void(ACTOR, FIRST, "重复登记").state
        except MunimentError as error:
            return error.code

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(void, range(2))) == sorted([FileState.VOID, Code.ALREADY_VOID])
    assert archive.wrong() == []


def test_an_unknown_file_is_said(archive):
    assert refusal(lambda: archive.voiding.void(ACTOR, "2026-一级-剧本相关-009", "x")) is Code.FILE_NOT_FOUND
    assert refusal(lambda: archive.voiding.void(ACTOR, "no", "x")) is Code.REFERENCE_INVALID


def test_a_failed_transaction_leaves_the_object_as_it_was(archive, monkeypatch):
    monkeypatch.setattr("archive.casefile.amending._write", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        archive.voiding.void(ACTOR, FIRST, "重复登记")
    assert archive.case_files.get(FIRST).version == 1
    assert archive.wrong() == []
