"""Reference codes: read and written alike, and nothing else is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.casefile.reference import Reference, Series
from archive.errors import Code, MunimentError

NAMES = st.text(st.sampled_from("一二三级剧本相关服务ABCxyz019"), min_size=1, max_size=20)
REFERENCES = st.builds(
    Reference, st.builds(Series, st.integers(1000, 9999), NAMES, NAMES), st.integers(1, 999_999_999)
)


@given(REFERENCES)
def test_a_reference_is_read_as_it_was_written(reference):
    assert Reference.parse(str(reference)) == reference
    assert Reference.parse(f"  {reference}\n") == reference


@given(REFERENCES, st.integers(0, 999))
def test_the_names_of_a_file_lie_below_its_folder_and_differ(reference, ordinal):
    assert reference.folder.split("/") == [
        str(reference.series.year),
        reference.series.level,
        reference.series.category,
        str(reference),
    ]
    name = reference.document(ordinal)
    assert name.startswith(str(reference))
    assert name.endswith(".pdf")
    assert "/" not in name
    assert name != reference.document(ordinal + 1)


@given(st.text(max_size=60))
def test_any_other_text_is_refused_with_a_sentence(text):
    try:
        assert str(Reference.parse(text)) == text.strip()
    except MunimentError as error:
        assert error.code is Code.REFERENCE_INVALID
        assert error.say("zh")


@given(st.lists(REFERENCES, min_size=2, max_size=6, unique=True))
def test_unlike_references_have_unlike_codes_and_folders(references):
    assert len({str(each) for each in references}) == len(references)
    assert len({each.folder for each in references}) == len(references)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-一级-剧本相关",
        "2026-一级-剧本相关-1",
        "2026-一级-剧本相关-000",
        "2026-一级-剧本相关-0001",
        "2026-一级-剧本相关-001-01",
        "0026-一级-剧本相关-001",
        "２０２６-一级-剧本相关-001",
        "2026-一级-剧本相关-００１",
        "2026-../..-001",
        "2026-一级-剧/本-001",
        "2026-一级-剧本相关-001\x00",
        "2026—一级—剧本相关—001",
    ],
)
def test_what_looks_like_a_reference_and_is_none_is_refused(text):
    with pytest.raises(MunimentError):
        Reference.parse(text)


def test_the_policys_own_example():
    reference = Reference.parse("2026-一级-剧本相关-001")
    assert reference == Reference(Series(2026, "一级", "剧本相关"), 1)
    assert (reference.document(0), reference.document(7)) == (
        "2026-一级-剧本相关-001.pdf",
        "2026-一级-剧本相关-001-07.pdf",
    )
