"""Where a defect happened, no more: its message might hold a customer's data, and a line end in it a forged entry."""

import logging
import secrets
import traceback
from types import TracebackType

from archive.errors import Code, MunimentError

_MOST = 12  # frames


def places(error: BaseException) -> str:
    """``web/pages/reading.py:40:page < …``, the innermost first."""
    return _places(error.__traceback__)


def incident(error: BaseException, log: logging.Logger, what: str = "") -> MunimentError:
    """A defect of ours as people are told of it; its number leads to the line of the log that says where it was."""
    number = secrets.token_hex(4).upper()
    log.error(
        "incident %s: %s in %s", number, type(error).__name__, f"{what}: {places(error)}".removeprefix(": ")
    )
    return MunimentError(Code.INTERNAL, incident=number)


class PlacesOnly(logging.Formatter):
    """For every logger of the process: Flask and the server would write whole traces with whatever they quote."""

    def format(self, record: logging.LogRecord) -> str:
        return "".join(
            each if each.isprintable() else f"\\x{ord(each):02x}" for each in super().format(record)
        )

    def formatException(  # noqa: N802 - the name of the standard library
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        kind, _, trace = ei
        return "" if kind is None else f"{kind.__name__} in {_places(trace)}"


def _places(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)[-_MOST:]
    return " < ".join(f"{frame.filename}:{frame.lineno}:{frame.name}" for frame in reversed(frames))
