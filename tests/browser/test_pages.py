"""Every page over the sample archive: in both languages, on a desk and on a phone, as a browser and axe-core see it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.serving import muniment, served

pytestmark = pytest.mark.browser
PEOPLE = {"周敏": "administrator", "李莉": "employee", "吴昊": "auditor", "赵铁": "system", "罗文静": "head"}
# The first page of each way through the house, and who goes there.
WAYS = {
    "/": "周敏",
    "/account": "李莉",
    "/file": "周敏",
    "/file?with=json": "周敏",
    "/find": "周敏",
    "/find?q=退款": "周敏",
    "/fixity": "吴昊",
    "/fixity/1": "周敏",
    "/inbox": "罗文静",
    "/ledger": "吴昊",
    "/lookups": "吴昊",
    "/numbers": "吴昊",
    "/people": "赵铁",
    "/pictures": "周敏",
    "/requests": "李莉",
    "/requests/CX-{year}-00001": "李莉",
    "/requests/new": "李莉",
    "/retention": "周敏",
    "/state": "赵铁",
    "/files/{reference}": "周敏",
    "/files/{reference}/read": "周敏",
    "/files/nonsense": "周敏",
    "/nowhere": "周敏",
}
SIZES = {"desk": (1280, 900), "phone": (360, 780)}
LANGUAGES = {"zh": "zh-CN", "en": "en-GB"}
_AXE = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
_WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass(frozen=True)
class Visitors:
    """Whoever is asked for, signed in once a language and size."""

    browser: Browser
    address: str
    password: str
    reference: str
    year: int
    opened: dict[tuple[str, str, str], BrowserContext]

    def page(self, name: str, size: str, language: str, *, script: bool = True) -> Page:
        key = (name, size, language)
        if key not in self.opened or not script:
            width, height = SIZES[size]
            context = self.browser.new_context(
                viewport={"width": width, "height": height},
                locale=LANGUAGES[language],
                java_script_enabled=script,
                bypass_csp=script,  # for axe, which is put into the page
            )
            page = context.new_page()
            page.goto(f"{self.address}/sign-in")
            page.fill("[name=name]", name)
            page.fill("[name=password]", self.password)
            with page.expect_navigation(url=f"{self.address}/"):
                page.click("main form button")
            if not script:
                return page
            self.opened[key] = context
        return self.opened[key].new_page()

    def place(self, way: str) -> str:
        return self.address + way.format(reference=self.reference, year=self.year)


@pytest.fixture(scope="module")
def visitors(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitors]:
    home = tmp_path_factory.mktemp("sample") / "var"
    with served(home, "--sample") as (address, _):
        password = json.loads(home.with_name("var.sign-ins").read_text())["password"]
        asked = json.loads(muniment("--home", home, "search", "退款", "--json").stdout)
        muniment("--home", home, "fixity", "--sample", "5")
        request = json.loads(muniment("--home", home, "sweep", "--json").stdout)
        yield Visitors(
            chromium, address, password, asked["hits"][0]["reference"], int(request["as_of"][:4]), {}
        )


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("way", WAYS)
def test_a_page_is_whole_accessible_and_fits_the_screen(
    visitors: Visitors, output: Path, way: str, size: str, language: str
):
    page = visitors.page(WAYS[way], size, language)
    said: list[str] = []
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    answer = page.goto(visitors.place(way))
    assert answer is not None
    name = way.strip("/").replace("/", "-").replace("?", "-").format(reference="file", year="") or "home"
    (output / "pages").mkdir(parents=True, exist_ok=True)
    page.screenshot(path=output / "pages" / f"{name}-{size}-{language}.png", full_page=True)
    assert page.evaluate(_WIDER) <= 0, "wider than the screen"
    assert page.locator("html").get_attribute("lang") == {"zh": "zh-CN", "en": "en"}[language]
    expected = answer.status >= 400  # the browser itself says that a page was refused
    assert [each for each in said if not (expected and "Failed to load resource" in each)] == []
    if (size, language) in (("desk", "zh"), ("phone", "en")):  # the other two have the same elements
        found = Axe().run(page, options=_AXE).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"][:120]) for each in found] == []
    page.close()


def test_what_people_do_works_without_javascript(visitors: Visitors):
    page = visitors.page("周敏", "desk", "zh", script=False)
    page.goto(visitors.place("/find"))
    page.fill("#q", "退款")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.locator(".results li").count() > 0
    page.goto(visitors.place("/files/{reference}/read"))
    assert page.locator(".sheet-of-paper img").count() == 1
    page.context.close()


def test_finding_as_one_types_leads_to_the_words_marked_on_the_page(visitors: Visitors, output: Path):
    page = visitors.page("周敏", "desk", "zh")
    page.goto(visitors.place("/find"))
    page.locator("#q").press_sequentially("退款", delay=30)
    expect(page.locator(".results mark").first).to_be_visible()
    assert page.evaluate("document.activeElement.id") == "q"  # typing goes on
    assert "%E9%80%80" not in page.url
    level = page.locator("fieldset:has(#facet-level-all) label.facet").nth(1)
    wanted = int(level.locator("small").inner_text())
    level.click()
    expect(page.locator(".hits-head [role=status]")).to_contain_text(f" {wanted} ")
    assert page.evaluate("document.activeElement.name") == "level"
    page.locator(".to-page").first.click()
    expect(page.locator(".trail")).to_contain_text("退款")
    picture = page.locator(".sheet-of-paper img")
    assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)")
    page.screenshot(path=output / "pages" / "words-marked.png")
    page.go_back()
    expect(page.locator("#q")).to_have_value("退款")
    page.close()


@pytest.mark.parametrize("size", SIZES)
def test_a_search_outlives_the_change_of_language(visitors: Visitors, output: Path, size: str):
    page = visitors.page("周敏", size, "zh")
    page.goto(visitors.place("/find"))
    page.fill("#q", "店:cxl")
    page.wait_for_url("**/find?found=*")
    for language, other in (("en", "zh-CN"), ("zh-CN", "en")):
        page.click("#other-language")
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("#other-language")).to_have_attribute("lang", other)
        expect(page.locator("#q")).to_have_value("店:cxl")
        assert "春熙路" in page.locator(".results").inner_text()
        page.screenshot(path=output / f"search-{size}-{language}.png", full_page=True)
        assert page.evaluate(_WIDER) <= 0, "wider than the screen"
    page.close()


def test_the_keyboard_reaches_the_main_part_and_shows_where_it_is(visitors: Visitors):
    page = visitors.page("周敏", "desk", "zh")
    page.goto(visitors.place("/retention"))
    page.keyboard.press("Tab")
    focused = page.evaluate("document.activeElement.getAttribute('href')")
    assert focused == "#main"
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"
    page.close()


def test_what_was_filled_in_outlives_a_refused_file_and_the_session(visitors: Visitors):
    page = visitors.page("孙倩", "desk", "zh")
    page.goto(visitors.place("/file"))
    for name, value in {"level": "二级", "category": "服务相关"}.items():
        page.locator(f"input[name={name}][value='{value}']").check(force=True)
    page.select_option("[name=channel]", index=1)
    for name, value in {
        "complainant.name": "王小明",
        "complainant.contact": "13800138000",
        "store": "春熙路店",
        "received_at": "2026-02-27T20:15",
        "details": "第三幕道具缺失，剧情无法继续，玩家等待四十分钟。",
        "receiver.contact": "028-88886666",
    }.items():
        page.fill(f"[name='{name}']", value)
    page.locator("input[name=demands]").first.check(force=True)
    page.set_input_files("#evidence", {"name": "a.exe", "mimeType": "", "buffer": b"MZ" + bytes(4096)})
    page.locator("#uploads li.no").wait_for()
    page.click("#send")
    assert "未通过检查" in page.locator("#refusal").inner_text()
    page.keyboard.press("Enter")  # on the button that takes it off the list
    expect(page.locator("#uploads li")).to_have_count(0)
    page.context.clear_cookies()
    page.click("#send")
    page.locator("#refusal a[target=_blank]").wait_for()
    assert "不会丢失" in page.locator("#refusal").inner_text()
    with page.context.expect_page() as opened:
        page.click("#refusal a[target=_blank]")
    entrance = opened.value
    entrance.fill("[name=name]", "孙倩")
    entrance.fill("[name=password]", visitors.password)
    with entrance.expect_navigation(url=f"{visitors.address}/"):
        entrance.click("main form button")
    entrance.close()
    page.click("#send")
    page.wait_for_url("**/filed/**")
    assert "2026-二级-服务相关-" in page.locator("#reference").inner_text()
    page.close()


def test_a_page_that_cannot_be_shown_says_why_and_asks_only_once(visitors: Visitors):
    page = visitors.page("周敏", "phone", "zh")
    asked: list[str] = []

    def refuse(route: Route) -> None:
        asked.append(route.request.url)
        route.fulfill(status=500, content_type="text/plain; charset=utf-8", body="内容与入库时不同")

    page.route("**/pages/**", refuse)
    page.goto(visitors.place("/files/{reference}/read"))
    expect(page.locator("#unshown")).to_contain_text("内容与入库时不同")
    expect(page.locator(".sheet-of-paper img")).to_be_hidden()
    page.wait_for_load_state("networkidle")
    assert len(asked) == 2  # the picture, and its reason
    page.close()


def test_a_search_that_does_not_reach_the_server_shows_no_older_results(visitors: Visitors):
    page = visitors.page("周敏", "desk", "zh")
    page.goto(visitors.place("/find"))
    expect(page.locator(".results li").first).to_be_visible()
    page.route("**/find", lambda route: route.abort())
    page.fill("#q", "退款")
    expect(page.locator("#results")).to_contain_text("服务器没有响应", timeout=10_000)
    expect(page.locator(".results li")).to_have_count(0)
    page.close()
