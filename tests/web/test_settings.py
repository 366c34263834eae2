"""Settings: one typed object; an unknown key stops the start and names the nearest known one."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Code, MunimentError
from web.settings import KEYS, Settings, load_settings


@pytest.fixture
def refusal(tmp_path):
    def of(**environment: str) -> MunimentError:
        with pytest.raises(MunimentError) as caught:
            load_settings({"MUNIMENT_HOME": str(tmp_path), **environment})
        assert caught.value.say("zh")
        assert caught.value.say("en")
        return caught.value

    return of


def test_without_anything_said_there_are_defaults():
    assert load_settings({}) == Settings()
    assert Settings().key_path == Path("var.key").absolute()


def test_the_environment_wins_over_the_file_and_the_command_line_over_both(tmp_path):
    (tmp_path / "settings.toml").write_text('port = 1\nhost = "0.0.0.0"\nsecure_cookies = true')
    settings = load_settings({"MUNIMENT_HOME": "elsewhere", "MUNIMENT_PORT": "2"}, home=tmp_path)
    assert (settings.home, settings.port, settings.host, settings.secure_cookies) == (
        tmp_path,
        2,
        "0.0.0.0",
        True,
    )


def test_other_programs_variables_are_none_of_ours():
    assert load_settings({"PATH": "/bin", "MUNIMENT_CORPUS": "/x"}) == Settings()


@pytest.mark.parametrize(
    ("given", "nearest"),
    [
        ("MUNIMENT_PROT", "MUNIMENT_PORT"),
        ("MUNIMENT_KEYFILE", "MUNIMENT_KEY_FILE"),
        ("MUNIMENT_", "MUNIMENT_"),
    ],
)
def test_an_unknown_variable_stops_the_start_and_names_the_nearest(refusal, given, nearest):
    error = refusal(**{given: "1"})
    assert error.code is Code.SETTING_UNKNOWN
    assert nearest in error.say("zh")


def test_an_unknown_key_of_the_file_stops_the_start_and_names_the_nearest(refusal, tmp_path):
    (tmp_path / "settings.toml").write_text("uplaod_limit_mb = 5")
    error = refusal()
    assert (error.code, error.facts["nearest"]) == (Code.SETTING_UNKNOWN, "upload_limit_mb")


@pytest.mark.parametrize(
    "text", ["port = ", "port = [1]", "port = 1.5", 'home = "x"', "\udcff", "secure_cookies = 7"]
)
def test_a_file_that_says_what_cannot_be_is_refused(refusal, tmp_path, text):
    (tmp_path / "settings.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert refusal().code is Code.SETTING_INVALID


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("PORT", "http"),
        ("PORT", "-1"),
        ("PORT", "65536"),
        ("PORT", ""),
        ("WORKERS", "0"),
        ("THREADS", "257"),
        ("EVIDENCE_LIMIT_MB", "0"),
        ("UPLOAD_LIMIT_MB", "20001"),
        ("PAGES_LIMIT", "0"),
        ("SECURE_COOKIES", "maybe"),
        ("TIMEZONE", "Mars"),
        ("TIMEZONE", ""),
        ("TIMEZONE", "../etc/passwd"),
        ("TIMEZONE", "Asia"),
        ("HOME", ""),
    ],
)
def test_a_value_that_cannot_be_is_refused_by_name(refusal, key, value):
    error = refusal(**{f"MUNIMENT_{key}": value})
    assert (error.code, error.facts["key"]) == (Code.SETTING_INVALID, key.lower())


def test_the_key_never_lies_in_the_home_folder(refusal, tmp_path):
    error = refusal(MUNIMENT_KEY_FILE=str(tmp_path / "below" / "archive.key"))
    assert (error.code, error.facts["key"]) == (Code.SETTING_INVALID, "key_file")
    assert load_settings({"MUNIMENT_HOME": str(tmp_path)}).key_path == tmp_path.with_name(
        f"{tmp_path.name}.key"
    )


@given(st.sampled_from(KEYS), st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_no_text_at_all_is_a_defect(key, value):
    try:
        load_settings({f"MUNIMENT_{key.upper()}": value})
    except MunimentError as error:
        assert error.code is Code.SETTING_INVALID


def test_settings_cannot_be_changed():
    with pytest.raises(AttributeError):
        Settings().port = 1
