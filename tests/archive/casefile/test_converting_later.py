"""What was filed behind a cover becomes pages later, as a new version, once; whatever happens in between."""

import io
import zipfile
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path

import pytest

from archive.casefile.filing import Submission
from archive.casefile.sources import Source
from archive.errors import Code, MunimentError
from archive.evidence import office
from archive.ledger.entries import Actor
from archive.ledger.tables import entry
from tests.vouchers import voucher
from web.wiring import House

ACTOR = Actor("P0001")
REFERENCE = "2026-一级-剧本相关-001"
RTF = rb"{\rtf1\ansi refund wanted by the customer}"
needs_office = pytest.mark.skipif(office.find() is None, reason="LibreOffice is not installed here")


@pytest.fixture
def covered(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """A file with a document that could not be converted, and LibreOffice back again."""
    with monkeypatch.context() as without:
        without.setattr(office, "find", lambda: None)
        sources = (Source("报告.rtf", io.BytesIO(RTF)), Source("说明.txt", io.BytesIO("说明".encode())))
        house.filing.file(ACTOR, Submission("一级", "剧本相关", None, None, voucher(), sources))
    return house


def _pending(house: House) -> list[bool]:
    return [each.pending for each in house.case_files.documents(house.case_files.get(REFERENCE))]


def _acts(house: House) -> list[str]:
    with house.catalogue.reading() as connection:
        return [str(row.act) for row in connection.execute(entry.select().order_by(entry.c.position))]


@needs_office
def test_a_cover_is_followed_by_the_readable_document(covered: House):
    assert _pending(covered) == [False, True, False]
    outcomes = list(covered.converting.convert_all(ACTOR))
    assert [(each.document, each.converted) for each in outcomes] == [(f"{REFERENCE}-01.pdf", True)]
    assert _pending(covered) == [False, False, False]
    case_file = covered.case_files.get(REFERENCE)
    assert case_file.version == 2
    assert "refund wanted" in covered.case_files.texts(case_file)[1][0]
    assert covered.case_files.titles(case_file)[1] == "报告.rtf"
    stream, password = covered.case_files.open_document(case_file, 1)
    with stream, covered.sandbox.original(stream, password) as original:
        assert original.read() == RTF
    assert _acts(covered)[-1] == "converted"
    assert (
        covered.founded.vault.now.root / f"2026/一级/剧本相关/{REFERENCE}/v1/content/{REFERENCE}-01.pdf"
    ).exists()
    assert list(covered.converting.convert_all(ACTOR)) == []


@needs_office
def test_what_was_late_in_a_mail_is_made_up_for_by_who_is_patient(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "wang@example.com", "kf@example.com", "投诉"
    mail["Date"] = "Mon, 2 Mar 2026"
    mail.set_content("见附件")
    mail.add_attachment(RTF, maintype="application", subtype="rtf", filename="报告.rtf")
    monkeypatch.setattr(house.sandbox._aids, "_limits", replace(house.sandbox.limits, helped_seconds=0.0))
    sources = (Source("投诉.eml", io.BytesIO(mail.as_bytes())),)
    house.filing.file(ACTOR, Submission("一级", "剧本相关", None, None, voucher(), sources))
    assert _pending(house) == [False, True]
    assert [each.converted for each in house.converting.convert_all(ACTOR)] == [True]
    assert _pending(house) == [False, False]
    assert "refund wanted" in house.case_files.texts(house.case_files.get(REFERENCE))[1][1]


@needs_office
def test_the_index_finds_the_words_of_the_readable_document(covered: House):
    covered.index.catch_up()
    assert covered.index.search("refund").files == []
    list(covered.converting.convert_all(ACTOR))
    covered.index.catch_up()
    assert [each.reference for each in covered.index.search("refund").files] == [REFERENCE]


def test_while_the_converter_is_absent_the_document_goes_on_waiting(
    covered: House, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(office, "find", lambda: None)
    (outcome,) = covered.converting.convert_all(ACTOR)
    assert (outcome.converted, outcome.refusal) == (False, None)
    assert _pending(covered) == [False, True, False]
    assert _acts(covered) == ["archive-created", "filed"]


@needs_office
def test_a_fault_between_vault_and_catalogue_leaves_the_cover_as_it_was(
    covered: House, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object, **__: object) -> None:
        raise MunimentError(Code.DISK_FULL)

    with monkeypatch.context() as broken:
        broken.setattr("archive.casefile.amending._write", fail)
        (outcome,) = covered.converting.convert_all(ACTOR)
    assert outcome.refusal is not None
    assert outcome.refusal.code is Code.DISK_FULL
    assert covered.case_files.get(REFERENCE).version == 1
    stream, _ = covered.case_files.open_document(covered.case_files.get(REFERENCE), 1)
    stream.close()
    assert [each.converted for each in covered.converting.convert_all(ACTOR)] == [True]


@needs_office
def test_a_file_voided_meanwhile_is_left_alone(covered: House, monkeypatch: pytest.MonkeyPatch):
    convert = covered.sandbox.convert

    def slow(*arguments: object, **more: object) -> object:
        covered.voiding.void(ACTOR, REFERENCE, "重复登记")
        return convert(*arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(covered.sandbox, "convert", slow)
    (outcome,) = covered.converting.convert_all(ACTOR)
    assert (outcome.converted, outcome.refusal) == (False, None)
    assert _acts(covered)[-1] == "voided"
    assert covered.converting.waiting() == []


def test_a_document_that_its_converter_refuses_is_named_and_stops_no_other(
    house: House, monkeypatch: pytest.MonkeyPatch
):
    if office.find() is None:
        pytest.skip("LibreOffice is not installed here")
    broken = io.BytesIO()
    with zipfile.ZipFile(broken, "w") as package:
        package.writestr("[Content_Types].xml", "")
        package.writestr("word/document.xml", "<no")
    with monkeypatch.context() as without:
        without.setattr(office, "find", lambda: None)
        broken.seek(0)
        sources = (Source("坏.docx", broken), Source("好.rtf", io.BytesIO(RTF)))
        house.filing.file(ACTOR, Submission("一级", "剧本相关", None, None, voucher(), sources))
    bad, good = house.converting.convert_all(ACTOR)
    assert bad.refusal is not None
    assert bad.refusal.code is Code.EVIDENCE_UNREADABLE
    assert good.converted
    assert _pending(house) == [False, True, False]


def test_the_vault_is_valid_for_others_after_converting(covered: House, tmp_path: Path):
    if office.find() is None:
        pytest.skip("LibreOffice is not installed here")
    import ocfl

    list(covered.converting.convert_all(ACTOR))
    root = ocfl.StorageRoot(root=str(covered.founded.vault.now.root))
    assert root.validate()
