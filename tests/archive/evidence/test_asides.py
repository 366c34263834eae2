"""What a document says beside its pages: set behind them, so that it is found where it is seen."""

import io
import zipfile
import zlib
from collections.abc import Callable

import pikepdf
import pytest
from pikepdf import Array, AttachedFileSpec, Dictionary, Name, String

from archive.evidence import office, withheld
from archive.evidence.asides import MOST_CHARACTERS, Aside, sheet
from archive.evidence.kinds import EvidenceKind
from archive.evidence.limits import Limits
from archive.evidence.sandbox import Sandbox

Written = Callable[..., bytes]
needs_office = pytest.mark.skipif(office.find() is None, reason="LibreOffice is not installed here")
HEAD = "不在页面上的内容"
WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
SHEET = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
SLIDE = (
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    ' xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
)
LINKED = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
TYPES = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/"
ODF = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "text", "table", "style", "presentation")
)


def packed(entries: dict[str, str]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in entries.items():
            package.writestr(name, content)
    return target.getvalue()


def related(**targets: str) -> str:
    """Each ``id=kind:target``."""
    links = "".join(
        f'<Relationship Id="{each}" Type="{TYPES}{target.partition(":")[0]}" Target="{target.partition(":")[2]}"/>'
        for each, target in targets.items()
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{space}">{links}</Relationships>'


def shown(sandbox: Sandbox, data: bytes, password: str) -> list[str]:
    """The text of each page, without white space."""
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        return ["".join(each.split()) for each in made.text]


def told(data: bytes, kind: EvidenceKind) -> list[tuple[str, str, str, str]]:
    return [
        (each.what, each.words, each.by, each.where if each.page is None else f"{each.page}")
        for each in withheld.read(data, kind)
    ]


def annotated(*annotations: Dictionary, fields: tuple[Dictionary, ...] = ()) -> Callable[[pikepdf.Pdf], None]:
    """On the last page."""

    def prepare(pdf: pikepdf.Pdf) -> None:
        held = [pdf.make_indirect(each) for each in annotations]
        pdf.pages[-1].obj.Annots = Array(held)
        widgets = [each for each in held if each.get("/Subtype") == Name.Widget]
        others = [pdf.make_indirect(each) for each in fields]
        font = pdf.pages[0].obj.Resources.Font
        pdf.Root.AcroForm = Dictionary(Fields=Array(widgets + others), DR=Dictionary(Font=font))

    return prepare


def note(subtype: Name, said: str, **more: object) -> Dictionary:
    rect = Array([100, 100, 300, 120])
    return Dictionary(Type=Name.Annot, Subtype=subtype, Rect=rect, Contents=String(said), **more)


def field(name: str, said: str, **more: object) -> Dictionary:
    return Dictionary(FT=Name.Tx, T=String(name), V=String(said), DA=String("/F1 12 Tf 0 g"), **more)


def test_a_closed_note_is_told_with_its_page_and_its_writer(
    written: Written, sandbox: Sandbox, password: str
):
    data = written("one", "two", prepare=annotated(note(Name.Text, "便签里的话", T=String("赵六"))))
    pages = shown(sandbox, data, password)
    assert pages[:2] == ["one", "two"]
    assert "第2页·批注赵六便签里的话" in pages[2]


def test_hidden_annotations_and_values_are_told_and_what_is_on_the_page_is_not_told_again(
    written: Written, sandbox: Sandbox, password: str
):
    widget = {"Type": Name.Annot, "Subtype": Name.Widget, "Rect": Array([100, 300, 400, 330])}
    data = written(
        "the words below",
        prepare=annotated(
            note(Name.Highlight, "the  words", QuadPoints=Array([60, 700, 200, 700, 60, 730, 200, 730])),
            note(Name.FreeText, "藏起的注释", F=2, DA=String("/F1 12 Tf")),
            note(Name.Link, "where it leads"),
            field("seen", "a visible value", **widget),
            field("unseen", "a hidden value", **{**widget, "F": 2}),
            fields=(field("nowhere", "no widget"), field("secret", "a password", Ff=1 << 13)),
        ),
    )
    first, last = shown(sandbox, data, password)
    assert "avisiblevalue" in first
    assert "藏起的注释" in last
    assert "第1页·表单字段unseenahiddenvalue" in last
    assert "表单·表单字段nowherenowidget" in last
    assert not [each for each in ("thewords", "avisible", "leads", "apassword") if each in last]


def test_a_document_with_nothing_beside_its_pages_has_no_page_more(
    written: Written, sandbox: Sandbox, password: str
):
    assert shown(sandbox, written("one", "two"), password) == ["one", "two"]


def test_fields_that_are_their_own_kids_come_to_an_end(written: Written, sandbox: Sandbox, password: str):
    def prepare(pdf: pikepdf.Pdf) -> None:
        top = pdf.make_indirect(field("a", "looped"))
        top.Kids = Array([top])
        pdf.Root.AcroForm = Dictionary(Fields=Array([top, top]))

    assert shown(sandbox, written("one", prepare=prepare), password)[1].count("looped") == 1


def holding(*files: tuple[str, bytes]) -> Callable[[pikepdf.Pdf], None]:
    def prepare(pdf: pikepdf.Pdf) -> None:
        for name, data in files:
            pdf.attachments[name] = AttachedFileSpec(pdf, data, filename=name)

    return prepare


def test_files_in_a_pdf_are_listed_and_shown_in_their_order(
    written: Written, sandbox: Sandbox, password: str
):
    inner = written("within", prepare=annotated(note(Name.Text, "深处的批注")))
    files = (("a.txt", "附件里的词".encode()), ("b.pdf", inner), ("c.exe", b"MZ virus"), ("d.txt", b""))
    pages = shown(sandbox, written("outer", prepare=holding(*files)), password)
    assert [
        bool(words in page)
        for words, page in zip(("outer", HEAD, "附件里的词", "within", "深处的批注"), pages, strict=True)
    ]
    assert "附件（4个）" in pages[1]
    assert "1a.txtTEXT15字节见后附1页" in pages[1]
    assert "2b.pdfPDF" in pages[1]
    assert "见后附2页" in pages[1]
    assert "3c.exePROGRAM8字节仅附于原件" in pages[1]
    assert "空文件" in pages[1]
    assert "附件里的词" in pages[2]
    assert "深处的批注" in pages[4]


def test_a_file_that_hangs_on_a_page_is_shown_too(written: Written, sandbox: Sandbox, password: str):
    def prepare(pdf: pikepdf.Pdf) -> None:
        stream = pdf.make_stream("挂在页上".encode())
        spec = Dictionary(Type=Name.Filespec, F=String("hung.txt"), EF=Dictionary(F=stream))
        pin = Dictionary(Type=Name.Annot, Subtype=Name.FileAttachment, FS=spec, Rect=Array([9, 9, 30, 30]))
        pdf.pages[0].obj.Annots = Array([pdf.make_indirect(pin)])

    pages = shown(sandbox, written("outer", prepare=prepare), password)
    assert "hung.txt" in pages[1]
    assert "挂在页上" in pages[2]


def test_a_file_in_a_pdf_that_unfolds_without_end_is_named_and_the_rest_is_shown(
    written: Written, sandbox: Sandbox, password: str
):
    def prepare(pdf: pikepdf.Pdf) -> None:
        holding(("bomb.txt", b""), ("note.txt", "其余的词".encode()), ("odd.txt", b"odd"))(pdf)
        bomb, odd = pdf.make_stream(b""), pdf.make_stream(b"")
        bomb.write(zlib.compress(bytes(150_000_000), 9), filter=Name.FlateDecode)
        odd.write(b"0a>", filter=Name.JBIG2Decode)
        for name, stream in (("bomb.txt", bomb), ("odd.txt", odd)):
            pdf.attachments[name].obj.EF = Dictionary(F=stream)

    pages = shown(sandbox, written("outer", prepare=prepare), password)
    assert "bomb.txt——展开后过大" in pages[1]
    assert "odd.txt——无法取出" in pages[1]
    assert "其余的词" in pages[2]


def test_a_bad_file_in_a_pdf_makes_no_bad_pdf(written: Written, password: str):
    """A page that draws without end kills the worker: it is tried alone, and left out."""

    def prepare(pdf: pikepdf.Pdf) -> None:
        holding(("endless.pdf", written("x" * 10, prepare=heavy)), ("note.txt", "其余的词".encode()))(pdf)

    def heavy(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0].obj.Contents = pdf.make_stream(
            zlib.decompress(zlib.compress(b"0 0 m 9 9 l S\n" * 9_000_000))
        )

    with Sandbox(1, Limits(memory_bytes=700_000_000, cpu_seconds=8, wall_seconds=30)) as sandbox:
        pages = shown(sandbox, written("outer", prepare=prepare), password)
    assert pages[0] == "outer"
    assert "endless.pdf" in pages[1]
    assert any("其余的词" in each for each in pages[2:])


@needs_office
def test_an_office_document_in_a_pdf_is_shown_with_its_comments(
    written: Written, sandbox: Sandbox, password: str
):
    letter = rb"{\rtf1\ansi refund{\*\atnauthor Li}\chatn {\*\annotation{\*\atnref 1}a remark}}"
    pages = shown(sandbox, written("outer", prepare=holding(("说明.rtf", letter))), password)
    assert pages[0] == "outer"
    assert "说明.rtf" in pages[1]
    assert "refund" in pages[2]
    assert "aremark" in pages[3]


def word(body: str, more: dict[str, str]) -> bytes:
    return packed(
        {
            "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            '<Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument'
            '.wordprocessingml.document.main+xml"/><Override PartName="/word/comments.xml" ContentType="application/'
            'vnd.openxmlformats-officedocument.wordprocessingml.comments+xml"/></Types>',
            "_rels/.rels": related(r1="officeDocument:word/document.xml"),
            "word/document.xml": f"<w:document {WORD}><w:body>{body}</w:body></w:document>",
            **more,
        }
    )


def run(said: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t>{said}</w:t></w:r>"


COMMENTS = (
    f'<w:comments {WORD}><w:comment w:id="0" w:author="李四"><w:p>{run("批注 13800138000")}</w:p>'
    "</w:comment></w:comments>"
)
STYLES = (
    f'<w:styles {WORD}><w:style w:styleId="H"><w:rPr><w:vanish/></w:rPr></w:style>'
    '<w:style w:styleId="I"><w:basedOn w:val="H"/></w:style></w:styles>'
)


def test_hidden_and_deleted_words_and_comments_of_a_word_document_are_told():
    deleted = '<w:del w:author="王五"><w:r><w:delText>删去的</w:delText></w:r></w:del>'
    first = run("可见") + run("藏一", "<w:vanish/>") + deleted + run("不藏", '<w:vanish w:val="0"/>')
    second = run("藏二", '<w:rStyle w:val="I"/>')
    body = f"<w:p>{first}</w:p><w:p>{second}</w:p>"
    data = word(body, {"word/comments.xml": COMMENTS, "word/styles.xml": STYLES})
    assert told(data, EvidenceKind.DOCX) == [
        ("隐藏的文字", "藏一", "", ""),
        ("修订中删去的文字", "删去的", "王五", ""),
        ("隐藏的文字", "藏二", "", ""),
        ("批注", "批注 13800138000", "李四", ""),
    ]


@needs_office
def test_a_word_document_shows_its_comment_once_and_its_hidden_words(sandbox: Sandbox, password: str):
    body = f"<w:p>{run('可见的正文')}<w:r><w:commentReference w:id='0'/></w:r>{run('藏起的话', '<w:vanish/>')}</w:p>"
    data = word(
        body,
        {
            "word/comments.xml": COMMENTS,
            "word/_rels/document.xml.rels": related(c1="comments:comments.xml"),
        },
    )
    first, last = shown(sandbox, data, password)
    assert "藏起的话" not in first
    assert "藏起的话" in last
    assert last.count("批注13800138000") == 1
    assert "第1页·批注李四" in last


def workbook(cells: str, more: str = "", book: str = "") -> bytes:
    return packed(
        {
            "xl/workbook.xml": f'<workbook {SHEET} {LINKED}><sheets><sheet name="一" sheetId="1" r:id="r1"/>'
            f'<sheet name="藏" sheetId="2" state="veryHidden" r:id="r2"/></sheets>{book}</workbook>',
            "xl/_rels/workbook.xml.rels": related(
                r1="worksheet:worksheets/sheet1.xml", r2="worksheet:/xl/worksheets/sheet2.xml"
            ),
            "xl/sharedStrings.xml": f"<sst {SHEET}><si><t>甲</t></si>"
            "<si><r><t>乙</t></r><rPh><t>yi</t></rPh></si></sst>",
            "xl/worksheets/sheet1.xml": f"<worksheet {SHEET}>{more}<sheetData>{cells}</sheetData></worksheet>",
            "xl/worksheets/sheet2.xml": f'<worksheet {SHEET}><sheetData><row r="3"><c r="B3" t="s"><v>1</v></c>'
            '<c r="C3"><v>13800138000</v></c></row></sheetData></worksheet>',
            "xl/worksheets/_rels/sheet1.xml.rels": related(c="comments:../comments1.xml"),
            "xl/comments1.xml": f"<comments {SHEET}><authors><author>李四</author></authors><commentList>"
            '<comment ref="A1" authorId="0"><text><r><t>格注</t></r></text></comment></commentList></comments>',
        }
    )


SECRET_SHEET = ("隐藏的工作表", "B3：乙 ｜ C3：13800138000", "", "工作表“藏”")
REMARK = ("批注", "格注", "李四", "工作表“一” A1")


def test_hidden_sheets_rows_columns_and_comments_of_a_workbook_are_told():
    cells = (
        '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="C1" t="inlineStr"><is><t>隐列</t></is></c></row>'
        '<row r="2" hidden="1"><c r="A2" t="str"><v>隐行</v></c></row>'
    )
    data = workbook(cells, '<cols><col min="2" max="3" hidden="1"/></cols>')
    hidden = ("隐藏的行和列", "C1：隐列\nA2：隐行", "", "工作表“一”")
    assert told(data, EvidenceKind.XLSX) == [hidden, REMARK, SECRET_SHEET]


def test_cells_outside_the_printed_area_of_a_workbook_are_told():
    area = '<definedName name="_xlnm.Print_Area" localSheetId="0">\'一\'!$A$1:$B$2,一!$D$1</definedName>'
    cells = "".join(
        f'<row r="{row}">'
        + "".join(f'<c r="{name}{row}"><v>{row}{name}</v></c>' for name in "ABCD")
        + "</row>"
        for row in (1, 2)
    )
    data = workbook(cells, book=f"<definedNames>{area}</definedNames>")
    outside = ("打印区域之外", "C1：1C\nC2：2C ｜ D2：2D", "", "工作表“一”")
    assert told(data, EvidenceKind.XLSX) == [outside, REMARK, SECRET_SHEET]


def test_notes_comments_and_hidden_slides_of_a_presentation_are_told():
    notes = (
        f'<p:notes {SLIDE}><p:sp><p:nvPr><p:ph type="sldNum"/></p:nvPr><a:p><a:r><a:t>7</a:t></a:r></a:p></p:sp>'
        "<p:sp><a:p><a:r><a:t>备注一</a:t></a:r></a:p><a:p><a:r><a:t>备注二</a:t></a:r></a:p></p:sp></p:notes>"
    )
    comments = (
        f'<p:cmLst {SLIDE}><p:cm authorId="1"><p:text>片注</p:text><p:replyLst><p:reply authorId="2"><a:p><a:r>'
        "<a:t>答复</a:t></a:r></a:p></p:reply></p:replyLst></p:cm></p:cmLst>"
    )
    data = packed(
        {
            "ppt/presentation.xml": f'<p:presentation {SLIDE} {LINKED}><p:sldIdLst><p:sldId id="256" r:id="r9"/>'
            '<p:sldId id="257" r:id="r8"/></p:sldIdLst></p:presentation>',
            "ppt/_rels/presentation.xml.rels": related(
                r8="slide:slides/slide1.xml", r9="slide:slides/slide2.xml"
            ),
            "ppt/slides/slide1.xml": f'<p:sld {SLIDE} show="0"/>',
            "ppt/slides/slide2.xml": f"<p:sld {SLIDE}/>",
            "ppt/slides/_rels/slide2.xml.rels": related(
                a="notesSlide:../notesSlides/n.xml", b="comments:../comments/c.xml"
            ),
            "ppt/notesSlides/n.xml": notes,
            "ppt/comments/c.xml": comments,
            "ppt/authors.xml": f'<p:authorLst {SLIDE}><p:author id="1" name="李四"/></p:authorLst>',
        }
    )
    found = told(data, EvidenceKind.PPTX)
    assert found[:3] == [
        ("演讲者备注", "备注一\n备注二", "", "0"),
        ("批注", "片注", "李四", "0"),
        ("批注", "答复", "", "0"),
    ]
    assert [(each[0], each[3]) for each in found[3:]] == [("隐藏的幻灯片", "1")]


def test_what_an_open_document_holds_back_is_told():
    styles = (
        '<style:style style:name="H"><style:text-properties text:display="none"/></style:style>'
        '<style:style style:name="T"><style:table-properties table:display="false"/></style:style>'
    )
    text = (
        "<text:tracked-changes><text:changed-region><text:deletion><text:p>删去的</text:p></text:deletion>"
        "</text:changed-region></text:tracked-changes>"
        '<text:p>可见<office:annotation><text:p>批注</text:p></office:annotation><text:span text:style-name="H">藏'
        "<text:tab/>起</text:span>之后</text:p>"
        '<table:table table:name="藏" table:style-name="T"><table:table-row table:number-rows-repeated="4"/>'
        '<table:table-row><table:table-cell table:number-columns-repeated="27"/><table:table-cell><text:p>格</text:p>'
        "</table:table-cell></table:table-row></table:table>"
    )
    content = (
        f"<office:document-content {ODF}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body>{text}</office:body></office:document-content>"
    )
    assert told(packed({"content.xml": content}), EvidenceKind.ODS) == [
        ("修订中删去的文字", "删去的", "", ""),
        ("隐藏的工作表", "AB5：格", "", "工作表“藏”"),
        ("批注", "批注", "", ""),
        ("隐藏的文字", "藏 起", "", ""),
    ]


@pytest.mark.parametrize("kind", [EvidenceKind.DOCX, EvidenceKind.XLSX, EvidenceKind.PPTX, EvidenceKind.ODS])
def test_a_damaged_package_tells_what_stands_before_the_damage_and_that_there_is_more(kind: EvidenceKind):
    unread = [("没有读取", "其余部分：文件受损，无法读取", "", "")]
    whole = workbook('<row r="1" hidden="1"><c r="A1" t="s"><v>0</v></c></row>')
    for cut in (len(whole) // 3, len(whole) - 30):
        assert told(whole[:cut], kind) == unread
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + "".join(
        f'<!ENTITY {after} "{f"&{before};" * 10}">'
        for before, after in zip("abcdefgh", "bcdefghi", strict=True)
    )
    entry = {
        EvidenceKind.DOCX: "word/comments.xml",
        EvidenceKind.XLSX: "xl/workbook.xml",
        EvidenceKind.PPTX: "ppt/presentation.xml",
        EvidenceKind.ODS: "content.xml",
    }[kind]
    assert told(packed({entry: f"{bomb}]><x>&i;</x>"}), kind) == unread


def test_what_is_too_much_to_list_is_counted():
    many = [Aside("批注", f"{number}", page=0) for number in range(6000)]
    assert "有 1000 处" in sheet(many, (), ()).notes[1]
    long = [Aside("批注", "长" * MOST_CHARACTERS + "尾", page=0), Aside("批注", "下一个", page=0)]
    made = sheet(long, (), ())
    assert "有 2 处" in made.notes[1]
    assert len(made.blocks) == 1
    assert len(sheet(many[:10], (), ()).notes) == 1
