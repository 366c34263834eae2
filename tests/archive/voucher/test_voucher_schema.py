"""schema.json and the reader are two tellings of one form: what one accepts, the other accepts."""

import copy
import json
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from archive.voucher.examining import examine
from archive.voucher.form import (
    COMPLAINANT,
    EVIDENCE,
    FORM,
    MOMENT,
    RECEIVER,
    UNFIT_IN_A_LINE,
    UNFIT_IN_LINES,
    Channel,
    Group,
)

SCHEMA = json.loads(resources.files("archive.voucher").joinpath("schema.json").read_text("utf-8"))
VALIDATOR = Draft202012Validator(SCHEMA)

awkward = st.sampled_from(
    ["", " ", "\u3000", "\ufeff", "\n", "\t", "a\nb", "a\n", "\x00", "\x1f", "\ud800", "\u2028", "😡",
     "\u0085", "2026-02-30T10:00+08:00", "2026-02-28T10:00+08:00",
     "2026-02-28T10:00+08:00\n", "2028-02-29T10:00:01Z",
     "2026-02-28T10:00+14:59", "2026-02-28T10:00+15:00", "电话", "x" * 60, "x" * 61, "x" * 100, "x" * 101,
     "x" * 200, "x" * 201, "x" * 5000, "x" * 5001, "x" * 20_000, "x" * 20_001]
)  # fmt: skip
words = awkward | st.text(st.characters(), max_size=8)
numbers = st.sampled_from([0, 1, 2, 9999, 10_000, -1, 1.0, 2.5, 1e300, True, False]) | st.integers()
plain = st.none() | st.booleans() | numbers | words
anything = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3)
)
keys = st.sampled_from([*FORM.fields, *COMPLAINANT.fields, *EVIDENCE.fields, *RECEIVER.fields, "chanel", ""])
sound = st.sampled_from(
    [*SCHEMA["examples"],
     {**SCHEMA["examples"][0], "evidence": [{"kind": "收据", "count": 1}] * 50, "demands": ["道歉"] * 20},
     {**SCHEMA["examples"][0], "complainant": {"refused": True, "name": "王", "other_contact": "前台"}}]
)  # fmt: skip


def places(value):
    """Every container in a document with every key or index in it."""
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        return
    yield value, None
    for key, held in inner:
        yield value, key
        yield from places(held)


@st.composite
def mutated(draw):
    document = copy.deepcopy(draw(sound))
    for _ in range(draw(st.integers(0, 3))):
        container, key = draw(st.sampled_from(list(places(document))))
        if key is None and isinstance(container, dict):
            container[draw(keys)] = draw(anything)
        elif key is None:
            container.extend([draw(anything)] * draw(st.sampled_from([1, 1, 30])))
        elif draw(st.booleans()):
            container[key] = draw(anything)
        else:
            del container[key]
    return document


@given(mutated())
@settings(max_examples=600, deadline=None)
def test_schema_and_reader_agree_on_mutated_vouchers(document):
    assert VALIDATOR.is_valid(document) == (examine(document) == ()), examine(document)


@given(anything)
@settings(deadline=None)
def test_schema_and_reader_agree_on_anything(document):
    assert VALIDATOR.is_valid(document) == (examine(document) == ())


@given(
    st.from_regex(r"20\d\d-[01]\d-[0-3]\dT[0-2]\d:[0-6]\d(:[0-6]\d)?(Z|[+-][01]\d:[0-6]\d)", fullmatch=True)
)
@settings(max_examples=300, deadline=None)
def test_schema_and_reader_agree_on_times(moment):
    document = {**SCHEMA["examples"][0], "visited_at": moment}
    assert VALIDATOR.is_valid(document) == (examine(document) == ())


@pytest.mark.parametrize("example", SCHEMA["examples"])
def test_the_examples_are_vouchers(example):
    VALIDATOR.validate(example)
    assert examine(example) == ()


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_names_the_same_fields_channels_and_patterns():
    def names(group: Group, schema):
        assert set(group.fields) == set(schema["properties"])
        assert schema["additionalProperties"] is False
        for key, field in group.fields.items():
            assert schema["properties"][key]["title"] == field.zh

    properties = SCHEMA["properties"]
    names(FORM, SCHEMA)
    names(COMPLAINANT, properties["complainant"])
    names(EVIDENCE, properties["evidence"]["items"])
    names(RECEIVER, properties["receiver"])
    assert properties["channel"]["enum"] == [channel.value for channel in Channel]
    patterns = {name: definition["pattern"] for name, definition in SCHEMA["$defs"].items()}
    assert patterns == {"moment": MOMENT, "unfitInALine": UNFIT_IN_A_LINE, "unfitInLines": UNFIT_IN_LINES}
