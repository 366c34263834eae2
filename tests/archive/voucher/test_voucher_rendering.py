"""The printed voucher: its words, its stamp, its attachment, its fonts (P8, P9, P16; ISO 19005-3)."""

import copy
import io
import json
import threading
from datetime import date, datetime, timedelta, timezone
from importlib import resources
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.errors import Code, MunimentError
from archive.voucher.examining import examine
from archive.voucher.fields import parse
from archive.voucher.rendering import FULLER, render
from archive.voucher.sheet import Kept, sheet

EXAMPLES = json.loads(resources.files("archive.voucher").joinpath("schema.json").read_text("utf-8"))[
    "examples"
]
TEMPLATE = resources.files("archive.voucher").joinpath("voucher.typ").read_text("utf-8")
REFERENCE = "2026-一级-剧本相关-001"
VOID = {"date": "2026年3月2日", "reason": "重复登记", "by": "周敏"}
needs_fuller_font = pytest.mark.skipif(
    not FULLER.is_dir(), reason=f"fonts-noto-cjk is not installed in {FULLER}"
)


def printed(*, void=None, kept=1, fuller=FULLER, attachment=None, **changes):
    raw = json.dumps({**copy.deepcopy(EXAMPLES[0]), **changes}, ensure_ascii=False).encode()
    shown = sheet(
        parse(raw),
        reference=REFERENCE,
        level="一级 · 一般投诉",
        category="剧本相关",
        completed_on=date(2026, 3, 1),
        period="2 年",
        due=date(2028, 3, 1),
        filed_at=datetime(2026, 2, 27, 20, 31, tzinfo=timezone(timedelta(hours=8))),
        evidence=[Kept(f"{REFERENCE}-{n + 1:02}.pdf", "照片", n + 1, f"{n:064x}") for n in range(kept)],
    )
    return render(shown, attachment=raw if attachment is None else attachment, void=void, fuller=fuller)


def pages(pdf):
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_range() for page in document]


def words(pdf):
    """The text without blanks and line ends: where lines break is the form's affair."""
    return "".join("".join(pages(pdf)).split())


def test_every_field_of_the_form_is_printed():
    text = words(printed())
    for said in (
        "顾客投诉登记凭证", REFERENCE, "一级·一般投诉", "王小明", "金卡", "2026年2月27日20:15", "门店现场",
        "春熙路店", "2026年2月27日18:00", "长安十二时", "DM阿岚", "第三幕道具缺失，剧情无法继续",
        "退费", "道歉", "照片2件", "李莉", "028-86660000", "情绪激动", "2026年2月27日20:31", "2026年3月1日",
        "2年",
        "2028年3月1日", "0000000000000000",
    ):  # fmt: skip
        assert said in text, said


def test_the_contact_is_masked_and_whole_only_in_the_attachment():
    pdf = printed()
    assert "138****8000" in words(pdf)
    assert "13800138000" not in words(pdf)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        assert b"13800138000" in opened.attachments["voucher.json"].get_file().read_bytes()


@pytest.mark.parametrize(
    "attachment",
    [
        '{"名": "王"}\r\n'.encode(),
        b"\xef\xbb\xbf{}",
        b"\xff\xfe\x00raw",
        b'"\\u0000 #pdf \\" "',
        b"{}" * 50_000,
    ],
)
def test_the_source_rides_inside_byte_for_byte(attachment):
    with pikepdf.open(io.BytesIO(printed(attachment=attachment))) as opened:
        (name,) = opened.attachments
        assert name == "voucher.json"
        assert opened.attachments[name].get_file().read_bytes() == attachment
        assert opened.attachments[name].obj.AFRelationship == "/Source"
        assert len(opened.Root.AF) == 1


def test_it_says_that_it_is_pdf_a_3b():
    with pikepdf.open(io.BytesIO(printed(void=VOID))) as opened:
        with opened.open_metadata() as metadata:
            assert metadata.pdfa_status == "3B"
            assert metadata["dc:title"] == f"顾客投诉登记凭证 {REFERENCE}"
            assert metadata["xmp:CreateDate"].startswith("2026-02-27T20:31")
        assert opened.Root.OutputIntents[0].S == "/GTS_PDFA1"
        assert not opened.is_encrypted
        assert not opened.check_pdf_syntax()


def test_the_same_input_gives_the_same_bytes():
    assert printed(void=VOID) == printed(void=VOID)
    assert printed() != printed(staff="阿山")


@pytest.mark.parametrize(
    "hostile",
    [
        '#image("/etc/passwd")',
        '#read("voucher.typ") #include "schema.json"',
        "$x^2$ ] [ } { \\ \\\\ \\n * _ ` <label> @ref // no comment /* nor */ this",
        "\"quotes\" 'single' ~ -- --- ... = heading",
        '#import "@preview/cetz:0.3.0"',
        "%PDF-1.7 endobj <script>alert(1)</script> {{7*7}}",
    ],
)
def test_what_people_write_is_data_and_comes_out_literally(hostile):
    pdf = printed(
        details=hostile,
        script=hostile,
        demands=[hostile],
        void={"date": "今", "reason": hostile, "by": hostile},
    )
    assert words(pdf).count("".join(hostile.split())) == 5
    assert "root:" not in words(pdf)


def test_the_template_brings_in_nothing_from_elsewhere():
    for call in ("#import", "#include", "import ", "read(", "eval(", "@preview", "plugin("):
        assert call not in TEMPLATE, call


def test_a_long_complaint_runs_over_pages_without_losing_a_word():
    paragraphs = [f"第{n}节：" + "主持人离开房间，线索卡缺失，我们无法推进剧情。" * 8 for n in range(40)]
    pdf = printed(details="\n".join(paragraphs))
    found = pages(pdf)
    assert len(found) >= 4
    for number, page in enumerate(found, start=1):
        assert f"第 {number} 页 / 共 {len(found)} 页" in page
        assert REFERENCE in page
    text = words(pdf)
    assert all(f"第{n}节：" in text for n in range(40))
    # A sentence that runs across the foot of a page is cut in two by the footer.
    assert text.count("线索卡缺失") > 40 * 8 - len(found)


@pytest.mark.parametrize("run", ["a" * 900, "！" * 400, "…" * 300, "1" * 300, "http://x.cn/" + "q=%20&" * 90])
def test_a_run_without_a_place_to_break_stays_on_the_page(run):
    with pypdfium2.PdfDocument(printed(details=run, script=run[:100], demands=[run[:200]])) as document:
        text = document[0].get_textpage()
        # Characters beyond the edge would be cut off here: the page shows 595 points of width.
        inside = text.get_text_bounded(left=0, right=595.3)
    assert run in "".join(inside.split())


def test_a_void_voucher_bears_the_stamp_on_every_page():
    long = "剧情无法继续。" * 900
    plain, void = printed(details=long), printed(details=long, void=VOID)
    assert not any("作废" in page for page in pages(plain))
    assert len(pages(void)) > 2
    assert all("作废2026年3月2日" in "".join(page.split()) for page in pages(void))
    assert "重复登记" in words(void)
    assert "周敏" in words(void)
    with pypdfium2.PdfDocument(plain) as before, pypdfium2.PdfDocument(void) as after:
        for number in range(len(before)):
            assert reds(before[number]) == 0
            assert reds(after[number]) > 500


def reds(page):
    """Pixels of the seal's red at 36 dpi."""
    picture = page.render(scale=0.5).to_pil().convert("RGB")
    colours = picture.getcolors(picture.width * picture.height)
    return sum(count for count, (r, g, b) in colours if r > 150 and g < 130 and b < 130)


def test_the_words_under_the_stamp_are_still_there():
    assert words(printed())[40:200] in words(printed(void=VOID))


def test_the_square_code_holds_the_reference_code():
    with pypdfium2.PdfDocument(printed()) as document:
        picture = document[0].render(scale=4).to_pil().convert("L")
    corner = picture.crop(
        (int(picture.width * 0.8), int(picture.height * 0.06), picture.width, int(picture.height * 0.137))
    )
    code = corner.crop(corner.point(lambda grey: 255 if grey < 100 else 0).getbbox())
    wanted = segno.make(REFERENCE, error="m", micro=False, encoding="utf-8").matrix
    step = code.width / len(wanted)
    seen = [
        [int(code.getpixel((int((x + 0.5) * step), int((y + 0.5) * step))) < 128) for x in range(len(wanted))]
        for y in range(len(wanted))
    ]
    assert seen == [list(row) for row in wanted]


def test_a_group_names_its_head_count_and_a_refusal_its_other_way():
    group = words(printed(complainant={"name": "王小明", "contact": "x", "headcount": 12}))
    assert "集体投诉共12人" in group
    assert "王小明（代表人）" in group
    refused = words(printed(complainant={"refused": True, "other_contact": "站内私信"}))
    assert "顾客拒绝提供" in refused
    assert "站内私信" in refused


def test_characters_that_look_alike_keep_their_own_code_points():
    alike = "人⼈户戶⼾见⻅高⾼里⾥"
    assert alike in words(printed(details=alike + "这些字各是各。"))


def test_rare_characters_of_the_bundled_fonts_print_without_any_other_font():
    assert "张䶮㛃喆翀鿫" in words(printed(complainant={"name": "张䶮㛃喆翀鿫", "contact": "x"}, fuller=None))


@needs_fuller_font
def test_characters_the_bundled_fonts_lack_come_from_the_fuller_one():
    assert "张𠮷𬎆한" in words(printed(complainant={"name": "张𠮷𬎆한", "contact": "x"}))


@pytest.mark.parametrize("folder", [None, Path("/nonexistent")])
def test_without_a_fuller_font_a_rare_character_is_named_and_nobody_else(folder):
    with pytest.raises(MunimentError) as caught:
        printed(complainant={"name": "张𠮷明", "contact": "x"}, fuller=folder)
    assert caught.value.code is Code.GLYPH_MISSING
    assert caught.value.facts["characters"] == "𠮷（U+20BB7）"


def test_a_letter_no_font_has_is_refused_not_boxed():
    with pytest.raises(MunimentError) as caught:
        printed(staff="สมชาย")
    assert "ส（U+0E2A）" in caught.value.say("zh")


def test_emoji_do_not_stop_a_filing_and_are_explained():
    text = words(printed(details="群里都在发😡😡，说“再也不来了”🙅‍♀️。"))
    assert "群里都在发〔愤怒〕〔愤怒〕，说“再也不来了”" in text
    assert "〔〕内为原文表情或符号的文字说明" in text
    assert "〔〕内为" not in words(printed())


def test_threads_may_render_at_the_same_time():
    made = {}
    threads = [
        threading.Thread(target=lambda n=n: made.update({n: printed(staff=f"员工{n}号")})) for n in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(f"员工{n}号" in words(made[n]) for n in range(6))


lettered = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=60)


@given(lettered, lettered)
@settings(max_examples=60, deadline=None)
def test_any_text_is_printed_or_refused_by_name(name, details):
    changes = {"complainant": {"name": name, "contact": "x"}, "details": details}
    if examine({**EXAMPLES[0], **changes}):
        return
    refused = None
    try:
        assert pages(printed(**changes))
    except MunimentError as error:
        refused = error
    assert refused is None or (refused.code is Code.GLYPH_MISSING and "（U+" in refused.say("zh"))
