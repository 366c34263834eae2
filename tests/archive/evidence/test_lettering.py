"""Masks and marks from what was recognised in a picture: pure, no recognition needed."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.evidence.lettering import Box, of_recognised
from archive.evidence.masking import digits_read_right
from archive.evidence.recognised import SCALE, Line, RecognisedPage

SIZE = (1000, 1000)
WIDTH, HEIGHT = 200, 300  # of a letter, in ten-thousandths


def line(text: str, top: int = 1000, score: float = 0.99, left: int = 100) -> Line:
    places = tuple((left + WIDTH * at, top, left + WIDTH * (at + 1), top + HEIGHT) for at in range(len(text)))
    return Line(text, score, places)


def page(*lines: Line) -> RecognisedPage:
    return RecognisedPage(lines)


def overlap(one: Box, other: Box) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def covered(boxes: list[Box], letter: tuple[int, int, int, int]) -> bool:
    left, top, right, bottom = (edge * SIZE[0] / SCALE for edge in letter)
    return any(b[0] <= left and b[1] <= top and b[2] >= right and b[3] >= bottom for b in boxes)


def test_one_rectangle_covers_the_middle_of_a_number_with_room_to_spare():
    read = line("电话13800138000。")
    (mask,) = of_recognised(page(read), SIZE).masks()
    assert all(covered([mask], read.places[at]) for at in range(5, 9))
    assert not covered([mask], read.places[2])
    assert not covered([mask], read.places[12])
    assert mask[0] < read.places[5][0] * SIZE[0] / SCALE


def test_a_number_that_runs_over_two_lines_is_covered_on_both():
    first, second = line("1380013"), line("8000", top=2000)
    masks = list(of_recognised(page(first, second), SIZE).masks())
    assert covered(masks, first.places[6])
    assert len(masks) == 1 or covered(masks, first.places[3])


@pytest.mark.parametrize("misread", ["138OO138OOO", "l38001380OO", "1380013B000", "138 0013 8O0O"])
def test_letters_taken_for_digits_do_not_save_a_number(misread: str):
    assert list(of_recognised(page(line(misread)), SIZE).masks())


def test_words_among_numbers_are_neither_masked_nor_lost_for_marking():
    lettering = of_recognised(page(line("SOS 2026 ISO 9001 Bill")), SIZE)
    assert not list(of_recognised(page(line("SOS 2026 ISO 9001")), SIZE).masks())
    assert len(list(lettering.marks(["SOS"]))) == 1


@given(st.text(max_size=60))
def test_putting_digits_right_keeps_every_place(text: str):
    assert len(digits_read_right(text)) == len(text)


def test_a_doubtful_line_that_may_hold_a_number_is_hidden_whole():
    read = line("手机号：1 3 8 ? ? 1", score=0.6)
    masks = list(of_recognised(page(read), SIZE).masks())
    assert all(covered(masks, place) for place in read.places)


def test_a_doubtful_word_is_left_as_it_is():
    assert not list(of_recognised(page(line("春", score=0.3), line("退票", score=0.7)), SIZE).masks())


def test_an_illegible_long_line_is_hidden_but_not_found():
    read = page(line("~~~~~~~~~~~~", score=0.2), line("道具"))
    assert list(of_recognised(read, SIZE).masks())
    assert read.text == "道具"


@pytest.mark.parametrize(
    ("read", "shown"),
    [
        (page(line("电话 138OO138OOO。")), "电话 138****8OOO。"),
        (page(line("1380013"), line("8000", top=2000)), "138****\n8000"),
        (page(line("道具"), line("~~~~", score=0.2), line("13800138000", top=2000)), "道具\n138****8000"),
        (page(line("尾号 8000", score=0.7), line("退票", score=0.7)), "*******\n退票"),
        (page(line("wang@qq.com")), "****@qq.com"),
    ],
)
def test_the_text_of_a_picture_hides_what_the_picture_hides(read: RecognisedPage, shown: str):
    assert read.masked() == shown
    assert len(read.masked()) == len(read.text)


def test_words_are_marked_wherever_they_stand_on_the_page():
    read = page(line("道具缺失，道具"), line("没有道 具", top=2000))
    assert len(list(of_recognised(read, SIZE).marks(["道具"]))) == 3


def test_a_latin_word_is_marked_whole_only():
    assert len(list(of_recognised(page(line("art party ART art.")), SIZE).marks(["art"]))) == 2


def test_what_is_masked_is_never_marked():
    lettering = of_recognised(page(line("13800138000")), SIZE)
    assert not list(lettering.marks(["13800138000"]))
    assert not list(lettering.marks(["0013"]))


@given(
    st.lists(
        st.sampled_from(["13800138000", "道具", "wang@example.com", " ", "，", "028-88886666"]), max_size=8
    ),
    st.lists(st.sampled_from(["138", "道具", "0013", "wang", "8888", "8000，道具"]), max_size=4),
)
def test_no_mark_tells_a_masked_letter(parts: list[str], words: list[str]):
    from archive.evidence.masking import spans

    read = line("".join(parts))
    lettering = of_recognised(page(read), SIZE)
    hidden = {at for span in spans(read.text) for at in range(span.start, span.end)}
    middles = [((read.places[at][0] + read.places[at][2]) / 2 * SIZE[0] / SCALE, at) for at in sorted(hidden)]
    for mark in lettering.marks(words):
        assert not [at for middle, at in middles if mark[0] < middle < mark[2]]


def test_what_was_recognised_comes_back_as_it_was():
    read = page(line("道具"), line("13800138000", top=2000, score=0.5))
    assert RecognisedPage.from_bytes(read.to_bytes()) == read
    assert read.confidence == 58


GOLDEN = '{"v":1,"lines":[["道具",0.99,[100,1000,300,1300,300,1000,500,1300]]]}'


def test_what_was_kept_in_version_one_still_opens():
    assert RecognisedPage.from_bytes(GOLDEN.encode()) == page(line("道具"))


@pytest.mark.parametrize(
    "forged",
    [
        {},
        {"v": 2, "lines": []},
        {"v": 1, "lines": [["道具", 0.9, [1, 2, 3, 4]]]},
        {"v": 1, "lines": [["道", 1.5, [1, 2, 3, 4]]]},
        {"v": 1, "lines": [["道", 0.5, [1, 2, 3, 40000]]]},
        {"v": 1, "lines": [["道", 0.5, ["1", 2, 3, 4]]]},
        {"v": 1, "lines": [["道", 0.5]]},
        {"v": 1, "lines": 7},
        {"v": 1, "lines": [[7, 0.5, []]]},
        {"v": 1, "lines": [["字" * 200_001, 0.5, [0, 0, 1, 1] * 200_001]]},
    ],
)
def test_what_a_worker_that_was_taken_over_may_say_is_refused(forged: dict[str, object]):
    with pytest.raises(ValueError):
        RecognisedPage.from_bytes(json.dumps(forged).encode())
