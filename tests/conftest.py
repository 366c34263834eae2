"""The house under test: a real archive in a temporary folder, with the clock of a test and quick passwords."""

import io
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import ClassVar

import hypothesis
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect, sync_playwright

from access.passwords import Passwords
from archive.casefile.filing import Submission
from archive.casefile.sources import Source
from archive.evidence.sandbox import Limits, Sandbox
from archive.ledger.entries import CONSOLE
from tests.vouchers import voucher
from web.settings import Settings
from web.wiring import House, init, opened

QUICK = Passwords(time_cost=1, memory_kib=8)

# The same examples each time, however busy the machine is; others are tried by pytest --hypothesis-profile=explore.
_PATIENT = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.register_profile("steady", _PATIENT, derandomize=True)
hypothesis.settings.register_profile("explore", _PATIENT, max_examples=1000)
hypothesis.settings.load_profile("steady")

# A shell that runs the tests in its background has them ignore Ctrl-C, and so would every server that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


class Clock:
    """Stands still unless a test moves it."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def wait(self, **time: float) -> None:
        self.now += timedelta(**time)


class LastingSandbox(Sandbox):
    """Outlives the house that it was opened for: a worker takes half a second of a processor to start."""

    kept: ClassVar[dict[tuple[int, int, Limits], "LastingSandbox"]] = {}

    @classmethod
    def of(cls, workers: int, limits: Limits) -> "LastingSandbox":
        """A child process has its own, and so has who comes after one that was closed on purpose."""
        key = os.getpid(), workers, limits
        if key not in cls.kept or cls.kept[key].closed:
            cls.kept[key] = cls(workers, limits)
        return cls.kept[key]

    def __init__(self, workers: int, limits: Limits) -> None:
        super().__init__(workers, limits)
        self.closed = False

    def __exit__(self, *_: object) -> None:
        pass

    def close(self) -> None:
        self.closed = True
        super().close()


@pytest.fixture(scope="session", autouse=True)
def sandboxes() -> Iterator[None]:
    """What the houses of all tests convert with."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("web.wiring.Sandbox", LastingSandbox.of)
        yield
    for (process, *_), each in LastingSandbox.kept.items():
        if process == os.getpid():
            each.close()


@pytest.fixture(scope="session", autouse=True)
def unhurried() -> Iterator[None]:
    """A machine that does much else at the same time looks through a few files all the same."""
    with pytest.MonkeyPatch.context() as patch:
        for each in ("searching.SCAN_SECONDS", "searching.RANK_SECONDS", "following.BATCH_SECONDS"):
            patch.setattr(f"indexer.{each}", 60.0)
        yield


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "var")


@dataclass(frozen=True)
class Model:
    folder: Path | None = None
    filed: tuple[str, ...] = ()  # references


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory, sandboxes: None) -> Callable[[bool], Model]:
    """Made once and then copied: a new archive, and one in which three case files are filed."""

    @cache
    def made(with_files: bool) -> Model:
        folder = tmp_path_factory.mktemp("model")
        settings = Settings(home=folder / "var")
        init(settings)
        if not with_files:
            return Model(folder)
        with opened(settings, clock=Clock(), passwords=QUICK) as house:
            return Model(folder, tuple(file_three(house)))

    return made


# Where a test has other settings than these, its archive is none that was made before.
_IN_AN_ARCHIVE = ("key_file", "key_journal", "passphrase_file", "master_key", "scheme", "vault", "clamav")


@pytest.fixture
def begun(settings: Settings, models: Callable[[bool], Model], request: pytest.FixtureRequest) -> Model:
    """What the archive of the test begins with."""
    plain = Settings(home=settings.home)
    if any(getattr(settings, each) != getattr(plain, each) for each in _IN_AN_ARCHIVE):
        init(settings)
        return Model()
    model = models("with_files" in request.fixturenames)
    assert model.folder is not None
    for path in model.folder.iterdir():
        target = settings.home.with_name(path.name.replace("var", settings.home.name, 1))
        (shutil.copytree if path.is_dir() else shutil.copy2)(path, target)
    return model


@pytest.fixture
def house(settings: Settings, clock: Clock, begun: Model) -> Iterator[House]:
    with opened(settings, clock=clock, passwords=QUICK) as built:
        yield built


@pytest.fixture
def with_files() -> None:
    """Of ``filed`` here, and of no fixture that a module calls by that name: such a one files its own."""


@pytest.fixture
def filed(house: House, with_files: None, request: pytest.FixtureRequest) -> list[str]:
    """Three case files: one with a photo and a chart, completed; one bare; one void."""
    begun = request.getfixturevalue("begun") if "begun" in request.fixturenames else Model()
    return list(begun.filed) or file_three(house)


def file_three(house: House) -> list[str]:
    evidence = []
    for name, kind in (("现场照片.jpg", "JPEG"), ("chart.png", "PNG")):
        written = io.BytesIO()
        Image.new("RGB", (320, 240), "navy").save(written, kind)
        evidence.append(Source(name, io.BytesIO(written.getvalue())))
    submissions = [
        Submission("一级", "剧本相关", date(2026, 3, 1), None, voucher(), tuple(evidence)),
        Submission("三级", "收费相关", None, "legal-dispute", voucher()),
        Submission("一级", "剧本相关", None, None, voucher()),
    ]
    references = [house.filing.file(CONSOLE, each).reference for each in submissions]
    house.voiding.void(CONSOLE, references[-1], "重复登记")
    return references


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
        expect.set_options(timeout=30_000)  # milliseconds, on a busy machine
        yield browser
        browser.close()


# Files that take long, the longest first: given out last, one process would be at them when the others have ended.
_LONG = (
    "contracts/test_backup_on_s3.py",
    "archive/casefile/test_interruptions.py",
    "indexer/test_differential.py",
    "browser",
    "stories",
    "archive/rebuild",
    "archive/evidence",
    "contracts",
    "archive/backup",
    "indexer",
    "web/test_command_line.py",
    "web/test_keeping_commands.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """They go out in this order with ``--no-loadscope-reorder``."""
    tests = Path(__file__).parent
    ranks = {tests / each: rank for rank, each in enumerate(_LONG)}

    def rank(item: pytest.Item) -> int:
        return min(ranks.get(each, len(ranks)) for each in (item.path, *item.path.parents))

    items.sort(key=rank)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how many faults the tests injected: a loop that finds no place to fail any more would pass in silence."""
    reports = [each for each in terminalreporter.getreports("passed") if each.when == "call"]
    found = [value for report in reports for name, value in report.user_properties if name == "faults"]
    if found:
        terminalreporter.section("faults injected, each followed by a full verification")
        for count, what in found:
            terminalreporter.line(f"{count:>6}  {what}")
        terminalreporter.line(f"{sum(count for count, _ in found):>6}  in all")


@pytest.fixture(scope="session")
def output() -> Path:
    """Where screenshots are kept, to be looked at."""
    return Path(__file__).parent / "output"
