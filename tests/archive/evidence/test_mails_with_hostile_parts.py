"""A mail is filed whatever is attached: what cannot be shown is named with its reason and stays in the original."""

import io
import os
import zipfile
import zlib
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pikepdf
import pytest
from PIL import Image

from archive.errors import Code, MunimentError
from archive.evidence import correspondence, mails, office, parting, scratch
from archive.evidence.kinds import EvidenceKind
from archive.evidence.limits import Limits
from archive.evidence.sandbox import Sandbox
from tests.archive.evidence.showing import shown

Written = Callable[..., bytes]


def mail_with(*attached: tuple[str, bytes]) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "wang@example.com", "kf@example.com", "投诉"
    mail.set_content("见附件")
    for name, data in attached:
        mail.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def endless(written: Written) -> bytes:
    """A page whose drawing takes minutes, in a few kilobytes."""

    def prepare(pdf: pikepdf.Pdf) -> None:
        drawing = zlib.compress(zlib.compress(b"0 0 m 9 9 l 5 1 l S " * 8_000_000, 9), 9)
        twice = pikepdf.Array([pikepdf.Name.FlateDecode] * 2)
        pdf.pages[0].obj.Contents = pikepdf.Stream(pdf, drawing, Filter=twice)

    return written("x", prepare=prepare, compress_streams=False)


def unfolding() -> bytes:
    """An office document that claims half a gigabyte."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("[Content_Types].xml", "<x/>")
        with package.open("word/document.xml", "w") as entry:
            for _ in range(500):
                entry.write(bytes(1_000_000))
    return target.getvalue()


def picture(number: int) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (2, 2), (number % 256, number // 256, 0)).save(target, "PNG")
    return target.getvalue()


def test_a_document_that_is_never_done_costs_its_own_pages_only(
    written: Written, tight: Sandbox, password: str
):
    data = mail_with(("一.txt", "前".encode()), ("炸弹.pdf", endless(written)), ("二.pdf", written("after")))
    pages = shown(tight, data, EvidenceKind.MAIL, password)
    assert len(pages) == 3
    assert "炸弹.pdf" in pages[0]
    assert "转换用时过长" in pages[0] or "展开后过大" in pages[0]
    assert pages[0].count("见后附1页") == 2
    assert "前" in pages[1]
    assert pages[2] == "after"


def test_an_office_document_that_turns_out_to_be_never_done_is_named(
    written: Written, tight: Sandbox, password: str, monkeypatch: pytest.MonkeyPatch
):
    bomb = endless(written)
    monkeypatch.setattr(office, "find", lambda: Path("/usr/bin/true"))
    monkeypatch.setattr(scratch, "available", lambda: True)
    monkeypatch.setattr(office, "to_pdf", lambda _programs, _program, _source, made, *_: os.write(made, bomb))
    data = mail_with(("说明.rtf", rb"{\rtf1 words}"), ("a.pdf", written("after")))
    pages = shown(tight, data, EvidenceKind.MAIL, password)
    assert len(pages) == 2
    assert "转换用时过长" in pages[0] or "展开后过大" in pages[0]
    assert pages[1] == "after"


def test_an_office_document_that_is_a_bomb_by_its_own_account_is_named(
    written: Written, tight: Sandbox, password: str
):
    pages = shown(
        tight, mail_with(("bomb.docx", unfolding()), ("a.pdf", written("after"))), EvidenceKind.MAIL, password
    )
    assert "展开后过大" in pages[0]
    assert pages[1] == "after"


def test_of_thousands_of_pictures_some_are_shown_some_named_and_all_kept(sandbox: Sandbox, password: str):
    data = mail_with(*[(f"{number}.png", picture(number)) for number in range(3000)])
    pages = shown(sandbox, data, EvidenceKind.MAIL, password)
    said = "".join(pages)
    assert "附件共3000个，只列出前1000个" in said
    assert said.count("见后附1页") + said.count("转换用时过长") == sandbox.limits.parts
    assert said.count("附件过多，未显示") == 1000 - sandbox.limits.parts
    assert len([each for each in pages if not each]) == said.count("见后附1页") > 0


def test_an_attachment_of_more_pages_than_there_is_room_for_is_named_and_smaller_ones_are_shown(
    written: Written, tight: Sandbox, password: str
):
    long, short = written(*["x"] * (tight.limits.pages - 1)), written("short")
    pages = shown(
        tight, mail_with(("a.pdf", long), ("b.pdf", long), ("c.pdf", short)), EvidenceKind.MAIL, password
    )
    assert len(pages) <= tight.limits.pages
    assert "页数过多" in pages[0]
    assert pages[-1] == "short"


def test_what_a_library_raises_for_one_attachment_is_no_fault_of_the_mail():
    def show(attached: bytes, _: EvidenceKind) -> pikepdf.Pdf:
        raise MemoryError if b"one" in attached else OSError

    data = mail_with(("1.txt", b"one thing"), ("2.txt", b"another"))
    with correspondence.paginate(data, "00", Limits(), show) as pdf:
        assert len(pdf.pages) == 1


def test_when_half_of_the_time_is_gone_the_rest_is_only_named():
    seconds = iter([0.0, 1.0, 29.0, 31.0, 32.0])
    asked: list[bytes] = []

    def show(attached: bytes, _: EvidenceKind) -> pikepdf.Pdf:
        asked.append(attached.strip())
        pdf = pikepdf.new()
        pdf.add_blank_page()
        return pdf

    data = mail_with(*[(f"{each}.txt", each.encode()) for each in ("aaaa", "bbbb", "cccc", "dddd")])
    with correspondence.paginate(data, "00", Limits(cpu_seconds=60), show, busy=lambda: next(seconds)) as pdf:
        assert len(pdf.pages) == 3
    assert asked == [b"aaaa", b"bbbb"]


def test_where_the_parts_fit_alone_but_not_together_none_is_shown(
    sandbox: Sandbox, password: str, monkeypatch: pytest.MonkeyPatch
):
    helped, asked = sandbox._helped, []

    def together(request, given, name, **patience):
        asked.append(sorted(request.get("unfit", {}).values()))
        if len(asked) == 1:
            raise MunimentError(Code.CONVERSION_TOO_LARGE, name=name)
        return helped(request, given, name, **patience)

    monkeypatch.setattr(sandbox, "_helped", together)
    pages = shown(
        sandbox, mail_with(("1.txt", b"one thing"), ("2.txt", b"another")), EvidenceKind.MAIL, password
    )
    assert asked == [[], [], [], [Code.CONVERSION_TOO_LARGE] * 2]
    assert len(pages) == 1
    assert pages[0].count("展开后过大") == 2


def test_what_is_no_mail_is_refused_as_ever_and_tried_once(
    sandbox: Sandbox, password: str, monkeypatch: pytest.MonkeyPatch
):
    asked = []

    def refused(request, given, name, **_):
        asked.append(request)
        raise MunimentError(Code.CONVERSION_TOO_LARGE, name=name)

    monkeypatch.setattr(sandbox, "_helped", refused)
    with pytest.raises(MunimentError) as caught:
        sandbox.convert(io.BytesIO(b"words"), "x", password)
    assert caught.value.code is Code.CONVERSION_TOO_LARGE
    assert len(asked) == 1


def test_parts_that_are_not_begun_in_time_count_as_too_slow():
    def never(_: int) -> None:
        raise AssertionError

    with io.FileIO("/dev/null") as held:
        assert parting.unfit({"aa": 0, "bb": 0}, held, never, 0.0) == dict.fromkeys(
            ("aa", "bb"), Code.CONVERSION_TIMEOUT
        )


@pytest.mark.parametrize(
    "answer", [{}, {"parts": 1}, {"parts": [1]}, {"parts": [["zz", 1]]}, {"parts": [["aa", "x"]]}]
)
def test_parts_that_a_worker_says_nonsense_of_are_none(answer: dict[str, object]):
    assert parting.sizes(answer) == {}


def test_a_mail_lists_no_more_parts_than_fit_a_list_and_counts_them_all():
    mail = mails.parse(mail_with(*[("x.txt", b"%d" % number) for number in range(1200)]))
    assert (len(mail.attachments), mail.more) == (1000, 200)
