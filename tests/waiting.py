"""What another thread or process is about to do."""

import time
from collections.abc import Callable
from contextlib import suppress

from archive.errors import MunimentError


def wait_for(true: Callable[[], object], seconds: float = 60) -> None:
    """Until it is so. A refusal in between is no answer yet."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(MunimentError):
            if true():
                return
        time.sleep(0.02)
    raise AssertionError("it did not come about")
