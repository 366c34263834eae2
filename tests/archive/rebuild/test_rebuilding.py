"""A lost catalogue comes back from vault, master key and key journal, row for row; what cannot is named and kept."""

import io
import json
import os
import random
import shutil
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from hashlib import sha512
from pathlib import Path
from secrets import token_bytes
from uuid import UUID

import pytest
import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.amending import Amendment, Draft
from archive.casefile.documents import place_of
from archive.casefile.filing import document_row
from archive.casefile.reading import FileState
from archive.casefile.reference import Reference
from archive.casefile.safeguarding import Safeguarding
from archive.errors import Code, MunimentError
from archive.founding import found
from archive.keys.journal import KeyJournal
from archive.keys.keyfile import KeyFile
from archive.keys.keyring import Keyring, Wrapped
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE
from archive.ledger.log import follow
from archive.packages.tables import former_history
from archive.rebuild.objects import Reader, Reason
from archive.rebuild.rebuilding import Rebuilding, Rebuilt
from archive.rebuild.renumbering import Renumbered
from archive.rotating import Rotating
from retention.holds import Holds
from retention.tables import hold
from web.wiring import RECORDED

ACTOR = "P0001"
FIRST = "2026-一级-剧本相关-001"
SECOND = "2026-一级-剧本相关-002"
KEYRING = Keyring({1: b"k" * 32}, "test.key")
TABLES = (tables.case_file, tables.document, tables.record, hold, former_history)


def rebuilding(home: Path, keyring: Keyring = KEYRING, journal: Path | None = None) -> Rebuilding:
    return Rebuilding(home, keyring, KeyJournal(journal or home / "keys"), now, token_bytes, RECORDED)


def now() -> datetime:
    return datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


def known(archive) -> dict[str, object]:
    """Every row, and what is read through the keys."""
    with archive.founded.catalogue.reading() as connection:
        found = {each.name: sorted(map(repr, connection.execute(sa.select(each)).all())) for each in TABLES}
    for each in archive.case_files.select():
        found[each.reference] = (
            archive.case_files.key_of(each).secret,
            archive.case_files.voucher(each),
            archive.case_files.titles(each),
            archive.case_files.texts(each),
        )
    return found


def lose(home: Path) -> None:
    """The catalogue and all that lies beside vault and journal."""
    for path in home.iterdir():
        if path.name not in ("vault", "keys"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


@pytest.fixture
def lost(model, disk, open_at, forms) -> Path:
    """Three files, the first held and the last void, whose catalogue is gone."""
    home = Path(shutil.copytree(model, disk / "lost"))
    with open_at(home, "lost") as archive:
        archive.filing.file(ACTOR, forms.submission(("照片.jpg", forms.photo("red")), completed_on=None))
        archive.filing.file(ACTOR, forms.submission())
        archive.holds.place(ACTOR, FIRST, "诉讼")
        archive.completing.complete(ACTOR, SECOND, date(2026, 3, 4))
        archive.voiding.void(ACTOR, FIRST.replace("001", "003"), "重复")
    lose(home)
    return home


def object_of(home: Path, reference: str) -> Path:
    return home / "vault" / Reference.parse(reference).folder


@pytest.mark.parametrize("seed", range(4))
def test_whatever_was_done_before_every_row_comes_back_as_it_was(seed, disk, press, open_at, forms):
    """Random histories; the master key is rotated on the way."""
    dice, home = random.Random(seed), disk / "archive"
    kept = KeyFile(disk / "master.key")
    founded = found(home, lambda: kept.create(token_bytes), now, token_bytes)
    founded.catalogue.database.close()
    with open_at(home, f"history {seed}", kept.open()) as archive:
        for _ in range(14):
            _do_something(dice, archive, kept, press, forms)
        before = known(archive)
        assert archive.wrong() == []
    lose(home)
    rebuilt = rebuilding(home, kept.open()).rebuild()
    assert (rebuilt.unfit, rebuilt.missing, rebuilt.unused_keys) == ((), (), 0)
    with open_at(home, "after", kept.open()) as archive:
        assert known(archive) == before
        assert archive.wrong() == []
        assert archive.journalling.status().whole
        before_it = len(archive.references())
        archive.filing.file(ACTOR, forms.submission())  # the next number follows
        assert len(archive.references()) == before_it + 1
        assert archive.wrong() == []


def _do_something(dice: random.Random, archive, kept: KeyFile, press, forms) -> None:
    files = archive.case_files.select()
    chosen = dice.choice(files) if files else None
    act = dice.choice(["file", "file", "complete", "void", "hold", "lift", "convert", "rotate"])
    try:
        if chosen is None or act == "file":
            evidence = [("a.jpg", forms.photo(dice.choice(["red", "blue"])))] if dice.random() < 0.6 else []
            level, done = dice.choice(["一级", "二级"]), dice.choice([None, date(2026, 3, 1)])
            archive.filing.file(ACTOR, forms.submission(*evidence, level=level, completed_on=done))
        elif act == "complete":
            archive.completing.complete(ACTOR, chosen.reference, date(2026, 3, dice.randint(1, 20)))
        elif act == "void":
            archive.voiding.void(ACTOR, chosen.reference, "重复登记")
        elif act == "hold":
            archive.holds.place(ACTOR, chosen.reference, dice.choice(["诉讼", "稽查"]))
        elif act == "lift":
            archive.holds.lift("P0002", chosen.reference, "结案")
        elif act == "convert":
            _convert(archive, chosen, press, forms)
        else:
            keyring = archive.founded.keyring
            Rotating(
                archive.home, archive.founded.catalogue, keyring, kept, token_bytes, archive.journalling
            ).rotate(CONSOLE)
    except MunimentError as error:
        assert error.code in {  # what the state does not allow
            Code.ALREADY_COMPLETED, Code.ALREADY_VOID, Code.ALREADY_HELD, Code.HOLD_NOT_FOUND, Code.HOLDS_SEVERAL,
        }  # fmt: skip


def _convert(archive, chosen, press, forms) -> None:
    """A later version of a piece of evidence, as converting makes it."""
    if len(archive.case_files.documents(chosen)) < 2:
        return
    key, version = archive.case_files.key_of(chosen), chosen.version + 1
    name = Reference.parse(chosen.reference).document(1)
    made = press.convert(
        io.BytesIO(forms.photo("green")), "a.jpg", key.pdf_password(place_of(1, version)), inspect=len
    )

    def converted(draft: Draft) -> Amendment:
        draft.staging.put(name, made.pdf)
        row = document_row(key, 1, version, name, "a.jpg", made, draft.staging)
        return Amendment("converted", Act.CONVERTED, documents=[row])

    with archive.founded.vault.locked(str(Reference.parse(chosen.reference).series)):
        archive.amending.amend(ACTOR, chosen, converted)


def test_the_new_ledger_says_what_happened_and_how_far_the_old_one_had_come(lost, open_at):
    rebuilt = rebuilding(lost).rebuild()
    assert (rebuilt.files, rebuilt.known.size) == (
        3,
        6,
    )  # before the voiding, the last act that left a record
    with open_at(lost) as archive, archive.founded.catalogue.reading() as connection:
        entries = [(each.act, each.subject) for each in follow(connection, 0)]
        (first,) = archive.case_files.select(
            sa.select(tables.case_file.c.id).where(hold.c.case_file == tables.case_file.c.id)
        )
    assert entries[0][0] is Act.REBUILT
    assert entries[1] == (Act.PERSON_NAMED, ACTOR)  # nobody else is given that number
    assert [act for act, _ in entries[2:]] == [Act.FILE_REBUILT] * 3
    assert first.reference == FIRST


def test_what_is_there_is_never_overwritten(lost, open_at):
    rebuilding(lost).rebuild()
    before = (lost / "catalogue.db").read_bytes()
    with pytest.raises(MunimentError) as caught:
        rebuilding(lost).rebuild()
    assert caught.value.code is Code.ARCHIVE_EXISTS
    assert (lost / "catalogue.db").read_bytes() == before


def refused(work: Rebuilding) -> Code:
    before = sorted(each.name for each in work.home.parent.rglob("*"))
    with pytest.raises(MunimentError) as caught:
        work.rebuild()
    assert caught.value.say("zh")
    assert sorted(each.name for each in work.home.parent.rglob("*")) == before
    return caught.value.code


def test_without_journal_key_or_vault_it_stops_with_a_sentence_and_leaves_nothing(lost, tmp_path, disk):
    assert refused(rebuilding(lost, journal=tmp_path / "none")) is Code.KEY_JOURNAL_MISSING
    assert refused(rebuilding(lost, Keyring({1: b"x" * 32}, "other.key"))) is Code.KEY_WRONG
    assert refused(rebuilding(lost, Keyring({2: b"k" * 32}, "other.key"))) is Code.KEY_WRONG
    assert refused(rebuilding(disk / "nowhere", journal=lost / "keys")) is Code.PATH_NOT_FOUND


def test_a_description_of_another_archive_is_left_alone(lost, disk):
    other = found(disk / "other", lambda: KEYRING, now, token_bytes)
    other.catalogue.database.close()
    shutil.copy(disk / "other" / "archive.json", lost / "archive.json")
    assert refused(rebuilding(lost)) is Code.KEY_JOURNAL_OF_OTHER


def _flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def _forget_key(home: Path, reference: str) -> None:
    inventory = json.loads((object_of(home, reference) / "inventory.json").read_text())
    KeyJournal(home / "keys").forget([inventory["id"].removeprefix("urn:uuid:")])


def _spoil_inventories(home: Path, reference: str) -> None:
    for path in object_of(home, reference).rglob("inventory.json"):
        _flip(path)


def _swap_document(home: Path, reference: str) -> None:
    """Somebody who can write the vault, inventory and all, but has no key."""
    folder = object_of(home, reference)
    inventory = json.loads((folder / "inventory.json").read_text())
    head = inventory["head"]
    for digest, paths in list(inventory["manifest"].items()):
        if paths[0].endswith(f"{reference}.pdf") and paths[0].startswith("v1"):
            inventory["manifest"][sha512(b"x").hexdigest()] = inventory["manifest"].pop(digest)
    content = json.dumps(inventory).encode()
    for place in (folder, folder / head):
        (place / "inventory.json").write_bytes(content)
        (place / "inventory.json.sha512").write_text(f"{sha512(content).hexdigest()} inventory.json\n")


def _say(folder: Path, places: list[Path], change) -> None:
    """The object's inventory as ``change`` makes it, each with a sidecar that confirms it."""
    inventory = json.loads((folder / "inventory.json").read_text())
    content = json.dumps(change(inventory) or inventory).encode()
    for place in places:
        (place / "inventory.json").write_bytes(content)
        (place / "inventory.json.sha512").write_text(f"{sha512(content).hexdigest()} inventory.json\n")


def _swap_older_record(home: Path, reference: str) -> None:
    """By somebody who can write the vault, inventory and all, but has no key."""
    folder = object_of(home, reference)
    other = folder / "v1" / "content" / f"{reference}.record"
    path, old = f"v1/content/{other.name}", sha512(other.read_bytes()).hexdigest()
    other.write_bytes(b"what was never sealed")

    def changed(inventory) -> None:
        inventory["manifest"][sha512(other.read_bytes()).hexdigest()] = [path]
        del inventory["manifest"][old]

    _say(folder, [folder, folder / "v2"], changed)


def _spoil_newest_inventories(home: Path, reference: str) -> None:
    """What is left would tell of the state before the last act."""
    for path in (
        object_of(home, reference) / "inventory.json",
        object_of(home, reference) / "v2" / "inventory.json",
    ):
        _flip(path)


def _lose_newest_inventories(home: Path, reference: str) -> None:
    for path in (
        object_of(home, reference) / "inventory.json",
        object_of(home, reference) / "v2" / "inventory.json",
    ):
        path.unlink()


def _without_versions(home: Path, reference: str) -> None:
    folder = object_of(home, reference)
    _say(folder, [folder, folder / "v2"], lambda inventory: {**inventory, "versions": [None]})


def _with_a_number_for_a_path(home: Path, reference: str) -> None:
    folder = object_of(home, reference)
    _say(folder, [folder, folder / "v2"], lambda inventory: {**inventory, "manifest": {"0": [1]}})


def _on_records(spoil) -> object:
    def damage(home: Path, reference: str) -> None:
        for path in object_of(home, reference).rglob("*.record"):
            spoil(path)

    return damage


DAMAGE = {
    "flipped bit in the record": (_on_records(_flip), Reason.RECORD_ALTERED),
    "deleted record": (_on_records(Path.unlink), Reason.RECORD_MISSING),
    "key forgotten": (_forget_key, Reason.KEY_MISSING),
    "inventories altered": (_spoil_inventories, Reason.INVENTORY),
    "another document in the manifest": (_swap_document, Reason.DISAGREES),
    "another older record in the manifest": (_swap_older_record, Reason.RECORD_ALTERED),
    "newest inventories altered": (_spoil_newest_inventories, Reason.INVENTORY),
    "newest inventories lost": (_lose_newest_inventories, Reason.INVENTORY),
    "no versions in the inventory": (_without_versions, Reason.INVENTORY),
    "no path in the manifest": (_with_a_number_for_a_path, Reason.RECORD_MISSING),
}


@pytest.mark.parametrize("what", DAMAGE)
@pytest.mark.parametrize("reference", [FIRST, "2026-一级-剧本相关-003"], ids=["first", "last"])
def test_what_cannot_be_rebuilt_is_named_left_untouched_and_its_number_stays_taken(
    lost, open_at, cleared, forms, what, reference
):
    damage, reason = DAMAGE[what]
    damage(lost, reference)
    folder = object_of(lost, reference)
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    rebuilt = rebuilding(lost).rebuild()
    assert [(each.object, each.reason) for each in rebuilt.unfit] == [(reference, reason)]
    assert (rebuilt.files, rebuilt.missing) == (2, (reference,))
    with open_at(lost) as archive:
        cleared(archive)
        following = archive.filing.file(ACTOR, forms.submission()).reference
        assert following == FIRST.replace("001", "004")
        assert reference not in archive.references()
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_an_object_copied_to_another_place_is_no_second_file(lost, open_at):
    copy = object_of(lost, FIRST).with_name(FIRST.replace("001", "009"))
    shutil.copytree(object_of(lost, FIRST), copy)
    (lost / "vault" / "2026" / "一级" / "剧本相关" / "odd").mkdir()
    (lost / "vault" / "2026" / "一级" / "剧本相关" / "odd" / "inventory.json").write_text("{}")
    rebuilt = rebuilding(lost).rebuild()
    assert {(each.object, each.reason) for each in rebuilt.unfit} == {
        (copy.name, Reason.RECORD_MISSING),
        ("2026/一级/剧本相关/odd", Reason.NAME),
    }
    assert rebuilt.files == 3


def test_a_missing_object_is_named_by_its_number(lost):
    shutil.rmtree(object_of(lost, SECOND))
    rebuilt = rebuilding(lost).rebuild()
    assert (rebuilt.missing, rebuilt.unused_keys, rebuilt.unfit) == ((SECOND,), 1, ())


@pytest.mark.parametrize("files", [["inventory.json"], ["inventory.json", "inventory.json.sha512"]])
def test_an_inventory_that_was_being_replaced_when_the_machine_failed_counts_as_replaced(
    files, lost, open_at, cleared
):
    """Else an older state came back, with a whole newer one beside it."""
    folder = object_of(lost, FIRST)
    for each in files:  # where it is not replaced yet, the sidecar is the newer one's
        shutil.copy(folder / "v1" / each, folder / each)
    rebuilt = rebuilding(lost).rebuild()
    assert (rebuilt.unfit, rebuilt.unsettled) == ((), (FIRST,))
    with open_at(lost) as archive:
        assert cleared(archive) == 1
        assert archive.wrong() == []
        assert archive.case_files.get(FIRST).version == 2
        assert [each.reason for each in archive.holds.active(FIRST)] == ["诉讼"]


def test_a_log_left_by_the_old_catalogue_is_set_aside(lost, open_at):
    (lost / "catalogue.db-wal").write_bytes(b"of another catalogue")
    rebuilding(lost).rebuild()
    assert [each.read_bytes() for each in (lost / "aside").iterdir()] == [b"of another catalogue"]
    with open_at(lost) as archive:
        assert archive.wrong() == []


def test_an_act_that_was_cut_off_before_the_loss_costs_no_object(lost, open_at, cleared):
    """Its staging folder names an object that could not be rebuilt: recovery must not clear it away."""
    _flip(next(object_of(lost, SECOND).glob("v2/content/*.record")))
    (lost / "staging" / f"0@{SECOND}" / "content").mkdir(parents=True)
    rebuilding(lost).rebuild()
    with open_at(lost) as archive:
        cleared(archive)
    assert object_of(lost, SECOND).exists()


@pytest.mark.parametrize("fault", ["KILLED", "ONCE_FULL"])
def test_stopped_anywhere_it_left_no_catalogue_or_a_whole_one_and_goes_on(
    fault, fault_kinds, lost, disk, interrupt, open_at, record_property
):
    number = points = 0
    while True:
        points += 1
        number += 7 if number > 30 else 1  # every step at first, then enough of them
        home = Path(shutil.copytree(lost, disk / "copy"))
        stopped = interrupt(
            home,
            fault_kinds[fault],
            number,
            lambda home=home: nullcontext(rebuilding(home)),
            lambda r: r.rebuild(),
        )
        if (home / "catalogue.db").exists():
            assert stopped.done or stopped.reached, number
        else:
            assert not stopped.done, number
            assert rebuilding(home).rebuild().files == 3
        with open_at(home) as archive:
            assert archive.wrong() == [], number
            assert len(archive.references()) == 3
        assert not (home / "rebuilding").exists() or stopped.reached
        shutil.rmtree(home)
        if not stopped.reached:
            break
    record_property("faults", (points, f"a rebuild, {fault_kinds[fault].value}"))
    assert points > 40


def test_of_two_at_once_one_makes_the_catalogue(lost):
    def one(_: int) -> Rebuilt | Code:
        try:
            return rebuilding(lost).rebuild()
        except MunimentError as error:
            return error.code

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(one, range(2)))
    assert [isinstance(each, Rebuilt) for each in results].count(True) == 1
    assert {each for each in results if not isinstance(each, Rebuilt)} <= {
        Code.ARCHIVE_BUSY,
        Code.ARCHIVE_EXISTS,
    }


def test_the_state_of_a_void_file_comes_back(lost, open_at):
    rebuilding(lost).rebuild()
    with open_at(lost) as archive:
        assert archive.case_files.get(FIRST.replace("001", "003")).state is FileState.VOID


def cut_off(archive) -> Holds:
    """Holds whose version comes into the vault and whose row never into the catalogue."""

    def full(_case_file, _act) -> nullcontext[None]:
        raise MunimentError(Code.DISK_FULL)

    return Holds(replace(archive.amending, around=full))


def hold_cut_off(archive, reference: str, reason: str) -> None:
    with pytest.raises(MunimentError) as caught:
        cut_off(archive).place(ACTOR, reference, reason)
    assert caught.value.code is Code.DISK_FULL


@pytest.mark.parametrize(("first", "second"), [(FIRST, SECOND), (SECOND, FIRST)])
def test_a_hold_cut_off_whose_number_another_was_given_costs_no_file_and_no_hold(
    first, second, model, disk, open_at, forms
):
    """The one acknowledged keeps its number; the other, which may have been, stands too and gets one of its own."""
    home = Path(shutil.copytree(model, disk / "lost"))
    with open_at(home, "lost") as archive:
        archive.filing.file(ACTOR, forms.submission())
        hold_cut_off(archive, first, "稽查")
        archive.founded.catalogue.clock = lambda: now() + timedelta(minutes=1)
        assert archive.holds.place(ACTOR, second, "诉讼").id == 1
    lose(home)
    rebuilt = rebuilding(home).rebuild()
    assert (rebuilt.files, rebuilt.unfit, rebuilt.missing) == (2, (), ())
    assert rebuilt.renumbered == (Renumbered("hold", first, 1, 2),)
    with open_at(home, "after") as archive:
        assert [(each.id, each.reason) for each in archive.holds.active(second)] == [(1, "诉讼")]
        assert [(each.id, each.reason) for each in archive.holds.active(first)] == [(2, "稽查")]
        safeguarding = Safeguarding(archive.amending, archive.journalling)
        assert [each.recorded for each in safeguarding.record(CONSOLE, [first])] == [True]
        assert archive.wrong() == []
    lose(home)
    assert rebuilding(home).rebuild().renumbered == ()


def test_three_holds_of_one_number_are_three(model, disk, open_at, forms):
    home = Path(shutil.copytree(model, disk / "lost"))
    with open_at(home, "lost") as archive:
        archive.filing.file(ACTOR, forms.submission())
        archive.filing.file(ACTOR, forms.submission())
        hold_cut_off(archive, FIRST, "稽查")
        hold_cut_off(archive, SECOND, "审计")
        archive.founded.catalogue.clock = lambda: now() + timedelta(minutes=1)
        archive.holds.place(ACTOR, FIRST.replace("001", "003"), "诉讼")
    lose(home)
    rebuilt = rebuilding(home).rebuild()
    assert (rebuilt.files, rebuilt.unfit) == (3, ())
    assert {each.now for each in rebuilt.renumbered} == {2, 3}
    with open_at(home, "after") as archive:
        held = {each.reference: each.id for (each,) in archive.holds.all_active().values()}
    assert held == {
        FIRST.replace("001", "003"): 1,
        **{each.object: each.now for each in rebuilt.renumbered},
    }


@pytest.mark.parametrize("left", ["content/x.pdf", f"content/{SECOND}.record", "inventory.json"])
def test_a_version_cut_off_before_it_was_whole_is_cleared_away_and_the_one_before_counts(
    left, lost, open_at, cleared
):
    """As puts to a bucket leave it, which come one by one."""
    path = object_of(lost, SECOND) / "v3" / left
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half")
    rebuilt = rebuilding(lost).rebuild()
    assert (rebuilt.files, rebuilt.unfit, rebuilt.unsettled) == (3, (), (SECOND,))
    with open_at(lost) as archive:
        cleared(archive)
        archive.holds.place(ACTOR, SECOND, "诉讼")
        assert archive.wrong() == []


def test_what_lies_there_as_a_later_version_and_is_nobodys_is_left(lost, open_at, cleared):
    path = object_of(lost, SECOND) / "v9" / "notes.txt"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"somebody's")
    rebuilt = rebuilding(lost).rebuild()
    assert (rebuilt.files, rebuilt.unfit, rebuilt.unsettled) == (3, (), ())
    with open_at(lost) as archive:
        assert cleared(archive) == 0
    assert path.read_bytes() == b"somebody's"


def test_a_key_that_an_object_asks_for_is_used_even_where_that_is_not_rebuilt(lost):
    _flip(next(object_of(lost, SECOND).glob("v2/content/*.record")))
    KeyJournal(lost / "keys").append(str(UUID(int=1)), lambda: Wrapped(1, b"of a filing that was cut off"))
    rebuilt = rebuilding(lost).rebuild()
    assert (len(rebuilt.unfit), rebuilt.unused_keys) == (1, 1)


def test_an_inventory_without_end_is_none_of_ours_and_not_read_to_it(lost):
    for within in ("", "v2/"):
        os.truncate(object_of(lost, SECOND) / within / "inventory.json", 1 << 40)
    rebuilt = rebuilding(lost).rebuild()
    assert [(each.object, each.reason) for each in rebuilt.unfit] == [(SECOND, Reason.INVENTORY)]


def test_a_vault_whose_disk_goes_meanwhile_makes_no_catalogue_that_lacks_its_files(lost, monkeypatch):
    real = Reader.read

    def read(self, folder, newest):
        if folder.endswith("002"):
            (lost / "vault").rename(lost.with_name("unmounted"))
            (lost / "vault").mkdir()
        return real(self, folder, newest)

    with monkeypatch.context() as patch:
        patch.setattr("archive.rebuild.rebuilding._READERS", 1)
        patch.setattr(Reader, "read", read)
        with pytest.raises(MunimentError) as caught:
            rebuilding(lost).rebuild()
    assert caught.value.code is Code.PATH_NOT_FOUND
    assert not (lost / "catalogue.db").exists()
    (lost / "vault").rmdir()
    lost.with_name("unmounted").rename(lost / "vault")
    assert rebuilding(lost).rebuild().files == 3
