"""Retention 保管期限: what is due, what holds it back, what comes next. Nothing is destroyed here."""

from datetime import date

import flask
from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from access.permissions import Permission
from archive.days import parse_day
from web.admitting import admits
from web.pages.casefiles import names
from web.visit import Visit, visit

pages = Blueprint("retention", __name__)


@pages.get("/retention")
@admits(Permission.SWEEP)
def due() -> str:
    here = visit()
    as_of = _day(here, request.args.get("as_of", ""))
    plan = here.house.sweeps.sweep(here.actor, as_of, record=False)
    return render_template("retention.html", plan=plan, as_of=as_of, names=names(here))


@pages.post("/retention")
@admits(Permission.SWEEP)
def sweep() -> Response:
    """The same list, recorded in the ledger as a sweep that was made."""
    here = visit()
    as_of = _day(here, request.form.get("as_of", ""))
    here.house.sweeps.sweep(here.actor, as_of, record=True)
    flask.flash(here.words("retention.recorded", day=here.formats.day(as_of)))
    return redirect(url_for("retention.due", as_of=as_of.isoformat()), code=303)


def _day(here: Visit, text: str) -> date:
    """Today by default."""
    return parse_day(text) if text.strip() else here.today
