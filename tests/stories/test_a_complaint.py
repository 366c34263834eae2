"""The whole way of one complaint in a real browser: filed, found, asked for, approved, read, signed, taken back."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.serving import muniment, served

pytestmark = [pytest.mark.story, pytest.mark.browser]
PASSWORD = "correct-horse-battery"
PEOPLE = {
    "孙倩": ("registrar", "春熙路店"),
    "韩雨桐": ("employee", "剧本部"),
    "高雪": ("head", "剧本部"),
    "陈思远": ("operations", "运营部"),
    "周敏": ("administrator", "客服部"),
    "吴昊": ("auditor", "内审部"),
}
REFERENCE = "2026-二级-剧本相关-001"


class Screens:
    """One browser, many people: each signs in on a page of their own, and every step leaves a picture."""

    def __init__(self, browser: Browser, address: str, folder: Path) -> None:
        self.browser, self.address, self.folder = browser, address, folder
        self.count, self.request = 0, ""
        folder.mkdir(parents=True, exist_ok=True)

    def enter(self, name: str, *, phone: bool = False, language: str = "zh-CN") -> Page:
        size = {"width": 390, "height": 844} if phone else {"width": 1280, "height": 860}
        page = self.browser.new_context(viewport=size, locale=language).new_page()
        page.goto(f"{self.address}/sign-in")
        page.fill("[name=name]", name)
        page.fill("[name=password]", PASSWORD)
        page.click("main form button")
        expect(page).to_have_url(f"{self.address}/")
        return page

    def keep(self, page: Page, name: str) -> None:
        self.count += 1
        page.screenshot(path=self.folder / f"{self.count:02d}-{name}.png", full_page=True)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "var"
    assert muniment("--home", home, "init").returncode == 0
    for name, (role, department) in PEOPLE.items():
        added = muniment(
            "--home", home, "people", "add", name, "--role", role, "--department", department,
            "--password-stdin", given=PASSWORD + "\n",
        )  # fmt: skip
        assert added.returncode == 0, added.stderr
    return home


@pytest.fixture
def screens(chromium: Browser, home: Path, output: Path) -> Iterator[Screens]:
    with served(home) as (address, _):
        yield Screens(chromium, address, output / "story")


@pytest.fixture
def evidence(tmp_path: Path) -> dict[str, Path]:
    """Two that are good and one that is not."""
    photo, receipt, broken = (tmp_path / name for name in ("现场照片.jpg", "小票.png", "损坏.pdf"))
    Image.effect_noise((800, 600), 60).convert("RGB").save(photo)
    Image.new("RGB", (400, 900), "ivory").save(receipt)
    broken.write_bytes(b"%PDF-1.7 cut off")
    return {"photo": photo, "receipt": receipt, "broken": broken}


def test_from_filing_to_the_return_check(screens: Screens, home: Path, evidence: dict[str, Path]) -> None:
    file_it(screens, evidence)
    ask_for_it(screens)
    approve_it(screens, "高雪")
    approve_it(screens, "陈思远")
    provide_it(screens)
    read_it(screens)
    take_it_back(screens)
    audit_it(screens)
    verified = muniment("--home", home, "ledger", "verify", "--json")
    assert verified.returncode == 0, verified.stderr
    assert '"whole": true' in verified.stdout


def file_it(screens: Screens, evidence: dict[str, Path]) -> None:
    page = screens.enter("孙倩")
    screens.keep(page, "home-of-the-registrar")
    page.goto(f"{screens.address}/file")
    page.locator("label.choice", has_text="二级").click()
    page.locator("label.choice", has_text="剧本相关").click()
    for field, text in {
        "complainant.name": "王小明", "complainant.contact": "13800138000", "store": "春熙路店",
        "script": "长安十二时", "received_at": "2026-02-27T20:15", "receiver.contact": "028-88886666",
        "details": "第三幕道具缺失，大概等了四十分钟，主持人没有解释，剧情无法继续。",
    }.items():  # fmt: skip
        page.fill(f"[name='{field}']", text)
    page.select_option("[name=channel]", "门店现场")
    page.locator("label.choice", has_text="退费").click()
    expect(page.locator("#details-flags")).to_contain_text("大概")  # flagged while it is typed
    page.set_input_files("#evidence", list(evidence.values()))
    expect(page.locator("#uploads li.ok")).to_have_count(2)
    expect(page.locator("#uploads li.no")).to_contain_text("损坏.pdf")
    screens.keep(page, "filing-with-one-refused")
    page.click("#send")
    expect(page.locator("#refusal")).to_contain_text(
        "请移除"
    )  # what was refused is left out knowingly, never silently
    page.get_by_role("button", name="移除 损坏.pdf").click()
    page.click("#send")
    expect(page.locator("#reference")).to_have_text(REFERENCE)
    expect(page.locator("main")).to_contain_text(f"{REFERENCE}-02.pdf")
    screens.keep(page, "filed")


def ask_for_it(screens: Screens) -> None:
    page = screens.enter("韩雨桐")
    page.goto(f"{screens.address}/requests/new?reference={REFERENCE}")
    page.locator("label.choice").first.click()
    page.fill("[name=reason]", "核对道具缺失的具体场次")
    screens.keep(page, "asking")
    page.locator("main form button").last.click()
    page.wait_for_url("**/requests/CX-*-00001")
    screens.request = page.url.rpartition("/")[2]  # of this year, whichever that is
    expect(page.locator("main")).to_contain_text(screens.request)
    screens.keep(page, "asked")


def approve_it(screens: Screens, who: str) -> None:
    page = screens.enter(who, phone=True)
    page.goto(f"{screens.address}/inbox")
    screens.keep(page, "inbox-on-a-phone")
    page.locator("form[action$='/approve'] button").click()
    expect(page.locator(".notice.good")).to_be_visible()


def provide_it(screens: Screens) -> None:
    page = screens.enter("周敏")
    page.goto(f"{screens.address}/requests/{screens.request}")
    screens.keep(page, "to-be-provided")
    page.locator("form[action$='/provide'] button").click()
    expect(page.locator(".notice.good")).to_be_visible()
    page.goto(f"{screens.address}/find")
    page.fill("#q", "道具缺失")
    expect(page.locator(".results mark").first).to_be_visible()
    screens.keep(page, "found")


def read_it(screens: Screens) -> None:
    page = screens.enter("韩雨桐", phone=True, language="en-GB")
    page.goto(f"{screens.address}/requests/{screens.request}")
    page.locator("a[role=button][href$='/read']").click()
    picture = page.locator(".sheet-of-paper img")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") >= 1200
    screens.keep(page, "reading-on-a-phone-in-English")
    page.goto(f"{screens.address}/files/{REFERENCE}/read?document=1")
    assert page.locator(".sheet-of-paper img").evaluate(
        "image => image.decode().then(() => image.naturalWidth)"
    )
    screens.keep(page, "reading-the-photo")
    page.goto(f"{screens.address}/requests/{screens.request}")
    page.fill("form[action$='/sign-off'] textarea", "Seen, thank you")
    screens.keep(page, "signing-off")
    page.locator("form[action$='/sign-off'] button").click()
    expect(page.locator(".notice.good")).to_be_visible()
    refused = page.goto(f"{screens.address}/files/{REFERENCE}/read")
    assert refused is not None
    assert refused.status == 403  # nothing is shown after the signature
    screens.keep(page, "no-more-reading")


def take_it_back(screens: Screens) -> None:
    page = screens.enter("周敏")
    page.goto(f"{screens.address}/requests/{screens.request}")
    page.locator("form[action$='/close'] button").click()
    expect(page.locator(".notice.good")).to_be_visible()
    screens.keep(page, "closed")
    page.goto(f"{screens.address}/retention")
    screens.keep(page, "retention")


def audit_it(screens: Screens) -> None:
    page = screens.enter("吴昊")
    page.goto(f"{screens.address}/lookups")
    expect(page.locator("main")).to_contain_text(screens.request)
    screens.keep(page, "lookup-ledger")
    page.goto(f"{screens.address}/ledger")
    page.locator("form[action$='/ledger/verification'] button").click()
    expect(page.locator("#verification")).to_contain_text("核验通过")
    screens.keep(page, "ledger-verified")
