"""Warnings on wording and gaps (P9): seen where they matter, silent where words only look vague."""

import copy
import json
from importlib import resources

import pytest

from archive.voucher.checking import Doubt, check
from archive.voucher.fields import read

EXAMPLE = json.loads(resources.files("archive.voucher").joinpath("schema.json").read_text("utf-8"))[
    "examples"
][0]


def flags(**changes):
    return check(read({**copy.deepcopy(EXAMPLE), **changes}))


def vague(details):
    text = "主持人当场宣布游戏中止。" + details
    return [text[f.position : f.position + f.length] for f in flags(details=text) if f.doubt is Doubt.VAGUE]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("大概八点到店", ["大概"]),
        ("等了40分钟左右", ["左右"]),
        ("七点左右，来了三十人上下", ["左右", "上下"]),
        ("有可能是阿岚", ["可能"]),
        ("好像少了一张，也许两张，应该是丢了", ["好像", "也许", "应该是"]),
        ("差不多两百元，估计退不了", ["差不多", "估计"]),
    ],
)
def test_vague_wording_is_found_where_it_stands(text, words):
    assert vague(text) == words


@pytest.mark.parametrize(
    "text",
    ["不可能完成的任务", "没有这种可能性", "尽可能补偿", "左右手的道具", "左右两边", "两个左右侧门",
     "应该道歉", "大概念", "三百万像素的好像素", "在二楼上下楼梯", "左右为难"],
)  # fmt: skip
def test_words_that_only_look_vague_are_left_alone(text):
    assert vague(text) == []


def test_a_flag_says_field_place_and_word_in_both_languages():
    flag = next(f for f in flags(demands=["退费 198 元", "大概赔点钱"]) if f.doubt is Doubt.VAGUE)
    assert (flag.path, flag.position, flag.length) == ("demands[1]", 0, 2)
    assert flag.say("zh") == "“顾客诉求第 2 项”第 1 字“大概”表述模糊，请核实后写明"
    assert flag.say("en") == "“大概” at character 1 of “demands no. 2” is vague: say it exactly"


def test_a_complete_voucher_is_not_nagged():
    assert flags(demands=["退费 198 元", "道歉"]) == ()


def test_gaps_are_named():
    document = {key: value for key, value in EXAMPLE.items() if key not in {"visited_at", "script", "staff"}}
    document |= {"evidence": [], "demands": ["道歉"]}
    found = check(read(document))
    assert {flag.doubt for flag in found} == {Doubt.GAP}
    assert [flag.path for flag in found] == ["visited_at", "script", "staff", "evidence"]


def test_a_complaint_received_before_the_visit_is_flagged():
    early = flags(received_at="2026-02-27T17:59+08:00", demands=["道歉"])
    assert [(f.doubt, f.path) for f in early] == [(Doubt.ORDER, "received_at")]
    assert not flags(received_at="2026-02-27T19:30+09:00", demands=["道歉"])


@pytest.mark.parametrize(
    ("demands", "asked"),
    [(["退费"], True), (["退款并道歉"], True), (["赔偿"], True), (["退费 198 元"], False),
     (["全额退款"], False), (["退一赔三，共八百元"], False), (["道歉"], False)],
)  # fmt: skip
def test_money_without_an_amount_is_asked_for(demands, asked):
    assert (Doubt.AMOUNT in {flag.doubt for flag in flags(demands=demands)}) is asked


def test_brief_details_and_a_contact_without_number_are_flagged():
    found = flags(details="服务差", complainant={"name": "王", "contact": "微信联系"}, demands=["道歉"])
    assert [flag.doubt for flag in found] == [Doubt.BRIEF, Doubt.REACH]


def test_evidence_that_was_handed_in_is_not_asked_for_though_the_voucher_lists_none():
    voucher = read({**copy.deepcopy(EXAMPLE), "evidence": []})
    assert "evidence" in [each.path for each in check(voucher)]
    assert "evidence" not in [each.path for each in check(voucher, 1)]
