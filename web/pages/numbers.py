"""The numbers 编号核对 (P9): that each series runs from 1 without a gap, void ones included."""

from flask import Blueprint, render_template

from access.permissions import Permission
from archive.casefile.numbering import runs
from archive.casefile.reference import Reference
from web.admitting import admits
from web.visit import visit

pages = Blueprint("numbers", __name__)

_NAMED = 20


@pages.get("/numbers")
@admits(Permission.SWEEP, Permission.READ_LEDGER)
def series() -> str:
    with visit().house.catalogue.reading() as connection:
        found = runs(connection)
    missing = {run.series: [str(Reference(run.series, n)) for n in run.missing[:_NAMED]] for run in found}
    return render_template("numbers.html", runs=found, missing=missing, whole=all(run.whole for run in found))
