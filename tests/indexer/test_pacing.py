"""An answer comes at the end of a step, however long it took."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.pacing import STEP, paced


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        assert 0 <= seconds <= STEP
        self.now += seconds


@given(st.floats(0, 10 * STEP))
def test_an_answer_comes_at_the_end_of_the_step_in_which_it_was_found(seconds):
    clock = Clock()
    with paced(clock, clock.sleep):
        clock.now += seconds
    steps = (clock.now - 1000) / STEP
    assert abs(steps - round(steps)) < 1e-6
    assert -1e-9 <= clock.now - 1000 - seconds <= STEP + 1e-9


def test_so_does_a_failure():
    clock = Clock()
    with pytest.raises(ZeroDivisionError):
        fail_after(STEP / 10, clock)
    assert abs(clock.now - 1000 - STEP) < 1e-9


def fail_after(seconds, clock):
    with paced(clock, clock.sleep):
        clock.now += seconds
        raise ZeroDivisionError
