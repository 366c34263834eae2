"""Reading pictures in the cage, with the extra; skipped, saying so, where it is not installed."""

import io
from collections.abc import Callable, Iterator

import pylopdf_fonts_zh_cn
import pytest
from PIL import Image, ImageDraw, ImageFont

from archive.errors import Code, MunimentError
from archive.evidence import transcribing
from archive.evidence.limits import Limits
from archive.evidence.sandbox import Sandbox

pytestmark = pytest.mark.skipif(
    not transcribing.is_available(), reason="reading pictures is an extra: pip install 'muniment[ocr]'"
)
Saved = Callable[..., bytes]


@pytest.fixture(scope="module")
def reading_room() -> Iterator[Sandbox]:
    with Sandbox(1, transcribing.LIMITS) as pool:
        yield pool


def _screen(*lines: str, size: tuple[int, int] = (900, 700), step: int = 110) -> Image.Image:
    font = ImageFont.truetype(pylopdf_fonts_zh_cn.sans_path(), 46)
    picture = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(picture)
    for number, text in enumerate(lines):
        pen.text((60, 60 + step * number), text, font=font, fill="black")
    return picture


def test_a_screenshot_is_read_and_its_numbers_are_masked_on_the_page(
    saved: Saved, sandbox: Sandbox, reading_room: Sandbox, password: str
):
    screen = saved(_screen("第三幕的道具不见了", "13800138000", "请联系我"), "PNG")
    with sandbox.convert(io.BytesIO(screen), "x.png", password) as made:
        read = reading_room.recognise(made.pdf, password, 1)
        plain = sandbox.page(made.pdf, password, 1, 900, "")
        drawn = sandbox.page(made.pdf, password, 1, 900, "", read, ["道具", "13800138000"])
    assert "道具" in read.text
    assert "13800138000" in read.text
    before = Image.open(io.BytesIO(plain)).convert("RGB")
    after = Image.open(io.BytesIO(drawn)).convert("RGB")
    number = (150, 165, 260, 215)  # the middle of the second line
    assert before.crop(number).getextrema()[0][1] > 240
    assert after.crop((190, 180, 240, 200)).getextrema()[0][1] < 80
    yellow = after.crop((60, 50, 500, 130)).getcolors(1 << 20)
    assert any(blue < 160 and red > 220 for _, (red, _, blue) in yellow)


def test_a_long_screenshot_is_read_to_its_foot(
    saved: Saved, sandbox: Sandbox, reading_room: Sandbox, password: str
):
    wanted = [f"第{number:02d}行内容" for number in range(1, 31)]
    screen = saved(_screen(*wanted, size=(900, 6200), step=200), "PNG")
    with sandbox.convert(io.BytesIO(screen), "x.png", password) as made:
        read = reading_room.recognise(made.pdf, password, 1)
    assert [each for each in wanted if each not in read.text] == []
    assert read.text.count("行内容") == 30  # none twice where two bands overlap


@pytest.mark.parametrize("offset", [0, 11, 23, 37])
def test_a_number_is_found_wherever_the_picture_is_cut_to_be_read(
    offset: int, saved: Saved, sandbox: Sandbox, reading_room: Sandbox, password: str
):
    numbers = [f"1380013{each:04d}" for each in range(34)]
    screen = Image.new("RGB", (900, 2600), "white")
    screen.paste(_screen(*numbers, size=(900, 2560), step=72), (0, offset))
    with sandbox.convert(io.BytesIO(saved(screen, "PNG")), "x.png", password) as made:
        read = reading_room.recognise(made.pdf, password, 1)
    assert [each for each in numbers if read.text.count(each) != 1] == []


def test_a_picture_without_letters_gives_none(
    saved: Saved, sandbox: Sandbox, reading_room: Sandbox, password: str
):
    blank = saved(Image.new("RGB", (400, 300), "white"), "PNG")
    with sandbox.convert(io.BytesIO(blank), "x.png", password) as made:
        read = reading_room.recognise(made.pdf, password, 1)
    assert read.text == ""
    assert read.confidence == 100


def test_a_page_that_is_not_there_is_refused(
    saved: Saved, sandbox: Sandbox, reading_room: Sandbox, password: str
):
    blank = saved(Image.new("RGB", (400, 300), "white"), "PNG")
    with (
        sandbox.convert(io.BytesIO(blank), "x.png", password) as made,
        pytest.raises(MunimentError) as refused,
    ):
        reading_room.recognise(made.pdf, password, 2)
    assert refused.value.code is Code.PAGE_NOT_FOUND


def test_a_worker_without_the_memory_for_it_is_ended_and_the_next_one_serves(
    saved: Saved, sandbox: Sandbox, password: str
):
    screen = saved(_screen("道具"), "PNG")
    small = Limits(memory_bytes=420_000_000, wall_seconds=60)
    with Sandbox(1, small) as pool, sandbox.convert(io.BytesIO(screen), "x.png", password) as made:
        with pytest.raises(MunimentError) as refused:
            pool.recognise(made.pdf, password, 1)
        assert refused.value.code in (Code.CONVERSION_TOO_LARGE, Code.CONVERSION_CRASHED)
        assert pool.page(made.pdf, password, 1, 300, "")
