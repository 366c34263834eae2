"""Whatever happens to a stored file, a check finds it and names it; what is whole is called whole."""

import io
import json
import os
import random
import shutil
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
import sqlalchemy as sa

from archive.casefile import tables as casefile_tables
from archive.casefile.filing import Filing, Submission
from archive.casefile.reference import Reference
from archive.errors import Code, MunimentError
from archive.fixity import tables
from archive.fixity.held import held_at
from archive.fixity.inventories import check_inventories
from archive.fixity.pace import Pace
from archive.fixity.printing import sheet
from archive.fixity.recording import report as kept_report
from archive.fixity.recording import reports
from archive.fixity.report import Fault, Report, Scope, Trait
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.ledger.log import follow
from archive.ledger.verifying import verify
from retention.holds import Holds
from tests.conftest import QUICK
from tests.vouchers import voucher
from web.wiring import House, opened


def check(house: House, sample: int | None = None) -> Report:
    return house.fixity.check(CONSOLE, sample)


def vault_files(house: House) -> list[Path]:
    return sorted(path for path in house.founded.vault.now.root.rglob("*") if path.is_file())


def faults(report: Report) -> set[tuple[Fault, str, str]]:
    return {(each.fault, each.reference, each.name) for each in report.findings}


def acts(house: House) -> list[tuple[Act, str]]:
    with house.catalogue.reading() as connection:
        return [(entry.act, entry.subject) for entry in follow(connection, 0)]


def folder(house: House, reference: str) -> Path:
    return house.founded.vault.now.root / Reference.parse(reference).folder


def test_an_archive_that_is_whole_is_called_whole_and_the_report_kept(house: House, filed, clock):
    told = []
    report = house.fixity.check(CONSOLE, progress=lambda done, total: told.append((done, total)))
    assert report.whole
    assert (report.number, report.scope, report.files, report.documents) == (1, Scope.ALL, 3, 6)
    assert report.size > sum(path.stat().st_size for path in vault_files(house) if path.suffix == ".pdf")
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert kept_report(house.catalogue, 1) == report
    assert reports(house.catalogue) == (report,)
    assert acts(house)[-1] == (Act.FIXITY_CHECKED, "fixity:1")


def test_an_empty_archive_is_whole(house: House):
    assert check(house).whole
    assert check(house, 5).whole


def test_a_flipped_bit_in_any_stored_file_is_found_and_named(house: House, filed, record_property):
    dice, flips = random.Random(4), 0
    for path in vault_files(house):
        content = path.read_bytes()
        for place in sorted({0, len(content) // 2, len(content) - 1, dice.randrange(len(content))}):
            altered = bytearray(content)
            altered[place] ^= 1 << dice.randrange(8)
            path.write_bytes(altered)
            report = check(house)
            flips += 1
            assert not report.whole, path
            assert path.name in {Path(each.name).name for each in report.findings}, (path, report.findings)
            path.write_bytes(content)
    assert check(house).whole
    record_property("faults", (flips, "a bit flipped in a stored file"))


def test_a_bit_flipped_in_any_byte_of_an_inventory_a_sidecar_or_a_declaration_is_found_and_its_file_named(
    house: House, filed, record_property
):
    """Also where the catalogue is no witness: when, why and by whom an earlier version was made."""
    with house.catalogue.reading() as connection:
        known = held_at(connection, Reference.parse(filed[2]).folder)
    assert known is not None
    contents, flips = {each.path for each in known.everything()}, 0
    found = {
        path: (folder(house, filed[2]) / path).read_bytes() for path in known.paths() if path not in contents
    }
    assert list(check_inventories(known, found)) == []
    for path, content in found.items():
        for place in range(len(content)):
            altered = bytearray(content)
            altered[place] ^= 1 << place % 8
            named = {name for _, name in check_inventories(known, {**found, path: bytes(altered)})}
            assert named == {path}, place
            flips += 1
    record_property("faults", (flips, "a bit flipped in an inventory or what confirms it"))


def root_page(house: House, index: str) -> int:
    with house.catalogue.reading() as connection:
        query = "SELECT rootpage FROM sqlite_schema WHERE name = ?"
        return connection.exec_driver_sql(query, (index,)).scalar_one()


def flip(path: Path, place: int) -> None:
    with path.open("r+b") as file:
        file.seek(place)
        (byte,) = file.read(1)
        file.seek(place)
        file.write(bytes([byte ^ 16]))


@pytest.mark.parametrize("sample", [None, 1])
def test_a_page_of_the_catalogue_that_no_check_reads_is_found_and_named(house: House, filed, sample):
    path = house.catalogue.database.path
    page = root_page(house, "ix_saved_search_owner")
    house.catalogue.database.truncate_log()
    flip(path, (page - 1) * 4096 + 1000)
    (finding,) = check(house, sample).findings
    assert (finding.fault, finding.trait, finding.reference) == (
        Fault.CATALOGUE_DAMAGED,
        Trait.AUTHENTICITY,
        "",
    )
    assert finding.name == f"catalogue.db: HMAC verification failed for page {page}"
    flip(path, (page - 1) * 4096 + 1000)
    assert check(house, sample).whole


def test_where_the_damage_ends_the_check_there_is_a_report_of_what_was_found(house: House, filed):
    path = house.catalogue.database.path
    page = root_page(house, "ix_hold_case_file")  # of what a sealed record must say
    house.catalogue.database.truncate_log()
    flip(path, (page - 1) * 4096 + 1000)
    report = check(house)
    assert {each.fault for each in report.findings} == {Fault.CATALOGUE_DAMAGED}
    assert report.files < 3
    assert kept_report(house.catalogue, 1) == report


def test_a_flipped_bit_in_what_lies_beside_the_vault_is_found_and_named(house: House, filed, record_property):
    number = house.quarantine.isolate(CONSOLE, io.BytesIO(b"X5O!" * 100), "a.jpg", "Eicar")
    settings, dice, flips = house.settings, random.Random(5), 0
    sealed = settings.home / "quarantine" / f"{number}.sealed"
    named = {
        settings.home / "archive.json": "archive.json",
        settings.key_path: settings.key_path.name,
        settings.journal_path: settings.journal_path.name,
        sealed: f"quarantine/{number}",
    }
    for path, name in named.items():
        content = path.read_bytes()
        scopes = [Scope.ALL] if path == sealed else list(Scope)
        for place in (dice.randrange(len(content)) for _ in range(60)):
            flip(path, place)
            try:
                document = json.loads(path.read_bytes())
            except ValueError:
                document = None
            same = document is not None and document == json.loads(
                content
            )  # white space, or what nobody reads
            for scope in scopes:
                found = list(house.fixity.beside(scope))
                assert same or name in {each.name for each in found}, (path, place)
                flips += 1
            flip(path, place)
            assert not list(house.fixity.beside(Scope.ALL))
        moved = path.rename(path.with_name("away"))
        assert name in {each.name for each in house.fixity.beside(Scope.ALL)}, path
        moved.rename(path)
    record_property("faults", (flips, "a bit flipped in a file beside the vault"))


def test_what_lies_beside_the_vault_is_part_of_every_check(house: House, filed):
    house.settings.key_path.unlink()
    for sample in (None, 1):
        assert faults(check(house, sample)) == {(Fault.BESIDE_DAMAGED, "", house.settings.key_path.name)}


def test_a_damaged_index_of_the_ledger_is_found_by_its_verification(house: House, filed):
    path = house.catalogue.database.path
    page = root_page(house, "ix_ledger_entry_actor_position")
    house.catalogue.database.close()
    flip(path, (page - 1) * 4096 + 1000)
    with pytest.raises(MunimentError) as caught, house.catalogue.reading() as connection:
        verify(connection, house.catalogue.ledger, house.case_files.file_key)
    assert caught.value.code is Code.ARCHIVE_DAMAGED


def test_a_missing_file_is_found_and_named_whichever_it_is(house: House, filed):
    for path in vault_files(house):
        away = path.rename(path.with_name("away"))
        shutil.move(away, house.settings.home / "away")
        report = check(house)
        (finding,) = report.findings
        assert Path(finding.name).name == path.name
        assert finding.trait is Trait.INTEGRITY
        shutil.move(house.settings.home / "away", path)


def test_a_whole_object_that_is_gone_is_named_document_by_document(house: House, filed):
    shutil.rmtree(folder(house, filed[0]))
    report = check(house)
    named = {each.name for each in report.findings if each.fault is Fault.MISSING}
    documents = {f"{filed[0]}.pdf", f"{filed[0]}-01.pdf", f"{filed[0]}-02.pdf"}
    assert named == {*documents, f"{filed[0]}.record"}
    assert report.damaged == (filed[0],)
    assert (Act.DAMAGE_FOUND, filed[0]) in acts(house)


def test_a_file_that_does_not_belong_is_found_wherever_it_lies(house: House, filed):
    root = house.founded.vault.now.root
    inside = folder(house, filed[0]) / "v1" / "content" / "extra.pdf"
    outside, other = root / "loose.exe", root / "2026" / "一级" / "剧本相关" / "2026-一级-剧本相关-900"
    inside.write_bytes(b"x")
    outside.write_bytes(b"x")
    (other / "v1").mkdir(parents=True)
    (other / "v1" / "y\x1b\u202e.pdf").write_bytes(b"x")
    (root / "link").symlink_to("/etc")
    unnameable = root / os.fsdecode(b"\xff\xfe")
    unnameable.mkdir()
    (unnameable / os.fsdecode(b"\xff")).write_bytes(b"x")
    report = check(house)
    foreign = {each.name for each in report.findings}
    assert {each.fault for each in report.findings} == {Fault.FOREIGN}
    assert {"loose.exe", "link", "\ufffd\ufffd/\ufffd"} < foreign
    assert inside.relative_to(root).as_posix() in foreign
    assert any(name.endswith("/v1/y\ufffd\ufffd.pdf") for name in foreign)
    assert len(foreign) == 5


def test_an_empty_folder_that_is_not_ours_is_named_and_left(house: House, filed, clock):
    root = house.founded.vault.now.root
    folders = {
        "foreign": "",
        "2025/一级": "",
        "2026/二级/其他": "",
        "2026/一级/剧本相关/2026-一级-剧本相关-900/v1": "",
        f"{Reference.parse(filed[0]).folder}/extensions": filed[0],
    }
    for each in folders:
        (root / each).mkdir(parents=True)
    wanted = {(Fault.FOREIGN, reference, f"{each}/") for each, reference in folders.items()}
    assert faults(check(house)) == wanted
    with opened(house.settings, clock=clock, passwords=QUICK) as again:
        assert faults(check(again)) == wanted


def test_a_document_swapped_for_another_of_the_same_file_is_altered(house: House, filed):
    content = folder(house, filed[0]) / "v1" / "content"
    (content / f"{filed[0]}-01.pdf").write_bytes((content / f"{filed[0]}-02.pdf").read_bytes())
    assert faults(check(house)) == {(Fault.ALTERED, filed[0], f"{filed[0]}-01.pdf")}


def test_bytes_altered_together_with_row_and_inventory_still_lack_the_authentication(house: House, filed):
    """Whoever writes both vault and catalogue still does not have the key that the HMAC is made with."""
    path = folder(house, filed[1]) / "v1" / "content" / f"{filed[1]}.pdf"
    altered = bytearray(path.read_bytes())
    altered[100] ^= 1
    path.write_bytes(altered)
    with path.open("rb") as stream:
        digest = house.founded.vault.sha512(stream).hex()
    with house.catalogue.housekeeping() as connection:
        document = casefile_tables.document
        connection.execute(
            sa.update(document).where(document.c.name == f"{filed[1]}.pdf").values(sha512=digest)
        )
    assert (Fault.UNAUTHENTIC, filed[1], f"{filed[1]}.pdf") in faults(check(house))


def test_rows_that_no_longer_fit_are_found(house: House, filed):
    with house.catalogue.housekeeping() as connection:
        document = casefile_tables.document
        connection.execute(sa.update(document).where(document.c.name == f"{filed[0]}-01.pdf").values(pages=7))
        connection.execute(
            sa.delete(casefile_tables.file_key).where(
                casefile_tables.file_key.c.case_file
                == sa.select(casefile_tables.case_file.c.id)
                .where(casefile_tables.case_file.c.reference == filed[1])
                .scalar_subquery()
            )
        )
    assert faults(check(house)) == {
        (Fault.PAGES_DIFFER, filed[0], f"{filed[0]}-01.pdf"),
        (Fault.RECORD_STALE, filed[0], f"{filed[0]}.record"),
        (Fault.KEY_MISSING, filed[1], ""),
    }


def test_a_number_that_is_missing_is_named_and_its_object_foreign(house: House, filed):
    with house.catalogue.housekeeping() as connection:
        case_file = casefile_tables.case_file
        one = sa.select(case_file.c.id).where(case_file.c.reference == filed[0]).scalar_subquery()
        for table in (casefile_tables.document, casefile_tables.record, casefile_tables.file_key):
            connection.execute(sa.delete(table).where(table.c.case_file == one))
        connection.execute(sa.delete(case_file).where(case_file.c.reference == filed[0]))
    report = check(house)
    assert (Fault.NUMBER_MISSING, filed[0], "") in faults(report)
    assert len([each for each in report.findings if each.fault is Fault.FOREIGN]) == 9


def test_an_altered_ledger_is_a_finding_of_a_check_of_all(house: House, filed):
    with house.catalogue.housekeeping() as connection:
        connection.execute(sa.text("DROP TRIGGER ledger_entry_no_update"))
        connection.execute(
            sa.text("UPDATE ledger_entry SET leaf = replace(leaf, 'console', 'nobody.') WHERE position = 2")
        )
    assert (Fault.LEDGER_DAMAGED, "", "2") in faults(check(house))
    assert check(house, 3).whole


def test_a_sample_takes_what_was_checked_longest_ago(house: House, filed, clock):
    seen = []
    for _ in range(4):
        clock.wait(days=1)
        report = check(house, 1)
        assert (report.scope, report.files) == (Scope.SAMPLE, 1)
        with house.catalogue.reading() as connection:
            newest = sa.select(tables.mark.c.case_file).order_by(tables.mark.c.checked_at.desc()).limit(1)
            seen.append(connection.execute(newest).scalar_one())
    assert len(set(seen[:3])) == 3
    assert seen[3] == seen[0]


def test_a_filing_under_way_is_not_called_foreign_or_damaged(house: House, filed, monkeypatch):
    """The object is in the vault before its row: the check waits for the lock of the series and asks again."""
    vault = house.founded.vault
    stray = folder(house, filed[0]).with_name("2026-一级-剧本相关-003")
    shutil.copytree(folder(house, filed[0]), stray)
    locked, seen = type(vault).locked, []

    def finishing(self, name):
        seen.append(name)
        shutil.rmtree(stray, ignore_errors=True)  # the filing was rolled back while we waited
        return locked(self, name)

    monkeypatch.setattr(type(vault), "locked", finishing)
    assert check(house).whole
    assert seen == ["2026-一级-剧本相关"]


def test_the_report_prints_as_pdf_a_and_names_what_was_found(house: House, filed):
    (folder(house, filed[0]) / "v1" / "content" / "𠮷\u0378.pdf").write_bytes(b"x")
    report = check(house)
    shown = sheet(report, "muniment/test", house.settings.zone)
    with house.sandbox.report(shown) as first, house.sandbox.report(shown) as again:
        content = first.read()
        assert content == again.read()
    with pikepdf.open(io.BytesIO(content)) as pdf, pdf.open_metadata() as metadata:
        assert metadata.pdfa_status == "2B"
    document = pypdfium2.PdfDocument(content)
    text = "".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    assert "四性检测" in text
    assert filed[0] in text
    assert "外来文件" in text


def test_reading_is_slowed_to_the_rate():
    now, slept = [0.0], []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    pace = Pace(2.0, lambda: now[0], sleep)
    for _ in range(4):
        pace.spend(1_000_000)
    assert sum(slept) == pytest.approx(2.0)
    assert pace.size == 4_000_000


def test_what_an_act_left_that_was_cut_off_is_cleared_away_and_no_damage(house: House, filed, monkeypatch):
    """By another process, since this one started."""

    def full(*_given) -> None:
        raise MunimentError(Code.DISK_FULL)

    around = replace(house.amending, around=lambda *_: nullcontext(full()))
    with pytest.raises(MunimentError):
        Holds(around).place(CONSOLE, filed[0], "诉讼")
    with monkeypatch.context() as patch:
        patch.setattr(Filing, "_insert", full)
        with pytest.raises(MunimentError):
            house.filing.file(CONSOLE, Submission("二级", "其他", None, None, voucher()))
    assert house.fixity.check(CONSOLE).whole
    assert not any((house.settings.home / "staging").iterdir())


def test_what_nobody_is_known_to_have_left_there_stays_and_is_named(house: House, filed):
    left = house.founded.vault.now.root / Reference.parse(filed[0]).folder / "v2" / "content" / "x.pdf"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x")
    (finding,) = house.fixity.check(CONSOLE).findings
    assert (finding.fault, finding.reference) == (Fault.FOREIGN, filed[0])
    assert left.exists()
