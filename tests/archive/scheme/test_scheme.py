"""The scheme: the policy's own one, and what another organisation may bring."""

from importlib.resources import files

import pytest

from archive.errors import Code, MunimentError
from archive.scheme.scheme import load_scheme

DEFAULT = (files("archive.scheme") / "default.toml").read_text("utf-8")


@pytest.fixture
def load(tmp_path):
    def from_text(text: str):
        (tmp_path / "scheme.toml").write_text(text, "utf-8")
        return load_scheme(tmp_path / "scheme.toml")

    return from_text


def code_of(work) -> Code:
    with pytest.raises(MunimentError) as caught:
        work()
    assert caught.value.say("zh")
    assert caught.value.say("en")
    return caught.value.code


def test_the_default_scheme_is_the_policy():
    """P10, P13.3, P14.1."""
    scheme = load_scheme()
    assert [(each.number, each.name, each.retention_years, each.approvers) for each in scheme.levels] == [
        (1, "一级", 2, ("head",)),
        (2, "二级", 5, ("head", "operations")),
        (3, "三级", 10, ("head", "operations")),
    ]
    assert [each.permanent for each in scheme.levels] == [(), (), ("legal-dispute", "brand-impact")]
    assert [each.name for each in scheme.categories] == [
        "剧本相关",
        "服务相关",
        "环境相关",
        "收费相关",
        "其他",
    ]
    assert len(scheme.purposes) == 5


@pytest.mark.parametrize("given", ["一级", "1"])
def test_a_level_is_known_by_name_and_number(given):
    assert load_scheme().level(given).name == "一级"


@pytest.mark.parametrize("given", ["剧本相关", "script"])
def test_a_category_is_known_by_name_and_english_title(given):
    assert load_scheme().category(given).name == "剧本相关"


@pytest.mark.parametrize("given", ["", "0", "4", "一", "level 1", "一级 "])
def test_an_unknown_level_is_refused_and_the_known_ones_named(given):
    with pytest.raises(MunimentError) as caught:
        load_scheme().level(given)
    assert caught.value.code is Code.LEVEL_UNKNOWN
    assert "一级、二级、三级" in caught.value.say("zh")


def test_an_unknown_category_is_refused():
    assert code_of(lambda: load_scheme().category("剧本")) is Code.CATEGORY_UNKNOWN


def test_only_the_third_level_may_be_permanent():
    scheme = load_scheme()
    scheme.check_permanent(scheme.level("3"), "brand-impact")
    scheme.check_permanent(scheme.level("1"), None)
    for level, ground in (("1", "brand-impact"), ("2", "legal-dispute"), ("3", ""), ("3", "whim")):
        found = scheme.level(level)
        assert code_of(lambda level=found, ground=ground: scheme.check_permanent(level, ground)) is (
            Code.PERMANENT_NOT_ALLOWED
        )


def test_another_scheme_is_read(load):
    scheme = load(DEFAULT.replace("一级", "A级").replace("retention_years = 2", "retention_years = 30"))
    assert scheme.level("A级").retention_years == 30


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (DEFAULT, ""),
        (DEFAULT, "not toml ["),
        ('name = "一级"', 'name = "../一级"'),
        ('name = "一级"', 'name = "一-级"'),
        ('name = "一级"', 'name = ""'),
        ('name = "一级"', "name = 1"),
        ('name = "一级"', f'name = "{"级" * 21}"'),
        ('name = "二级"', 'name = "一级"'),
        ('name = "服务相关"', 'name = "剧本相关"'),
        ("retention_years = 2", "retention_years = 0"),
        ("retention_years = 2", 'retention_years = "two"'),
        ('approvers = ["head"]', "approvers = []"),
        ('en = "routine"', 'fr = "routine"'),
        ("[access]", "[other]"),
    ],
    ids=lambda each: each[:30],
)
def test_a_scheme_that_cannot_work_is_refused(load, old, new):
    assert old in DEFAULT
    assert code_of(lambda: load(DEFAULT.replace(old, new, 1))) is Code.SCHEME_INVALID


def test_a_scheme_that_is_not_there_is_said(tmp_path):
    assert code_of(lambda: load_scheme(tmp_path / "scheme.toml")) is Code.PATH_NOT_FOUND
