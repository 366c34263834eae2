"""A film and a sound in a real browser: its own player gets their length, plays and seeks, on a desk and on a phone."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from access.person import Role
from archive.casefile.filing import Submission
from archive.casefile.sources import Source
from archive.evidence.limits import ATTACHED
from archive.ledger.entries import CONSOLE
from tests.conftest import QUICK
from tests.recordings import film, needs_ffmpeg, sound
from tests.serving import served
from tests.vouchers import voucher
from web.settings import Settings
from web.wiring import init, opened

pytestmark = [pytest.mark.browser, needs_ffmpeg]
PASSWORD = "correct-horse-battery"
SIZES = {"desk": (1280, 900), "phone": (360, 780)}
AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
LENGTH = """player => new Promise((done, failed) => {
  if (player.readyState >= 1) return done(player.duration);
  player.onloadedmetadata = () => done(player.duration);
  player.onerror = () => failed(new Error(player.error.message));
  player.preload = "metadata";
  player.load();
})"""
SEEK = """(player, to) => new Promise((done, failed) => {
  player.onseeked = () => done(player.currentTime);
  player.onerror = () => failed(new Error(player.error.message));
  player.currentTime = to;
})"""

PLAY = """player => new Promise((done, failed) => {
  const begun = player.currentTime;
  player.ontimeupdate = () => { if (player.currentTime > begun + 0.3) done(player.currentTime); };
  player.onerror = () => failed(new Error(player.error.message));
  player.muted = true;
  player.play();
})"""


@dataclass(frozen=True)
class House:
    address: str
    reference: str


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    home = tmp_path_factory.mktemp("playing") / "var"
    settings = Settings(home=home)
    init(settings)
    large = (
        film() + (ATTACHED + 8).to_bytes(4) + b"free" + bytes(ATTACHED)
    )  # the same film, too large for its PDF
    given = (("电话.mp3", sound()), ("现场.mp4", film()), ("监控.mp4", large))
    with opened(settings, passwords=QUICK) as built:
        sources = tuple(Source(name, io.BytesIO(content)) for name, content in given)
        filed = built.filing.file(CONSOLE, Submission("一级", "剧本相关", None, None, voucher(), sources))
        built.people.add(CONSOLE, "周敏", Role.ADMINISTRATOR, "客服部", PASSWORD)
    with served(home) as (address, _):
        yield House(address, filed.reference)


@pytest.fixture
def reading(chromium: Browser, house: House):
    """The page of a document, by somebody signed in; what the console said is kept."""
    contexts = []

    def read(
        ordinal: int, size: str, *, script: bool = True, audited: bool = False
    ) -> tuple[Page, list[str]]:
        width, height = SIZES[size]
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            locale="zh-CN",
            java_script_enabled=script,
            bypass_csp=audited,  # for axe, which is put into the page
        )
        contexts.append(context)
        page, said = context.new_page(), []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{house.address}/sign-in")
        page.fill("[name=name]", "周敏")
        page.fill("[name=password]", PASSWORD)
        with page.expect_navigation(url=f"{house.address}/"):  # or the next page cuts it off
            page.click("main form button")
        page.goto(f"{house.address}/files/{house.reference}/read?document={ordinal}")
        return page, said

    yield read
    for each in contexts:
        each.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("ordinal", "element"), [(1, "audio"), (2, "video"), (3, "video")])
def test_a_recording_has_its_length_and_can_be_sought(
    reading, output: Path, ordinal: int, element: str, size: str
):
    page, said = reading(ordinal, size)
    player = page.locator(element)
    assert player.evaluate("player => player.readyState") == 0  # nothing is fetched before somebody plays
    assert player.evaluate(LENGTH) == pytest.approx(6, abs=0.3)
    assert player.evaluate(SEEK, 4.5) == pytest.approx(4.5, abs=0.3)
    output.mkdir(exist_ok=True)
    page.screenshot(path=output / f"playing-{element}-{ordinal}-{size}.png")
    assert player.evaluate(PLAY) > 4.7
    assert said == []  # no refusal by the content security policy
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


def test_without_scripts_the_player_is_there_and_the_cover_can_be_opened(reading, output: Path):
    page, _ = reading(2, "desk", script=False)
    assert page.locator("video[controls]").is_visible()
    page.locator("details.cover summary").click()
    assert page.locator(".sheet-of-paper img").is_visible()
    page.screenshot(path=output / "playing-without-scripts.png")


@pytest.mark.parametrize(("ordinal", "size"), [(1, "phone"), (3, "desk")])
def test_the_page_with_a_player_is_accessible(reading, ordinal: int, size: str):
    page, _ = reading(ordinal, size, audited=True)
    found = Axe().run(page, options=AXE).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"]]) for each in found] == []
