"""People 人员, for the system administrator: who there is, new ones, leavers, forgotten passwords."""

import flask
from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from access.passwords import initial_password
from access.permissions import Permission
from access.person import Person, Role, role_of
from archive.errors import MunimentError
from web.admitting import admits
from web.visit import visit

pages = Blueprint("people", __name__)


@pages.get("/people")
@admits(Permission.MANAGE_PEOPLE)
def everybody() -> str:
    return _page(None)


@pages.post("/people")
@admits(Permission.MANAGE_PEOPLE)
def add() -> str | tuple[str, int]:
    here, given = visit(), request.form
    password = initial_password()
    try:
        role = role_of(given.get("role", ""))
        person = here.house.people.add(
            here.actor, given.get("name", ""), role, given.get("department", ""), password
        )
    except MunimentError as error:
        return _page(error), error.meaning.http
    return _told(person, password)


@pages.post("/people/<number>/password")
@admits(Permission.MANAGE_PEOPLE)
def reset(number: str) -> str:
    here = visit()
    password = initial_password()
    here.house.people.reset_password(here.actor, number, password)
    return _told(here.house.people.get(number), password)


@pages.post("/people/<number>/disable")
@admits(Permission.MANAGE_PEOPLE)
def disable(number: str) -> Response:
    here = visit()
    person = here.house.people.disable(here.actor, number)
    flask.flash(here.words("people.disabled_done", name=person.name))
    return redirect(url_for("people.everybody"), code=303)


def _page(error: MunimentError | None) -> str:
    here = visit()
    return render_template(
        "people.html",
        people=here.house.people.list(),
        roles=list(Role),
        given=request.form,
        refusal=None if error is None else error.say(here.language),
    )


def _told(person: Person, password: str) -> str:
    return render_template("person_password.html", person=person, password=password)
