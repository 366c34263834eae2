"""Pictures 图片识别: what was read in them, what waits, what could not be read."""

import flask
from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from access.permissions import Permission
from archive.errors import say_kept
from archive.evidence.transcribing import INSTALL
from indexer.recognising import RecognitionStatus
from web.admitting import admits
from web.visit import visit

pages = Blueprint("pictures", __name__)

_LOOKS = 100


@pages.get("/pictures")
@admits(Permission.RECOGNISE)
def overview() -> str:
    here = visit()
    here.house.recognition.follow()
    found = here.house.recognition.status()
    return render_template(
        "pictures.html",
        status=found,
        total=_total(found),
        looks=_LOOKS,
        install=INSTALL,
        reasons={each.problem: say_kept(each.problem or "", here.language) for each in found.failures},
    )


@pages.get("/pictures/progress")
@admits(Permission.RECOGNISE)
def progress() -> str:
    """Asked by the page every few seconds, ``looks`` times: a page left open must not keep its session alive."""
    found = visit().house.recognition.status()
    looks = min(request.args.get("looks", 0, type=int), _LOOKS)
    return render_template("fragments/pictures.html", status=found, total=_total(found), looks=max(0, looks))


def _total(found: RecognitionStatus) -> int:
    return found.waiting + found.running + found.done + len(found.failures)


@pages.post("/pictures/retry")
@admits(Permission.RECOGNISE)
def retry() -> AnyResponse:
    here = visit()
    count = here.house.recognition.retry()
    flask.flash(here.words("pictures.retried", count=count))
    return redirect(url_for("pictures.overview"), code=303)
