"""Opening the house: with its key and passphrase, or a sentence that says what to do."""

from dataclasses import replace
from pathlib import Path

import pytest

from archive.casefile.filing import Submission
from archive.errors import Code, MunimentError
from archive.evidence.sandbox import Sandbox
from archive.founding import is_founded
from archive.keys import passphrase
from archive.ledger.entries import CONSOLE
from tests.vouchers import voucher
from web.wiring import init, opened


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(passphrase, "_MEMORY_KIB", 64)
    monkeypatch.setattr(passphrase, "_TIME_COST", 1)


def refusal(work) -> Code:
    with pytest.raises(MunimentError) as caught:
        work()
    assert caught.value.say("zh")
    assert caught.value.say("en")
    return caught.value.code


def enter(settings, passphrase: str | None = None) -> None:
    with opened(settings, passphrase):
        pass


def test_a_new_house_has_its_key_beside_it_and_opens(settings):
    init(settings)
    assert settings.key_path.stat().st_mode & 0o777 == 0o600
    assert settings.key_path.parent == settings.home.parent
    enter(settings)


def test_a_key_that_is_there_is_used_again(settings):
    init(settings)
    key = settings.key_path.read_bytes()
    second = replace(settings, home=settings.home.with_name("second"), key_file=settings.key_path)
    init(second)
    assert settings.key_path.read_bytes() == key
    enter(second)


def test_founding_twice_is_refused_and_the_key_stays(settings):
    init(settings)
    key = settings.key_path.read_bytes()
    assert refusal(lambda: init(settings)) is Code.ARCHIVE_EXISTS
    assert settings.key_path.read_bytes() == key


def test_a_missing_archive_is_said_before_anything_about_its_key(settings):
    assert refusal(lambda: enter(settings)) is Code.ARCHIVE_MISSING
    assert not settings.key_path.exists()


def test_a_lost_key_is_said_and_none_is_made(settings):
    init(settings)
    settings.key_path.unlink()
    assert refusal(lambda: enter(settings)) is Code.KEY_MISSING
    assert not settings.key_path.exists()


def test_the_key_of_another_archive_is_said(settings):
    init(settings)
    other = replace(settings, home=settings.home.with_name("other"))
    init(other)
    assert refusal(lambda: enter(replace(settings, key_file=other.key_path))) is Code.KEY_WRONG


def test_a_key_that_others_may_read_is_refused(settings):
    init(settings)
    settings.key_path.chmod(0o644)
    assert refusal(lambda: enter(settings)) is Code.KEY_PERMISSIONS


def test_a_house_under_a_passphrase_opens_with_it_and_with_no_other(settings, tmp_path):
    init(settings, "开门")
    enter(settings, "开门")
    assert refusal(lambda: enter(settings)) is Code.PASSPHRASE_WRONG
    assert refusal(lambda: enter(settings, "关门")) is Code.PASSPHRASE_WRONG
    (tmp_path / "passphrase").write_text("开门\n")
    enter(replace(settings, passphrase_file=tmp_path / "passphrase"))
    (tmp_path / "passphrase").write_text("关门\n")
    assert refusal(lambda: enter(replace(settings, passphrase_file=tmp_path / "passphrase"))) is (
        Code.PASSPHRASE_WRONG
    )


def test_a_passphrase_file_that_cannot_be_read_is_said(settings, tmp_path):
    init(settings, "x")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for path in (tmp_path / "nothing", tmp_path, tmp_path / "binary"):
        code = refusal(lambda path=path: enter(replace(settings, passphrase_file=path)))
        assert code in (Code.PATH_NOT_FOUND, Code.PASSPHRASE_WRONG)


def test_a_scheme_that_cannot_work_stops_the_start(settings, tmp_path):
    init(settings)
    (tmp_path / "scheme.toml").write_text("")
    assert refusal(lambda: enter(replace(settings, scheme=tmp_path / "scheme.toml"))) is Code.SCHEME_INVALID


def test_what_a_crash_left_is_cleared_at_the_start(settings):
    init(settings)
    left = settings.home / "staging" / "dead"
    left.mkdir()
    (left / "content").mkdir()
    enter(settings)
    assert list((settings.home / "staging").iterdir()) == []


def test_an_error_inside_closes_the_house(settings, monkeypatch):
    def work(house) -> None:
        house.filing.file(CONSOLE, Submission("一级", "剧本相关", None, None, voucher()))
        assert house.sandbox.pids
        raise RuntimeError

    monkeypatch.setattr("web.wiring.Sandbox", Sandbox)
    init(settings)
    with pytest.raises(RuntimeError), opened(settings) as house:
        work(house)
    assert house.sandbox.pids == ()
    assert not Path(f"{house.catalogue.database.path}-wal").exists()
    assert is_founded(settings.home)
