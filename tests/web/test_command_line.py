"""The command line as other programs rely on it: JSON as the answer, sentences beside it, exit codes of the table."""

import json
import os
import re
import subprocess
import sys
import time
from importlib.resources import files
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from archive.errors import Exit
from tests.serving import environment, muniment

REFERENCE = "2026-一级-剧本相关-001"
VOUCHER = {
    "complainant": {"name": "王小明", "contact": "13800138000", "membership": "金卡", "headcount": 1},
    "received_at": "2026-02-27T20:15+08:00",
    "channel": "门店现场",
    "store": "春熙路店",
    "visited_at": "2026-02-27T18:00+08:00",
    "script": "长安十二时",
    "staff": "DM阿岚",
    "details": "第三幕道具缺失，剧情无法继续，大概等了四十分钟。",
    "demands": ["退费", "道歉"],
    "evidence": [{"kind": "照片", "count": 2}],
    "receiver": {"name": "李莉", "department": "春熙路店", "contact": "028-88886666"},
    "notes": "情绪激动",
}


class Desk:
    """A folder with an archive, a voucher and a photo, and the commands that work on them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "var"
        self.voucher = self.write("voucher.json", json.dumps(VOUCHER, ensure_ascii=False).encode())
        self.photo = folder / "photo.jpg"
        Image.new("RGB", (320, 240), "navy").save(self.photo)

    def write(self, name: str, content: bytes) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def run(self, *arguments: object, given: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        return muniment(*arguments, given=given, MUNIMENT_HOME=str(self.home), **more)

    def ask(self, *arguments: object, given: str = "") -> dict[str, object]:
        """The answer of a command that must succeed."""
        ended = self.run(*arguments, "--json", given=given)
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout)

    def refused(self, *arguments: object, **more: str) -> tuple[int, str]:
        """Exit code and error code; the sentence is on standard error, in one line, without a trace."""
        ended = self.run(*arguments, "--json", **more)
        said = json.loads(ended.stdout)
        assert said["message"] in ended.stderr
        assert "Traceback" not in ended.stderr
        return ended.returncode, said["error"]

    def file(self, *evidence: Path, **changed: str) -> dict[str, object]:
        given = {"level": "一级", "category": "剧本相关", "completed": "2026-03-01", **changed}
        options = [part for key, value in given.items() for part in (f"--{key}", value)]
        return self.ask("file", *options, "--voucher", self.voucher, *evidence)

    def bad(self, *evidence: Path, voucher: Path | None = None, **changed: str) -> tuple[int, str]:
        given = {"level": "一级", "category": "剧本相关", "completed": "2026-03-01", **changed}
        options = [part for key, value in given.items() for part in (f"--{key}", value)]
        return self.refused("file", *options, "--voucher", voucher or self.voucher, *evidence)


@pytest.fixture
def empty(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def desk(empty: Desk) -> Desk:
    empty.ask("init")
    return empty


def test_init_makes_an_archive_once_and_a_key_beside_it(empty: Desk):
    said = empty.ask("init")
    key = Path(str(said["key_file"]))
    assert key == empty.folder / "var.key"
    assert key.stat().st_mode & 0o777 == 0o600
    before = key.read_bytes()
    assert empty.refused("init") == (Exit.CONFLICT, "archive-exists")
    assert key.read_bytes() == before


def test_a_file_is_filed_found_shown_and_released(desk: Desk):
    filed = desk.file(desk.photo)
    assert filed["reference"] == REFERENCE
    assert filed["documents"] == [f"{REFERENCE}.pdf", f"{REFERENCE}-01.pdf"]
    assert any("大概" in flag for flag in filed["flags"])
    found = desk.ask("search", "道具缺失")
    assert [each["reference"] for each in found["hits"]] == [REFERENCE]
    shown = desk.ask("show", REFERENCE)
    assert shown["completed_on"] == "2026-03-01"
    assert shown["due_on"] == "2028-03-02"
    assert shown["voucher"]["complainant"]["contact"] == "138****8000"
    assert [each["title"] for each in shown["documents"]] == ["voucher.json", "photo.jpg"]
    released = desk.ask("release", REFERENCE, "--to", desk.folder / "out", "--for", "市场监督管理局")
    for path in released["documents"]:
        with pikepdf.open(path, password=str(released["password"])) as copy:
            assert len(copy.pages) == 1
            assert not copy.attachments
    whole = desk.ask("release", REFERENCE, "--to", desk.folder / "court", "--with-originals")
    with pikepdf.open(whole["documents"][0], password=str(whole["password"])) as copy:
        assert list(copy.attachments) == ["voucher.json"]
    again = desk.refused("release", REFERENCE, "--to", desk.folder / "out")
    assert again == (Exit.CONFLICT, "output-exists")


def test_a_copy_that_was_refused_leaves_no_folder_in_the_way_of_the_next(desk: Desk):
    desk.file(desk.photo)
    out = desk.folder / "out"
    assert desk.refused("release", REFERENCE, "--to", out, "--for", "x" * 201) == (
        Exit.REFUSED,
        "reason-unfit",
    )
    assert list(out.iterdir()) == []
    damaged = next((desk.home / "vault").rglob(f"{REFERENCE}-01.pdf"))
    content = damaged.read_bytes()
    damaged.write_bytes(content[:-1])
    assert desk.refused("release", REFERENCE, "--to", out)[1] == "document-altered"
    assert list(out.iterdir()) == []
    damaged.write_bytes(content)
    assert len(desk.ask("release", REFERENCE, "--to", out)["documents"]) == 2


def test_a_query_of_words_and_fields_is_answered_by_either_engine_and_its_errors_have_a_place(desk: Desk):
    desk.file()
    for engine in ("fts5", "whoosh"):
        assert desk.ask("index", "move", "--engine", engine) == {"engine": engine, "files": 1}
        status = desk.ask("index", "status")
        assert (status["engine"], status["lag"], status["files"]) == (engine, 0, 1)
        assert status["size"] > 0
        assert status["generation"] > 0
        for sort in ("date", "reference", "relevance"):
            found = desk.ask("search", "道具缺失 level:一级 NOT 浦东", "--sort", sort)
            assert [each["reference"] for each in found["hits"]] == [REFERENCE]
            assert (found["more"], found["partly"], found["behind"], found["hint"]) == (False, False, 0, None)
        assert desk.ask("search", "due:<9999d hold:no")["hits"][0]["reference"] == REFERENCE
        assert desk.ask("search", "-道具")["hits"] == desk.ask("search", "NOT 道具")["hits"] == []
        assert desk.ask("index", "rebuild") == {"files": 1}
    assert desk.refused("search", "(道具") == (Exit.REFUSED, "query-invalid")
    wrong = desk.run("search", "道具 levle:一级", LC_ALL="zh_CN.UTF-8")
    assert "第 4 个字符" in wrong.stderr
    assert "道具" not in wrong.stderr


def test_a_void_file_is_marked_among_the_hits_and_a_query_that_means_nothing_else_gets_a_hint(desk: Desk):
    desk.file()
    desk.ask("void", REFERENCE, "--reason", "重复登记")
    assert desk.run("search", "道具").stdout.startswith(f"{REFERENCE}  Void  ")
    assert "capitals" in desk.run("search", "道具 and 退费").stdout
    assert "stand for nothing" not in str(desk.ask("search", "道具")["hint"])
    assert "* ? ~" in desk.run("search", "道具~2", LC_ALL="zh_CN.UTF-8").stdout


def test_completing_voiding_holding_sweeping_and_the_proofs(desk: Desk):
    desk.file()
    assert desk.ask("sweep", "--as-of", "2028-03-01")["counts"]["due"] == 0
    assert desk.ask("sweep", "--as-of", "2028-03-02")["counts"]["due"] == 1
    desk.ask("hold", REFERENCE, "--reason", "仲裁进行中")
    swept = desk.ask("sweep", "--as-of", "2028-03-02")
    assert [each["reference"] for each in swept["held"]] == [REFERENCE]
    desk.ask("lift", REFERENCE, "--reason", "已结案")
    assert desk.ask("void", REFERENCE, "--reason", "重复登记")["state"] == "void"
    assert desk.refused("void", REFERENCE, "--reason", "再次") == (Exit.CONFLICT, "already-void")
    numbers = desk.ask("numbers")
    assert numbers["whole"] is True
    assert numbers["series"] == [
        {"series": "2026-一级-剧本相关", "last": 1, "files": 1, "void": 1, "missing": []}
    ]
    verified = desk.ask("ledger", "verify")
    assert verified["whole"] is True
    note = desk.write("checkpoint.txt", str(verified["checkpoint"]).encode())
    assert desk.ask("ledger", "verify", "--kept", note)["entries"] > verified["entries"]
    note.write_text(note.read_text().replace("\n", "\n9", 1))
    assert desk.refused("ledger", "verify", "--kept", note) == (Exit.DAMAGED, "checkpoint-mismatch")


def test_a_verification_is_recorded_whatever_it_found(desk: Desk):
    entries = desk.ask("ledger", "verify")["entries"]
    note = desk.write("checkpoint.txt", b"nothing that was ever signed")
    assert desk.refused("ledger", "verify", "--kept", note) == (Exit.REFUSED, "checkpoint-invalid")
    assert desk.ask("ledger", "verify")["entries"] == entries + 2


def test_people_come_with_a_password_on_standard_input_only(desk: Desk):
    add = ("people", "add", "周敏", "--role", "档案管理员", "--department", "客服部", "--password-stdin")
    person = desk.ask(*add, given="correct-horse-battery\n")
    assert person == {
        "number": "P0001", "name": "周敏", "role": "administrator", "department": "客服部", "disabled": False,
    }  # fmt: skip
    assert desk.refused(*add) == (Exit.REFUSED, "password-weak")  # nothing on standard input
    assert desk.ask("people", "disable", "周敏")["disabled"] is True
    assert len(desk.ask("people", "list")["people"]) == 1


def test_import_goes_on_where_it_was_cut_off_and_stops_for_nobody(desk: Desk):
    for name in ("甲", "乙"):
        desk.write(f"in/一级/其他/{name}/voucher.json", desk.voucher.read_bytes())
        desk.write(f"in/一级/其他/{name}/photo.jpg", desk.photo.read_bytes() + name.encode())
    desk.write("in/一级/其他/丙/voucher.json", b"{}")
    ended = desk.run("import", desk.folder / "in", "--json")
    assert ended.returncode == Exit.REFUSED
    said = json.loads(ended.stdout)
    assert (said["filed"], said["known"], said["refused"]) == (2, 0, 1)
    assert "丙" in ended.stderr
    (desk.folder / "in/一级/其他/丙/voucher.json").write_bytes(desk.voucher.read_bytes())
    again = desk.ask("import", desk.folder / "in")
    assert (again["filed"], again["known"], again["refused"]) == (1, 2, 0)


def test_the_schema_is_the_one_the_reader_goes_by():
    printed = json.loads(muniment("schema", "voucher").stdout)
    assert printed == json.loads((files("archive.voucher") / "schema.json").read_text("utf-8"))


def test_bad_input_is_refused_with_its_code_and_nothing_is_filed(desk: Desk):
    """Each of what people get wrong, by the code that other programs see."""
    empty, truncated = desk.write("empty.jpg", b""), desk.write("cut.jpg", desk.photo.read_bytes()[:300])
    program = desk.write("photo2.jpg", b"MZ\x90\x00")
    pipe = desk.folder / "pipe.jpg"
    os.mkfifo(pipe)
    refusals = {
        desk.bad(level="五级"): (Exit.REFUSED, "level-unknown"),
        desk.bad(category="餐饮"): (Exit.REFUSED, "category-unknown"),
        desk.bad(completed="2026-02-30"): (Exit.REFUSED, "date-invalid"),
        desk.bad(completed="2199-01-01"): (Exit.REFUSED, "date-not-possible"),
        desk.bad(permanent="legal-dispute"): (Exit.REFUSED, "permanent-not-allowed"),
        desk.bad(voucher=desk.write("v.json", b"{")): (Exit.REFUSED, "voucher-invalid"),
        desk.bad(voucher=desk.folder / "nowhere.json"): (Exit.NOT_FOUND, "path-not-found"),
        desk.bad(empty): (Exit.REFUSED, "evidence-empty"),
        desk.bad(truncated): (Exit.REFUSED, "evidence-unreadable"),
        desk.bad(program): (Exit.REFUSED, "evidence-kind"),
        desk.bad(pipe): (Exit.REFUSED, "evidence-not-a-file"),
        desk.bad(desk.folder): (Exit.REFUSED, "evidence-not-a-file"),
        desk.bad(empty, truncated): (Exit.REFUSED, "evidence-refused"),
        desk.refused("show", "nonsense"): (Exit.REFUSED, "reference-invalid"),
        desk.refused("show", REFERENCE): (Exit.NOT_FOUND, "file-not-found"),
        desk.refused("void", REFERENCE, "--reason", " "): (Exit.REFUSED, "reason-missing"),
    }
    assert list(refusals) == list(refusals.values())
    assert desk.ask("numbers")["series"] == []
    assert list((desk.home / "staging").iterdir()) == []
    assert desk.file()["reference"] == REFERENCE


def test_an_unknown_key_in_the_voucher_is_refused_by_name(desk: Desk):
    voucher = desk.write("v.json", json.dumps({**VOUCHER, "stroe": "x"}, ensure_ascii=False).encode())
    ended = desk.run("file", "--level", "一级", "--category", "其他", "--voucher", voucher)
    assert ended.returncode == Exit.REFUSED
    assert "stroe" in ended.stderr
    assert "王小明" not in ended.stderr


def test_a_lost_wrong_or_readable_key_is_a_clear_stop_and_never_a_new_key(desk: Desk):
    key, aside = desk.folder / "var.key", desk.folder / "aside.key"
    key.chmod(0o644)
    assert desk.refused("numbers") == (Exit.KEY, "key-permissions")
    key.rename(aside)
    assert desk.refused("numbers") == (Exit.KEY, "key-missing")
    assert not key.exists()
    other = Desk(desk.folder / "other") if (desk.folder / "other").mkdir() is None else desk
    other.ask("init")
    assert desk.refused("numbers", MUNIMENT_KEY_FILE=str(other.folder / "var.key")) == (Exit.KEY, "key-wrong")


def test_a_passphrase_protects_the_key(empty: Desk):
    assert empty.run("init", "--passphrase", given="a long passphrase\n").returncode == 0
    assert empty.refused("numbers") == (Exit.KEY, "passphrase-wrong")
    second = ("--home", empty.write("x", b"").with_name("second"))
    kept = empty.write("kept", b"from a file\n")
    assert empty.run("init", "--passphrase", *second, MUNIMENT_PASSPHRASE_FILE=str(kept)).returncode == 0
    assert empty.run("numbers", *second, MUNIMENT_PASSPHRASE_FILE=str(kept)).returncode == 0
    assert empty.refused("numbers", *second) == (Exit.KEY, "passphrase-wrong")
    nothing = empty.write("nothing", b"\n")
    assert empty.refused("numbers", MUNIMENT_PASSPHRASE_FILE=str(nothing)) == (Exit.USAGE, "setting-invalid")
    wrong, right = empty.write("wrong", b"another one\n"), empty.write("right", b"a long passphrase\n")
    assert empty.refused("numbers", MUNIMENT_PASSPHRASE_FILE=str(wrong)) == (Exit.KEY, "passphrase-wrong")
    assert empty.run("numbers", MUNIMENT_PASSPHRASE_FILE=str(right)).returncode == 0


def test_an_unknown_setting_stops_the_start_and_names_the_nearest(desk: Desk):
    ended = desk.run("numbers", MUNIMENT_PROT="9000")
    assert ended.returncode == Exit.USAGE
    assert "MUNIMENT_PORT" in ended.stderr


def test_no_archive_is_a_clear_stop(empty: Desk):
    assert empty.refused("numbers") == (Exit.NOT_FOUND, "archive-missing")
    assert not empty.home.exists()


@pytest.mark.parametrize(
    ("locale", "said"), [("zh_CN.UTF-8", "中没有档案库"), ("C.UTF-8", "There is no archive")]
)
def test_sentences_follow_the_language_of_the_terminal(empty: Desk, locale: str, said: str):
    assert said in empty.run("numbers", LC_ALL=locale).stderr


def test_a_reader_that_has_enough_is_no_error(desk: Desk):
    command = f'"{sys.executable}" -m web schema voucher | head -1'
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0
    assert ended.stderr == ""


def test_ctrl_c_leaves_nothing_half_filed(desk: Desk):
    for number in range(30):
        desk.write(f"in/一级/其他/{number:02d}/voucher.json", desk.voucher.read_bytes() + b" " * number)
    command = [sys.executable, "-m", "web", "import", str(desk.folder / "in")]
    running = subprocess.Popen(
        command,
        env=environment(MUNIMENT_HOME=str(desk.home)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    while not any((desk.home / "vault").glob("2026/一级/其他/*")) and running.poll() is None:
        time.sleep(0.02)
    running.send_signal(2)
    _, said = running.communicate(timeout=300)
    assert running.returncode == 130
    assert b"Traceback" not in said
    assert desk.ask("numbers")["whole"] is True
    assert desk.ask("ledger", "verify")["whole"] is True
    finished = desk.ask("import", desk.folder / "in")
    assert finished["known"] > 0
    assert finished["known"] + finished["filed"] == 30


def test_a_place_that_cannot_be_used_is_named(tmp_path: Path):
    plain = tmp_path / "plain"
    plain.write_text("")
    for home in (plain, plain / "below", Path("/proc/nowhere")):
        done = muniment("--home", home, "init")
        assert done.returncode == Exit.UNAVAILABLE
        assert str(home) in done.stderr or str(home.parent) in done.stderr
        assert "incident" not in done.stderr
    assert plain.read_text() == ""


def test_what_stands_in_pictures_is_counted_and_named_what_to_install_or_read(desk: Desk):
    desk.file(desk.photo)
    status = desk.ask("ocr", "status")
    assert (status["waiting"], status["done"], status["pages"], status["failed"]) == (1, 0, 0, [])
    assert (status["unread_documents"], status["unread_pages"]) == (1, 1)
    for command in (("search", "道具"), ("show", "2026-一级-剧本相关-001")):
        told = desk.ask(*command)
        assert told["unread_pages"] == 1
        assert told["install"] == status["install"]
    if not status["available"]:
        assert "muniment[ocr]" in str(status["install"])
        assert desk.refused("ocr", "run") == (Exit.UNAVAILABLE, "ocr-missing")
        return
    assert status["install"] is None
    done = desk.ask("ocr", "run")
    assert (done["read"], done["waiting"], done["done"], done["pages"]) == (1, 0, 1, 1)
    assert desk.ask("search", "道具")["unread_documents"] == done["unread_pages"] == 0
    assert desk.ask("ocr", "run", "--again")["read"] == 0


def test_an_archive_without_a_single_file_is_whole(desk: Desk):
    add = ("people", "add", "周敏", "--role", "administrator", "--department", "客服部", "--password-stdin")
    desk.ask(*add, given="correct-horse-battery\n")
    assert desk.ask("ledger", "verify")["entries"] == 2
    assert desk.ask("numbers") == {"whole": True, "series": []}
    assert desk.ask("fixity")["whole"] is True


@pytest.mark.parametrize(
    ("locale", "said", "unsaid"),
    [("zh_CN.UTF-8", "备份", "snapshot"), ("en_GB.UTF-8", "Take a snapshot", "备份")],
)
def test_the_list_of_commands_is_whole_and_in_the_language_of_the_terminal(
    locale: str, said: str, unsaid: str
):
    listed = re.split("Commands:|命令:", muniment("--help", LC_ALL=locale).stdout)[-1]
    assert "..." not in listed
    assert unsaid not in listed
    assert said in " ".join(listed.split())


def test_the_index_tells_its_size_and_is_rebuilt_without_alarm(desk: Desk):
    desk.file()
    rebuilt = desk.run("index", "rebuild", LC_ALL="zh_CN.UTF-8")
    assert (rebuilt.stdout, rebuilt.stderr) == ("索引已重建，共 1 份。\n", "")
    told = desk.run("index", "status", LC_ALL="zh_CN.UTF-8").stdout
    assert re.search(r"大小 [\d.]+ [KM]?B，第 [1-9]\d* 代", told)


def test_a_folder_without_a_voucher_is_refused_and_said_so(desk: Desk):
    empty = desk.folder / "empty"
    (empty / "below").mkdir(parents=True)
    assert desk.refused("import", empty) == (Exit.REFUSED, "nothing-to-import")
    said = desk.run("import", empty, LC_ALL="zh_CN.UTF-8").stderr
    assert f"{empty} 及其下级文件夹中没有 voucher.json" in said


def test_what_the_system_refuses_is_said_in_the_language_of_the_terminal(desk: Desk):
    said = desk.run("--home", "/proc/nowhere", "init", LC_ALL="zh_CN.UTF-8").stderr
    assert "不存在，ENOENT" in said
    assert not re.search("[a-z]{3}", said.partition("（")[2])


def test_a_wrong_call_is_an_answer_too():
    ended = muniment("search", "退款", "--sort", "colour", "--json")
    assert ended.returncode == Exit.USAGE
    assert json.loads(ended.stdout)["error"] == "usage"


def test_what_is_kept_of_a_file_and_who_may_come_in_are_told_in_words(desk: Desk):
    desk.file(desk.photo)
    desk.ask("hold", REFERENCE, "--reason", "诉讼")
    shown = desk.run("show", REFERENCE, LC_ALL="zh_CN.UTF-8").stdout
    assert "状态：在库" in shown
    assert "受理时间：2026-02-27 20:15:00" in shown  # at the hours of the house
    assert "冻结中：诉讼" in shown
    add = ("people", "add", "周敏", "--role", "employee", "--department", "客服部", "--password-stdin")
    desk.ask(*add, given="correct-horse-battery\n")
    desk.ask("people", "disable", "周敏")
    listed = desk.run("people", "list", LC_ALL="zh_CN.UTF-8").stdout
    assert listed == "P0001  周敏  员工  客服部  已停用\n"
    assert desk.run("quarantine", "list", LC_ALL="zh_CN.UTF-8").stdout == "隔离区为空。\n"
    refused = desk.run("backup", LC_ALL="zh_CN.UTF-8").stderr
    assert not re.search("[a-z]{3}", refused.replace("muniment", "").replace("backup_to", ""))
