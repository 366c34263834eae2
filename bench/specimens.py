"""One believable piece of evidence of each kind, made from a seed: what customers and staff hand in."""

import io
import random
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from email.message import EmailMessage
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageDraw, ImageFilter

_SENTENCES = (
    "顾客称当晚开场晚了四十分钟，主持人没有说明原因。",
    "前台答应退一半费用，之后无人联系。",
    "同车六人，其中两人未满十八岁，店员没有核对。",
    "剧本第二幕的线索卡少了三张，后来才补上。",
    "The room was booked for seven, and we were let in at twenty to eight.",
)
_PRESENTATION = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_TYPES = f"""<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Override PartName="/word/document.xml" ContentType="{_PRESENTATION}.main+xml"/></Types>"""
_RELATIONS = """<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">
<Relationship Id="r1" Target="word/document.xml"
 Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"/></Relationships>"""
_WORD = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"


def specimens(seed: int) -> Mapping[str, bytes]:
    """By kind, in the words of the table. Without ffmpeg no recordings."""
    rng = random.Random(seed)
    photo, screen = _photo(rng), _screenshot(rng)
    made = {
        "JPEG, 12 megapixels": _saved(photo, "JPEG", quality=88),
        "PNG, a telephone's screen": _saved(screen, "PNG"),
        "WebP, 12 megapixels": _saved(photo, "WEBP", quality=80),
        "TIFF, 3 scanned pages": _scans(screen),
        "PDF, 5 pages of pictures": _pictured_pdf(screen),
        "text, 4 pages": _prose(rng, 120).encode("gb18030"),
        "CSV, 300 rows": _table(rng).encode(),
        "chat record, 200 messages": _chat(rng).encode(),
        "HTML": f"<html><body><h1>投诉</h1><p>{_prose(rng, 60)}</p></body></html>".encode(),
        "e-mail with a picture": _mail(rng, screen),
        "Word, through LibreOffice": _docx(rng),
    }
    return made | _recordings()


def _photo(rng: random.Random) -> Image.Image:
    """Smooth surfaces with some grain, so that it packs like a photograph: about 2 MB."""
    small = Image.frombytes("RGB", (125, 94), rng.randbytes(125 * 94 * 3))
    large = small.resize((4000, 3000), Image.Resampling.BICUBIC)
    grain = Image.frombytes("L", (1000, 750), rng.randbytes(1000 * 750)).resize((4000, 3000))
    return Image.blend(large, grain.convert("RGB"), 0.08)


def _screenshot(rng: random.Random) -> Image.Image:
    screen = Image.new("RGB", (1080, 2340), (237, 237, 237))
    draw = ImageDraw.Draw(screen)
    for row in range(20):
        left = 60 if rng.random() < 0.5 else 360
        draw.rounded_rectangle((left, 40 + row * 112, left + 620, 120 + row * 112), 24, fill=(255, 255, 255))
        for _ in range(28):
            at = left + 20 + rng.randrange(580), 52 + row * 112 + rng.randrange(50)
            draw.rectangle((*at, at[0] + rng.randrange(4, 16), at[1] + 3), fill=(20, 20, 20))
    return screen.filter(ImageFilter.SMOOTH)


def _saved(picture: Image.Image, form: str, **options: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, form, **options)
    return target.getvalue()


def _scans(page: Image.Image) -> bytes:
    pages = [page.convert("L") for _ in range(3)]
    return _saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], compression="tiff_lzw")


def _pictured_pdf(page: Image.Image) -> bytes:
    pages = [page.rotate(each / 2, fillcolor=(255, 255, 255)) for each in range(5)]
    return _saved(pages[0], "PDF", save_all=True, append_images=pages[1:])


def _prose(rng: random.Random, count: int) -> str:
    return "\n".join(rng.choice(_SENTENCES) for _ in range(count))


def _table(rng: random.Random) -> str:
    rows = [
        f"{number},门店{rng.randrange(9)},{rng.randrange(80, 900)},{rng.choice(_SENTENCES)}"
        for number in range(300)
    ]
    return "\n".join(["序号,门店,金额,说明", *rows])


def _chat(rng: random.Random) -> str:
    speakers = ("林夏", "门店客服")
    said = [
        f"2026-03-{1 + number // 40:02d} 19:{number % 60:02d}:07 {rng.choice(speakers)}\n{rng.choice(_SENTENCES)}\n"
        for number in range(200)
    ]
    return "\n".join(said)


def _mail(rng: random.Random, screen: Image.Image) -> bytes:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "guest@example.org", "care@example.com", "投诉"
    mail["Date"] = "Tue, 03 Mar 2026 10:00:00 +0800"
    mail.set_content(_prose(rng, 20))
    mail.add_attachment(_saved(screen, "PNG"), maintype="image", subtype="png", filename="截图.png")
    return mail.as_bytes()


def _docx(rng: random.Random) -> bytes:
    body = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in _prose(rng, 60).split("\n"))
    document = f'<?xml version="1.0"?><w:document xmlns:w="{_WORD}"><w:body>{body}</w:body></w:document>'
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in (
            ("[Content_Types].xml", _TYPES),
            ("_rels/.rels", _RELATIONS),
            ("word/document.xml", document),
        ):
            package.writestr(name, content)
    return target.getvalue()


def _recordings() -> dict[str, bytes]:
    if shutil.which("ffmpeg") is None:
        return {}
    sound = ("-f", "lavfi", "-i", "anoisesrc=d=60:c=pink")
    film = ("-f", "lavfi", "-i", "testsrc2=d=10:s=1280x720:r=25")
    return {
        "MP3, 1 minute": _recorded("mp3", *sound, "-b:a", "128k"),
        "MP4, 10 seconds": _recorded("mp4", *film, "-pix_fmt", "yuv420p"),
    }


def _recorded(extension: str, *arguments: str) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"made.{extension}"
        subprocess.run(["ffmpeg", "-v", "error", *arguments, str(path)], check=True)
        return path.read_bytes()
