"""Answers that are longer than what the server keeps for a slow client: a thread waits until the client took each.

So there are no more of them at once than half of the threads, and of one person no more than half of these: whoever
pauses a download keeps no page from others.
"""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import flask

from archive.errors import Code, MunimentError


class LongAnswers:
    def __init__(self, threads: int) -> None:
        self._most = max(1, threads // 2)
        self._most_each = max(1, self._most // 2)
        self._under_way: Counter[str] = Counter()  # by person
        self._lock = threading.Lock()

    @contextmanager
    def one(self, person: str) -> Iterator[None]:
        """Until it was taken or given up. Raises ARCHIVE_BUSY."""
        with self._lock:
            if self._under_way.total() >= self._most or self._under_way[person] >= self._most_each:
                raise MunimentError(Code.ARCHIVE_BUSY)
            self._under_way[person] += 1
        try:
            yield
        finally:
            with self._lock:
                self._under_way[person] -= 1


def long_answer(person: str) -> AbstractContextManager[None]:
    """One of the application that answers."""
    answers: LongAnswers = flask.current_app.extensions["muniment-long-answers"]
    return answers.one(person)
