"""The unit of work: an act and its ledger entry are committed together, or neither is."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from archive.ledger import tables
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from archive.ledger.log import follow, latest_checkpoint, size

ACTOR = Actor("P0001")


@pytest.fixture
def catalogue(archive):
    return archive.founded.catalogue


def entries(catalogue):
    with catalogue.reading() as connection:
        return follow(connection, 0)


def mark(unit, name: str) -> None:
    unit.connection.execute(tables.secret.insert().values(name=name, master_version=1, box=b""))


def marks(catalogue) -> list[str]:
    with catalogue.reading() as connection:
        query = sa.select(tables.secret.c.name).where(tables.secret.c.name.like("mark%"))
        return sorted(connection.execute(query).scalars())


def test_an_act_is_committed_with_its_entry(catalogue):
    before = len(entries(catalogue))
    with catalogue.unit(ACTOR) as unit:
        mark(unit, "mark")
        unit.record(Act.SWEPT, "all")
    assert marks(catalogue) == ["mark"]
    (entry,) = entries(catalogue)[before:]
    assert (entry.act, entry.actor, entry.subject, entry.at) == (Act.SWEPT, ACTOR, "all", unit.at)


def test_several_records_of_a_unit_end_in_one_checkpoint(catalogue):
    with catalogue.reading() as connection:
        query = sa.select(sa.func.count()).select_from(tables.checkpoint)
        before, length = connection.execute(query).scalar_one(), size(connection)
    with catalogue.unit(ACTOR) as unit:
        for each in range(5):
            unit.record(Act.SWEPT, str(each))
    with catalogue.reading() as connection:
        assert connection.execute(query).scalar_one() == before + 1
        assert latest_checkpoint(connection).splitlines()[1] == str(length + 5)


def test_an_act_that_fails_leaves_neither_rows_nor_entry(catalogue):
    before = entries(catalogue)
    with pytest.raises(RuntimeError), catalogue.unit(ACTOR) as unit:  # noqa: PT012 - the block fails
        mark(unit, "mark")
        unit.record(Act.SWEPT, "all")
        raise RuntimeError
    assert (marks(catalogue), entries(catalogue)) == ([], before)


def test_an_act_without_an_entry_is_not_committed(catalogue):
    with pytest.raises(ValueError, match="entry"), catalogue.unit(ACTOR) as unit:
        mark(unit, "mark")
    assert marks(catalogue) == []


def test_reading_commits_nothing(catalogue):
    with catalogue.reading() as connection:
        connection.execute(tables.secret.insert().values(name="mark", master_version=1, box=b""))
    assert marks(catalogue) == []


def test_those_who_follow_are_told_after_the_commit_and_not_after_a_failure(catalogue):
    told = []
    catalogue.committed.notify_all = lambda: told.append(len(entries(catalogue)))
    before = len(entries(catalogue))
    with catalogue.unit(ACTOR) as unit:
        unit.record(Act.SWEPT, "all")
    with pytest.raises(RuntimeError), catalogue.unit(ACTOR) as unit:
        raise RuntimeError
    assert told == [before + 1]


def test_many_at_once_are_recorded_one_after_the_other(catalogue, archive):
    def act(number: int) -> None:
        with catalogue.unit(ACTOR) as unit:
            mark(unit, f"mark{number:02}")
            unit.record(Act.SWEPT, str(number), detail={"number": number})

    before = len(entries(catalogue))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(act, range(40)))
    assert len(marks(catalogue)) == 40
    assert [each.position for each in entries(catalogue)] == list(range(before + 40))
    assert archive.wrong() == []
