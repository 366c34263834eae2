"""Loading the sample: people, forty complaints and a few requests on their way, in an archive made for them.

The sign-ins lie beside the archive in ``<home>.sign-ins``, which also marks it as a sample: no other archive is ever
given invented files. What was cut off goes on at the next start.
"""

import json
import os
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from io import BytesIO
from pathlib import Path
from unicodedata import east_asian_width

import sqlalchemy as sa

from access.passwords import initial_password
from access.person import Person, Role
from archive.casefile import tables
from archive.casefile.filing import Submission
from archive.casefile.reading import FileState
from archive.casefile.sources import Source
from archive.founding import is_founded
from archive.ledger.entries import CONSOLE
from web.cli.frame import Frame
from web.sample import PEOPLE, SampleCase, cases
from web.wiring import House, init

COUNT, _SEED = 40, 1
_FILE = tables.case_file.c


def load(frame: Frame) -> None:
    """Does nothing but tell the sign-ins where all is there."""
    settings = frame.settings
    home = settings.home.absolute()
    signs = home.with_name(home.name + ".sign-ins")
    if not is_founded(home):
        password = _remembered(signs) or _remember(signs)
        init(settings)
    else:
        known = _remembered(signs)
        if known is None:
            frame.tell(frame.words("cli.sample_forgotten", path=signs))
            return
        password = known
    with frame.house() as house:
        if not house.requests.in_use():
            frame.tell(frame.words("cli.sample_making"))
            _fill(frame, house, password)
        people = house.people.list()
    for each in people:
        role = each.role.say(frame.words.language)
        frame.tell(f"  {_padded(each.name, 8)}{_padded(each.department, 10)}{role}")
    frame.tell(frame.words("cli.sample_sign_ins", password=password))


def _padded(text: str, width: int) -> str:
    """In cells of a terminal, where a Chinese character takes two."""
    return text + " " * (width - len(text) - sum(east_asian_width(each) in "WF" for each in text))


def _remembered(signs: Path) -> str | None:
    try:
        return str(json.loads(signs.read_text("utf-8"))["password"])
    except FileNotFoundError:
        return None


def _remember(signs: Path) -> str:
    password = initial_password()
    signs.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(signs, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"password": password}, file)
    return password


def _fill(frame: Frame, house: House, password: str) -> None:
    for each in PEOPLE:
        if house.people.by_name(each.name) is None:
            house.people.add(CONSOLE, each.name, Role(each.role), each.department, password)
    today = house.clock().astimezone(frame.settings.zone).date()
    made = enumerate(cases(_SEED, COUNT, today))
    with ThreadPoolExecutor(frame.settings.workers) as pool:
        filing = pool.map(lambda numbered: _file(house, *numbered), made)
        for _ in frame.progress(filing, COUNT):
            pass
    house.index.catch_up()
    _ask(house, today)


def _file(house: House, number: int, case: SampleCase) -> None:
    fingerprint = f"sample:{_SEED}:{number}"
    row = _known(house, fingerprint)
    if row is None:
        evidence = tuple(Source(each.name, BytesIO(each.data)) for each in case.evidence)
        voucher = json.dumps(case.voucher, ensure_ascii=False, indent=1).encode()
        submission = Submission(
            case.level, case.category, case.completed_on, case.permanent, voucher, evidence, fingerprint
        )
        reference, state = house.filing.file(CONSOLE, submission).reference, FileState.FILED.value
    else:
        reference, state = row
    if case.void_reason and state != FileState.VOID.value:
        house.voiding.void(CONSOLE, reference, case.void_reason)


def _known(house: House, fingerprint: str) -> tuple[str, str] | None:
    query = sa.select(_FILE.reference, _FILE.state).where(_FILE.fingerprint == fingerprint)
    with house.catalogue.reading() as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else (row.reference, row.state)


def _ask(house: House, today: date) -> None:
    """One request that waits for approval, one to be provided, one to be read."""
    until = today + timedelta(days=6)
    asked = (
        ("李莉", "一级", "complaint-handling", "顾客来电询问处理结果，需要核对登记内容", ()),
        ("韩雨桐", "二级", "service-improvement", "核对剧本道具缺失的具体场次", ("高雪", "陈思远")),
        ("林小满", "一级", "accountability", "核对退费金额与收据", ("许建平", "周敏")),
    )
    for name, level, purpose, reason, hands in asked:
        request = house.requests.make(
            _person(house, name), [_newest(house, level)], purpose, reason, today, until
        )
        for hand in hands:
            person = _person(house, hand)
            act = house.requests.provide if person.role is Role.ADMINISTRATOR else house.requests.approve
            act(person, request.number)


def _person(house: House, name: str) -> Person:
    found = house.people.by_name(name)
    if found is None:
        raise LookupError(name)
    return found


def _newest(house: House, level: str) -> str:
    query = sa.select(_FILE.reference).where(_FILE.level == level, _FILE.state == FileState.FILED.value)
    with house.catalogue.reading() as connection:
        return str(connection.execute(query.order_by(_FILE.received_at.desc()).limit(1)).scalar_one())
