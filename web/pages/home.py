"""The first page: what waits for this person, and the ways they use most."""

from typing import Any

import sqlalchemy as sa
from flask import Blueprint, render_template

from access.permissions import Permission
from access.requests import Request, RequestState
from access.workflow import OPEN
from archive.casefile import tables
from archive.casefile.reading import CaseFile
from web.admitting import admits
from web.surveying import judge, survey
from web.visit import Visit, visit

pages = Blueprint("home", __name__)

_FEW = 5


@pages.get("/")
@admits()
def home() -> str:
    here = visit()
    may_ask = here.may(Permission.REQUEST)
    mine = here.house.requests.mine(here.person) if may_ask else []
    return render_template(
        "home.html",
        waiting=_waiting(here),
        mine=[each for each in mine if each.state in OPEN][:_FEW],
        may_ask=may_ask,
        lines=judge(survey(here.house), here.house.clock()) if here.may(Permission.OVERSEE) else (),
        recent=_recent(here),
        plan=here.house.sweeps.sweep(here.actor, here.today, record=False)
        if here.may(Permission.SWEEP)
        else None,
    )


def _waiting(here: Visit) -> dict[str, list[Request]]:
    """What awaits this person's hand, by what is to be done."""
    if not here.may(Permission.APPROVE, Permission.PROVIDE, Permission.CLOSE):
        return {}
    found: dict[str, list[Request]] = {"approve": [], "provide": [], "close": []}
    kinds = {
        RequestState.PENDING: "approve",
        RequestState.APPROVED: "provide",
        RequestState.SIGNED_OFF: "close",
        RequestState.PROVIDED: "close",
    }
    for request in here.house.requests.inbox(here.person):
        found[kinds[request.state]].append(request)
    return found


def _recent(here: Visit) -> list[CaseFile]:
    if not here.may(Permission.FILE):
        return []
    columns = tables.case_file.c
    query: sa.Select[Any] = sa.select(columns.id).where(columns.id.in_(here.house.viewing.known(here.person)))
    if not here.may(Permission.KNOW_ALL):
        query = sa.select(columns.id).where(columns.filed_by == here.actor)
    query = query.order_by(columns.filed_at.desc(), columns.reference.desc()).limit(_FEW)
    return here.house.case_files.select(query)
