"""One request to the pages: who visits, in which language, and the house they visit."""

from dataclasses import dataclass
from datetime import date
from typing import cast

from flask import current_app, g, request

from access.permissions import Permission, may
from access.person import Person
from archive.errors import Code, MunimentError
from archive.ledger.entries import Actor
from web.formats import Formats
from web.wiring import House
from web.wording import Language, Wording, wording

LANGUAGE_COOKIE = "language"


@dataclass(frozen=True, slots=True)
class Visit:
    """What a view needs to know of its request."""

    house: House
    visitor: Person | None
    words: Wording
    formats: Formats

    @property
    def person(self) -> Person:
        """Raises SIGN_IN_REQUIRED."""
        if self.visitor is None:
            raise MunimentError(Code.SIGN_IN_REQUIRED)
        return self.visitor

    @property
    def actor(self) -> Actor:
        return Actor(self.person.number)

    @property
    def language(self) -> Language:
        return self.words.language

    @property
    def today(self) -> date:
        """By the clock and the time zone of the house."""
        return self.formats.local(self.house.clock()).date()

    def may(self, *permissions: Permission) -> bool:
        """Any one of them is enough."""
        visitor = self.visitor
        return visitor is not None and any(may(visitor, each) for each in permissions)


def house() -> House:
    return cast("House", current_app.extensions["muniment"])


def visit() -> Visit:
    """The visit of the running request."""
    return cast("Visit", g.visit)


def begin_visit(token: str | None) -> None:
    """Before each request: resumes the session, if there is one."""
    home = house()
    # The signed-out words come first: resuming may itself fail, and that has to be said in a language.
    words = wording(_language())
    formats = Formats(words.language, home.settings.zone)
    g.visit = Visit(home, None, words, formats)
    if token:
        g.visit = Visit(home, home.sessions.resume(token), words, formats)


def _language() -> Language:
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in set(Language):
        return Language(chosen)
    best = request.accept_languages.best_match(["zh-CN", "zh", "en"], default="zh")
    return Language.EN if best == "en" else Language.ZH
