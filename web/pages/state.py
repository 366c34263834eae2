"""State 运行状况: checks, backups and rehearsals, the index, what waits, what the virus scanner set apart."""

from flask import Blueprint, render_template

from access.permissions import Permission
from web.admitting import admits
from web.pages.casefiles import names
from web.surveying import judge, survey
from web.visit import visit

pages = Blueprint("state", __name__)


@pages.get("/state")
@admits(Permission.OVERSEE)
def overview() -> str:
    here = visit()
    found = survey(here.house)
    return render_template(
        "state.html",
        found=found,
        lines=judge(found, here.house.clock()),
        names=names(here),
        scans=bool(here.house.settings.clamav),
        backs_up=bool(here.house.settings.backup_to),
    )
