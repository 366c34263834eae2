"""Reading vouchers: what is accepted, what is refused, and how the refusal speaks (P7, P8, P9)."""

import copy
import json
import logging
from datetime import date, datetime, timedelta, timezone
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import Code, MunimentError
from archive.voucher.examining import examine
from archive.voucher.fields import MOST_BYTES, Evidence, Problems, parse, read
from archive.voucher.form import Channel
from archive.voucher.problems import Fault

EXAMPLES = json.loads(resources.files("archive.voucher").joinpath("schema.json").read_text("utf-8"))[
    "examples"
]


@pytest.fixture
def document():
    return copy.deepcopy(EXAMPLES[0])


def problems_of(document):
    with pytest.raises(MunimentError) as caught:
        read(document)
    assert caught.value.code is Code.VOUCHER_INVALID
    problems = caught.value.facts["problems"]
    assert isinstance(problems, Problems)
    return problems.items


def only(document):
    (problem,) = problems_of(document)
    return problem.fault, problem.path


def test_a_full_voucher_is_read(document):
    voucher = parse(json.dumps(document, ensure_ascii=False).encode())
    assert voucher.complainant.name == "王小明"
    assert voucher.received_at == datetime(2026, 2, 27, 20, 15, tzinfo=timezone(timedelta(hours=8)))
    assert voucher.channel is Channel.IN_STORE
    assert voucher.demands == ("退费", "道歉")
    assert voucher.evidence == (Evidence("照片", 2),)
    assert voucher.receiver.department == "春熙路店"
    assert voucher.history is None


def test_a_byte_order_mark_is_passed_over(document):
    assert parse(b"\xef\xbb\xbf" + json.dumps(document).encode()) == read(document)


def test_a_customer_may_refuse_personal_data_and_leaves_another_way():
    complainant = read(EXAMPLES[1]).complainant
    assert (complainant.name, complainant.refused) == (None, True)
    assert complainant.other_contact == "大众点评站内私信"


def test_a_refusal_without_another_way_is_incomplete(document):
    document["complainant"] = {"refused": True}
    assert only(document) == (Fault.MISSING, "complainant.other_contact")


def test_refused_false_still_needs_name_and_contact(document):
    document["complainant"] = {"refused": False, "other_contact": "前台"}
    assert [p.path for p in problems_of(document)] == ["complainant.name", "complainant.contact"]


def test_every_missing_field_is_named_in_one_go(document):
    del document["complainant"]["contact"], document["store"], document["receiver"]["department"]
    document["details"] = " \n "
    with pytest.raises(MunimentError) as caught:
        read(document)
    zh, en = caught.value.say("zh"), caught.value.say("en")
    for name, path in (
        ("联系方式", "complainant.contact"),
        ("门店", "store"),
        ("投诉内容", "details"),
        ("部门", "receiver.department"),
    ):
        assert name in zh
        assert path in zh
        assert path in en


def test_an_empty_document_names_all_required_fields():
    assert [p.path for p in problems_of({})] == [
        "complainant", "received_at", "channel", "store", "details", "demands", "evidence", "receiver",
    ]  # fmt: skip


def test_an_unknown_field_is_refused_with_the_nearest_one(document):
    document["chanel"] = "电话"
    (problem,) = problems_of(document)
    assert (problem.fault, problem.path) == (Fault.UNKNOWN, "chanel")
    assert "channel" in problem.zh.replace("chanel", "")
    assert "did you mean channel?" in problem.en


def test_an_unknown_field_in_chinese_is_led_to_its_key(document):
    document["complainant"]["联系方式"] = "x"
    (problem,) = problems_of(document)
    assert "did you mean contact?" in problem.en


def test_an_unknown_channel_is_refused_with_the_list(document):
    document["channel"] = "飞鸽传书"
    (problem,) = problems_of(document)
    assert problem.fault is Fault.CHOICE
    assert all(channel.value in problem.zh for channel in Channel)


@pytest.mark.parametrize("channel", list(Channel))
def test_every_channel_of_the_policy_is_taken(document, channel):
    document["channel"] = channel.value
    assert read(document).channel is channel


@pytest.mark.parametrize(
    "moment",
    [
        "2026-02-30T20:15+08:00",
        "2026-02-29T20:15+08:00",
        "2026-13-01T20:15+08:00",
        "2026-02-27T24:00+08:00",
        "2026-02-27T20:15+25:00",
        "1999-12-31T20:15+08:00",
        "2026-02-27T20:15",
        "2026-02-27",
        "2026-02-27T20+08:00",
        "2026-02-27 20:15+08:00",
        "2026-02-27T20:15+08:00\n",
        "２０２６-02-27T20:15+08:00",
        "昨天",
    ],
)
def test_a_time_that_does_not_exist_or_lacks_its_offset_is_named(document, moment):
    document["received_at"] = moment
    assert only(document) == (Fault.DATE, "received_at")


@pytest.mark.parametrize(
    "moment", ["2024-02-29T00:00Z", "2026-02-27T20:15:59+08:00", "2026-12-31T23:59-03:30"]
)
def test_leap_days_seconds_and_other_offsets_are_taken(document, moment):
    document["visited_at"] = moment
    assert read(document).visited_at == datetime.fromisoformat(moment)


def test_exactly_the_days_of_the_calendar_are_taken(document):
    for year in range(2000, 2100):
        for month in range(1, 13):
            for day in range(28, 32):
                document["received_at"] = f"{year}-{month:02}-{day:02}T10:00+08:00"
                try:
                    exists = bool(date(year, month, day))
                except ValueError:
                    exists = False
                assert (examine(document) == ()) is exists, document["received_at"]


@pytest.mark.parametrize(
    ("letter", "in_a_line", "in_lines"),
    [("\n", False, True), ("\t", False, True), ("\x00", False, False), ("\x1b", False, False),
     ("\x7f", False, False), ("\x85", False, False), ("\ud800", False, False), ("\uffff", False, False),
     ("\u2028", False, True), ("😡", True, True), ("𠮷", True, True)],
)  # fmt: skip
def test_control_characters_and_lone_surrogates_are_refused(document, letter, in_a_line, in_lines):
    document["store"], document["details"] = f"店{letter}铺", f"经{letter}过"
    refused = {problem.path for problem in examine(document)}
    assert refused == {path for path, fit in (("store", in_a_line), ("details", in_lines)) if not fit}


@pytest.mark.parametrize(
    ("key", "value", "fault"),
    [
        ("store", "店" * 61, Fault.LONG),
        ("details", "长" * 20_001, Fault.LONG),
        ("store", 7, Fault.TYPE),
        ("store", None, Fault.TYPE),
        ("demands", [], Fault.FEW),
        ("demands", ["退费"] * 21, Fault.MANY),
        ("demands", "退费", Fault.TYPE),
        ("receiver", [], Fault.TYPE),
        ("evidence", {}, Fault.TYPE),
    ],
)
def test_types_and_lengths_are_held(document, key, value, fault):
    document[key] = value
    assert only(document) == (fault, key)


@pytest.mark.parametrize(
    ("count", "fault"),
    [(0, Fault.RANGE), (10_000, Fault.RANGE), (True, Fault.TYPE), (1.5, Fault.TYPE), ("2", Fault.TYPE),
     (float("inf"), Fault.TYPE), (1e300, Fault.RANGE)],
)  # fmt: skip
def test_counts_are_whole_numbers_from_one(document, count, fault):
    document["complainant"]["headcount"] = count
    assert only(document) == (fault, "complainant.headcount")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"", Fault.JSON),
        (b"{", Fault.JSON),
        (b"\xff\xfe{}", Fault.JSON),
        (b'{"store": NaN}', Fault.JSON),
        (b'{"store": -Infinity}', Fault.JSON),
        (b'{"n": ' + b"1" * 5000 + b"}", Fault.JSON),
        (b'{"store": "a", "store": "b"}', Fault.DUPLICATE),
        (b'{"receiver": {"name": "a", "name": "b"}}', Fault.DUPLICATE),
        (b"[" * 9 + b"]" * 9, Fault.DEPTH),
        (b"[" * 100_000, Fault.DEPTH),
        (b'{"a":' * 30_000, Fault.DEPTH),
        (b" " * (MOST_BYTES + 1), Fault.SIZE),
        (b"[]", Fault.TYPE),
        (b"null", Fault.TYPE),
    ],
)
def test_what_is_not_one_plain_json_object_is_refused(text, fault):
    with pytest.raises(MunimentError) as caught:
        parse(text)
    assert [p.fault for p in caught.value.facts["problems"].items] == [fault]


def test_the_sentence_follows_the_language(document):
    document["channel"] = "飞鸽传书"
    with pytest.raises(MunimentError) as caught:
        read(document)
    assert caught.value.say("zh").startswith("登记凭证有误：“受理渠道”（channel）只能是：门店现场、")
    assert caught.value.say("en").startswith("The voucher is not valid: “channel” must be one of: 门店现场, ")


def test_many_problems_are_counted_not_all_said():
    with pytest.raises(MunimentError) as caught:
        read({f"key{n}": 1 for n in range(100)})
    assert "另有 88 处" in caught.value.say("zh")
    assert len(caught.value.facts["problems"].items) == 108


SECRET = "13912345678机密"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "path",
    ["complainant.name", "complainant.contact", "complainant.headcount", "received_at", "channel", "details",
     "demands", "evidence", "receiver", "notes"],
)  # fmt: skip
def test_no_value_of_a_field_is_repeated_in_the_refusal(document, path, language, caplog):
    *parents, key = path.split(".")
    place = document
    for parent in parents:
        place = place[parent]
    place[key] = SECRET + "\x00" * 3
    with caplog.at_level(logging.ERROR):
        try:
            parse(json.dumps(document).encode())
        except MunimentError as error:
            logging.getLogger("test").exception(error.say(language))
    assert caplog.text
    assert SECRET not in caplog.text


@given(st.binary(max_size=400) | st.text(max_size=200).map(str.encode))
def test_arbitrary_bytes_are_refused_with_words(text):
    with pytest.raises(MunimentError) as caught:
        parse(text)
    assert caught.value.code is Code.VOUCHER_INVALID
    assert caught.value.say("zh") != caught.value.say("en")
