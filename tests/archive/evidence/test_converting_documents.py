import io
import re
import shutil
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from pikepdf import Array, Dictionary, Name

from archive.errors import Code, MunimentError
from archive.evidence.sandbox import Converted, EvidenceKind, Sandbox

Written = Callable[..., bytes]
ACTING = re.compile(
    rb"/(JavaScript|JS|OpenAction|AA|Launch|URI|SubmitForm|GoToR|GoToE|ImportData|RichMedia|XFA|Annots|AcroForm)\b"
)


def _refused(sandbox: Sandbox, data: bytes, password: str) -> Code:
    with pytest.raises(MunimentError) as refused:
        sandbox.convert(io.BytesIO(data), "证据.pdf", password)
    assert refused.value.say("zh")
    return refused.value.code


def _attempt(sandbox: Sandbox, data: bytes, password: str) -> Converted | MunimentError:
    try:
        return sandbox.convert(io.BytesIO(data), "x", password)
    except MunimentError as refused:
        return refused


def _original(sandbox: Sandbox, pdf, password: str) -> bytes:
    with sandbox.original(pdf, password) as stream:
        return stream.read()


def _tool(name: str, *arguments: str) -> str:
    assert shutil.which(name), f"install {name} (qpdf, poppler-utils, mupdf-tools)"
    ran = subprocess.run([name, *arguments], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_pdf_keeps_its_text_its_pages_and_its_bytes(written: Written, sandbox: Sandbox, password: str):
    data = written("first page 42", "second page 43")
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        assert (made.kind, made.pages, made.original_attached) == (EvidenceKind.PDF, 2, True)
        assert [text.strip() for text in made.text] == ["first page 42", "second page 43"]
        assert _original(sandbox, made.pdf, password) == data


def test_three_other_programs_agree_on_the_encryption(
    written: Written, sandbox: Sandbox, password: str, tmp_path: Path
):
    with sandbox.convert(io.BytesIO(written("one", "two")), "x", password) as made:
        path = tmp_path / "made.pdf"
        path.write_bytes(made.pdf.read())
    shown = _tool("qpdf", f"--password={password}", "--show-encryption", str(path))
    assert "R = 6" in shown
    assert shown.count("AESv3") == 3  # streams, strings, files
    _tool("qpdf", f"--password={password}", "--check", str(path))
    told = _tool("pdfinfo", "-upw", password, str(path))
    assert re.search(r"Pages:\s+2", told)
    assert "algorithm:AES-256" in told
    assert "Hello" not in told
    assert re.search(r"Pages: 2", _tool("mutool", "info", "-p", password, str(path)))
    for wrong in ("", password + "x", password[:-1]):
        opened = subprocess.run(
            ["qpdf", f"--password={wrong}", "--check", str(path)], capture_output=True, check=False
        )
        assert opened.returncode
    raw = path.read_bytes()
    assert b"/Metadata" not in raw or b"/EncryptMetadata false" not in raw
    assert b"original.pdf" not in raw  # object streams and strings are sealed too


def test_a_password_protected_pdf_is_refused(written: Written, sandbox: Sandbox, password: str):
    for revision in (4, 6):
        locked = written("x", encryption=pikepdf.Encryption(owner="o", user="u", R=revision))
        assert _refused(sandbox, locked, password) is Code.EVIDENCE_ENCRYPTED


def test_a_pdf_with_only_an_owner_password_is_taken(written: Written, sandbox: Sandbox, password: str):
    data = written("open to read", encryption=pikepdf.Encryption(owner="o", user="", R=4))
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        assert made.text[0].strip() == "open to read"
        assert _original(sandbox, made.pdf, password) == data


def _hostile(pdf: pikepdf.Pdf) -> None:
    script = Dictionary(Type=Name.Action, S=Name.JavaScript, JS=pikepdf.String("app.alert(1)"))
    pdf.Root.OpenAction = script
    pdf.Root.AA = Dictionary(WC=script)
    pdf.Root.Names = Dictionary(JavaScript=Dictionary(Names=Array([pikepdf.String("x"), script])))
    pdf.attachments["virus.exe"] = pikepdf.AttachedFileSpec(pdf, b"MZ virus")
    pdf.Root.AcroForm = Dictionary(XFA=pdf.make_stream(b"<xfa/>"), Fields=Array())
    page = pdf.pages[0].obj
    page.AA = Dictionary(O=script)
    actions = [
        script,
        Dictionary(S=Name.Launch, F=pikepdf.String("cmd.exe")),
        Dictionary(S=Name.URI, URI=pikepdf.String("http://tracker.example/")),
        Dictionary(S=Name.SubmitForm, F=pikepdf.String("http://tracker.example/")),
        Dictionary(S=Name.GoToR, F=pikepdf.String("//share/x.pdf"), D=Array([0, Name.Fit])),
    ]
    page.Annots = Array(
        [
            pdf.make_indirect(
                Dictionary(
                    Type=Name.Annot,
                    Subtype=Name.Link,
                    Rect=Array([0, 0, 9, 9]),
                    A=action,
                    AA=Dictionary(E=action),
                )
            )
            for action in actions
        ]
        + [Dictionary(Type=Name.Annot, Subtype=Name.RichMedia, Rect=Array([0, 0, 9, 9]))]
    )
    outside = pdf.make_stream(b"")
    outside.F = pikepdf.String("/etc/passwd")
    outside.Subtype = Name.Form
    outside.BBox = Array([0, 0, 1, 1])
    page.Resources.XObject = Dictionary(
        Out=outside, A=pdf.make_stream(b"0 0 m", Subtype=Name.Form, BBox=[0, 0, 1, 1])
    )


def test_nothing_in_the_display_copy_can_act(written: Written, sandbox: Sandbox, password: str):
    data = written("hostile", prepare=_hostile)
    assert len(ACTING.findall(data)) > 8
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        assert made.text[0].strip() == "hostile"
        assert _original(sandbox, made.pdf, password) == data
        with pikepdf.open(made.pdf, password=password) as pdf:
            assert list(pdf.attachments) == ["original.pdf"]
            assert set(pdf.Root.keys()) == {"/Type", "/Pages", "/Names", "/Extensions"} | (
                {"/AF"} if "/AF" in pdf.Root else set()
            )
            assert "/A" in pdf.pages[0].obj.Resources.XObject  # a name for a resource, no action
            del pdf.attachments["original.pdf"]
            plain = io.BytesIO()
            pdf.save(plain, object_stream_mode=pikepdf.ObjectStreamMode.disable)
        found = {match.group(1) for match in ACTING.finditer(plain.getvalue())}
        assert not found
        assert b"tracker.example" not in plain.getvalue()
        assert b"/etc/passwd" not in plain.getvalue()


def test_what_a_form_holds_is_drawn_into_the_page_and_found(
    written: Written, sandbox: Sandbox, password: str
):
    def fill(pdf: pikepdf.Pdf) -> None:
        page = pdf.pages[0].obj
        look = pdf.make_stream(
            b"BT /F1 12 Tf 2 4 Td (Tel 13800138000) Tj ET",
            Type=Name.XObject,
            Subtype=Name.Form,
            BBox=[0, 0, 200, 20],
            Resources=page.Resources,
        )
        field = pdf.make_indirect(
            Dictionary(
                Type=Name.Annot,
                Subtype=Name.Widget,
                FT=Name.Tx,
                T=pikepdf.String("phone"),
                V=pikepdf.String("13800138000"),
                Rect=[60, 500, 260, 520],
                F=4,
                AP=Dictionary(N=look),
            )
        )
        page.Annots = Array([field])
        pdf.Root.AcroForm = Dictionary(Fields=Array([field]))

    with sandbox.convert(io.BytesIO(written("form", prepare=fill)), "x", password) as made:
        assert "13800138000" in made.text[0]
        with pikepdf.open(made.pdf, password=password) as pdf:
            assert "/Annots" not in pdf.pages[0].obj


def test_layers_stay_hidden_or_shown_as_they_were(written: Written, sandbox: Sandbox, password: str):
    def layer(pdf: pikepdf.Pdf) -> None:
        group = pdf.make_indirect(Dictionary(Type=Name.OCG, Name=pikepdf.String("hidden")))
        pdf.Root.OCProperties = Dictionary(OCGs=Array([group]), D=Dictionary(OFF=Array([group])))
        page = pdf.pages[0].obj
        page.Resources.Properties = Dictionary(L=group)
        page.Contents = pdf.make_stream(b"/OC /L BDC 0 0 595 842 re f EMC")

    data = written("x", prepare=layer)
    with sandbox.convert(io.BytesIO(data), "x", password) as made:
        document = pypdfium2.PdfDocument(made.pdf, password=password)
        corner = document[0].render(scale=0.1).to_pil().getpixel((5, 5))
        document.close()
    assert corner == (255, 255, 255)


@pytest.mark.parametrize(
    "data",
    [
        b"%PDF-1.7\n%%EOF",
        b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj trailer<</Root 1 0 R>>",
        b"%PDF-1.7\n" + bytes(range(256)) * 20,
        (
            b"%PDF-1.7\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj "
            b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj "
            b"trailer<</Root 1 0 R>>"
        ),
    ],
    ids=["nothing", "no page tree", "noise", "no pages"],
)
def test_a_pdf_without_pages_is_refused(data: bytes, sandbox: Sandbox, password: str):
    assert _refused(sandbox, data, password) is Code.EVIDENCE_UNREADABLE


def test_a_truncated_pdf_is_mended_or_refused_but_never_half_kept(
    written: Written, sandbox: Sandbox, password: str
):
    whole = written("one", "two", "three")
    for part in (0.3, 0.6, 0.9, 0.99):
        data = whole[: int(len(whole) * part)]
        outcome = _attempt(sandbox, data, password)
        if isinstance(outcome, MunimentError):
            assert outcome.code is Code.EVIDENCE_UNREADABLE
        else:
            with outcome as made:
                assert made.pages >= 1
                assert _original(sandbox, made.pdf, password) == data


def test_too_many_pages_are_refused(written: Written, tight: Sandbox, password: str):
    with pytest.raises(MunimentError) as refused:
        tight.convert(io.BytesIO(written(*["x"] * 21)), "x", password)
    assert refused.value.code is Code.EVIDENCE_TOO_MANY_PAGES
    assert "21" in refused.value.say("zh")


def _bare(*objects: bytes) -> bytes:
    body = b"%PDF-1.7\n"
    places = []
    for number, each in enumerate(objects, start=1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    table += b"".join(b"%010d 00000 n \n" % place for place in places)
    return (
        body
        + table
        + b"trailer<</Root 1 0 R/Size %d>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, len(body))
    )


def _stream(data: bytes, times: int = 1) -> bytes:
    for _ in range(times):
        data = zlib.compress(data, 9)
    filters = b"/FlateDecode " * times
    return b"<</Length %d/Filter[%s]>>stream\n%s\nendstream" % (len(data), filters, data)


def _page(content: bytes, box: bytes = b"0 0 595 842") -> bytes:
    return _bare(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[%s]/Contents 4 0 R/Resources<<>>>>" % box,
        content,
    )


def test_a_drawing_that_never_ends_is_stopped(tight: Sandbox, password: str):
    bomb = _page(_stream(b"0 0 m 9 9 l 5 1 l S " * 8_000_000, 2))
    assert len(bomb) < 20_000
    assert _refused(tight, bomb, password) in (Code.CONVERSION_TOO_LARGE, Code.CONVERSION_TIMEOUT)


def test_a_picture_that_unfolds_hugely_in_a_pdf_is_stopped_or_left_out(tight: Sandbox, password: str):
    image = (
        b"<</Type/XObject/Subtype/Image/Width 12000/Height 12000/ColorSpace/DeviceRGB/BitsPerComponent 8"
        b"/Filter[/FlateDecode/FlateDecode]/Length %d>>stream\n%s\nendstream"
    )
    body = zlib.compressobj(9)
    once = b"".join(body.compress(bytes(1 << 20)) for _ in range(412)) + body.flush()
    twice = zlib.compress(once, 9)
    bomb = _bare(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</XObject<</I 5 0 R>>>>>>",
        _stream(b"99 0 0 99 0 0 cm /I Do"),
        image % (len(twice), twice),
    )
    outcome = _attempt(tight, bomb, password)
    if isinstance(outcome, MunimentError):
        assert outcome.code in (
            Code.CONVERSION_TOO_LARGE, Code.CONVERSION_TIMEOUT, Code.EVIDENCE_UNREADABLE,
            Code.CONVERSION_CRASHED,
        )  # fmt: skip
    else:
        with outcome as made:
            assert _original(tight, made.pdf, password) == bomb


def test_forms_that_draw_each_other_many_times_are_stopped(tight: Sandbox, password: str):
    forms = [
        b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</N %d 0 R>>>>/Length 60"
        b">>stream\n%s\nendstream" % (6 + depth, b"/N Do " * 10)
        for depth in range(9)
    ]
    last = b"<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Length 12>>stream\n0 0 9 9 re f\nendstream"
    bomb = _bare(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]/Contents 4 0 R/Resources<</XObject<</N 5 0 R>>>>>>",
        _stream(b"/N Do"),
        *forms,
        last,
    )
    assert _refused(tight, bomb, password) in (Code.CONVERSION_TOO_LARGE, Code.CONVERSION_TIMEOUT)


def test_a_deep_page_tree_is_answered(tight: Sandbox, password: str):
    depth = 20_000
    nodes = [
        b"<</Type/Pages/Parent %d 0 R/Kids[%d 0 R]/Count 1>>" % (max(2, level + 1), level + 3)
        for level in range(depth)
    ]
    leaf = b"<</Type/Page/Parent %d 0 R/MediaBox[0 0 9 9]/Resources<<>>>>" % (depth + 1)
    data = _bare(b"<</Type/Catalog/Pages 2 0 R>>", *nodes, leaf)
    outcome = _attempt(tight, data, password)
    if isinstance(outcome, MunimentError):
        assert outcome.code in (Code.EVIDENCE_UNREADABLE, Code.CONVERSION_CRASHED, Code.CONVERSION_TOO_LARGE)
    else:
        with outcome as made:
            assert made.pages == 1


@pytest.mark.parametrize("kids", [b"3 0 R 2 0 R", b"3 0 R 3 0 R"])
def test_a_page_tree_that_repeats_itself_is_answered(kids: bytes, tight: Sandbox, password: str):
    data = _bare(
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[%s]/Count 999999999>>" % kids,
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>>>>",
    )
    outcome = _attempt(tight, data, password)
    if isinstance(outcome, MunimentError):
        assert outcome.code is Code.EVIDENCE_UNREADABLE
    else:
        with outcome as made:
            assert made.pages <= 2


@pytest.mark.parametrize(
    "box", [b"0 0 1e9 1e9", b"0 0 100000 100000", b"0 0 0 0", b"9 9 1 1", b"-1e7 0 1e7 1"]
)
def test_a_page_of_absurd_size_is_drawn_small_or_refused(box: bytes, tight: Sandbox, password: str):
    data = _page(_stream(b"0 0 m 9 9 l S"), box)
    outcome = _attempt(tight, data, password)
    if isinstance(outcome, MunimentError):
        assert outcome.code is Code.EVIDENCE_UNREADABLE
    else:
        with outcome as made:
            assert len(tight.page(made.pdf, password, 1, 800, "看")) < 3_000_000
            tight.release(made.pdf, password, "another", "副本").close()


def test_arrays_nested_without_end_are_answered(tight: Sandbox, password: str):
    data = _page(b"[" * 100_000 + b"]" * 100_000)
    outcome = _attempt(tight, data, password)
    if isinstance(outcome, MunimentError):
        assert outcome.code in (Code.EVIDENCE_UNREADABLE, Code.CONVERSION_CRASHED)
    else:
        outcome.close()


def test_after_all_bombs_the_same_sandbox_still_works(written: Written, tight: Sandbox, password: str):
    with tight.convert(io.BytesIO(written("still here")), "x", password) as made:
        assert made.text[0].strip() == "still here"
