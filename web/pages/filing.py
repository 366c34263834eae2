"""Filing 归档: the form, each file checked as it is dropped, and the reference code at the end."""

from datetime import date
from typing import Any, BinaryIO, cast

import flask
import sqlalchemy as sa
from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.wrappers import Response

from access.permissions import Permission
from archive.casefile import tables
from archive.casefile.filing import Submission
from archive.casefile.sources import Refusals, Source
from archive.days import parse_day
from archive.errors import Code, MunimentError
from archive.voucher.checking import check as doubts
from archive.voucher.fields import Complainant, Receiver, Voucher, parse
from archive.voucher.form import Channel
from archive.voucher.problems import Problems
from web.admitting import admits, receives_files
from web.drafting import COMMON_DEMANDS, COMMON_EVIDENCE, draft, labels, longest
from web.kinds import kind_said
from web.refusing import wants_json
from web.settings import Settings
from web.visit import visit

pages = Blueprint("filing", __name__)

_TO_THE_MINUTE = 16
_MOST_DOUBTS = 6  # the cookie that carries them holds no more
_MOST_OFFERED = 500  # stores, or scripts
_FLAGGED = ("details", "history", "notes")


@pages.get("/file")
@admits(Permission.FILE)
def form() -> str:
    here = visit()
    now = here.formats.local(here.house.clock()).isoformat()[:_TO_THE_MINUTE]
    given = MultiDict(
        {
            "received_at": now,
            "receiver.name": here.person.name,
            "receiver.department": here.person.department,
            "complainant.headcount": "1",
        }
    )
    return _page(given, with_json=request.args.get("with") == "json")


@pages.post("/file")
@receives_files
@admits(Permission.FILE)
def send() -> Response | tuple[str, int]:
    here, given = visit(), request.form
    sources = tuple(Source(name, stream) for name, stream in _files("evidence"))
    try:
        submission = Submission(
            level=given.get("level", ""),
            category=given.get("category", ""),
            completed_on=_day(given.get("completed_on", "")),
            permanent=given.get("permanent") or None,
            voucher=_voucher(given),
            evidence=sources,
        )
        filed = here.house.filing.file(here.actor, submission)
        _tell_doubts(submission)
    except MunimentError as error:
        if wants_json():
            return _refused_to_script(error)
        problems = _by_field(error)
        return _page(
            given, with_json="with_json" in given, refusal=error, problems=problems
        ), error.meaning.http
    place = url_for("filing.filed", reference=filed.reference)
    if wants_json():
        return make_response(jsonify(location=place), 201)
    return redirect(place, code=303)


def _tell_doubts(submission: Submission) -> None:
    """On the next page, while the customer may still be there: what is vague or missing (P9). No value is repeated."""
    found = doubts(parse(submission.voucher), len(submission.evidence))
    for each in found[:_MOST_DOUBTS]:
        flask.flash(each.say(visit().language), "doubt")


@pages.post("/file/check")
@receives_files
@admits(Permission.FILE)
def check() -> Response:
    """One file, as soon as it is dropped; nothing of it is kept."""
    here = visit()
    files = _files("file")
    if not files:
        raise MunimentError(Code.FORM_EXPIRED)
    name, stream = files[0]
    with here.house.filing.check_evidence(here.actor, Source(name, stream)) as converted:
        said = here.words("file.checked", pages=converted.pages, kind=kind_said(here.words, converted.kind))
    return jsonify(message=said)


@pages.post("/file/words")
@admits(Permission.FILE)
def flag_words() -> str:
    """Vague wording in the one field that is being typed (P9). It is said, never refused; nothing is kept."""
    field, text = request.form.get("field", ""), request.form.get("text", "").strip()
    if field not in _FLAGGED or not text:
        return ""
    found = doubts(_only(field, text[: longest(field)]))
    return render_template("fragments/flags.html", flags=[each for each in found if each.path == field])


@pages.get("/filed/<reference>")
@admits(Permission.FILE)
def filed(reference: str) -> str:
    here = visit()
    case_file = here.house.case_files.get(reference)
    if case_file.filed_by != here.actor and not here.may(Permission.KNOW_ALL):
        raise MunimentError(Code.FILE_NOT_FOUND, reference=case_file.reference)
    return render_template("filed.html", file=case_file, documents=here.house.case_files.documents(case_file))


def _page(
    given: MultiDict[str, str],
    *,
    with_json: bool,
    refusal: MunimentError | None = None,
    problems: dict[str, list[str]] | None = None,
) -> str:
    here = visit()
    settings = here.house.settings
    return render_template(
        "file.html",
        given=given,
        with_json=with_json,
        refusal=None if refusal is None else refusal.say(here.language),
        problems=problems or {},
        scheme=here.house.scheme,
        channels=list(Channel),
        demands=COMMON_DEMANDS,
        kinds=COMMON_EVIDENCE,
        label=labels(here.language),
        longest=longest,
        stores=_used("store"),
        scripts=_used("script"),
        limit=settings.evidence_limit_mb,
        media=_greatest_recording(settings),
        today=here.today,
    )


def _used(column: str) -> list[str]:
    """What was filed under so far, in the files this person may know of: one store is written in one way."""
    here, used = visit(), tables.case_file.c[column]
    known = here.house.viewing.known(here.person)
    query = sa.select(used).where(tables.case_file.c.id.in_(known), used.is_not(None), used != "").distinct()
    with here.house.catalogue.reading() as connection:
        return sorted(connection.execute(query.limit(_MOST_OFFERED)).scalars())


def _greatest_recording(settings: Settings) -> int:
    """MB; an upload is measured in units of 1024."""
    return min(settings.media_limit_mb, settings.upload_limit_mb * 1024 * 1024 // 1_000_000)


def _only(field: str, text: str) -> Voucher:
    """A voucher with nothing but this field, for the checks that look at one field alone."""
    texts = {each: text if each == field else None for each in _FLAGGED}
    nobody = Complainant(None, None, refused=True, other_contact="")
    return Voucher(
        complainant=nobody,
        received_at=visit().house.clock(),
        channel=Channel.IN_STORE,
        store="",
        details=texts["details"] or "",
        demands=(),
        evidence=(),
        receiver=Receiver("", "", ""),
        history=texts["history"],
        notes=texts["notes"],
    )


def _voucher(given: MultiDict[str, str]) -> bytes:
    """The file voucher.json where one was given, else what the fields say."""
    files = _files("voucher")
    if files:
        return files[0][1].read()
    if "with_json" in given:
        return b""
    return draft(given, visit().house.settings.zone)


def _files(field: str) -> list[tuple[str, BinaryIO]]:
    """An empty file field of a browser arrives as a file without a name: it is none."""
    found: list[FileStorage] = request.files.getlist(field)
    return [(each.filename, cast("BinaryIO", each.stream)) for each in found if each.filename]


def _day(text: str) -> date | None:
    return parse_day(text) if text.strip() else None


def _by_field(error: MunimentError) -> dict[str, list[str]]:
    """The voucher's problems by the field they concern."""
    problems = error.facts.get("problems")
    found: dict[str, list[str]] = {}
    if isinstance(problems, Problems):
        for problem in problems.items:
            found.setdefault(problem.path, []).append(problem.say(visit().language))
    return found


def _refused_to_script(error: MunimentError) -> Response:
    language = visit().language
    said: dict[str, Any] = {
        "code": error.code.value,
        "message": error.say(language),
        "problems": _by_field(error),
        "refused": [],
    }
    refusals = error.facts.get("problems")
    if isinstance(refusals, Refusals):
        said["refused"] = [{"name": name, "message": each.say(language)} for name, each in refusals.refused]
    elif error.code.value.startswith(("evidence-", "conversion-")):
        said["refused"] = [{"name": str(error.facts.get("name", "")), "message": error.say(language)}]
    return make_response(jsonify(said), error.meaning.http)
