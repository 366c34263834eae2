"""After a fault: the vault is brought back to what the catalogue knows, and what is at work is left alone."""

import io
import shutil
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from archive.casefile.filing import Filing
from archive.casefile.recovering import settle
from archive.casefile.reference import Reference
from archive.errors import Code, MunimentError
from archive.vault.inventory import Change
from retention.holds import Holds

FIRST = Reference.parse("2026-一级-剧本相关-001")
NEXT = Reference.parse("2026-一级-剧本相关-002")
AT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def vault(archive):
    return archive.founded.vault


def place(vault, reference: Reference, *, marked: bool = True) -> None:
    """What a filing leaves that is cut off before its commit; without a mark it could be anybody's."""
    with vault.staging() as staging:
        if marked:
            staging.mark(str(reference))
        stored = staging.put("a.pdf", io.BytesIO(b"orphan"))
        change = Change(AT, "filed", "P1", {"a.pdf": stored.sha512.hex()})
        vault.place(staging, reference.folder, f"urn:uuid:{reference.number}", change)


def test_a_whole_archive_is_left_as_it_is(archive, cleared):
    assert cleared(archive) == 0
    assert archive.wrong() == []


@pytest.mark.parametrize("code", [str(NEXT), "2026-三级-其他-001"])
def test_an_object_whose_filing_was_cut_off_is_removed(archive, vault, cleared, code):
    place(vault, Reference.parse(code))
    assert archive.wrong() != []
    assert cleared(archive) == 1
    assert archive.wrong() == []


def test_a_version_that_no_row_knows_is_rolled_back(archive, vault, cleared):
    with pytest.raises(RuntimeError), vault.staging(adds_to=str(FIRST)) as staging:  # noqa: PT012 - the block fails
        stored = staging.put("a.pdf", io.BytesIO(b"orphan"))
        vault.add_version(
            staging, FIRST.folder, 2, Change(AT, "voided", "P1", {"a.pdf": stored.sha512.hex()})
        )
        raise RuntimeError
    assert archive.wrong() != []
    assert cleared(archive) == 1
    assert archive.wrong() == []


@pytest.mark.parametrize("folder", ["lost+found/a/b", "二零二六/一级/剧本相关", "2026/一级/剧 本"])
def test_a_folder_in_the_vault_that_is_no_series_stops_no_start(archive, cleared, folder):
    foreign = archive.home / "vault" / folder / "c" / "file"
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"somebody's")
    assert cleared(archive) == 0
    assert foreign.read_bytes() == b"somebody's"


def test_settling_asks_the_catalogue_first(archive, vault):
    """A commit may have succeeded although its caller was interrupted."""
    settle(archive.founded.catalogue, vault, FIRST)
    assert archive.wrong() == []


def test_a_filing_at_work_is_waited_for_not_removed(archive, vault, cleared, forms, monkeypatch):
    from threading import Event, Thread

    placed, go_on = Event(), Event()
    real = vault.place

    def slowly(*given):
        real(*given)
        placed.set()
        go_on.wait(30)

    monkeypatch.setattr(vault, "place", slowly)
    filing = Thread(target=lambda: archive.filing.file("P0001", forms.submission()))
    recovering = Thread(target=lambda: cleared(archive))
    filing.start()
    assert placed.wait(30)
    recovering.start()
    recovering.join(0.2)
    assert recovering.is_alive()  # it waits for the lock of the series
    go_on.set()
    filing.join()
    recovering.join()
    assert archive.references() == [str(FIRST), str(NEXT)]
    assert archive.wrong() == []


def test_on_a_catalogue_that_was_taken_away_nothing_is_filed_amended_or_removed(archive, vault, forms):
    (archive.home / "catalogue.db").rename(archive.home / "away")
    before = set((archive.home / "vault").rglob("*"))
    for act in (
        lambda: archive.filing.file("P0001", forms.submission()),
        lambda: archive.holds.place("P0001", str(FIRST), "诉讼"),
        lambda: settle(archive.founded.catalogue, vault, NEXT),
    ):
        with pytest.raises(MunimentError) as caught:
            act()
        assert caught.value.code is Code.CATALOGUE_LOST
    assert set((archive.home / "vault").rglob("*")) == before
    (archive.home / "away").rename(archive.home / "catalogue.db")
    assert archive.wrong() == []


@pytest.mark.parametrize("act", ["file", "hold"])
def test_a_catalogue_that_goes_at_the_commit_leaves_the_vault_to_the_next_start(
    archive, cleared, forms, monkeypatch, act
):
    """What lies in the vault may be another's by then, who files with the catalogue that is there now."""
    real = archive.founded.catalogue.ledger.append
    acts = {
        "file": lambda: archive.filing.file("P0001", forms.submission()),
        "hold": lambda: archive.holds.place("P0001", str(FIRST), "诉讼"),
    }

    def append(*given):
        (archive.home / "catalogue.db").rename(archive.home / "away")
        return real(*given)

    with monkeypatch.context() as patch:
        patch.setattr(type(archive.founded.catalogue.ledger), "append", lambda _, *given: append(*given))
        with pytest.raises(MunimentError) as caught:
            acts[act]()
    assert caught.value.code is Code.CATALOGUE_LOST
    assert (archive.home / "vault" / FIRST.folder / "v2").exists() == (act == "hold")
    assert (archive.home / "vault" / NEXT.folder).exists() == (act == "file")
    (archive.home / "away").rename(archive.home / "catalogue.db")
    cleared(archive)
    assert archive.wrong() == []


def test_an_older_content_put_into_the_very_file_is_noticed(archive, forms):
    database = archive.founded.catalogue.database
    database.truncate_log()
    old = database.path.read_bytes()
    archive.filing.file("P0001", forms.submission())
    database.truncate_log()
    database.path.write_bytes(old)
    database.engine.dispose()  # what is cached of the newer content would be seen yet
    with pytest.raises(MunimentError) as caught:
        archive.holds.place("P0001", str(FIRST), "诉讼")
    assert caught.value.code is Code.CATALOGUE_LOST


def refused(act) -> Code:
    with pytest.raises(MunimentError) as caught:
        act()
    return caught.value.code


def files_of(archive) -> dict[object, bytes]:
    return {path: path.read_bytes() for path in (archive.home / "vault").rglob("*") if path.is_file()}


def older(home, model) -> None:
    """The catalogue is that of the model again, before whatever was done in ``home``."""
    for path in home.glob("catalogue.db*"):
        path.unlink()
    shutil.copy(model / "catalogue.db", home / "catalogue.db")


@pytest.mark.parametrize("marked", [False, True])
def test_an_older_catalogue_put_back_destroys_no_file_that_was_acknowledged_since(
    model, disk, open_at, cleared, forms, marked
):
    """Not even where a filing in between was cut off after its commit or gave its number to another."""
    home = shutil.copytree(model, disk / "archive")
    with open_at(home, "since") as archive:
        archive.filing.file("P0001", forms.submission())
        if marked:
            archive.filing.file("P0001", forms.submission())
            (home / "staging" / f"0@{NEXT}").mkdir()
        before = files_of(archive)
    older(home, model)
    with open_at(home, "after") as archive:
        cleared(archive)
        assert refused(lambda: archive.filing.file("P0001", forms.submission())) is Code.CATALOGUE_OLDER
        assert files_of(archive) == before
        archive.filing.file("P0001", forms.submission(level="二级"))  # nothing is in its way
        assert list((home / "staging").iterdir()) == []


@pytest.mark.parametrize("marked", [False, True])
def test_an_older_catalogue_put_back_destroys_no_later_version(model, disk, open_at, cleared, marked):
    home = shutil.copytree(model, disk / "archive")
    with open_at(home, "since") as archive:
        archive.holds.place("P0001", str(FIRST), "诉讼")
        if marked:
            archive.holds.place("P0001", str(FIRST), "稽查")
            (home / "staging" / f"0@{FIRST}").mkdir()
        before = files_of(archive)
    older(home, model)
    with open_at(home, "after") as archive:
        cleared(archive)
        assert refused(lambda: archive.holds.place("P0001", str(FIRST), "审计")) is Code.CATALOGUE_OLDER
        assert refused(lambda: archive.voiding.void("P0001", str(FIRST), "重复")) is Code.CATALOGUE_OLDER
        assert files_of(archive) == before


def test_what_was_cut_off_is_out_of_the_way_of_the_next_and_its_mark_with_it(
    model, disk, open_at, cleared, forms, monkeypatch
):
    """No start comes between. A mark that outlived what it was made for would be a proof against the next."""
    home = shutil.copytree(model, disk / "archive")
    with open_at(home, "since") as archive:

        def full(*_given) -> None:
            raise MunimentError(Code.DISK_FULL)

        around = replace(archive.amending, around=lambda *_: nullcontext(full()))
        assert refused(lambda: Holds(around).place("P0001", str(FIRST), "诉讼")) is Code.DISK_FULL
        with monkeypatch.context() as patch:
            patch.setattr(Filing, "_insert", full)
            assert refused(lambda: archive.filing.file("P0001", forms.submission())) is Code.DISK_FULL
        assert archive.wrong() != []
        archive.filing.file("P0001", forms.submission())
        archive.holds.place("P0001", str(FIRST), "稽查")
        assert archive.wrong() == []
        before = files_of(archive)
    older(home, model)
    with open_at(home, "after") as archive:
        assert cleared(archive) == 0
        assert files_of(archive) == before


def test_what_nobody_cut_off_is_left_where_it_lies_and_said(archive, vault, cleared, forms, caplog):
    place(vault, NEXT, marked=False)
    assert cleared(archive) == 0
    assert any(str(NEXT) in each.getMessage() for each in caplog.records)
    assert refused(lambda: archive.filing.file("P0001", forms.submission())) is Code.CATALOGUE_OLDER
    assert (archive.home / "vault" / NEXT.folder).exists()


@pytest.mark.parametrize("within", ["", "v1/"])
def test_an_object_without_its_inventory_stops_no_start(archive, cleared, within):
    (archive.home / "vault" / FIRST.folder / within / "inventory.json").unlink()
    (archive.home / "staging" / f"0@{FIRST}").mkdir()
    assert cleared(archive) == 1
    if not within:
        assert archive.wrong() == []
