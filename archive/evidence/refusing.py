"""Refusals made inside the worker: a code and facts, without the file's name, which it never learns."""

from archive.errors import Code


class Refused(Exception):  # noqa: N818 -- mirrors MunimentError, which the server makes of it
    """The job is understood and refused; ``facts`` are plain values for the sentences of the error table."""

    def __init__(self, code: Code, **facts: str | int) -> None:
        super().__init__(code.value)
        self.code = code
        self.facts = facts
