"""Importing folders: resumed where it was cut off, never the same one twice, and none stops another."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from archive.casefile.importing import Defaults, Importing
from archive.casefile.numbering import runs
from archive.errors import Code, MunimentError
from archive.ledger.verifying import verify

ROOT = Path(__file__).parents[3]
ACTOR = "P0001"


@pytest.fixture
def importing(archive):
    founded = archive.founded
    return Importing(founded.catalogue, archive.filing, archive.filing._scheme, founded.fingerprint_key)


@pytest.fixture
def root(tmp_path):
    made = tmp_path / "incoming"
    made.mkdir()
    return made


@pytest.fixture
def folder(root, forms):
    def make(name: str, *, case: object = None, photo: str | None = "red", **changed: object) -> Path:
        path = root / name
        path.mkdir(parents=True)
        details = f"{name} 道具缺失，剧情无法继续，玩家等待四十分钟。"
        (path / "voucher.json").write_bytes(forms.voucher(**{"details": details, **changed}))
        if case is not None:
            text = case if isinstance(case, str) else json.dumps(case, ensure_ascii=False)
            (path / "case.json").write_text(text)
        if photo:
            (path / "照片.jpg").write_bytes(forms.photo(photo))
        return path

    return make


@pytest.fixture
def run(importing, root):
    def imported(defaults: Defaults = Defaults(level="一级", category="其他")) -> dict[str, object]:  # noqa: B008
        return {each.folder: each for each in importing.import_all(ACTOR, root, defaults)}

    return imported


@pytest.fixture
def refused(run, folder, archive):
    """The code with which the one folder was refused, while a good one beside it was filed."""

    def of(name: str) -> Code:
        folder("good")
        outcomes = run()
        assert outcomes["good"].filed
        assert not outcomes[name].filed
        assert outcomes[name].refusal.say("zh")
        assert archive.wrong() == []
        return outcomes[name].refusal.code

    return of


def test_folders_are_filed_with_all_that_is_in_them(run, folder, archive):
    folder("一级/剧本相关/甲")
    folder("二级-收费相关-乙")
    folder(
        "丙",
        case={
            "level": "三级",
            "category": "服务相关",
            "completed": "2026-03-05",
            "permanent": "brand-impact",
        },
    )
    folder("丁", photo=None)
    outcomes = run()
    references = {name: each.reference for name, each in outcomes.items()}
    assert references == {
        "一级/剧本相关/甲": "2026-一级-剧本相关-002",
        "二级-收费相关-乙": "2026-二级-收费相关-001",
        "丙": "2026-三级-服务相关-001",
        "丁": "2026-一级-其他-001",
    }
    third = archive.case_files.get("2026-三级-服务相关-001")
    assert (third.completed_on, third.permanent) == (date(2026, 3, 5), "brand-impact")
    assert archive.case_files.titles(third) == {0: "voucher.json", 1: "照片.jpg"}
    assert archive.wrong() == []


def test_the_same_folder_is_never_filed_twice_also_under_another_name(run, folder, root):
    folder("甲", case={"level": "一级", "category": "其他"})
    first = run()["甲"]
    (root / "甲").rename(root / "乙")
    again = run()["乙"]
    assert (first.filed, again.filed, again.reference) == (True, False, first.reference)


@pytest.mark.parametrize("change", ["voucher.json", "照片.jpg", "case.json", "new.jpg"])
def test_a_folder_of_which_anything_changed_is_another_case_file(run, folder, forms, change):
    path = folder("甲", case={"level": "一级", "category": "其他"})
    first = run()["甲"]
    content = {
        "voucher.json": forms.voucher(),
        "case.json": b'{"level": "\xe4\xba\x8c\xe7\xba\xa7", "category": "\xe5\x85\xb6\xe4\xbb\x96"}',
    }.get(change, forms.photo("blue"))
    (path / change).write_bytes(content)
    second = run()["甲"]
    assert second.filed
    assert second.reference != first.reference


def test_two_importers_at_once_file_each_folder_once(importing, folder, root, archive):
    for number in range(6):
        folder(f"{number}")

    def work(_: int) -> list:
        return list(importing.import_all(ACTOR, root, Defaults("一级", "其他")))

    with ThreadPoolExecutor(2) as pool:
        outcomes = [each for found in pool.map(work, range(2)) for each in found]
    assert [each.refusal for each in outcomes if each.refusal] == []
    assert sum(each.filed for each in outcomes) == 6
    assert len({each.reference for each in outcomes}) == 6
    assert len(archive.references()) == 7
    assert archive.wrong() == []


def test_a_copy_of_a_folder_within_one_import_is_filed_once(run, folder, root, archive):
    first = folder("甲", details="同一件事，同一件事，同一件事。")
    folder("乙", details="同一件事，同一件事，同一件事。")
    outcomes = run()
    assert first.exists()
    assert outcomes["甲"].reference == outcomes["乙"].reference
    assert sum(each.filed for each in outcomes.values()) == 1


def test_a_refused_folder_stops_no_other_and_is_filed_once_it_is_mended(run, folder, forms):
    bad = folder("坏")
    (bad / "照片.jpg").write_bytes(b"")
    folder("好")
    outcomes = run()
    assert outcomes["好"].filed
    assert outcomes["坏"].refusal.code is Code.EVIDENCE_EMPTY
    (bad / "照片.jpg").write_bytes(forms.photo())
    outcomes = run()
    assert (outcomes["好"].filed, outcomes["坏"].filed) == (False, True)


@pytest.mark.parametrize("name", ["录像.bin", "voucher.json", "case.json"])
def test_a_file_without_end_is_refused_by_its_size_before_it_is_read(folder, refused, name):
    path = folder("long") / name
    with path.open("ab") as file:
        file.truncate(1 << 40)  # a hole: to read it would take the better part of an hour
    assert refused("long") is Code.EVIDENCE_TOO_LARGE


# A voucher.json that leads to a folder is no voucher: then the folder is no case file.
@pytest.mark.parametrize(
    ("name", "target"),
    [
        (name, target)
        for name in ("voucher.json", "case.json", "链接.jpg")
        for target in ("/etc/hostname", "nowhere", ".")
        if (name, target) != ("voucher.json", ".")
    ],
)
def test_a_link_is_not_followed(folder, refused, name, target):
    path = folder("甲")
    (path / name).unlink(missing_ok=True)
    (path / name).symlink_to(target)
    assert refused("甲") is Code.EVIDENCE_NOT_A_FILE


def test_a_link_to_a_folder_of_case_files_is_not_walked(run, folder, root, tmp_path, forms):
    other = tmp_path / "elsewhere" / "甲"
    other.mkdir(parents=True)
    (other / "voucher.json").write_bytes(forms.voucher())
    (root / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MunimentError) as refused:
        run()
    assert refused.value.code is Code.NOTHING_TO_IMPORT
    folder("乙")
    assert list(run()) == ["乙"]


def test_a_pipe_or_a_folder_among_the_evidence_is_refused(folder, refused):
    os.mkfifo(folder("甲", photo=None) / "pipe.jpg")
    assert refused("甲") is Code.EVIDENCE_NOT_A_FILE


@pytest.mark.parametrize("name", ["case.json", "照片.jpg"])
def test_a_folder_in_place_of_a_file_is_refused(folder, refused, name):
    path = folder("甲", photo=None)
    (path / name).mkdir()
    assert refused("甲") is Code.EVIDENCE_NOT_A_FILE


@pytest.mark.parametrize(
    "case",
    ["", "[]", "null", "{", "[" * 100_000, '"x"', {"unknown": 1}, {"level": "一级", "Category": "其他"}],
)
def test_a_case_json_that_cannot_be_read_is_refused(folder, refused, case):
    folder("甲", case=case)
    assert refused("甲") is Code.CASE_INVALID


@pytest.mark.parametrize(
    ("case", "code"),
    [
        ({"level": "九级"}, Code.LEVEL_UNKNOWN),
        ({"level": {"a": 1}}, Code.LEVEL_UNKNOWN),
        ({"category": "../其他"}, Code.CATEGORY_UNKNOWN),
        ({"completed": "2026-02-30"}, Code.DATE_INVALID),
        ({"completed": True}, Code.DATE_INVALID),
        ({"completed": "2027-01-01"}, Code.DATE_NOT_POSSIBLE),
        ({"permanent": "whim"}, Code.PERMANENT_NOT_ALLOWED),
        ({"permanent": ["legal-dispute"]}, Code.PERMANENT_NOT_ALLOWED),
    ],
)
def test_a_case_json_that_says_what_cannot_be_is_refused(folder, refused, case, code):
    folder("甲", case=case)
    assert refused("甲") is code


def test_a_folder_that_says_neither_level_nor_category_is_refused(run, folder):
    folder("甲")
    assert run(Defaults())["甲"].refusal.code is Code.CASE_INCOMPLETE


def test_a_name_that_is_no_text_is_refused_and_can_be_shown(folder, refused):
    path = folder("甲", photo=None)
    (Path(os.fsdecode(os.fsencode(path) + b"/\xff.jpg"))).write_bytes(b"x")
    assert refused("甲") is Code.EVIDENCE_NAME


def test_a_folder_whose_name_is_no_text_can_be_shown(run, root, forms):
    path = Path(os.fsdecode(os.fsencode(root) + b"/\xff"))
    path.mkdir()
    (path / "voucher.json").write_bytes(forms.voucher())
    (outcome,) = run().values()
    outcome.folder.encode()


def test_a_folder_that_cannot_be_read_is_refused(importing, folder, run, monkeypatch):
    folder("甲")
    folder("乙")
    real = Path.open

    def unreadable(path, *args, **more):
        if path.parent.name == "甲" and path.suffix == ".jpg":
            raise PermissionError(13, "Permission denied")
        return real(path, *args, **more)

    monkeypatch.setattr(Path, "open", unreadable)
    outcomes = run()
    assert outcomes["甲"].refusal.code is Code.EVIDENCE_UNREADABLE
    assert outcomes["乙"].filed


def test_a_full_disk_refuses_each_folder_with_that_sentence(importing, folder, run, monkeypatch, archive):
    folder("甲")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        assert run()["甲"].refusal.code is Code.DISK_FULL
    assert archive.wrong() == []
    assert run()["甲"].filed


def test_a_root_that_is_none_is_said(importing, tmp_path):
    for path in (tmp_path / "nothing", tmp_path / "file"):
        (tmp_path / "file").touch()
        with pytest.raises(MunimentError) as caught:
            list(importing.import_all(ACTOR, path, Defaults()))
        assert caught.value.code is Code.PATH_NOT_FOUND


def test_a_single_folder_may_be_imported_itself(importing, folder):
    path = folder("一级-其他-甲")
    (outcome,) = importing.import_all(ACTOR, path, Defaults())
    assert (outcome.folder, outcome.reference) == ("一级-其他-甲", "2026-一级-其他-001")


IMPORT = """
import sys
from pathlib import Path
from archive.casefile.importing import Defaults, Importing
from web.settings import Settings
from web.wiring import opened

with opened(Settings(home=Path(sys.argv[1]), workers=1)) as house:
    importing = Importing(house.catalogue, house.filing, house.scheme, house.founded.fingerprint_key)
    for outcome in importing.import_all("P0001", Path(sys.argv[2]), Defaults("一级", "其他")):
        print("filed" if outcome.filed else "known", outcome.reference, outcome.refusal, flush=True)
"""


def test_an_import_that_is_killed_goes_on_where_it_was_cut_off(house, settings, folder, root):
    for number in range(8):
        folder(f"{number}", photo="red" if number % 2 else None)
    command = [sys.executable, "-c", IMPORT, str(settings.home), str(root)]
    told: list[str] = []
    for wanted in (2, 2, None):  # killed after its second, again after two more, then let go
        child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        filed = 0
        for line in child.stdout:
            told.append(line)
            filed += line.startswith("filed")
            if filed == wanted:
                time.sleep(0.02)  # into the middle of the next one
                child.send_signal(signal.SIGKILL)
                break
        child.stdout.read()
        child.stdout.close()
        assert child.wait() == (0 if wanted is None else -signal.SIGKILL)
    with house.catalogue.reading() as connection:
        verify(connection, house.catalogue.ledger, house.case_files.file_key)
        (run,) = runs(connection)
    assert (run.last, run.files, run.missing) == (8, 8, ())
    acknowledged = {line.split()[1] for line in told if line.startswith("filed")}
    assert acknowledged <= {f"2026-一级-其他-{number:03}" for number in range(1, 9)}
    assert len(list((settings.home / "vault").rglob("0=ocfl_object_1.1"))) == 8
    assert list((settings.home / "staging").iterdir()) == []
