"""Coming in and going out: sign-in, sign-out, the language, one's own password."""

from typing import cast
from urllib.parse import urlsplit

import flask
from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from archive.errors import MunimentError
from web.admitting import admits, public
from web.securing import Cookie
from web.visit import LANGUAGE_COOKIE, begin_visit, visit
from web.wording import Language

pages = Blueprint("entrance", __name__)

_YEAR = 31536000


@pages.get("/sign-in")
@public
def sign_in() -> str | Response:
    wanted = _beyond(request.args.get("next"))
    if visit().visitor is not None:
        return redirect(wanted)
    return render_template(
        "sign_in.html", next=wanted, name="", refusal=None, ended=request.args.get("ended")
    )


@pages.post("/sign-in")
@public
def enter() -> Response | tuple[str, int]:
    here, wanted, name = visit(), _beyond(request.form.get("next")), request.form.get("name", "").strip()
    try:
        person = here.house.people.authenticate(name, request.form.get("password", ""))
    except MunimentError as error:
        page = render_template("sign_in.html", next=wanted, name=name[:80], refusal=error.say(here.language))
        return page, error.meaning.http
    if before := _cookie().read():
        here.house.sessions.close(before)
    flask.session.clear()  # the forms of whoever sat here before are void
    response = redirect(wanted, code=303)
    _cookie().give(cast("flask.Response", response), here.house.sessions.open(person))
    return response


@pages.post("/sign-out")
@public
def sign_out() -> Response:
    cookie = _cookie()
    token = cookie.read()
    if token:
        visit().house.sessions.close(token)
    flask.session.clear()
    response = redirect(url_for("entrance.sign_in"), code=303)
    cookie.take(cast("flask.Response", response))
    return response


@pages.get("/language/<chosen>")
@public
def language(chosen: str) -> Response:
    response = redirect(local(request.args.get("next")), code=303)
    if chosen in set(Language):
        response.set_cookie(
            LANGUAGE_COOKIE,
            chosen,
            max_age=_YEAR,
            secure=visit().house.settings.secure_cookies,
            httponly=True,
            samesite="Lax",
        )
    return response


@pages.get("/account")
@admits()
def account() -> str:
    return render_template("account.html", refusal=None)


@pages.post("/account")
@admits()
def change_password() -> Response | tuple[str, int]:
    here, given = visit(), request.form
    try:
        here.house.people.change_password(here.person, given.get("old", ""), given.get("new", ""))
    except MunimentError as error:
        return render_template("account.html", refusal=error.say(here.language)), error.meaning.http
    flask.flash(here.words("account.changed"))
    begin_visit(None)
    response = redirect(url_for("entrance.sign_in"), code=303)
    _cookie().take(cast("flask.Response", response))
    return response


def local(address: str | None) -> str:
    """The address if it is a path of ours, else the home page: nobody is sent to another site from here."""
    if not address or not address.startswith("/") or address.startswith("//") or "\\" in address:
        return "/"
    if any(ord(each) < 0x20 for each in address):
        return "/"
    parts = urlsplit(address)
    return "/" if parts.scheme or parts.netloc else address.rstrip("?")


def _beyond(address: str | None) -> str:
    """Where to go once signed in: never back to the entrance."""
    wanted = local(address)
    return "/" if wanted.startswith("/sign-in") else wanted


def _cookie() -> Cookie:
    return cast("Cookie", current_app.extensions["muniment-cookie"])
