"""Access requests 查阅申请: made, approved or refused with a thumb, provided, signed off, closed (P14)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

import flask
from flask import Blueprint, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from access.permissions import Permission
from access.requests import Request, RequestState
from access.workflow import OPEN
from archive.casefile.reference import Reference
from archive.days import parse_day
from archive.errors import Code, MunimentError
from web.admitting import admits
from web.visit import Visit, visit

pages = Blueprint("requests", __name__)

_WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Step:
    """One station on the way of a request. ``state``: done, now, later or stopped."""

    label: str
    state: str
    who: str = ""
    at: datetime | None = None


@pages.get("/requests")
@admits(Permission.REQUEST, Permission.READ_REQUESTS)
def mine() -> str:
    here = visit()
    everybody = here.may(Permission.READ_REQUESTS)
    found = here.house.requests.all(here.person) if everybody else here.house.requests.mine(here.person)
    state = request.args.get("state", "")
    shown = [each for each in found if not state or each.state == state]
    return render_template(
        "requests/list.html", requests=shown, everybody=everybody, state=state, states=list(RequestState)
    )


@pages.get("/inbox")
@admits(Permission.APPROVE, Permission.PROVIDE, Permission.CLOSE)
def inbox() -> str:
    here = visit()
    return render_template("requests/inbox.html", requests=here.house.requests.inbox(here.person))


@pages.get("/requests/new")
@admits(Permission.REQUEST)
def form() -> str:
    here = visit()
    given = MultiDict(
        {
            "references": "\n".join(request.args.getlist("reference")),
            "starts_on": here.today.isoformat(),
            "ends_on": (
                here.today + min(_WEEK, timedelta(here.house.scheme.longest_period_days - 1))
            ).isoformat(),
        }
    )
    return _form(given, None)


@pages.post("/requests/new")
@admits(Permission.REQUEST)
def make() -> Response | tuple[str, int]:
    here, given = visit(), request.form
    try:
        made = here.house.requests.make(
            here.person,
            references(given.get("references", "")),
            given.get("purpose", ""),
            given.get("reason", ""),
            parse_day(given.get("starts_on", "")),
            parse_day(given.get("ends_on", "")),
        )
    except MunimentError as error:
        return _form(given, error), error.meaning.http
    flask.flash(here.words("requests.made", number=made.number))
    return redirect(url_for("requests.show", number=made.number), code=303)


@pages.get("/requests/<number>")
@admits(Permission.REQUEST, Permission.APPROVE, Permission.READ_REQUESTS)
def show(number: str) -> str:
    here = visit()
    found = here.house.requests.get(here.person, number)
    awaiting = {each.number for each in here.house.requests.inbox(here.person)}
    return render_template(
        "requests/show.html",
        ask=found,
        steps=steps(here, found),
        is_mine=found.requester.number == here.person.number,
        awaits_me=found.number in awaiting,
        over=found.ends_on < here.today,
        begun=found.starts_on <= here.today,
    )


@pages.post("/requests/<number>/<act>")
@admits(Permission.REQUEST, Permission.APPROVE, Permission.PROVIDE, Permission.CLOSE)
def act(number: str, act: str) -> Response:
    """Whether this person may do this now is decided by the request's workflow, inside its transaction."""
    here = visit()
    doing = _ACTS.get(act)
    if doing is None:
        raise MunimentError(Code.PAGE_NOT_FOUND)
    doing(here, number)
    flask.flash(here.words.of("requests_done", act))
    more = act in ("approve", "refuse") and here.house.requests.inbox(here.person)
    place = url_for("requests.inbox") if more else url_for("requests.show", number=number)
    return redirect(place, code=303)


def steps(here: Visit, found: Request) -> list[Step]:
    """申请 → approvals → 提供 → 查阅 → 签字 → 归还, as far as it came."""
    t, said = here.words, found.approvals
    way = [Step(t("way.asked"), "done", found.requester.name, found.made_at)]
    for each in said:
        who = each.approver.name if each.approver else (each.department or "")
        way.append(
            Step(t.of("role", each.role), "done" if each.decided_at else "later", who, each.decided_at)
        )
    after = (
        ("way.provided", found.provided_at, found.provided_by.name if found.provided_by else ""),
        ("way.read", found.signed_off_at, ""),
        ("way.signed", found.signed_off_at, found.requester.name if found.signed_off_at else ""),
        ("way.returned", found.closed_at, found.closed_by.name if found.closed_by else ""),
    )
    way += [
        Step(t(key), "done" if at else "later", who, None if key == "way.read" else at)
        for key, at, who in after
    ]
    if found.recalled:
        way[-2] = Step(t("way.recalled"), "stopped")
    if found.state is RequestState.CLOSED:
        return way
    ended = found.state not in OPEN
    first = next((number for number, each in enumerate(way) if each.state == "later"), None)
    if first is not None:
        reached = way[first]
        label = t.of("request_state", found.state) if ended else reached.label
        way[first] = Step(label, "stopped" if ended else "now", reached.who, reached.at)
    return way


def references(text: str) -> list[str]:
    """Codes in lines, or separated by blanks, commas or semicolons; each once. Raises REFERENCE_INVALID."""
    for separator in "，,；;、\t\r\n":
        text = text.replace(separator, " ")
    return list(dict.fromkeys(str(Reference.parse(each)) for each in text.split()))


def _form(given: Mapping[str, str], error: MunimentError | None) -> str:
    here = visit()
    return render_template(
        "requests/new.html",
        given=given,
        scheme=here.house.scheme,
        refusal=None if error is None else error.say(here.language),
        latest=here.today + timedelta(days=365),
    )


def _reason() -> str:
    return request.form.get("reason", "").strip()


_ACTS: Mapping[str, Callable[[Visit, str], object]] = MappingProxyType(
    {
        "approve": lambda here, number: here.house.requests.approve(here.person, number),
        "refuse": lambda here, number: here.house.requests.refuse(here.person, number, _reason()),
        "withdraw": lambda here, number: here.house.requests.withdraw(here.person, number),
        "provide": lambda here, number: here.house.requests.provide(here.person, number),
        "sign-off": lambda here, number: here.house.requests.sign_off(here.person, number, _reason()),
        "close": lambda here, number: here.house.requests.close(here.person, number),
        "recall": lambda here, number: here.house.requests.recall(here.person, number, _reason()),
    }
)
