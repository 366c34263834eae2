"""What need not be done again for a while."""

from datetime import UTC, datetime, timedelta

from archive import lately
from archive.lately import Lately

START = datetime(2026, 3, 1, tzinfo=UTC)


def test_what_was_done_is_known_for_two_hours_and_nothing_else_is():
    now = [START]
    done: Lately[tuple[str, int]] = Lately(lambda: now[0])
    assert not done.knows(("a", 1))
    done.add(("a", 1))
    assert done.knows(("a", 1))
    assert not done.knows(("a", 2))
    now[0] += timedelta(hours=2)
    assert not done.knows(("a", 1))


def test_no_more_is_remembered_than_memory_is_meant_for(monkeypatch):
    monkeypatch.setattr(lately, "_MOST", 3)
    done: Lately[int] = Lately(lambda: START)
    for each in range(10):
        done.add(each)
        assert done.knows(each)
    assert sum(map(done.knows, range(10))) <= 3
