"""Postings and terms come back as they were written, whichever way they are looked for."""

from bisect import bisect_left
from io import BytesIO
from itertools import cycle

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.cursors import END
from indexer.postings import BLOCK, PostingList, Reading, decode, encode
from indexer.terms import Terms, TermsWriter

NUMBERS = st.one_of(st.integers(0, 300), st.integers(0, 1 << 17), st.integers(0, (1 << 32) - 1))


@st.composite
def posting_lists(draw):
    """Some of one document, some of many blocks; with numbers of all widths."""
    size = draw(st.sampled_from([1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 3 * BLOCK + 5]))
    step = draw(st.sampled_from([1, 3, 300, 70_000, (1 << 31) // size]))
    documents = [draw(st.integers(0, 70_000)) + at * step for at in range(size)]
    rows = draw(st.lists(st.lists(NUMBERS, min_size=1, max_size=4), min_size=1, max_size=9))
    places = [rows[at % len(rows)] for at in range(size)]
    # Draws that came out of order would not be documents of a segment.
    return sorted(set(documents)), places[: len(set(documents))]


def listed(documents, places):
    return PostingList(documents, list(map(len, places)), [place for row in places for place in row])


@given(posting_lists())
def test_postings_are_read_back_as_they_were_written(given_list):
    wanted = listed(*given_list)
    found = decode(encode(wanted), len(wanted.documents))
    assert tuple(map(list, found)) == tuple(map(list, wanted))


@settings(deadline=None)
@given(
    posting_lists(),
    st.lists(st.sampled_from([1, 2, 200, 100_000]), min_size=1, max_size=5),
    st.integers(1, 3),
)
def test_a_reader_finds_each_document_and_its_places_however_it_jumps(given_list, jumps, looked_at):
    documents, places = given_list
    content = b"before" + encode(listed(documents, places))
    reading = Reading(lambda start, end: content[start:end], 6, len(content), len(documents))
    document = 0
    for jump in cycle(jumps):
        at = bisect_left(documents, document)
        wanted = documents[at] if at < len(documents) else END
        assert (reading.seek(document), reading.seek(document)) == (wanted, wanted)
        if wanted == END:
            break
        if at % looked_at == 0:
            assert list(reading.places()) == places[at]
        document = wanted + jump
    assert reading.seek(document) == END


def test_a_reader_that_is_sent_far_reads_only_the_blocks_it_needs():
    documents = list(range(0, 20 * BLOCK, 2))
    content = encode(listed(documents, [[1]] * len(documents)))
    read = []

    def part(start, end):
        read.append(end - start)
        return content[start:end]

    reading = Reading(part, 0, len(content), len(documents))
    assert reading.seek(documents[-1]) == documents[-1]
    assert len(read) == 2  # the table, and one block
    assert sum(read) < len(content) / 3


def written(entries):
    file = BytesIO()
    writer = TermsWriter(file)
    for term, count, length in entries:
        writer.add(term, count, length)
    writer.close()
    content = file.getvalue()
    return Terms(lambda start, end: content[start:end], len(content))


TERMS = st.dictionaries(
    st.binary(min_size=1, max_size=5), st.tuples(st.integers(1, 70_000), st.integers(1, 70_000)), max_size=300
)


@given(TERMS, st.lists(st.binary(max_size=6), max_size=20))
def test_a_term_is_found_if_and_only_if_it_was_written(given_terms, strangers):
    entries = [(term, *given_terms[term]) for term in sorted(given_terms)]
    terms = written(entries)
    start = 0
    for term, count, length in entries:
        assert terms.find(term) == (count, start, start + length)
        start += length
    assert all(terms.find(each) is None for each in strangers if each not in given_terms)


@given(TERMS, st.binary(max_size=2))
def test_the_terms_of_one_beginning_come_in_order_and_none_is_missing(given_terms, beginning):
    terms = written([(term, *given_terms[term]) for term in sorted(given_terms)])
    found = [term for term, _ in terms.beginning_with(beginning)]
    assert found == [term for term in sorted(given_terms) if term.startswith(beginning)]
