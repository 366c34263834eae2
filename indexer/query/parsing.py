"""Reading a query: words, "exact phrases", fields, AND, OR, NOT and brackets, into a tree. Pure.

    退款 "书面道歉" level:一级,二级 NOT (门店:静安 OR filed:2026-01..2026-03)

What stands side by side must all be there, as with AND; OR binds less, NOT most, and a minus right before something
is NOT. A reference code or its beginning also means the files of that code. A quotation may be left open, since
somebody is still typing it; a bracket may not.

Whoosh's parser reads it, in its two stages: taggers cut the text into nodes that know their places, and filters put
brackets and operators together. Between the two stands a check of our own, since the filters drop without a word what
they have no use for (a bracket, an operator with nothing beside it), bind OR closer than words side by side, and know
no place of an error. After it nothing is left for them to drop. Its last stage, ``parse``, is not used: it would give
queries of Whoosh's own, and an engine must not have to know those.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NoReturn

from whoosh.qparser import plugins, syntax
from whoosh.qparser.default import QueryParser

from archive.errors import Code, MunimentError
from indexer.analysis import Phrase, Query, atoms, fold
from indexer.query.expression import AllOf, AnyOf, Expression, Not, phrases
from indexer.query.facts import NAMES, VALUE, Fact, Field, read_value
from indexer.query.problems import QueryProblem

LONGEST = 500  # characters
MOST_PARTS = 50  # words, phrases and fields
DEEPEST = 20  # brackets and NOTs within each other

_QUOTES = '"\u201c\u201d\u201e\u201f\u300c\u300d\u300e\u300f'
_BREAKS = ",;!?\u3001\u3002\u2026"
_QUOTED = rf"[{_QUOTES}](?P<text>[^{_QUOTES}]*)(?:[{_QUOTES}]|\Z)"
_WORD = rf"(?P<text>(?:[^\s(){_QUOTES}{_BREAKS}]|(?<=\d),(?=\d))+)"  # 1,280 is one number
_CONDITION = rf"(?P<name>[^\W_]{{1,16}})[ ]?:(?!/)[ ]*(?:{_QUOTED}|(?P<values>[^\s(){_QUOTES}]*))"
_MINUS = rf"(?<![^\s({_BREAKS}])-(?=[^\W_]|[({_QUOTES}])"  # right before what it excludes; within words it is a sign
_OPERATOR = rf"(?=[\s(){_QUOTES}]|\Z)"  # after the word; nothing else makes ANDROID of AND
_LIKE = 0.75  # from which a name is taken for a field that was mistyped
_CODE = re.compile(r"[1-9]\d{3}-(\w{1,20}(-(\w{1,20}(-\d{0,9})?)?)?)?")
_DASHES = re.compile("[\u2010-\u2015\u2212\u30fc\ufe58\ufe63\uff0d]")

_TOO_LONG = QueryProblem(
    f"最多 {LONGEST} 个字符，请只输入关键的词语", f"at most {LONGEST} characters; give the words that matter"
)
_TOO_MANY = QueryProblem(
    f"最多 {MOST_PARTS} 个词语或条件，请减少一些", f"at most {MOST_PARTS} words or conditions; give fewer"
)
_TOO_DEEP = QueryProblem("括号嵌套过深，请简化", "the brackets go too deep; make it simpler")
_UNREADABLE = QueryProblem(
    "有无法识别的字符，请重新输入", "there is a character that cannot be read; type it anew"
)
_NOTHING = QueryProblem("请输入文字、数字或档号", "give words, numbers or a reference code")
_UNOPENED = QueryProblem("右括号没有对应的左括号", "this bracket was never opened")
_UNCLOSED = QueryProblem("左括号没有对应的右括号", "this bracket is never closed")
_EMPTY = QueryProblem("括号内没有内容", "there is nothing in these brackets")
_OPERAND = QueryProblem("AND、OR、NOT 的前后须有词语", "AND, OR and NOT need words beside them")
_IN_CAPITALS = QueryProblem(
    "AND、OR、NOT 须用大写，小写的按普通单词查找。",
    "AND, OR and NOT are written in capitals; in small letters they are words like any other.",
)
_NO_WILDCARDS = QueryProblem(
    "* ? ~ 不作通配符：中文输入其中几个字即可，英文输入词的开头（至少三个字母）。",
    "* ? and ~ stand for nothing here: give a part of Chinese words, or three letters that others begin with.",
)
_OPERATORS_TYPED = re.compile(r"(?<!\S)(?:and|or|not)(?!\S)", re.IGNORECASE)
_WILDCARDS = re.compile(r"\w[*?]+\w|\w[*~]|\*\w")


@dataclass(frozen=True, slots=True)
class Asked:
    """``tree`` decides what is found, ``words`` what is shown of it."""

    words: Query
    tree: Expression

    @property
    def code(self) -> str | None:
        """The beginning of a reference code, when the query is nothing else."""
        match self.tree:
            case AnyOf((Fact(Field.REFERENCE, str(beginning)), *_)):
                return beginning
        return None


_OPEN, _CLOSE = plugins.GroupPlugin.OpenBracket, plugins.GroupPlugin.CloseBracket


class _Part(syntax.SyntaxNode):  # type: ignore[misc]  # Whoosh has no types
    """What the tree will hold in this place."""

    def __init__(self, part: Expression) -> None:
        self.part = part


class _Inside(syntax.GroupNode):  # type: ignore[misc]
    """What stands in one pair of brackets, or in none. It never merges with what stands beside it."""

    merging = False


class _Said(plugins.TaggingPlugin):  # type: ignore[misc]
    """Words of the texts. Signs alone are as good as white space."""

    def __init__(self, expression: str, priority: int, *, exact: bool) -> None:
        super().__init__(expression)
        self.priority = priority
        self._exact = exact

    def create(self, _parser: QueryParser, match: re.Match[str]) -> syntax.SyntaxNode:
        row = tuple(atoms(fold(match["text"])))
        if not row:
            return syntax.Whitespace()
        phrase = Phrase(row, open=not self._exact)
        code = code_of(match["text"])
        return _Part(phrase if code is None else AnyOf((Fact(Field.REFERENCE, code), phrase)))


class _Condition(plugins.TaggingPlugin):  # type: ignore[misc]
    """A field, and after its colon one value, several with commas between, or one in quotes."""

    priority = -1  # a name is no word

    def __init__(self, today: date) -> None:
        super().__init__(_CONDITION)
        self._today = today

    def create(self, _parser: QueryParser, match: re.Match[str]) -> syntax.SyntaxNode | None:
        field = _field(match["name"], match.start() + 1)
        if field is None:
            return None
        quoted = match["values"] is None
        at = match.start("text" if quoted else "values") + 1
        facts: list[Expression] = []
        for each in [match["text"]] if quoted else re.split("[,\u3001]", match["values"]):
            fact = read_value(field, fold(each).strip(), self._today) if each.strip() else VALUE
            if isinstance(fact, QueryProblem):
                _refuse(fact, at)
            facts.append(replace(fact, at=at))
            at += len(each) + 1
        return _Part(facts[0] if len(facts) == 1 else AnyOf(tuple(facts)))


def parse(text: str, today: date) -> Asked:
    """Raises MunimentError(QUERY_INVALID), saying at which character."""
    if len(text) > LONGEST:
        _refuse(_TOO_LONG)
    for at, each in enumerate(text, start=1):
        if unicodedata.category(each) in ("Cc", "Cs") and not each.isspace():
            _refuse(_UNREADABLE, at)
    parser = _parser(today)
    row = [each for each in parser.tag(_narrow(text)) if not each.is_ws()]
    if sum(isinstance(each, _Part) for each in row) > MOST_PARTS:
        _refuse(_TOO_MANY)
    if not row:
        _refuse(_NOTHING)
    _check(row)
    tree = _tree(parser.filterize(_Inside(list(_joined(row)))))
    return Asked(Query(text.strip(), tuple(dict.fromkeys(phrases(tree)))), tree)


def hint(text: str) -> QueryProblem | None:
    """What of a query that found nothing may have been meant otherwise than it was taken."""
    narrow = _narrow(text)
    if any(not each[0].isupper() for each in _OPERATORS_TYPED.finditer(narrow)):
        return _IN_CAPITALS
    return _NO_WILDCARDS if _WILDCARDS.search(narrow) else None


def code_of(text: str) -> str | None:
    """``text`` as the beginning of a reference code (``2026-一级``), if it is one."""
    beginning = _DASHES.sub("-", unicodedata.normalize("NFKC", text)).strip()
    return beginning if _CODE.fullmatch(beginning) else None


def _parser(today: date) -> QueryParser:
    operator = plugins.OperatorsPlugin.OpTagger
    binding = [  # the closest first
        operator(f"NOT{_OPERATOR}|{_MINUS}", syntax.NotGroup, syntax.PrefixOperator, leftassoc=False),
        operator("AND" + _OPERATOR, syntax.AndGroup),
        operator("OR" + _OPERATOR, syntax.OrGroup),
    ]
    signs = [
        _Condition(today),
        _Said(_QUOTED, 0, exact=True),
        plugins.GroupPlugin(),
        plugins.OperatorsPlugin([(each, 0) for each in binding], clean=True),
        _Said(_WORD, 1, exact=False),
    ]
    parser = QueryParser(None, None, signs, group=_Inside)
    parser.replace_plugin(plugins.WhitespacePlugin(rf"[\s{_BREAKS}]+"))
    return parser


def _refuse(problem: QueryProblem, at: int = 0) -> NoReturn:
    raise MunimentError(Code.QUERY_INVALID, problem=replace(problem, at=at))


def _narrow(text: str) -> str:
    """Full-width signs as half-width ones, one for one, so that places stay."""
    return "".join(chr(ord(each) - 0xFEE0) if "\uff01" <= each <= "\uff5e" else each for each in text)


def _field(name: str, at: int) -> Field | None:
    """None for what is no field; refused when it is nearly one."""
    folded = fold(name)
    known = NAMES.get(folded)
    # Only letters: Chinese words with a colon after them stand in every text that somebody may paste here.
    if known is None and folded.isascii():
        like = difflib.get_close_matches(folded, NAMES, n=1, cutoff=_LIKE)
        if like:
            problem = QueryProblem(
                f"没有这个字段；是否指 {like[0]}", f"there is no such field; did you mean {like[0]}"
            )
            _refuse(problem, at)
    return known


def _check(row: Sequence[Any]) -> None:
    """Refuses what has no meaning in this order, in the order in which it is read."""
    opened: list[Any] = []
    depths, depth = [0], 0  # at which the content of each open bracket stands, and the next node
    before = None
    for node in row:
        if _asks_for_more(before):
            _check_operand(node, before, depth)
        if isinstance(node, _OPEN):
            opened.append(node)
            depths.append(depth + 1)
        elif isinstance(node, _CLOSE):
            if not opened:
                _refuse(_UNOPENED, node.startchar + 1)
            opened.pop()
            depths.pop()
        depth = depth + 1 if isinstance(node, syntax.PrefixOperator) else depths[-1]
        before = node
    if isinstance(before, syntax.Operator):
        _refuse(_OPERAND, before.startchar + 1)
    if opened:
        _refuse(_UNCLOSED, opened[-1].startchar + 1)


def _asks_for_more(before: Any) -> bool:
    """Whether words, a bracket or NOT must come after it."""
    return before is None or isinstance(before, (_OPEN, syntax.Operator))


def _check_operand(node: Any, before: Any, depth: int) -> None:
    at = node.startchar + 1
    if depth > DEEPEST:
        _refuse(_TOO_DEEP, at)
    if isinstance(node, syntax.InfixOperator):
        _refuse(_OPERAND, at)
    if isinstance(node, _CLOSE):
        _refuse(_EMPTY if isinstance(before, _OPEN) else _UNOPENED if before is None else _OPERAND, at)


def _joined(row: Sequence[Any]) -> Iterator[Any]:
    """With AND between what stands side by side."""
    before = None
    for node in row:
        if not (_asks_for_more(before) or isinstance(node, (_CLOSE, syntax.InfixOperator))):
            yield syntax.InfixOperator("AND", syntax.AndGroup)
        yield node
        before = node


def _tree(node: Any) -> Expression:
    if isinstance(node, _Part):
        return node.part
    parts = tuple(dict.fromkeys(map(_tree, node)))
    if isinstance(node, syntax.NotGroup):
        return Not(parts[0])
    if len(parts) == 1:
        return parts[0]
    return AnyOf(parts) if isinstance(node, syntax.OrGroup) else AllOf(parts)
