"""How long somebody stays signed in."""

import sqlalchemy as sa

from access import tables
from access.people import Role
from archive.errors import Code, MunimentError
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE


def sessions_kept(house):
    with house.catalogue.reading() as connection:
        return connection.execute(tables.session.select()).all()


def test_a_token_brings_back_its_person(house):
    person = house.person(Role.EMPLOYEE)
    token = house.sessions.open(person)
    assert house.sessions.resume(token) == person
    assert len(token) == 43


def test_the_token_itself_is_not_kept(house):
    token = house.sessions.open(house.person(Role.EMPLOYEE))
    assert token not in str(sessions_kept(house))


def test_a_made_up_token_opens_nothing(house):
    house.sessions.open(house.person(Role.EMPLOYEE))
    for token in ("", "x", "\ud800", "A" * 43):
        assert house.sessions.resume(token) is None


def test_a_session_ends_after_half_an_hour_without_a_request(house):
    token = house.sessions.open(house.person(Role.EMPLOYEE))
    house.wait(minutes=29, seconds=59)
    assert house.sessions.resume(token)
    house.wait(minutes=29, seconds=59)
    assert house.sessions.resume(token)
    house.wait(minutes=30)
    assert house.sessions.resume(token) is None


def test_a_session_ends_after_twelve_hours_however_busy(house):
    token = house.sessions.open(house.person(Role.EMPLOYEE))
    for _ in range(71):
        house.wait(minutes=10)
        assert house.sessions.resume(token)
    house.wait(minutes=10)
    assert house.sessions.resume(token) is None


def test_seeing_somebody_again_is_written_once_a_minute(house):
    token = house.sessions.open(house.person(Role.EMPLOYEE))
    opened = sessions_kept(house)[0].seen_at
    house.wait(seconds=59)
    house.sessions.resume(token)
    assert sessions_kept(house)[0].seen_at == opened
    house.wait(seconds=1)
    house.sessions.resume(token)
    assert sessions_kept(house)[0].seen_at == house.now


def test_a_busy_archive_signs_nobody_out(house, monkeypatch):
    token = house.sessions.open(house.person(Role.EMPLOYEE))
    house.wait(minutes=5)

    def busy(_catalogue):
        raise MunimentError(Code.ARCHIVE_BUSY)

    monkeypatch.setattr(type(house.catalogue), "housekeeping", busy)
    assert house.sessions.resume(token)


def test_a_disabled_person_is_out_at_once(house):
    person = house.person(Role.EMPLOYEE)
    token = house.sessions.open(person)
    with house.catalogue.housekeeping() as connection:  # the session itself outlives
        connection.execute(sa.update(tables.person).values(disabled_at=house.now))
    assert house.sessions.resume(token) is None


def test_disabling_deletes_the_sessions(house):
    person = house.person(Role.EMPLOYEE)
    house.sessions.open(person)
    house.people.disable(CONSOLE, person.number)
    assert sessions_kept(house) == []


def test_signing_out_is_recorded_once(house):
    person = house.person(Role.EMPLOYEE)
    token = house.sessions.open(person)
    house.sessions.close(token)
    house.sessions.close(token)
    assert house.sessions.resume(token) is None
    assert house.acts().count(Act.SIGNED_OUT) == 1


def test_sessions_that_ran_out_are_swept_at_the_next_sign_in(house):
    house.sessions.open(house.person(Role.EMPLOYEE))
    house.wait(hours=1)
    house.sessions.open(house.person(Role.HEAD))
    assert len(sessions_kept(house)) == 1
