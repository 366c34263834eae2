"""What may be typed, what it means, and what is said of what means nothing."""

import time
from datetime import date

import pytest
from hypothesis import event, example, given
from hypothesis import strategies as st

from archive.errors import Code, MunimentError
from indexer.analysis import Phrase
from indexer.query.expression import AllOf, AnyOf, Not
from indexer.query.facts import Days, Fact, Field, Status, Years
from indexer.query.parsing import LONGEST, MOST_PARTS, hint, parse

TODAY = date(2026, 3, 15)


def told(tree):
    """A tree as one would write it with all its brackets."""
    match tree:
        case Phrase(row, goes_on):
            text = " ".join(each.text for each in row)
            return text if goes_on else f'"{text}"'
        case AllOf(parts):
            return "(" + " AND ".join(map(told, parts)) + ")"
        case AnyOf(parts):
            return "(" + " OR ".join(map(told, parts)) + ")"
        case Not(part):
            return f"NOT {told(part)}"
        case Fact(field, value):
            return f"{field}:{value}"
    raise AssertionError(tree)


def meaning(query):
    return told(parse(query, TODAY).tree)


def refusal(query):
    with pytest.raises(MunimentError) as refused:
        parse(query, TODAY)
    assert refused.value.code is Code.QUERY_INVALID
    assert refused.value.say("zh").isprintable()
    return refused.value.facts["problem"]


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        ("ab cd", "(ab AND cd)"),
        ("ab，cd", "(ab AND cd)"),
        ("1,280", "1 280"),
        ("１，２８０元", "1 280 元"),
        ("12,ab", "(12 AND ab)"),
        ("ab AND cd", "(ab AND cd)"),
        ("ab OR cd", "(ab OR cd)"),
        ("ab cd OR ef", "((ab AND cd) OR ef)"),
        ("ab OR cd ef", "(ab OR (cd AND ef))"),
        ("ab (cd OR ef)", "(ab AND (cd OR ef))"),
        ("ab（cd OR ef）gh", "(ab AND (cd OR ef) AND gh)"),
        ("NOT ab", "NOT ab"),
        ("NOT NOT ab", "NOT NOT ab"),
        ("ab NOT cd OR ef", "((ab AND NOT cd) OR ef)"),
        ("NOT (ab cd)", "NOT (ab AND cd)"),
        ("NOT ab NOT NOT cd", "(NOT ab AND NOT NOT cd)"),
        ("(ab OR cd) (ef OR gh)", "((ab OR cd) AND (ef OR gh))"),
        ("(ab cd) AND ef OR gh", "(((ab AND cd) AND ef) OR gh)"),
        ("((ab)) ab (ab OR ab)", "ab"),
        ("ＡＢ ＡＮＤ（ＮＯＴ“cd”）", '(ab AND NOT "cd")'),
        ("ab -cd", "(ab AND NOT cd)"),
        ("-ab", "NOT ab"),
        ("ab，-cd ef", "(ab AND NOT cd AND ef)"),
        ("(-ab) －(cd ef)", "(NOT ab AND NOT (cd AND ef))"),
        ('-"ab cd" -level:1', '(NOT "ab cd" AND NOT level:1)'),
        ("-2026-一级", "NOT (reference:2026-一级 OR 2026 一 级)"),
        ("ab OR -cd", "(ab OR NOT cd)"),
        ("ab-cd ef - gh --ij -", "(ab cd AND ef AND gh AND ij)"),
        ("ab and cd", "(ab AND and AND cd)"),
        ("ANDROID ORAL NOTE", "(android AND oral AND note)"),
        ('"ab cd"', '"ab cd"'),
        ("“ab cd” ef", '("ab cd" AND ef)'),
        ('「ab cd" ef', '("ab cd" AND ef)'),
        ('ab "cd ef', '(ab AND "cd ef")'),
        ("ＡＢ", "ab"),
        ("書面", "书 面"),
        ("12:30", "12 30"),
        ("投诉人：王", "投 诉 人 王"),
        ("https://x.example", "https x example"),
        ("level:一级", "level:一级"),
        ("级别：一级", "level:一级"),
        ("ＬＥＶＥＬ：１", "level:1"),
        ("level:一级,二级、三级", "(level:一级 OR level:二级 OR level:三级)"),
        ('store:"静安 店" ab', "(store:静安 店 AND ab)"),
        ("門店:靜安", "store:静安"),
        ("2026-一级", "(reference:2026-一级 OR 2026 一 级)"),
        ("２０２６－一级－其他－００１ ab", "((reference:2026-一级-其他-001 OR 2026 一 级 其 他 001) AND ab)"),
        ("档号:2026-一级", "reference:2026-一级"),
    ],
)  # fmt: skip
def test_a_query_means_what_it_looks_like(query, meant):
    assert meaning(query) == meant


D = date


@pytest.mark.parametrize(
    ("query", "field", "value"),
    [
        ("filed:2026", Field.FILED, Days(D(2026, 1, 1), D(2026, 12, 31))),
        ("filed:2026-02", Field.FILED, Days(D(2026, 2, 1), D(2026, 2, 28))),
        ("归档：2026年2月", Field.FILED, Days(D(2026, 2, 1), D(2026, 2, 28))),
        ("received:2026/2/3", Field.RECEIVED, Days(D(2026, 2, 3), D(2026, 2, 3))),
        ("filed:2026-01..2026-03", Field.FILED, Days(D(2026, 1, 1), D(2026, 3, 31))),
        ("filed:2026-01..", Field.FILED, Days(D(2026, 1, 1), None)),
        ("completed:..2026-01", Field.COMPLETED, Days(None, D(2026, 1, 31))),
        ("completed:<2026-02", Field.COMPLETED, Days(None, D(2026, 1, 31))),
        ("completed:<=2026-02", Field.COMPLETED, Days(None, D(2026, 2, 28))),
        ("completed:>2026-02", Field.COMPLETED, Days(D(2026, 3, 1), None)),
        ("completed:>=2026-02", Field.COMPLETED, Days(D(2026, 2, 1), None)),
        ("due:<90d", Field.DUE, Days(None, D(2026, 6, 12))),
        ("到期：<=90天", Field.DUE, Days(None, D(2026, 6, 13))),
        ("due:>90d", Field.DUE, Days(D(2026, 6, 14), None)),
        ("filed:<7d", Field.FILED, Days(D(2026, 3, 9), None)),
        ("filed:>=7d", Field.FILED, Days(None, D(2026, 3, 8))),
        ("hold:yes", Field.HOLD, True),
        ("冻结:否", Field.HOLD, False),
        ("status:void", Field.STATUS, Status.VOID),
        ("状态:未办结", Field.STATUS, Status.OPEN),
        ("year:2026", Field.YEAR, Years(2026, 2026)),
        ("年份:2024..2026", Field.YEAR, Years(2024, 2026)),
    ],
)
def test_a_field_is_read_in_both_languages(query, field, value):
    assert parse(query, TODAY).tree == Fact(field, value)


@pytest.mark.parametrize(
    ("query", "at", "word"),
    [
        ("ab)", 3, "never opened"),
        ("(ab", 1, "never closed"),
        ("ab (cd (ef)", 4, "never closed"),
        ("()", 2, "nothing in these brackets"),
        ("AND ab", 1, "need words"),
        ("ab OR", 4, "need words"),
        ("ab AND OR cd", 8, "need words"),
        ("NOT", 1, "need words"),
        ("NOT " * 21, 81, "need words"),
        ("ab (NOT)", 8, "need words"),
        ("(ab OR )", 8, "need words"),
        ("levle:1", 1, "level"),
        ("ab level:", 10, "missing"),
        ("level:一级,,二级", 10, "missing"),
        ("filed:2026-13", 7, "a date is"),
        ("filed:2026-02-30", 7, "a date is"),
        ("filed:9999999", 7, "a date is"),
        ("filed:<99999999d", 7, "a date is"),
        ("filed:2026-03..2026-01", 7, "before it begins"),
        ("year:26", 6, "a year is"),
        ("year:2026..2024", 6, "before it begins"),
        ("hold:maybe", 6, "yes or no"),
        ("status:asleep", 8, "a status is"),
        ("ab\x00", 3, "cannot be read"),
        ("\ud842退款", 1, "cannot be read"),
        ("(" * 30 + "ab" + ")" * 30, 22, "too deep"),
    ],
)
def test_a_wrong_query_says_where_it_is_wrong(query, at, word):
    problem = refusal(query)
    assert (problem.at, word in problem.en) == (at, True), problem
    assert f"character {at}," in problem.say("en")
    assert f"第 {at} 个字符" in problem.say("zh")


@pytest.mark.parametrize("query", ["", " \t\n", "。，！", "“”", "😡", "___", "*" * LONGEST, "\u202e\u200f"])
def test_a_query_without_anything_to_find_is_refused_kindly(query):
    problem = refusal(query)
    assert problem.say("zh") == "请输入文字、数字或档号"
    assert problem.at == 0


@pytest.mark.parametrize(
    "query",
    ["退" * 100_000, "a* " * 50_000, '"' * 100_000, "(" * 100_000, "NOT " * 25_000, "(a+)+" * 20_000, "a " * 249],
    ids=["text", "wildcards", "quotes", "brackets", "nots", "regex", "words"],
)  # fmt: skip
def test_what_is_far_too_much_is_refused_at_once(query):
    began = time.process_time()
    problem = refusal(query)
    assert time.process_time() - began < 5  # a bound, not a measure: the quadratic took minutes
    assert str(LONGEST) in problem.en or str(MOST_PARTS) in problem.en


def test_a_value_knows_where_it_stands():
    tree = parse('ab level: 一级、四级 store:"静安 店" level:level:一级', TODAY).tree
    (first, second), store, level = tree.parts[1].parts, *tree.parts[2:]
    assert (first.at, second.at, store.at, level.at) == (11, 14, 24, 36)


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("refund and apology", "capitals"),
        ("退款 Or 道歉", "capitals"),
        ("ｎｏｔ 退款", "capitals"),
        ("re?und", "begin with"),
        ("refun*", "begin with"),
        ("*款", "begin with"),
        ("退款~2", "begin with"),
    ],
)
def test_what_may_have_been_meant_otherwise_is_hinted_at(query, word):
    assert word in hint(query).en
    assert parse(query, TODAY).tree


@pytest.mark.parametrize(
    "query", ["退款 AND 道歉", "NOT 退款", "ANDROID or-else", "退款了吗?", "什么？ 退款 ~ *", ""]
)
def test_there_is_no_hint_where_nothing_was_meant_otherwise(query):
    assert hint(query) is None


def test_a_refusal_does_not_repeat_what_was_typed():
    for query in ("张三丰)", "hold:张三丰", "filed:张三丰", "(张三丰"):
        assert "张三丰" not in refusal(query).say("zh")


@pytest.mark.parametrize("query", ["退款\u202e", "\u200f退款", "退\u200b款", "退款/(a|b)+$/", "退*款?"])
def test_marks_wildcards_and_patterns_are_no_more_than_punctuation(query):
    assert "款" in meaning(query)


SIGNS = '( ) （ " 」 : level: filed: .. <9d , ， AND OR NOT 退款 a 2026-一级'
pieces = st.sampled_from([*SIGNS.split(), " "])


@given(
    st.one_of(
        st.text(max_size=300), st.lists(pieces, max_size=40).map(" ".join), st.lists(pieces).map("".join)
    )
)
@example("\"'%_*?[](){}^~:/\\退")
@example("filed:1000..9999 due:<99999d")
def test_any_text_is_a_query_or_is_refused_with_a_reason(text):
    try:
        asked = parse(text, TODAY)
    except MunimentError as error:
        problem = error.facts["problem"]
        event(problem.en)
        # What is missing at the very end is missing just after it.
        assert 0 <= problem.at <= len(text) + 1
        return
    assert told(asked.tree)
    assert all(phrase.leaves for phrase in asked.words.phrases)


trees = st.recursive(
    st.sampled_from(["退", "abc", '"书 面 道 歉"', "level:一级", "store:静安"]),
    lambda part: st.one_of(
        st.lists(part, min_size=1, max_size=3).map(lambda each: f"({' '.join(each)})"),
        st.lists(part, min_size=1, max_size=3).map(lambda each: f"({' OR '.join(each)})"),
        part.map(lambda each: f"NOT {each}"),
    ),
    max_leaves=10,
)


@given(trees)
def test_brackets_say_the_same_however_many_there_are(query):
    try:
        once = meaning(query)
    except MunimentError:
        return
    assert meaning(f"({query})") == once


@given(trees)
def test_a_tree_written_out_is_read_as_the_same_tree(query):
    try:
        tree = parse(query, TODAY).tree
    except MunimentError:
        return
    assert parse(told(tree), TODAY).tree == tree


def test_what_is_excluded_is_not_shown_as_found():
    words = parse("ab NOT cd NOT (ef OR gh)", TODAY).words
    assert [each.atoms[0].text for each in words.phrases] == ["ab"]
