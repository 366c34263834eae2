"""Reading a query: words, "exact phrases", fields, AND, OR, NOT and brackets, into a tree. Pure.

    退款 "书面道歉" level:一级,二级 NOT (门店:静安 OR filed:2026-01..2026-03)

What stands side by side must all be there, as with AND; OR binds less, NOT most. A reference code or its beginning
also means the files of that code. A quotation may be left open, since somebody is still typing it; a bracket may not.

Not Whoosh's QueryParser: it drops what it cannot read without a word (a bracket, an operator with nothing after it),
knows no place of an error, binds OR closer than words side by side but looser than AND, and takes ``NOT NOT a``
for ``a`` without anything excluded. An engine must not have to know its classes either.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum, auto
from typing import NoReturn

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
_OPERATOR = re.compile(rf"(AND|OR|NOT)(?=[\s(){_QUOTES}]|$)")
_FIELD = re.compile(r"([^\W_]{1,16})[ ]?:(?!/)")
_WORD = re.compile(rf"[^\s(){_QUOTES}{_BREAKS}]+")
_VALUE = re.compile(rf"[^\s(){_QUOTES}]+")
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


class _Kind(Enum):
    AND = auto()
    OR = auto()
    NOT = auto()
    OPEN = auto()
    CLOSE = auto()
    PART = auto()
    END = auto()


@dataclass(frozen=True, slots=True)
class _Token:
    kind: _Kind
    at: int  # from 1
    part: Expression | None = None


def parse(text: str, today: date) -> Asked:
    """Raises MunimentError(QUERY_INVALID), saying at which character."""
    if len(text) > LONGEST:
        _refuse(_TOO_LONG)
    for at, each in enumerate(text, start=1):
        if unicodedata.category(each) in ("Cc", "Cs") and not each.isspace():
            _refuse(_UNREADABLE, at)
    tree = _Builder(list(_tokens(text, today))).build()
    return Asked(Query(text.strip(), tuple(dict.fromkeys(phrases(tree)))), tree)


def code_of(text: str) -> str | None:
    """``text`` as the beginning of a reference code (``2026-一级``), if it is one."""
    beginning = _DASHES.sub("-", unicodedata.normalize("NFKC", text)).strip()
    return beginning if _CODE.fullmatch(beginning) else None


def _refuse(problem: QueryProblem, at: int = 0) -> NoReturn:
    raise MunimentError(Code.QUERY_INVALID, problem=replace(problem, at=at))


def _narrow(text: str) -> str:
    """Full-width signs as half-width ones, one for one, so that places stay."""
    return "".join(chr(ord(each) - 0xFEE0) if "\uff01" <= each <= "\uff5e" else each for each in text)


def _tokens(given: str, today: date) -> Iterator[_Token]:
    text, at = _narrow(given), 0
    while at < len(text):
        if (sign := {"(": _Kind.OPEN, ")": _Kind.CLOSE}.get(text[at])) is not None:
            yield _Token(sign, at + 1)
            at += 1
        elif text[at] in _QUOTES:
            end = _closing(text, at)
            yield from _said(given[at + 1 : end], at, exact=True)
            at = end + 1
        elif (operator := _OPERATOR.match(text, at)) is not None:
            yield _Token(_Kind[operator[1]], at + 1)
            at = operator.end()
        elif (named := _FIELD.match(text, at)) is not None and (field := _field(named[1], at)) is not None:
            part, end = _condition(field, given, text, named.end(), today)
            yield _Token(_Kind.PART, at + 1, part)
            at = end
        elif (word := _WORD.match(text, at)) is not None:
            yield from _said(given[at : word.end()], at, exact=False)
            at = word.end()
        else:
            at += 1
    yield _Token(_Kind.END, len(text) + 1)


def _closing(text: str, opened: int) -> int:
    return next((at for at in range(opened + 1, len(text)) if text[at] in _QUOTES), len(text))


def _said(text: str, at: int, *, exact: bool) -> Iterator[_Token]:
    row = tuple(atoms(fold(text)))
    if not row:
        return
    phrase: Expression = Phrase(row, open=not exact)
    code = code_of(text)
    if code is not None:
        phrase = AnyOf((Fact(Field.REFERENCE, code), phrase))
    yield _Token(_Kind.PART, at + 1, phrase)


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
            _refuse(problem, at + 1)
    return known


def _condition(field: Field, given: str, text: str, at: int, today: date) -> tuple[Expression, int]:
    """What stands after the colon: one value, several with commas between, or one in quotes."""
    while at < len(text) and text[at] == " ":
        at += 1
    if at < len(text) and text[at] in _QUOTES:
        end = _closing(text, at)
        values, start, end = [given[at + 1 : end]], at + 1, end + 1
    else:
        found = _VALUE.match(text, at)
        end = found.end() if found else at
        values, start = re.split("[,\uff0c\u3001]", given[at:end]), at
    facts: list[Expression] = []
    for each in values:
        fact = read_value(field, fold(each).strip(), today) if each.strip() else VALUE
        if isinstance(fact, QueryProblem):
            _refuse(fact, start + 1)
        facts.append(fact)
        start += len(each) + 1
    return facts[0] if len(facts) == 1 else AnyOf(tuple(facts)), end


class _Builder:
    """Tokens into a tree, by descent; each level reads what binds closer than itself."""

    def __init__(self, tokens: list[_Token]) -> None:
        if sum(each.kind is _Kind.PART for each in tokens) > MOST_PARTS:
            _refuse(_TOO_MANY)
        if all(each.kind is _Kind.END for each in tokens):
            _refuse(_NOTHING)
        self._tokens = tokens
        self._at = 0

    def build(self) -> Expression:
        tree = self._any(0)
        if self._next.kind is not _Kind.END:
            _refuse(_UNOPENED, self._next.at)
        return tree

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _any(self, depth: int) -> Expression:
        parts = [self._all(depth)]
        while self._next.kind is _Kind.OR:
            self._take()
            parts.append(self._all(depth))
        return parts[0] if len(parts) == 1 else AnyOf(tuple(dict.fromkeys(parts)))

    def _all(self, depth: int) -> Expression:
        parts = [self._one(depth)]
        while self._next.kind in (_Kind.AND, _Kind.PART, _Kind.NOT, _Kind.OPEN):
            if self._next.kind is _Kind.AND:
                self._take()
            parts.append(self._one(depth))
        return parts[0] if len(parts) == 1 else AllOf(tuple(dict.fromkeys(parts)))

    def _one(self, depth: int) -> Expression:
        token = self._take()
        if depth > DEEPEST:
            _refuse(_TOO_DEEP, token.at)
        if token.part is not None:
            return token.part
        if token.kind is _Kind.NOT:
            return Not(self._one(depth + 1))
        if token.kind is _Kind.OPEN:
            return self._bracketed(token, depth + 1)
        before = self._tokens[self._at - 2] if self._at > 1 else None
        if token.kind is _Kind.CLOSE:
            opened = before is not None and before.kind is _Kind.OPEN
            _refuse(_EMPTY if opened else _UNOPENED if before is None else _OPERAND, token.at)
        _refuse(_OPERAND, token.at if before is None or token.kind is not _Kind.END else before.at)

    def _bracketed(self, opened: _Token, depth: int) -> Expression:
        if self._next.kind is _Kind.END:
            _refuse(_UNCLOSED, opened.at)
        tree = self._any(depth)
        if self._next.kind is not _Kind.CLOSE:
            _refuse(_UNCLOSED, opened.at)
        self._take()
        return tree
