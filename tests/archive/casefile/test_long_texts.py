"""Long texts: sealed streams beside their documents, looked after by all who walk the vault."""

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import bagit
import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from archive.casefile import tables, texts
from archive.casefile.filing import Submission
from archive.casefile.sources import Source
from archive.casefile.texts import numbers, ranges
from archive.errors import Code, MunimentError
from archive.fixity.report import Fault
from archive.ledger.entries import Actor
from tests.conftest import QUICK, Clock
from tests.mending import mending
from tests.vouchers import voucher
from web.backup_places import place
from web.settings import Settings
from web.wiring import House, init, opened, rebuild, restore

ACTOR = Actor("P0001")
REFERENCE = "2026-一级-剧本相关-001"
CONTENT = "2026/一级/剧本相关/2026-一级-剧本相关-001/v1/content"
TEXT = f"{REFERENCE}-01.text"
SAID = "第三幕道具缺失，电话13800138000。\n" * 20


@pytest.fixture(autouse=True)
def everything_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "LONGEST", 0)


@pytest.fixture
def filed(house: House) -> House:
    source = Source("说明.txt", io.BytesIO(SAID.encode()))
    assert house.filing.file(
        ACTOR, Submission("一级", "剧本相关", None, None, voucher(), (source,))
    ).reference
    return house


@pytest.fixture
def other(tmp_path: Path, clock: Clock) -> Iterator[House]:
    settings = Settings(home=tmp_path / "other")
    init(settings)
    with opened(settings, clock=clock, passwords=QUICK) as built:
        yield built


def said(house: House) -> list[str]:
    case_file = house.case_files.get(REFERENCE)
    return ["".join("".join(pages).split()) for pages in house.case_files.texts(case_file).values()]


def sealed(house: House) -> Path:
    return house.settings.home / "vault" / CONTENT / TEXT


def flip(path: Path, at: int = 40) -> None:
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.chmod(0o600)
    path.write_bytes(content)


def test_it_lies_sealed_beside_its_document_and_is_read_page_by_page(filed: House):
    assert "第三幕道具缺失" in said(filed)[1]
    content = sealed(filed).read_bytes()
    assert content.startswith(b"MUNS")
    assert "道具".encode() not in content
    case_file = filed.case_files.get(REFERENCE)
    assert "138****8000" in "".join(filed.case_files.masked_pages(case_file, 1))
    assert filed.fixity.check(ACTOR).whole


def test_neither_row_nor_record_holds_it(filed: House):
    filed.completing.complete(ACTOR, REFERENCE, filed.clock().date())
    with filed.catalogue.reading() as connection:
        assert set(connection.execute(sa.select(tables.document.c.text)).scalars()) == {b""}
    record = filed.recording.of(filed.case_files.get(REFERENCE).id)
    assert record is not None
    assert {row["text"] for row in record.documents} == {b""}


def test_a_short_text_stays_in_its_row(house: House, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(texts, "LONGEST", 1 << 18)
    house.filing.file(ACTOR, Submission("一级", "剧本相关", None, None, voucher(), ()))
    assert not list((house.settings.home / "vault").rglob("*.text"))
    assert said(house)[0]


@pytest.mark.parametrize("at", [3, 9, 40, -1])
def test_a_flipped_bit_is_found_and_named_and_the_text_is_refused(filed: House, at: int):
    flip(sealed(filed), at)
    findings = filed.fixity.check(ACTOR).findings
    assert [(each.fault, each.name) for each in findings] == [(Fault.ALTERED, TEXT)]
    with pytest.raises(MunimentError) as refused:
        said(filed)
    assert refused.value.code is Code.DOCUMENT_ALTERED


def test_one_that_is_gone_is_found_and_the_index_goes_on_without_it(filed: House):
    sealed(filed).unlink()
    assert [(each.fault, each.name) for each in filed.fixity.check(ACTOR).findings] == [(Fault.MISSING, TEXT)]
    with pytest.raises(MunimentError) as refused:
        said(filed)
    assert refused.value.code is Code.DOCUMENT_MISSING
    assert filed.index.search("说明").files


def test_the_words_of_it_are_found_and_shown_masked(filed: House):
    assert [each.reference for each in filed.index.search("道具缺失").files] == [REFERENCE]


def test_it_is_mended_from_a_backup_and_comes_back_from_one(filed: House, tmp_path: Path):
    kept = place(filed.settings, str(tmp_path / "backup"))
    assert filed.backups.take(ACTOR, kept).damaged == ()
    before = said(filed)
    flip(sealed(filed))
    repaired = mending(filed, kept).repair(ACTOR, filed.fixity.check(ACTOR))
    assert [(each.replaced, each.left) for each in repaired] == [((TEXT,), ())]
    again = Settings(home=tmp_path / "again", key_file=filed.settings.key_path)
    assert restore(again, kept).damaged == ()
    with opened(again, passwords=QUICK) as back:
        assert said(back) == before
        assert back.fixity.check(ACTOR).whole


def test_the_vault_moves_with_it(filed: House, tmp_path: Path):
    before = said(filed)
    filed.moving.move(ACTOR, str(tmp_path / "elsewhere"))
    assert said(filed) == before
    assert filed.fixity.check(ACTOR).whole


def test_a_rebuilt_catalogue_knows_it(filed: House, settings: Settings):
    before = said(filed)
    filed.catalogue.database.close()
    for left in settings.home.glob("catalogue.db*"):
        left.unlink()
    assert rebuild(settings).unfit == ()
    with opened(settings, passwords=QUICK) as back:
        assert said(back) == before
        assert back.fixity.check(ACTOR).whole


def test_a_package_brings_it_into_another_archive(filed: House, other: House, tmp_path: Path):
    filed.exporting.export(ACTOR, [REFERENCE], tmp_path / "package", {})
    assert bagit.Bag(str(tmp_path / "package")).is_valid()
    assert [each.imported for each in other.packages.import_all(ACTOR, tmp_path / "package")] == [True]
    assert said(other) == said(filed)
    assert (other.settings.home / "vault" / CONTENT / TEXT).is_file()
    assert other.fixity.check(ACTOR).whole


@pytest.mark.parametrize("wrong", [b"[]", b"{}", b'[\n"a"\n', b'[\n"a",\n"b",\n"c",\n"d"\n]'])
def test_a_package_whose_text_does_not_go_with_its_pages_is_refused(
    filed: House, other: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: bytes
):
    package = tmp_path / "package"
    filed.exporting.export(ACTOR, [REFERENCE], package, {})
    (package / "data" / REFERENCE / "texts" / f"{REFERENCE}-01.json").write_bytes(wrong)
    monkeypatch.setattr("archive.packages.bag.check", lambda _: "manifest")
    monkeypatch.setattr("archive.packages.importing._exported_by", lambda *_: "key")
    with pytest.raises(MunimentError) as refused:
        list(other.packages.import_all(ACTOR, package))
    assert refused.value.code is Code.PACKAGE_DAMAGED
    assert not list((other.settings.home / "vault").rglob("*.pdf"))


def test_a_package_with_all_texts_in_one_file_still_comes_in(
    filed: House, other: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    package = tmp_path / "package"
    filed.exporting.export(ACTOR, [REFERENCE], package, {})
    folder = package / "data" / REFERENCE
    shutil.rmtree(folder / "texts")
    (folder / "texts.json").write_text('{"0": ["凭证"], "1": ["说明书"]}')
    monkeypatch.setattr("archive.packages.bag.check", lambda _: "manifest")
    monkeypatch.setattr("archive.packages.importing._exported_by", lambda *_: "key")
    assert [each.imported for each in other.packages.import_all(ACTOR, package)] == [True]
    assert said(other) == ["凭证", "说明书"]


@given(st.sets(st.integers(1, 40)))
def test_ranges_say_which_pages(pages: set[int]):
    assert list(numbers(ranges(sorted(pages)))) == sorted(pages)
    assert ranges([1, 2, 3, 7]) == "1-3,7"
