"""Finding 查找: as one types; each query is recorded before its answer is shown. Words never stand in an address."""

from dataclasses import asdict, replace

import flask
from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from access.permissions import Permission
from archive.errors import MunimentError
from archive.evidence.transcribing import INSTALL
from indexer.searching import Sort
from web.admitting import admits
from web.asking import Asking, Wanted
from web.refusing import is_fragment
from web.searching import MOST_UNREAD, Answer, answer, unsearchable
from web.visit import Visit, visit

pages = Blueprint("finding", __name__)


@pages.get("/find")
@admits(Permission.BROWSE)
def find() -> AnyResponse | str:
    """By a token, or by facts in the address (``level=一级``), which are nobody's secret."""
    here = visit()
    token = request.args.get("found", "")
    wanted = reveal(here, token) if token else Wanted.of(request.args)
    if wanted.q and not token:  # typed into the address by hand, or kept from elsewhere
        return redirect(url_for("finding.find", found=hide(here, wanted)), code=303)
    return _shown(here, wanted)


@pages.post("/find")
@admits(Permission.BROWSE)
def ask() -> AnyResponse:
    """A fragment for htmx, whose address then shows the token; else the way to the page of that token."""
    here = visit()
    wanted = Wanted.of(request.form)
    place = (
        url_for("finding.find") if wanted == Wanted() else url_for("finding.find", found=hide(here, wanted))
    )
    if not is_fragment():
        return redirect(place, code=303)
    response: Response = make_response(_shown(here, wanted))
    response.headers["HX-Replace-Url"] = place
    return response


@pages.get("/find/saved/<int:number>")
@admits(Permission.BROWSE)
def saved(number: int) -> str:
    here = visit()
    kept = here.house.saved_searches.get(here.actor, number)
    return _shown(here, Wanted.of(kept.wanted))


@pages.post("/find/saved")
@admits(Permission.BROWSE)
def save() -> AnyResponse:
    here = visit()
    token = request.form.get("found", "")
    wanted = replace(reveal(here, token), page="1")
    name = request.form.get("name", "")
    here.house.saved_searches.save(here.actor, name, asdict(wanted))
    flask.flash(here.words("find.saved_now", name=" ".join(name.split())))
    return redirect(url_for("finding.find", found=token), code=303)


@pages.post("/find/saved/<int:number>/delete")
@admits(Permission.BROWSE)
def forget(number: int) -> AnyResponse:
    here = visit()
    here.house.saved_searches.delete(here.actor, number)
    return redirect(url_for("finding.find", found=request.form.get("found", "")), code=303)


def reveal(here: Visit, token: str) -> Wanted:
    return _asking().reveal(here.actor, token)


def hide(here: Visit, wanted: Wanted) -> str:
    return _asking().hide(here.actor, wanted)


def _shown(here: Visit, wanted: Wanted) -> str:
    found, refusal = Answer(), None
    try:
        found = answer(here.house, here.person, wanted)
    except MunimentError as error:
        refusal = error.say(here.language)
    facts = {
        "wanted": wanted,
        "answer": found,
        "refusal": refusal,
        "found": hide(here, wanted),
        "scheme": here.house.scheme,
        "sorts": tuple(Sort),
        "may_search": here.may(Permission.SEARCH),
    }
    if is_fragment():
        return render_template("fragments/results.html", **facts, fragment=True)
    return render_template(
        "find.html",
        **facts,
        words=here.may(Permission.SEARCH),
        unread=unsearchable(here.house, here.person),
        most_unread=MOST_UNREAD,
        install=None if here.house.recognition.available else INSTALL,
        saved=here.house.saved_searches.of(here.actor),
    )


def _asking() -> Asking:
    held: Asking = current_app.extensions["muniment-asking"]
    return held
