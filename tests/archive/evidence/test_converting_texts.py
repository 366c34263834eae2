"""Texts, tables, pages, mails and conversations become pages that say what they said, and act on nothing."""

import io
import socket
import threading
from email.message import EmailMessage

import pikepdf
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from archive.errors import Code, MunimentError
from archive.evidence import chats, mails, tabulating, webpages
from archive.evidence.recognising import recognise
from archive.evidence.sandbox import EvidenceKind, Sandbox

CHAT = """—————  2026-03-01  —————

小林（店长）  14:02

您好，请问有什么可以帮您？

王女士  14:05

场次开天窗了，
我的电话 13800138000
http://example.com/a

小林（店长）  14:06

非常抱歉！
"""
COPIED = "张三 2026-03-01 12:00:00\n在吗\n\n李四 2026-03-01 12:01:00\n在\n\n张三 2026-03-01 12:02:00\n退款\n"
QQ = "2026-03-01 12:00:00 张三(100)\n在吗\n\n2026-03-01 12:01:00 李四(200)\n在\n\n2026-03-01 12:02:00 张三(100)\n退款\n"
INLINE = "[2026/3/1 12:00] 张三: 在吗\n[2026/3/1 12:01] 李四: 在\n续行\n[2026/3/1 12:02] 张三: 退款\n"
NAMED = "张三:\n在吗\n\n李四:\n在\n\n张三:\n退款\n"


def _text(sandbox: Sandbox, data: bytes, kind: EvidenceKind, password: str) -> str:
    with sandbox.convert(io.BytesIO(data), "证据", password) as made:
        assert made.kind is kind
        assert made.original_attached
        with sandbox.original(made.pdf, password) as original:
            assert original.read() == data
        assert sandbox.page(made.pdf, password, 1, 800, "看").startswith(b"\xff\xd8\xff")
        return "".join("".join(made.text).split())


def _mail(**headers: str) -> EmailMessage:
    mail = EmailMessage()
    given = {
        "From": "王女士 <wang@example.com>",
        "To": "kf@example.com",
        "Subject": "投诉",
        "Date": "Mon, 2 Mar 2026",
    }
    for name, value in (given | headers).items():
        mail[name] = value
    return mail


@pytest.mark.parametrize("codec", ["utf-8", "utf-16", "gb18030"])
def test_a_text_of_any_encoding_is_legible(codec: str, sandbox: Sandbox, password: str):
    said = "顾客说：店员态度恶劣，\n    要求退款。生僻字：𠮷 龘"
    found = _text(sandbox, said.encode(codec), EvidenceKind.TEXT, password)
    assert "店员态度恶劣，要求退款。" in found
    assert "𠮷龘" in found or "〓" in found


def test_an_old_text_from_taiwan_is_legible(sandbox: Sandbox, password: str):
    found = _text(sandbox, "顧客投訴：店員態度惡劣，要求退款。".encode("big5"), EvidenceKind.TEXT, password)
    assert "店員態度惡劣" in found


def test_letters_without_a_font_are_marked_and_said_so(sandbox: Sandbox, password: str):
    found = _text(sandbox, "泰文：ไทย 笑😀".encode(), EvidenceKind.TEXT, password)
    assert "〓〓〓" in found
    assert "没有可用的字体" in found
    assert "〔笑脸〕" in found


@pytest.mark.parametrize(
    "page",
    [
        "<html><head><style>x</style><title>退款 {0}</title><script>y</script></head><body>正文</body></html>",
        "<head><title>退款 {0}</head><body>正文",
        "<html><body><svg><title>z</title></svg><title>退款 {0}</title><p>正文</p></body></html>",
    ],
)
def test_a_page_is_found_by_its_title_too(page: str, sandbox: Sandbox, password: str):
    data = f"<!doctype html>{page.format('全额')}".encode()
    found = _text(sandbox, data, EvidenceKind.HTML, password)
    assert "退款全额" in found
    assert "正文" in found
    assert not {"x", "y", "z"} & set(found.partition("SHA-256")[2][64:])


def test_words_with_letters_without_a_font_are_found_all_the_same(sandbox: Sandbox, password: str):
    said = "泰文：ไทย 笑😀"
    mail = _mail()
    mail.set_content("见附件")
    mail.add_attachment(said.encode(), "text", "plain", filename="a.txt")
    table = f"门店,说明\n朝阳,{said}\n".encode()
    for data, kind in (
        (said.encode(), EvidenceKind.TEXT),
        (table, EvidenceKind.CSV),
        (mail.as_bytes(), EvidenceKind.MAIL),
    ):
        with sandbox.convert(io.BytesIO(data), "证据", password) as made:
            assert any("ไทย" in page for page in made.text), kind
            with pikepdf.open(
                made.pdf, password=password
            ) as pdf:  # they are kept sealed, not in the document
                assert not any("/MunimentUnprinted" in page.obj for page in pdf.pages)


@pytest.mark.parametrize(
    "text", ["#set page(width: 1pt)", "#panic()", "$x$ *a* _b_ `c` @d <e>", "\\u{1F600}", "= 标题"]
)
def test_words_that_look_like_the_typesetters_commands_are_words(text: str, sandbox: Sandbox, password: str):
    assert "".join(text.split()) in _text(sandbox, text.encode(), EvidenceKind.TEXT, password)


def test_a_number_in_a_text_is_masked_on_the_page(sandbox: Sandbox, password: str):
    def ink(number: str) -> int:
        with sandbox.convert(io.BytesIO(f"电话 {number}".encode()), "x", password) as made:
            page = Image.open(io.BytesIO(sandbox.page(made.pdf, password, 1, 1600, ""))).convert("L")
        return sum(page.histogram()[35:50])

    assert ink("13800138000") > ink("1380013800") + 400


def test_a_table_keeps_its_fields_in_all_encodings(sandbox: Sandbox, password: str):
    data = '日期,门店,备注\n2026-03-01,春熙路店,"说：""好"""\n2026-03-02,天府店,=1+1\n'.encode("gbk")
    found = _text(sandbox, data, EvidenceKind.CSV, password)
    assert "春熙路店" in found
    assert '说："好"' in found
    assert "=1+1" in found


def test_a_table_too_wide_for_a_page_is_set_row_by_row(sandbox: Sandbox, password: str):
    data = "\n".join(",".join(f"栏{c}之{r}" for c in range(30)) for r in range(4)).encode()
    found = _text(sandbox, data, EvidenceKind.CSV, password)
    assert "第3行" in found
    assert "栏29之3" in found


@pytest.mark.parametrize(
    "text",
    ["你好，世界\n再见，朋友\n", "Dear Sir, hello\nI am, as ever, yours\n", "one line, only", "a\nb\nc\n"],
)
def test_prose_with_commas_is_no_table(text: str):
    assert tabulating.split(text) is None


@given(st.lists(st.lists(st.text(alphabet="ab,\"'\n 店", max_size=6), min_size=1, max_size=4), max_size=6))
def test_any_rows_make_a_table_or_none(rows: list[list[str]]):
    found = tabulating.split("\n".join(",".join(row) for row in rows))
    if found:
        assert tabulating.tabulated(found, head=True)


@pytest.mark.parametrize(
    "text", [CHAT, COPIED, QQ, INLINE, NAMED], ids=["mobile", "desktop", "QQ", "inline", "named"]
)
def test_a_conversation_is_known_by_its_form_and_nothing_is_lost(text: str):
    messages = chats.parse(text)
    assert messages is not None
    spoken = [each for each in messages if each.who]
    assert len(spoken) == 3
    assert len({each.who for each in spoken}) == 2
    told = "".join(each.who + each.when + "".join(each.lines) for each in messages)
    kept = set("".join(text.split())) - set("—[]:-")
    assert kept <= set(told)


def test_a_conversation_is_shown_with_its_speakers(sandbox: Sandbox, password: str):
    found = _text(sandbox, CHAT.encode(), EvidenceKind.CHAT, password)
    for said in ("小林（店长）", "王女士", "14:05", "场次开天窗了，", "2026-03-01", "非常抱歉！"):
        assert said in found


@pytest.mark.parametrize(
    "text", ["时间：\n地点：\n", "问：\n你好\n", "备忘 12:00\n去店里\n", "a:\nb:\nc:\nd:\n"]
)
def test_notes_are_no_conversation(text: str):
    assert chats.parse(text) is None


@given(st.text(alphabet="张三李 :：\n0123456789-[]()午上", max_size=300))
def test_any_text_is_a_conversation_or_none_and_loses_no_letter(text: str):
    messages = chats.parse(text)
    if messages:
        told = "".join(each.who + each.when + "".join(each.lines) for each in messages)
        assert set(text) - set(" -:：[]()\n") <= set(told)


PAGE = """<!DOCTYPE html><html><head><title>标签页</title><script>alert('坏')</script>
<style>p{background:url(http://127.0.0.1:PORT/css)}</style><link rel=stylesheet href="http://127.0.0.1:PORT/l">
<base href="http://127.0.0.1:PORT/"><meta http-equiv=refresh content="0;url=http://127.0.0.1:PORT/m"></head>
<body onload="fetch('http://127.0.0.1:PORT/f')"><h1>评论</h1><p>环境<b>很差</b>，<a href="https://evil.example/x">点这里</a></p>
<img src="http://127.0.0.1:PORT/i" alt="门店"><iframe src="file:///etc/passwd">框</iframe>
<object data="file:///etc/passwd"></object><ul><li>一<ul><li>二</li></ul></li></ul>
<table><tr><th>项目<th>评分<tr><td>环境<td>2</table><pre>  代码
  两行</pre></body></html>"""


def test_a_web_page_is_shown_as_text_and_reaches_for_nothing(sandbox: Sandbox, password: str):
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.3)

        def listen() -> None:
            try:
                asked.append(server.accept())
            except TimeoutError:
                return

        listening = threading.Thread(target=listen)
        listening.start()
        data = PAGE.replace("PORT", str(server.getsockname()[1])).encode()
        found = _text(sandbox, data, EvidenceKind.HTML, password)
        listening.join()
    assert asked == []
    for said in (
        "标签页",
        "评论",
        "环境很差，点这里‹https://evil.example/x›",
        "〔图片：门店〕",
        "项目",
        "评分",
        "两行",
    ):
        assert said in found
    for hidden in ("alert", "root:", "框"):
        assert hidden not in found


def test_cells_left_open_stay_in_their_rows():
    (table,) = webpages.read("<table>题<tr><th>项目<th>评分<tr><td>环境<td>2</table>")[1:]
    assert [list(row) for row in table["rows"]] == [["项目", "评分"], ["环境", "2"]]


@given(st.text(alphabet="<>/=\"' abtrdhulipe!-&;\n", max_size=200))
def test_any_markup_is_read_without_a_fault(markup: str):
    webpages.read(markup)


def test_markup_nested_without_end_is_read(sandbox: Sandbox, password: str):
    for tag in ("div", "table><tr><td", "ul><li", "b", "a href=x", "script"):
        found = _text(
            sandbox, b"<html>" + f"<{tag}>".encode() * 10_000 + "底".encode(), EvidenceKind.HTML, password
        )
        assert ("底" in found) == (tag != "script")


def test_a_mail_is_shown_with_its_head_and_its_attachments(
    jpeg: bytes, written, sandbox: Sandbox, password: str
):
    mail = _mail(Subject="投诉：《长夜将明》这一场次临时更换主持人，我们要求全额退款并且道歉，请尽快答复我们")
    mail.set_content("您好，\n请退款。")
    mail.add_attachment(jpeg, maintype="image", subtype="jpeg", filename="现场 照片.jpg")
    mail.add_attachment(written("receipt", "two"), maintype="application", subtype="pdf", filename="a.pdf")
    mail.add_attachment(b"MZ" + bytes(50), maintype="application", subtype="octet-stream", filename="b.exe")
    mail.add_attachment(b"%PDF-1.4 broken", maintype="application", subtype="pdf", filename="c.pdf")
    inner = _mail(Subject="内层邮件")
    inner.set_content("内层正文")
    mail.add_attachment(inner)
    data = mail.as_bytes()
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        assert (made.kind, made.pages) == (EvidenceKind.MAIL, 1 + 1 + 2 + 1)
        text = ["".join(each.split()) for each in made.text]
        with sandbox.original(made.pdf, password) as original:
            assert original.read() == data
    for said in (
        "王女士<wang@example.com>",
        "这一场次临时更换主持人",
        "请退款。",
        "现场照片.jpg",
        "见后附2页",
        "仅附于原件",
        "无法显示",
        "转发的邮件",
    ):
        assert said in text[0]
    assert "receipt" in text[2]
    assert "内层正文" in text[4]


def test_a_mail_of_markup_is_shown_as_text(sandbox: Sandbox, password: str):
    mail = _mail()
    mail.set_content("<p>请<b>尽快</b>处理</p><img src='http://track.example/1.gif'>", subtype="html")
    found = _text(sandbox, mail.as_bytes(), EvidenceKind.MAIL, password)
    assert "请尽快处理" in found
    assert "track.example" not in found


def test_words_that_only_one_half_of_a_mail_has_are_shown_whichever_it_is(sandbox: Sandbox, password: str):
    mail = _mail()
    mail.set_content("请 尽快\n处理（https://shop.example/1）\n只在文本")
    page = "<p>请<b>尽快</b>处理 (https://shop.example/1)</p><ul><li>只在网页</li></ul><img alt='图中字' src='x'>"
    mail.add_alternative(page, subtype="html")
    found = _text(sandbox, mail.as_bytes(), EvidenceKind.MAIL, password)
    assert found.count("尽快") == 1
    for once in ("只在文本", "网页格式的正文中另有的文字", "只在网页", "图中字"):
        assert once in found


def test_two_halves_of_a_mail_that_say_the_same_are_shown_once(sandbox: Sandbox, password: str):
    mail = _mail()
    mail.set_content("> 第一行很长\n> 被折断\n\n* 一项\n\n甲\t乙\n合计：１２８０")
    page = "<p>第一行很长被折断</p><ol><li>一项</li></ol><table><tr><td>甲</td><td>乙</td></tr></table>"
    page += "<img src='x'>合计：1280"
    mail.add_alternative(page, subtype="html")
    found = _text(sandbox, mail.as_bytes(), EvidenceKind.MAIL, password)
    assert "网页格式" not in found
    assert found.count("被折断") == 1


def test_a_mail_in_the_old_chinese_manner_is_legible():
    word = "=?GB2312?B?zba71g==?="  # a GBK text under the name of its subset
    data = (
        f"From: 王五 <w@x.cn>\r\nSubject: {word}\r\nDate: x\r\nContent-Type: text/plain; charset=gb2312\r\n\r\n朱镕"
    ).encode("gbk")
    assert recognise(data) is EvidenceKind.MAIL
    mail = mails.parse(data)
    assert dict(mail.headers)["发件人"] == "王五 <w@x.cn>"
    assert mail.body == "朱镕"


def test_a_mail_of_parts_within_parts_without_end_is_refused(sandbox: Sandbox, password: str):
    deep = b"From: x\nTo: y\nSubject: z\n" + b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(3000)
    )
    with pytest.raises(MunimentError) as refused:
        sandbox.convert(io.BytesIO(deep), "x.eml", password)
    assert refused.value.code in (Code.EVIDENCE_UNREADABLE, Code.CONVERSION_TOO_LARGE)


def test_a_mail_of_very_many_parts_says_how_many(sandbox: Sandbox, password: str):
    head = b"From: x\nTo: y\nSubject: z\nContent-Type: multipart/mixed; boundary=b\n\n"
    wide = head + b"--b\n\nx\n" * 5000 + b"--b--\n"
    assert "附件共4999个" in _text(sandbox, wide, EvidenceKind.MAIL, password)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_mail_or_none(rest: bytes):
    data = b"From: a\nTo: b\nSubject: c\nContent-Type: " + rest
    if mails.is_mail(data):
        mails.parse(data)


def test_a_text_of_too_many_pages_is_refused_before_it_is_set(tight: Sandbox, password: str):
    with pytest.raises(MunimentError) as refused:
        tight.convert(io.BytesIO("长\n".encode() * 300_000), "x.txt", password)
    assert refused.value.code is Code.EVIDENCE_TOO_MANY_PAGES


def test_a_long_text_is_set_in_pieces_with_running_numbers(sandbox: Sandbox, password: str):
    data = "".join(f"第{number}行，店员与顾客发生争执。\n" for number in range(6000)).encode()
    with sandbox.convert(io.BytesIO(data), "x.txt", password) as made:
        assert made.pages > 100
        assert f"第 {made.pages} 页" in made.text[-1]
        assert "第5999行" in made.text[-1]
        with pikepdf.open(made.pdf, password=password) as pdf:
            assert len(pdf.pages) == made.pages
