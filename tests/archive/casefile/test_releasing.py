"""Releasing: a fresh copy under a one-time password, recorded before it is handed out."""

from datetime import UTC, datetime

import pikepdf
import pypdfium2
import pytest
import sqlalchemy as sa

from archive.casefile.reading import FileState
from archive.casefile.reference import Reference
from archive.casefile.releasing import one_time_password, stamp
from archive.errors import Code, MunimentError
from archive.ledger import tables
from archive.ledger.acts import Act
from archive.ledger.log import entries

ACTOR = "P0001"


@pytest.fixture
def filed(house, forms) -> str:
    return house.filing.file(ACTOR, forms.submission(("照片.jpg", forms.photo()))).reference


def released(house):
    with house.catalogue.reading() as connection:
        query = sa.select(tables.entry.c.position).where(tables.entry.c.act == Act.RELEASED.value)
        return list(entries(connection, house.catalogue.ledger, query, house.case_files.file_key))


@pytest.fixture
def release(house, filed):
    """Releases the file; the copies are closed when the test is done with them."""
    streams = []

    def give(to: str = "", *, originals: bool = False):
        given = house.releasing.release(ACTOR, filed, to=to, originals=originals)
        streams.extend(stream for _, stream in given.documents)
        return given

    yield give
    for stream in streams:
        stream.close()


def test_a_copy_opens_with_its_own_password_and_with_no_other(house, filed, release):
    given = release(to="法院")
    case_file = house.case_files.get(filed)
    assert [name for name, _ in given.documents] == [
        each.name for each in house.case_files.documents(case_file)
    ]
    for ordinal, (_, stream) in enumerate(given.documents):
        kept, stored_password = house.case_files.open_document(case_file, ordinal)
        kept.close()
        with stream, pikepdf.open(stream, password=given.password) as pdf:
            assert pdf.encryption.R == 6
            assert len(pdf.pages) > 0
            with pytest.raises(pikepdf.PasswordError):  # noqa: PT012 - the block fails
                stream.seek(0)
                pikepdf.open(stream, password=stored_password)
        assert stored_password != given.password


def test_a_release_is_recorded_with_whom_it_is_for_and_without_the_password(house, filed, release):
    given = release(to="法院")
    (entry,) = released(house)
    assert (entry.actor, entry.subject, entry.detail["to"]) == (ACTOR, filed, "法院")
    assert given.password not in str(entry.detail)


@pytest.mark.parametrize("originals", [False, True])
def test_originals_go_with_it_only_when_asked_for_and_the_ledger_says_which(house, release, originals: bool):
    given = release(originals=originals)
    (entry,) = released(house)
    assert entry.detail["originals"] is originals
    voucher, photo = (pikepdf.open(stream, password=given.password) for _, stream in given.documents)
    with voucher, photo:
        assert list(voucher.attachments) == (["voucher.json"] if originals else [])
        assert list(photo.attachments) == []  # a photograph is its page


def first_page(given) -> bytes:
    document = pypdfium2.PdfDocument(given.documents[0][1], password=given.password)
    try:
        return document[0].render().to_pil().tobytes()
    finally:
        document.close()


def test_the_stamp_says_whom_the_copy_is_for(release):
    court, again, bureau, nobody = [first_page(release(to=each)) for each in ("法院", "法院", "市监局", "")]
    assert court == again
    assert len({court, bureau, nobody}) == 3


@pytest.mark.parametrize(
    ("to", "originals", "said"),
    [
        ("法院", True, "001  副本 COPY  2026-03-01 10:30  交：法院"),
        ("", True, "001  副本 COPY  2026-03-01 10:30"),
        ("", False, "001  副本 COPY（不含原件）  2026-03-01 10:30"),
        (
            "法院\n调取" + "长" * 60,
            True,
            "001  副本 COPY  2026-03-01 10:30  交：法院 调取" + "长" * 34 + "…",
        ),
    ],
)
def test_a_stamp_keeps_to_one_line(to: str, originals: bool, said: str):
    assert stamp("001", datetime(2026, 3, 1, 10, 30, tzinfo=UTC), to, originals=originals) == said


def test_each_release_has_a_password_of_its_own(release):
    passwords = {release().password for _ in range(2)}
    assert len(passwords) == 2


def test_a_password_has_125_bits_in_groups_that_can_be_read_out():
    assert one_time_password(bytes) == "AAAAA-AAAAA-AAAAA-AAAAA-AAAAA"


def test_a_void_file_is_released_with_its_stamp(house, filed, release):
    assert house.voiding.void(ACTOR, filed, "重复登记").state is FileState.VOID
    given = release()
    assert len(given.documents) == 2


def test_nothing_is_released_of_a_damaged_file_and_the_damage_is_recorded(house, filed):
    path = house.founded.vault.now.root / Reference.parse(filed).folder / "v1" / "content" / f"{filed}-01.pdf"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(MunimentError) as caught:
        house.releasing.release(ACTOR, filed)
    assert caught.value.code is Code.DOCUMENT_ALTERED
    assert released(house) == []
    with house.catalogue.reading() as connection:
        acts = connection.execute(sa.select(tables.entry.c.act)).scalars().all()
    assert Act.DAMAGE_FOUND.value in acts
