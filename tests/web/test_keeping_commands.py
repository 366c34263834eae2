"""The commands that keep the archive, as other programs rely on them: JSON, sentences, exit codes."""

import json
import shutil
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import bagit
import pytest
from PIL import Image

from archive.errors import Code, Exit, MunimentError
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE, SYSTEM, Actor
from archive.ledger.log import follow
from retention.holds import Holds
from tests.serving import muniment
from tests.vouchers import voucher
from web.settings import Settings
from web.wiring import opened

PASSWORD = "correct-horse-battery\n"
ROLE = ("--role", "system", "--department", "客服部", "--password-stdin")
REFERENCE = "2026-一级-剧本相关-001"


class Desk:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "var"
        self.ask("init")
        (folder / "voucher.json").write_bytes(voucher())
        Image.new("RGB", (320, 240), "navy").save(folder / "photo.jpg")
        given = ("--voucher", folder / "voucher.json", folder / "photo.jpg")
        self.ask("file", "--level", "一级", "--category", "剧本相关", *given)

    def run(self, *arguments: object, **more: str) -> tuple[int, dict[str, object], str]:
        ended = muniment(*arguments, "--json", MUNIMENT_HOME=str(self.home), **more)
        assert "Traceback" not in ended.stderr
        return ended.returncode, json.loads(ended.stdout), ended.stderr

    def ask(self, *arguments: object, **more: str) -> dict[str, object]:
        code, answer, said = self.run(*arguments, **more)
        assert code == 0, said
        return answer

    @property
    def archive(self) -> str:
        return json.loads((self.home / "archive.json").read_text())["archive"]

    @property
    def document(self) -> Path:
        return next(self.home.glob(f"vault/*/*/*/*/v1/content/{REFERENCE}-01.pdf"))


@pytest.fixture
def desk(tmp_path) -> Desk:
    return Desk(tmp_path)


def test_fixity_says_what_is_whole_and_names_what_is_not(desk: Desk):
    whole = desk.ask("fixity", "--rate", "50", "--pdf", desk.folder / "report.pdf")
    assert (whole["whole"], whole["files"], whole["documents"], whole["damaged"]) == (True, 1, 2, [])
    assert (desk.folder / "report.pdf").read_bytes().startswith(b"%PDF")
    desk.document.unlink()
    code, damaged, _ = desk.run("fixity", "--sample", "5")
    assert code == Exit.DAMAGED
    assert damaged["damaged"] == [
        {
            "reference": REFERENCE,
            "document": f"{REFERENCE}-01.pdf",
            "trait": "integrity",
            "problem": "missing",
        }
    ]
    assert muniment("fixity", "--all", "--sample", "1", MUNIMENT_HOME=str(desk.home)).returncode == Exit.USAGE
    code, answer, _ = desk.run("fixity", "--pdf", desk.folder / "report.pdf")
    assert (code, answer["error"]) == (Exit.CONFLICT, "output-exists")
    code, answer, _ = desk.run("fixity", "--repair")
    assert (code, answer["error"]) == (Exit.USAGE, "setting-invalid")
    assert desk.run("fixity")[1]["report"] == 3  # neither of the two began to check


def test_fixity_repairs_from_the_copy_that_is_configured(desk: Desk):
    shutil.copytree(desk.home / "vault", desk.folder / "mirror")
    good = desk.document.read_bytes()
    desk.document.write_bytes(b"x")
    repaired = desk.ask("fixity", "--repair", MUNIMENT_MIRROR=str(desk.folder / "mirror"))
    assert (repaired["whole"], len(repaired["damaged"])) == (True, 1)
    assert repaired["repaired"] == [
        {"reference": REFERENCE, "replaced": [f"{REFERENCE}-01.pdf"], "whole": True}
    ]
    assert desk.document.read_bytes() == good
    assert desk.ask("fixity")["whole"] is True


def test_a_backup_is_taken_rehearsed_and_restored_on_another_machine(desk: Desk):
    backup = desk.folder / "backup"
    taken = desk.ask("backup", "--to", backup)
    assert (taken["files"], taken["documents"], taken["damaged"]) == (1, 2, [])
    assert desk.ask("backup", MUNIMENT_BACKUP_TO=str(backup))["copied"] == 0
    rehearsed = desk.ask("rehearse", "--from", backup, "--reads", "1")
    assert (rehearsed["whole"], rehearsed["reads"]) == (True, 1)
    again = desk.folder / "again"
    shutil.copy2(desk.folder / "var.key", desk.folder / "again.key")
    restored = desk.ask("restore", "--from", backup, "--home", again)
    assert (restored["whole"], restored["home"]) == (True, str(again))
    assert desk.ask("fixity", "--home", again)["report"] == 2
    assert desk.run("restore", "--from", backup, "--home", again)[0] == Exit.CONFLICT
    missing = desk.run("restore", "--from", backup, "--home", desk.folder / "third")
    assert (missing[0], missing[1]["error"]) == (Exit.KEY, "key-missing")
    for path in backup.glob("objects/*/*"):
        path.write_bytes(b"x")
    code, answer, _ = desk.run("rehearse", "--from", backup)
    assert (code, answer["whole"]) == (Exit.DAMAGED, False)
    assert any(f"{REFERENCE}-01.pdf" in each for each in answer["problems"])


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ([], "setting-invalid"),
        (["--to", "ftp://there/x"], "setting-invalid"),
        (["--to", "s3://bucket/prefix", "--keys-to", "s3://bucket/keys"], "backup-keys-together"),
    ],
)
def test_a_backup_needs_a_place_that_it_knows_and_one_for_its_keys(desk: Desk, given: list[str], error: str):
    code, answer, _ = desk.run("backup", *given)
    assert (code, answer["error"]) == (Exit.USAGE, error)


def test_a_package_leaves_and_enters(desk: Desk):
    package = desk.folder / "package"
    exported = desk.ask("export", REFERENCE, "--to", package)
    assert (exported["references"], exported["documents"]) == ([REFERENCE], 2)
    assert bagit.Bag(str(package)).is_valid()
    new = desk.folder / "new"
    desk.ask("init", "--home", new)
    assert desk.ask("import", "--package", package, "--home", new) == {
        "imported": [REFERENCE],
        "known": [],
        "renumbered": [],
    }
    assert desk.ask("import", "--package", package, "--home", new)["known"] == [REFERENCE]
    assert desk.ask("show", REFERENCE, "--home", new)["voucher"] == desk.ask("show", REFERENCE)["voucher"]
    code, answer, _ = desk.run("import", "--package", package)
    assert (code, answer["error"]) == (Exit.CONFLICT, "archive-in-use")
    code, answer, _ = desk.run("export", REFERENCE, "--to", package)
    assert (code, answer["error"]) == (Exit.CONFLICT, "output-exists")


def test_whoever_filed_elsewhere_is_not_shown_as_somebody_else(desk: Desk):
    """Export, import, and then the people: the numbers of the package are those people's."""
    for name in ("reg", "head"):
        desk.ask("people", "add", name, *ROLE, given=PASSWORD)
    desk.ask("hold", REFERENCE, "--reason", "仲裁")
    desk.ask("lift", REFERENCE, "--reason", "已结案")
    desk.ask("hold", REFERENCE, "--reason", "诉讼")
    with opened(Settings(home=desk.home)) as house:
        house.voiding.void(Actor("P0002"), REFERENCE, "重复登记")
    package, new = desk.folder / "package", desk.folder / "new"
    desk.ask("export", REFERENCE, "--to", package)
    desk.ask("init", "--home", new)
    desk.ask("import", "--package", package, "--home", new)
    added = desk.ask("people", "add", "新管理", *ROLE, "--home", new, given=PASSWORD)
    assert added["number"] == "P0003"
    again = desk.folder / "again"
    desk.ask("export", REFERENCE, "--to", again, "--home", new)
    for name in (f"{REFERENCE}/metadata.json", "actors.json"):
        assert (again / "data" / name).read_bytes() == (package / "data" / name).read_bytes()
    assert json.loads((again / "data" / "actors.json").read_text()) == {"P0002": "head"}
    assert desk.ask("show", REFERENCE, "--home", new)["holds"] == [{"hold": 2, "reason": "诉讼"}]
    late = desk.folder / "late"
    desk.ask("init", "--home", late)
    for name in ("a", "b"):
        desk.ask("people", "add", name, *ROLE, "--home", late, given=PASSWORD)
    code, answer, _ = desk.run("import", "--package", package, "--home", late)
    assert (code, answer["error"], "P0002" in answer["message"]) == (Exit.CONFLICT, "people-differ", True)


@pytest.mark.parametrize("line", [0, 1, 2])
@pytest.mark.parametrize("by", ["fixity", "keys status"])
def test_a_key_journal_that_was_mended_at_an_opening_is_named(desk: Desk, line: int, by: str):
    journal = desk.folder / "var.keys"
    good = journal.read_bytes()
    lines = good.splitlines(keepends=True)
    lines[line] = lines[line][:40] + bytes([lines[line][40] ^ 1]) + lines[line][41:]
    journal.write_bytes(b"".join(lines))
    if by == "keys status":
        status = desk.ask("keys", "status")["journal"]
        assert (status["mended"], status["whole"], status["unreadable_lines"]) == (True, True, 0)
        said = muniment("keys", "status", MUNIMENT_HOME=str(desk.home)).stdout
        assert "was damaged and was made anew" in said
    code, report, _ = desk.run("fixity")
    assert (code, report["whole"]) == (Exit.DAMAGED, False)
    assert [(each["document"], each["problem"]) for each in report["damaged"]] == [
        ("var.keys", "beside-damaged")
    ]
    with opened(Settings(home=desk.home)) as house, house.catalogue.reading() as connection:
        repaired = [each for each in follow(connection, 0) if each.act is Act.REPAIRED]
    assert [(each.actor, each.subject) for each in repaired] == [(SYSTEM, f"archive:{desk.archive}")]
    assert desk.ask("fixity")["whole"]  # it was said
    assert not desk.ask("keys", "status")["journal"]["mended"]
    assert sorted(journal.read_bytes().splitlines()) == sorted(good.splitlines())


def test_a_lost_catalogue_is_rebuilt_and_what_cannot_be_is_named(desk: Desk):
    desk.ask("hold", REFERENCE, "--reason", "诉讼")
    before = desk.ask("show", REFERENCE)
    code, refused, _ = desk.run("rebuild")
    assert (code, refused["error"]) == (Exit.CONFLICT, "archive-exists")
    shutil.rmtree(desk.home / "index", ignore_errors=True)
    for path in desk.home.glob("catalogue.db*"):
        path.unlink()
    code, refused, _ = desk.run("show", REFERENCE)
    assert (code, refused["error"]) == (Exit.DAMAGED, "archive-damaged")
    rebuilt = desk.ask("rebuild")
    assert (rebuilt["files"], rebuilt["whole"], rebuilt["not_rebuilt"]) == (1, True, [])
    assert desk.ask("show", REFERENCE) == before
    assert [each["reason"] for each in before["holds"]] == ["诉讼"]
    for path in desk.home.glob("catalogue.db*"):
        path.unlink()
    next(desk.home.glob("vault/*/*/*/*/v2/content/*.record")).write_bytes(b"x")
    code, rebuilt, _ = desk.run("rebuild")
    assert (code, rebuilt["whole"]) == (Exit.DAMAGED, False)
    assert rebuilt["not_rebuilt"] == [{"object": REFERENCE, "reason": "record-altered"}]
    assert rebuilt["missing_numbers"] == [REFERENCE]


def test_a_rebuild_says_which_hold_got_another_number_and_leaves_no_stale_record(desk: Desk):
    other = desk.ask(
        "file", "--level", "二级", "--category", "其他", "--voucher", desk.folder / "voucher.json"
    )
    with opened(Settings(home=desk.home)) as house:

        def full(_case_file, _act) -> nullcontext[None]:
            raise MunimentError(Code.DISK_FULL)

        with pytest.raises(MunimentError):
            Holds(replace(house.amending, around=full)).place(CONSOLE, REFERENCE, "稽查")
        house.holds.place(CONSOLE, other["reference"], "诉讼")
    for path in desk.home.glob("catalogue.db*"):
        path.unlink()
    rebuilt = desk.ask("rebuild")
    assert rebuilt["whole"]
    assert rebuilt["renumbered"] == [{"object": REFERENCE, "what": "hold", "was": 1, "now": 2}]
    assert [each["reason"] for each in desk.ask("show", REFERENCE)["holds"]] == ["稽查"]


def test_a_key_journal_that_lacks_keys_is_noticed_and_made_whole(desk: Desk):
    journal = desk.folder / "var.keys"
    own = journal.read_bytes().splitlines(keepends=True)[:3]  # the archive and its two secrets; no file's key
    journal.write_bytes(b"".join(own))
    status = desk.ask("keys", "status")["journal"]
    assert (status["missing"], status["whole"]) == (1, False)
    code, report, _ = desk.run("fixity")
    assert (code, [each["problem"] for each in report["damaged"]]) == (Exit.DAMAGED, ["key-unjournalled"])
    assert desk.ask("safeguard")["keys"] == 1
    assert desk.ask("keys", "status")["journal"]["whole"]
    assert desk.ask("fixity")["whole"]
    journal.unlink()
    assert desk.ask("keys", "status")["journal"]["whole"]


@pytest.mark.parametrize("damage", ["gone", "a flipped bit", "an altered key, as one from before checksums"])
def test_a_lost_description_is_made_again_from_the_key_journal(desk: Desk, damage):
    path = desk.home / "archive.json"
    good = path.read_bytes()
    document = json.loads(good)
    damaged = {
        "gone": None,
        "a flipped bit": good.replace(b"format", b"fOrmat"),
        "an altered key, as one from before checksums": json.dumps(
            {**{name: document[name] for name in document if name != "sha256"}, "key": "AAAA"}
        ).encode(),
    }[damage]
    path.unlink()
    if damaged is not None:
        path.write_bytes(damaged)
    for command in (["fixity"], ["search", REFERENCE]):
        code, _, _ = desk.run(*command)
        assert code in {Exit.DAMAGED, Exit.KEY}
    journal = desk.folder / "var.keys"
    journal.rename(desk.folder / "away")
    assert desk.run("safeguard")[0] in {Exit.DAMAGED, Exit.KEY}
    (desk.folder / "away").rename(journal)
    assert desk.ask("safeguard")["described"]
    assert path.read_bytes() == good
    assert desk.ask("fixity")["whole"]
    assert not desk.ask("safeguard")["described"]
    assert desk.ask("ledger", "verify")


def test_a_description_is_never_made_for_a_catalogue_that_it_does_not_open(desk: Desk):
    other = desk.folder / "other"
    assert muniment("init", MUNIMENT_HOME=str(other)).returncode == 0
    shutil.copy(other / "catalogue.db", desk.home / "catalogue.db")
    (desk.home / "archive.json").unlink()
    assert desk.run("safeguard")[0] == Exit.DAMAGED
    assert not (desk.home / "archive.json").exists()


def test_the_key_journal_of_another_archive_is_never_written_to(desk: Desk):
    home, before = desk.home, (desk.folder / "var.keys").read_bytes()
    shutil.move(home, desk.folder / "away")
    code, refused, _ = desk.run("init")
    assert (code, refused["error"]) == (Exit.CONFLICT, "key-journal-of-other")
    desk.ask("init", MUNIMENT_KEY_JOURNAL=str(desk.folder / "another.keys"))
    for command in ("keys status", "safeguard", "keys rotate"):
        code, refused, _ = desk.run(*command.split())
        assert (code, refused["error"]) == (Exit.CONFLICT, "key-journal-of-other")
    assert (desk.folder / "var.keys").read_bytes() == before
