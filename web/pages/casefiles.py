"""One case file: what it is, how it stands, what this person may do with it, and what happened to it."""

import io
import threading
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, BinaryIO, cast

import flask
import sqlalchemy as sa
from flask import Blueprint, Response, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from access.permissions import Permission
from archive.casefile.reading import CaseFile, FileState
from archive.casefile.releasing import LONGEST_RECIPIENT, Release
from archive.casefile.zipping import Zipped
from archive.days import parse_day
from archive.errors import Code, MunimentError
from archive.evidence.transcribing import INSTALL
from archive.ledger import tables as ledger_tables
from archive.ledger.acts import Act
from archive.ledger.log import Entry, entries
from archive.reasons import reason_of
from retention.schedule import Schedule
from web.admitting import admits
from web.answering import long_answer
from web.visit import Visit, visit

pages = Blueprint("casefiles", __name__)

_HISTORY = 200
_HANDED_OUT_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long a file is kept, as far as it can be said today."""

    due_on: date | None
    years: int | None
    holds: tuple[Any, ...]


@pages.get("/files/<reference>")
@admits(Permission.BROWSE)
def show(reference: str) -> str:
    here = visit()
    file = here.house.viewing.find(here.person, reference)
    grant = here.house.viewing.grant(here.person, file)
    return render_template(
        "case_file.html",
        file=file,
        grant=grant,
        documents=here.house.case_files.documents(file),
        keeping=_keeping(here, file),
        history=_history(here, file) if here.may(Permission.READ_LOOKUPS) else (),
        names=names(here),
        level=next((each for each in here.house.scheme.levels if each.name == file.level), None),
        category=next((each for each in here.house.scheme.categories if each.name == file.category), None),
        is_void=file.state is FileState.VOID,
        unread=here.house.recognition.unread_pages(file) if grant or here.may(Permission.RECOGNISE) else 0,
        install=None if here.house.recognition.available else INSTALL,
    )


@pages.post("/files/<reference>/void")
@admits(Permission.VOID)
def void(reference: str) -> AnyResponse:
    here = visit()
    here.house.voiding.void(here.actor, reference, request.form.get("reason", ""))
    return _back(reference, "case.voided")


@pages.post("/files/<reference>/complete")
@admits(Permission.COMPLETE)
def complete(reference: str) -> AnyResponse:
    here, day = visit(), parse_day(request.form.get("on", ""))
    here.house.completing.complete(here.actor, reference, day)
    return _back(reference, "case.completed")


@pages.post("/files/<reference>/hold")
@admits(Permission.HOLD)
def hold(reference: str) -> AnyResponse:
    here = visit()
    here.house.holds.place(here.actor, reference, request.form.get("reason", ""))
    return _back(reference, "case.held")


@pages.post("/files/<reference>/lift/<int:number>")
@admits(Permission.HOLD)
def lift(reference: str, number: int) -> AnyResponse:
    here = visit()
    standing = here.house.holds.active(reference)
    wanted = next((each for each in standing if each.id == number), None)
    if wanted is None:
        raise MunimentError(Code.HOLD_NOT_FOUND, wanted=number)
    here.house.holds.lift(here.actor, wanted.id, request.form.get("reason", ""))
    return _back(reference, "case.lifted")


@pages.post("/files/<reference>/release")
@admits(Permission.RELEASE)
def release(reference: str) -> str:
    here = visit()
    to = reason_of(request.form.get("to", ""), LONGEST_RECIPIENT)
    originals = "originals" in request.form
    copy = here.house.releasing.release(here.actor, reference, to=to, originals=originals)
    _handover().keep(here.person.number, copy)
    return render_template(
        "released.html",
        reference=copy.reference,
        password=copy.password,
        count=len(copy.documents),
        originals=originals,
    )


@pages.get("/files/<reference>/released.zip")
@admits(Permission.RELEASE)
def released(reference: str) -> Response:
    """The copies, once, to the person who made them."""
    here = visit()
    if request.method == "HEAD":  # asks about the copy, and would use it up
        raise MunimentError(Code.PAGE_NOT_FOUND)
    with ExitStack() as held:
        held.enter_context(long_answer(here.person.number))
        copy = _handover().take(here.person.number, reference)
        if copy is None:
            raise MunimentError(Code.COPY_GONE)
        now = here.formats.local(here.house.clock())
        packed = cast("BinaryIO", io.BufferedReader(Zipped(copy.documents, now)))
        # send_file writes the Chinese name as headers need it (RFC 6266, RFC 8187), and sends as it reads.
        name = f"{copy.reference}.zip"
        response = send_file(packed, "application/zip", as_attachment=True, download_name=name)
        response.call_on_close(held.pop_all().close)
        return response


class Handover:
    """Released copies between their page and their download: in memory, one a person, and no longer than ten
    minutes, whether anybody comes for them or not.
    """

    def __init__(self, lasting: timedelta = _HANDED_OUT_FOR) -> None:
        self._lasting = lasting
        self._waiting: dict[str, tuple[Release, threading.Timer]] = {}
        self._lock = threading.Lock()

    def keep(self, person: str, copy: Release) -> None:
        timer = threading.Timer(self._lasting.total_seconds(), self._give_up, (person, copy))
        timer.daemon = True
        with self._lock:
            before = self._waiting.get(person)
            self._waiting[person] = copy, timer
        timer.start()
        if before is not None:
            before[1].cancel()
            _close(before[0])

    def take(self, person: str, reference: str) -> Release | None:
        with self._lock:
            copy, timer = self._waiting.get(person, (None, None))
            if copy is None or timer is None or copy.reference != reference:
                return None
            del self._waiting[person]
        timer.cancel()
        return copy

    def _give_up(self, person: str, copy: Release) -> None:
        with self._lock:
            if self._waiting.get(person, (None, None))[0] is not copy:  # taken, or another since
                return
            del self._waiting[person]
        _close(copy)


def names(here: Visit) -> dict[str, str]:
    """Who the actors of the ledger are."""
    return here.house.people.names()


def _keeping(here: Visit, file: CaseFile) -> Keeping:
    schedule = Schedule(here.house.scheme, here.house.settings.zone)
    holds = here.house.holds.active(file.reference)
    return Keeping(schedule.due_on(file), schedule.years(file.level), holds)


def _history(here: Visit, file: CaseFile) -> list[Entry]:
    """What was done with it, newest first. Who looked at it stands in the register, or it would drown the rest."""
    columns = ledger_tables.entry.c
    query = (
        sa.select(columns.position)
        .where(columns.subject == file.reference, columns.act != Act.VIEWED.value)
        .order_by(columns.position.desc())
        .limit(_HISTORY)
    )
    house = here.house
    with house.catalogue.reading() as connection:
        return list(entries(connection, house.catalogue.ledger, query, house.case_files.file_key))


def _back(reference: str, said: str) -> AnyResponse:
    flask.flash(visit().words(said, reference=reference))
    return redirect(url_for("casefiles.show", reference=reference), code=303)


def _handover() -> Handover:
    held: Handover = flask.current_app.extensions["muniment-handover"]
    return held


def _close(copy: Release) -> None:
    for _, stream in copy.documents:
        stream.close()
