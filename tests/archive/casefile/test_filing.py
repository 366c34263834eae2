"""Filing: names by the rule (P13.2), everything or nothing, each refused file named."""

import io
from datetime import date
from hashlib import sha256, sha512

import pikepdf
import pytest
import sqlalchemy as sa

from archive.casefile import tables
from archive.casefile.sources import Source
from archive.errors import Code, MunimentError
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.ledger.log import follow

ACTOR = Actor("P0002")
NEXT = "2026-一级-剧本相关-002"


@pytest.fixture
def before(archive, contents):
    """What there is, to be compared with what there is after a refusal."""
    return contents()


@pytest.fixture
def contents(archive):
    def read():
        files = [path.relative_to(archive.home) for path in (archive.home / "vault").rglob("*")]
        with archive.founded.catalogue.reading() as connection:
            rows = connection.execute(sa.select(sa.func.count()).select_from(tables.document)).scalar_one()
            return sorted(files), rows, len(follow(connection, 0)), list((archive.home / "staging").iterdir())

    return read


@pytest.fixture
def refusal(archive, before, contents):
    def run(submission) -> MunimentError:
        with pytest.raises(MunimentError) as caught:
            archive.filing.file(ACTOR, submission)
        assert caught.value.say("zh")
        assert caught.value.say("en")
        assert contents() == before
        assert archive.wrong() == []
        return caught.value

    return run


def test_a_case_file_lies_where_the_naming_rule_says(archive, forms):
    filed = archive.filing.file(
        ACTOR, forms.submission(("a.jpg", forms.photo("red")), ("b.jpg", forms.photo("blue")))
    )
    assert filed.reference == NEXT
    assert filed.documents == (f"{NEXT}.pdf", f"{NEXT}-01.pdf", f"{NEXT}-02.pdf")
    content = archive.home / "vault" / "2026" / "一级" / "剧本相关" / NEXT / "v1" / "content"
    assert sorted(each.name for each in content.iterdir()) == sorted((*filed.documents, f"{NEXT}.record"))


def test_what_was_handed_in_comes_back_byte_for_byte(archive, forms):
    photo, voucher = forms.photo("green"), forms.voucher(notes="情绪激动")
    reference = archive.filing.file(ACTOR, forms.submission(("合影 1.jpg", photo), voucher=voucher)).reference
    case_file = archive.case_files.get(reference)
    assert archive.case_files.voucher(case_file) == voucher
    assert archive.case_files.titles(case_file) == {0: "voucher.json", 1: "合影 1.jpg"}
    assert "第三幕道具缺失" in "".join(archive.case_files.texts(case_file)[0])
    printed, picture = archive.case_files.documents(case_file)
    assert (printed.original_sha256, picture.original_sha256) == (
        sha256(voucher).hexdigest(),
        sha256(photo).hexdigest(),
    )
    for document in (printed, picture):
        stream, password = archive.case_files.open_document(case_file, document.ordinal)
        with stream:
            assert sha512(stream.read()).hexdigest() == document.sha512
            stream.seek(0)
            with pikepdf.open(stream, password=password) as pdf:
                assert len(pdf.pages) == document.pages
                assert pdf.encryption.R == 6


def test_the_facts_are_in_the_catalogue(archive, forms):
    reference = archive.filing.file(ACTOR, forms.submission()).reference
    case_file = archive.case_files.get(reference)
    assert (case_file.year, case_file.level, case_file.category, case_file.number) == (
        2026,
        "一级",
        "剧本相关",
        2,
    )
    assert (case_file.completed_on, case_file.filed_by, case_file.version) == (date(2026, 3, 1), ACTOR, 1)
    assert (case_file.store, case_file.department, case_file.channel) == ("春熙路店", "春熙路店", "门店现场")


def test_filing_is_one_entry_of_the_ledger(archive, forms):
    with archive.founded.catalogue.reading() as connection:
        before = len(follow(connection, 0))
    reference = archive.filing.file(ACTOR, forms.submission()).reference
    with archive.founded.catalogue.reading() as connection:
        (entry,) = follow(connection, before)
    assert (entry.act, entry.actor, entry.subject) == (Act.FILED, ACTOR, reference)


def test_the_year_is_that_of_receipt_where_the_organisation_is(archive, forms):
    eve = forms.voucher(received_at="2025-12-31T16:30+00:00")  # half past midnight in China
    assert archive.filing.file(ACTOR, forms.submission(voucher=eve)).reference == NEXT
    eve = forms.voucher(received_at="2026-01-01T00:30+09:00")
    submission = forms.submission(voucher=eve, completed_on=None)
    assert archive.filing.file(ACTOR, submission).reference == "2025-一级-剧本相关-001"


def test_levels_and_categories_are_known_by_number_and_english_name(archive, forms):
    filed = archive.filing.file(ACTOR, forms.submission(level="2", category="charges"))
    assert filed.reference == "2026-二级-收费相关-001"


def test_a_file_without_evidence_and_without_completion_is_filed(archive, forms):
    filed = archive.filing.file(ACTOR, forms.submission(completed_on=None))
    assert filed.documents == (f"{NEXT}.pdf",)
    assert archive.case_files.get(NEXT).completed_on is None


def test_a_permanent_file_needs_a_ground_of_its_level(archive, forms, refusal):
    assert refusal(forms.submission(permanent="brand-impact")).code is Code.PERMANENT_NOT_ALLOWED
    assert refusal(forms.submission(level="三级", permanent="whim")).code is Code.PERMANENT_NOT_ALLOWED
    filed = archive.filing.file(ACTOR, forms.submission(level="三级", permanent="brand-impact"))
    assert archive.case_files.get(filed.reference).permanent == "brand-impact"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"level": "四级"}, Code.LEVEL_UNKNOWN),
        ({"level": ""}, Code.LEVEL_UNKNOWN),
        ({"category": "../其他"}, Code.CATEGORY_UNKNOWN),
        ({"completed_on": date(2026, 2, 26)}, Code.DATE_NOT_POSSIBLE),
        ({"completed_on": date(2026, 11, 25)}, Code.DATE_NOT_POSSIBLE),
        ({"voucher": b""}, Code.VOUCHER_INVALID),
        ({"voucher": b"{}"}, Code.VOUCHER_INVALID),
        ({"voucher": b"\xff"}, Code.VOUCHER_INVALID),
    ],
)
def test_what_cannot_be_is_refused_and_leaves_nothing(forms, refusal, changed, code):
    assert refusal(forms.submission(("a.jpg", forms.photo()), **changed)).code is code


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "../a.jpg",
        "a/b.jpg",
        "a\\b.jpg",
        "a\x00.jpg",
        "a\n.jpg",
        "\u202egpj.a",
        "好" * 100 + ".jpg",
        "\udcff",
    ],
)
def test_a_name_that_is_none_is_refused_and_shown_harmlessly(forms, refusal, name):
    error = refusal(forms.submission((name, forms.photo())))
    assert error.code is Code.EVIDENCE_NAME
    assert error.say("zh").isprintable()
    error.say("zh").encode()


def test_names_of_255_bytes_are_kept(archive, forms):
    name = "好" * 83 + ".txt.jpg"[-6:]
    assert len(name.encode()) == 255
    reference = archive.filing.file(ACTOR, forms.submission((name, forms.photo()))).reference
    assert archive.case_files.titles(archive.case_files.get(reference))[1] == name


def test_each_refused_file_is_named_with_its_reason(forms, refusal):
    error = refusal(
        forms.submission(
            ("好.jpg", forms.photo()),
            ("空.jpg", b""),
            ("坏.jpg", forms.photo()[:200]),
            ("../名.jpg", forms.photo()),
            ("怪.bin", b"\x00\x01" * 50),
        )
    )
    assert error.code is Code.EVIDENCE_REFUSED
    assert [each.code for _, each in error.facts["problems"].refused] == [
        Code.EVIDENCE_EMPTY,
        Code.EVIDENCE_UNREADABLE,
        Code.EVIDENCE_NAME,
        Code.EVIDENCE_KIND,
    ]
    for name in ("空.jpg", "坏.jpg", "怪.bin"):
        assert name in error.say("zh")
        assert name in error.say("en")


def test_one_refused_file_is_refused_with_its_own_sentence(forms, refusal):
    assert refusal(forms.submission(("空.jpg", b""), ("好.jpg", forms.photo()))).code is Code.EVIDENCE_EMPTY


def test_two_files_of_one_name_are_both_kept(archive, forms):
    one, two = forms.photo("red"), forms.photo("blue")
    reference = archive.filing.file(ACTOR, forms.submission(("a.jpg", one), ("a.jpg", two))).reference
    documents = archive.case_files.documents(archive.case_files.get(reference))
    assert [each.original_sha256 for each in documents[1:]] == [
        sha256(each).hexdigest() for each in (one, two)
    ]


def test_the_same_file_twice_is_two_documents(archive, forms):
    same = forms.photo("red")
    reference = archive.filing.file(ACTOR, forms.submission(("a.jpg", same), ("b.jpg", same))).reference
    assert len(archive.case_files.documents(archive.case_files.get(reference))) == 3
    assert archive.wrong() == []


def test_a_stream_that_breaks_off_leaves_nothing(archive, forms, before, contents):
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    from dataclasses import replace

    submission = replace(forms.submission(), evidence=(Source("a.jpg", Broken()),))
    with pytest.raises(OSError, match="Input/output"):
        archive.filing.file(ACTOR, submission)
    assert contents() == before


def test_evidence_may_be_checked_without_being_kept(archive, forms, before, contents):
    with archive.filing.check_evidence(ACTOR, Source("a.jpg", io.BytesIO(forms.photo()))) as converted:
        assert converted.pages == 1
    with pytest.raises(MunimentError):
        archive.filing.check_evidence(ACTOR, Source("../a.jpg", io.BytesIO(forms.photo())))
    assert contents() == before


def test_an_object_that_a_crash_left_at_the_next_number_is_replaced(archive, forms):
    left = archive.home / "vault" / "2026" / "一级" / "剧本相关" / NEXT
    left.mkdir()
    (left / "rubbish").write_bytes(b"")
    (archive.home / "staging" / f"0@{NEXT}").mkdir()
    assert archive.filing.file(ACTOR, forms.submission()).reference == NEXT
    assert archive.wrong() == []


def test_a_number_taken_past_the_lock_is_not_taken_twice(archive, forms, monkeypatch, before, contents):
    """Another machine on a shared disk might not see the lock: the number is asked again inside the transaction."""
    monkeypatch.setattr(archive.filing, "_last_number", lambda _: 6)
    with pytest.raises(MunimentError) as caught:
        archive.filing.file(ACTOR, forms.submission())
    assert caught.value.code is Code.ARCHIVE_BUSY
    assert contents() == before
