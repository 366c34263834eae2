"""Pictures 图片识别: what was read in them, what waits, what could not be read."""

import flask
from flask import Blueprint, redirect, render_template, url_for
from werkzeug.wrappers import Response as AnyResponse

from access.permissions import Permission
from archive.errors import say_kept
from archive.evidence.transcribing import INSTALL
from web.admitting import admits
from web.visit import visit

pages = Blueprint("pictures", __name__)


@pages.get("/pictures")
@admits(Permission.RECOGNISE)
def overview() -> str:
    here = visit()
    here.house.recognition.follow()
    found = here.house.recognition.status()
    total = found.waiting + found.running + found.done + len(found.failures)
    return render_template(
        "pictures.html",
        status=found,
        total=total,
        install=INSTALL,
        reasons={each.problem: say_kept(each.problem or "", here.language) for each in found.failures},
    )


@pages.post("/pictures/retry")
@admits(Permission.RECOGNISE)
def retry() -> AnyResponse:
    here = visit()
    count = here.house.recognition.retry()
    flask.flash(here.words("pictures.retried", count=count))
    return redirect(url_for("pictures.overview"), code=303)
