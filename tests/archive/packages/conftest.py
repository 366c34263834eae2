"""Where packages go."""

from collections.abc import Iterator

import pytest

from tests.conftest import QUICK
from web.settings import Settings
from web.wiring import House, init, opened


@pytest.fixture
def other(tmp_path, clock) -> Iterator[House]:
    """Another archive, empty, with keys of its own."""
    settings = Settings(home=tmp_path / "other")
    init(settings)
    clock.wait(days=400)
    with opened(settings, clock=clock, passwords=QUICK) as built:
        yield built
