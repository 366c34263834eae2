"""The log of the server names places, never values; and a line of it is one line."""

import logging
import sys

from web.tracing import PlacesOnly, places

SECRET = "王小明 13800138000"


def record(message: str, *, trace: bool) -> logging.LogRecord:
    if not trace:
        return logging.LogRecord("web", logging.ERROR, "", 0, message, (), None)
    try:
        int(SECRET)
    except ValueError:
        return logging.LogRecord("web", logging.ERROR, "", 0, message, (), sys.exc_info())
    raise AssertionError


def test_a_trace_is_its_places_without_what_the_error_says():
    said = PlacesOnly("%(message)s").format(record("Exception on /", trace=True))
    assert SECRET not in said
    assert "ValueError" in said
    assert "test_tracing.py" in said
    assert "Traceback" not in said


def test_nobody_forges_a_line_of_the_log():
    said = PlacesOnly("%(message)s").format(record("on /files/x\nERROR root: forged\x1b[2J", trace=False))
    assert len(said.splitlines()) == 1
    assert "\x1b" not in said


def test_an_error_without_a_trace_has_no_places():
    assert places(ValueError(SECRET)) == ""
