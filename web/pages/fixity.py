"""Fixity 四性检测, for administrators and auditors: the newest report, running a check, the earlier ones."""

import io
from dataclasses import replace

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from access.permissions import Permission
from archive.fixity.printing import sheet
from archive.fixity.recording import report, reports
from archive.fixity.report import Trait
from web.admitting import admits
from web.auditing import FixityCheck, Mending
from web.pages.casefiles import names
from web.refusing import is_fragment
from web.surveying import damage
from web.visit import visit

pages = Blueprint("fixity", __name__)

_SAMPLE = 100
_SHOWN = 500  # findings on a page; the PDF holds more, the command line all


@pages.get("/fixity")
@admits(Permission.CHECK)
def overview() -> str:
    here = visit()
    kept = reports(here.house.catalogue)
    return render_template(
        "fixity.html",
        latest=kept[0] if kept else None,
        damage=damage(here.house),
        reports=kept,
        names=names(here),
        traits=tuple(Trait),
        run=_check().latest,
        mending=_mending().of(kept[0]) if kept else None,
        mends=here.house.repairing is not None,
        sample=_SAMPLE,
        shown=_SHOWN,
    )


@pages.get("/fixity/<int:number>")
@admits(Permission.CHECK)
def show(number: int) -> str:
    here = visit()
    found = report(here.house.catalogue, number)
    return render_template(
        "fixity_report.html",
        report=found,
        names=names(here),
        traits=tuple(Trait),
        shown=_SHOWN,
        mending=_mending().of(found),
        mends=here.house.repairing is not None,
    )


@pages.get("/fixity/<int:number>.pdf")
@admits(Permission.CHECK)
def printed(number: int) -> Response:
    """The report as PDF/A, printed anew from what was kept: the same report gives the same bytes."""
    house = visit().house
    found = report(house.catalogue, number)
    called = names(visit()).get(found.actor)
    if called:  # a reader on paper knows nobody by number
        found = replace(found, actor=f"{called} {found.actor}")
    shown = sheet(found, house.catalogue.ledger.origin, house.settings.zone)
    with house.sandbox.report(shown) as made:
        pdf = io.BytesIO(made.read())
    return send_file(pdf, "application/pdf", as_attachment=True, download_name=f"fixity-{number}.pdf")


@pages.post("/fixity/run")
@admits(Permission.CHECK)
def run() -> AnyResponse:
    here = visit()
    _check().start(here.actor, _SAMPLE if request.form.get("scope") == "sample" else None)
    if is_fragment():
        return _progress()
    return redirect(url_for("fixity.overview"), code=303)


@pages.get("/fixity/run")
@admits(Permission.CHECK)
def progress() -> AnyResponse:
    return _progress()


@pages.post("/fixity/<int:number>/repair")
@admits(Permission.REPAIR)
def repair(number: int) -> AnyResponse:
    """What the report names, from the other copy."""
    here = visit()
    _mending().start(here.actor, report(here.house.catalogue, number))
    if is_fragment():
        return _repairing()
    return redirect(url_for("fixity.show", number=number), code=303)


@pages.get("/fixity/repair")
@admits(Permission.REPAIR)
def repairing() -> AnyResponse:
    return _repairing()


def _repairing() -> AnyResponse:
    return make_response(render_template("fragments/repair.html", mending=_mending().latest))


def _progress() -> AnyResponse:
    """At the end the whole page comes anew: the report is its newest."""
    latest = _check().latest
    response = make_response(render_template("fragments/fixity.html", run=latest))
    if latest is not None and not latest.running:
        response.headers["HX-Refresh"] = "true"
    return response


def _mending() -> Mending:
    held: Mending = current_app.extensions["muniment-mending"]
    return held


def _check() -> FixityCheck:
    held: FixityCheck = current_app.extensions["muniment-fixity"]
    return held
