"""The house under test: a real archive in a temporary folder, with the clock of a test and quick passwords."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from access.passwords import Passwords
from web.settings import Settings
from web.wiring import House, init, opened

QUICK = Passwords(time_cost=1, memory_kib=8)


class Clock:
    """Stands still unless a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "var")


@pytest.fixture
def house(settings: Settings, clock: Clock) -> Iterator[House]:
    init(settings)
    with opened(settings, clock=clock, passwords=QUICK) as built:
        yield built


CHROMIUM = shutil.which("chromium")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real browser, as people use it."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed; make test installs it")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def output() -> Path:
    """Where screenshots are kept, to be looked at."""
    return Path(__file__).parent / "output"
