"""The ledger 台账, for auditors: verify it, keep its newest checkpoint, read what was recorded."""

import sqlalchemy as sa
from flask import Blueprint, Response, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from access.permissions import Permission
from archive.ledger import tables
from archive.ledger.acts import Act
from archive.ledger.log import Entry, entries, latest_checkpoint, size
from web.admitting import admits
from web.auditing import Verification
from web.pages.casefiles import names
from web.refusing import is_fragment
from web.visit import Visit, visit

pages = Blueprint("ledger", __name__)

_SHOWN = 100
_LAST = 2**63 - 1  # the highest number of the database


@pages.get("/ledger")
@admits(Permission.READ_LEDGER)
def overview() -> str:
    here = visit()
    act, subject = request.args.get("act", ""), request.args.get("subject", "").strip()
    before = request.args.get("before", type=int)
    with here.house.catalogue.reading() as connection:
        count, note = size(connection), latest_checkpoint(connection)
    return render_template(
        "ledger.html",
        size=count,
        note=note,
        key=here.house.catalogue.ledger.verifier.to_text(),
        run=_verification().latest,
        entries=_entries(here, act, subject, before),
        shown=_SHOWN,
        names=names(here),
        acts=list(Act),
        act=act,
        subject=subject,
    )


@pages.post("/ledger/verification")
@admits(Permission.READ_LEDGER)
def verify() -> str | AnyResponse:
    here = visit()
    kept = request.form.get("kept", "").replace("\r\n", "\n").strip()
    # Whoever copies by hand leaves out the last line end.
    _verification().start(here.actor, f"{kept}\n" if kept else None)
    if is_fragment():
        return _progress()
    return redirect(url_for("ledger.overview"), code=303)


@pages.get("/ledger/verification")
@admits(Permission.READ_LEDGER)
def progress() -> str:
    return _progress()


@pages.get("/ledger/checkpoint.txt")
@admits(Permission.READ_LEDGER)
def checkpoint() -> Response:
    """The newest signed note, byte for byte, to be kept somewhere else."""
    with visit().house.catalogue.reading() as connection:
        note = latest_checkpoint(connection) or ""
        count = size(connection)
    response = Response(note, content_type="text/plain; charset=utf-8")
    response.headers.set("Content-Disposition", "attachment", filename=f"checkpoint-{count}.txt")
    return response


def _progress() -> str:
    return render_template("fragments/verification.html", run=_verification().latest)


def _entries(here: Visit, act: str, subject: str, before: int | None) -> list[Entry]:
    """Newest first."""
    columns = tables.entry.c
    query = sa.select(columns.position).order_by(columns.position.desc()).limit(_SHOWN)
    if act in set(Act):
        query = query.where(columns.act == act)
    if subject:
        query = query.where(columns.subject == subject)
    if before is not None:
        query = query.where(columns.position < max(0, min(before, _LAST)))
    house = here.house
    with house.catalogue.reading() as connection:
        return list(entries(connection, house.catalogue.ledger, query, house.case_files.file_key))


def _verification() -> Verification:
    held: Verification = current_app.extensions["muniment-verification"]
    return held
