"""Both languages say the same things, and every word that is asked for is there."""

import re
from datetime import date
from enum import StrEnum
from pathlib import Path

import pytest

from access.person import Role
from access.requests import RequestState
from archive.casefile.counting import Facet, Status
from archive.casefile.reading import FileState
from archive.evidence.kinds import Family
from archive.fixity.report import Scope, Trait
from archive.ledger.acts import Act
from archive.scheme.scheme import load_scheme
from archive.voucher.form import Channel
from indexer.query.parsing import parse
from indexer.searching import Sort
from retention.sweeping import Ground
from web.drafting import COMMON_DEMANDS
from web.wording import Language, placeholders, wording

WEB = Path(__file__).parents[2] / "web"
ZH, EN = wording(Language.ZH).words, wording(Language.EN).words
# Families whose members are asked for by value: word("role", person.role), t("nav." ~ link.key).
FAMILIES = {
    "act": Act,
    "actor": ("console", "nobody", "system"),
    "channel": Channel,
    "demand": COMMON_DEMANDS,
    "facet": Facet,
    "file_state": FileState,
    "file_status": Status,
    "find.by": Sort,
    "find.means": ("words", "phrase", "either", "fields", "initials", "code"),
    "find.write": ("words", "phrase", "either", "fields", "initials", "code"),
    "ground": tuple(ground for level in load_scheme().levels for ground in level.permanent),
    "home.about": ("lookups", "ledger", "numbers", "people"),
    "home.to": ("approve", "provide", "close"),
    "kind": ("chat", *Family, "mail", "slides", "table", "webpage"),
    "key_kind": ("file", "argon2id", "aws-kms", "pkcs11"),
    "nav": (
        "home", "find", "file", "inbox", "requests", "lookups", "retention", "pictures", "numbers", "fixity",
        "ledger", "people", "state",
    ),
    "fixity.checks": Trait,
    "fixity.scope": Scope,
    "outcome": ("whole", "damaged"),
    "purpose": load_scheme().purposes,
    "request_state": RequestState,
    "requests_done": ("approve", "refuse", "withdraw", "provide", "sign-off", "close", "recall"),
    "retention_ground": Ground,
    "role": Role,
    "state.backup": ("good", "none", "old", "damaged"),
    "state.covers": ("some",),
    "state.disk": ("good", "low"),
    "state.fixity": ("good", "none", "damaged"),
    "state.index": ("good", "behind"),
    "state.isolated": ("some",),
    "state.pictures": ("good", "waiting", "missing"),
    "state.rehearsal": ("good", "none", "old", "damaged"),
    "subject": ("index", "ledger", "search", "vault"),
}  # fmt: skip
# The detail of an entry is written by many packages: what has no word here is shown by its key.
OPEN_FAMILIES = ("detail.",)


def sources() -> str:
    views = ("*.py", "cli/*.py", "pages/*.py", "sample/*.py", "templates/**/*.html")
    pages = [path for each in views for path in WEB.glob(each)]

    return "\n".join(path.read_text("utf-8") for path in pages)


def asked_for() -> set[str]:
    """Every key that stands in a view or template between quotes."""
    return set(re.findall(r"[\"']([a-z_]+\.[a-z_]+)[\"']", sources())) & (set(ZH) | called())


def called() -> set[str]:
    """The keys given to t(...) or words(...) outright."""
    return set(re.findall(r"\b(?:t|words)\(\s*[\"']([a-z_]+\.[a-z_]+)[\"'](?! ~)", sources()))


def of_families() -> set[str]:
    found = set()
    for family, members in FAMILIES.items():
        joint = "_" if "." in family else "."
        found |= {f"{family}{joint}{member}" for member in members}
    return found


def test_both_languages_have_the_same_keys():
    assert set(ZH) == set(EN)


@pytest.mark.parametrize("key", sorted(ZH))
def test_both_languages_fill_in_the_same_facts(key: str):
    assert placeholders(ZH[key]) == placeholders(EN[key])


def test_no_word_is_blank():
    assert [key for words in (ZH, EN) for key, text in words.items() if not text.strip()] == []


def test_every_word_that_is_asked_for_is_there():
    assert called() - set(ZH) == set()


def test_every_value_of_the_domain_has_its_word():
    assert of_families() - set(ZH) == set()


def test_no_word_is_kept_that_nobody_asks_for():
    unused = {key for key in set(ZH) - asked_for() - of_families() if not key.startswith(OPEN_FAMILIES)}
    assert unused == set()


def test_a_member_of_a_family_without_a_word_is_shown_as_it_is():
    class Other(StrEnum):
        LEVEL = "特级"

    assert wording(Language.ZH).of("level", Other.LEVEL) == "特级"


def test_an_unknown_key_is_a_defect():
    with pytest.raises(KeyError):
        wording(Language.EN)("nothing.here")


@pytest.mark.parametrize("words", [ZH, EN], ids=["zh", "en"])
def test_a_query_that_is_shown_as_an_example_can_be_asked(words):
    for key in FAMILIES["find.write"]:
        parse(words[f"find.write_{key}"], date(2026, 11, 24))


def test_templates_hold_no_words_of_their_own():
    """It would not change with the language. The sample reference code is the same in both."""
    chinese = re.compile(r"[\u3400-\u9fff]")
    found = []
    for path in WEB.glob("templates/**/*.html"):
        text = path.read_text("utf-8").replace("2026-一级-剧本相关-001", "").replace('join("、")', "")
        found += [f"{path.name}: {line}" for line in text.splitlines() if chinese.search(line)]
    assert found == []
