"""Sweeps: every file in its one place, held ones kept back, and the sweep itself on record."""

import json
from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.casefile import tables
from archive.errors import MunimentError
from archive.keys.filekey import CaseFileId
from archive.ledger.acts import Act
from archive.ledger.entries import Actor
from retention.holds import Hold, HoldId
from retention.plan import Ground, SweepPlan, Tally
from retention.schedule import Schedule, due_date
from retention.sweeping import Sweeps, plan_sweep

ADMINISTRATOR = Actor("P0001")
AS_OF = date(2026, 11, 24)
YEARS = {"一级": 2, "二级": 5, "三级": 10}


def references(found) -> list[str]:
    return [each.reference for each in found]


def sweep(house, as_of: date = AS_OF) -> SweepPlan:
    return house.sweeps.sweep(ADMINISTRATOR, as_of)


def test_a_file_is_swept_from_its_due_day_on_and_not_a_day_before(house) -> None:
    reference = house.add(date(2024, 11, 23))
    assert sweep(house, date(2026, 11, 23)).due == ()
    (due,) = sweep(house, date(2026, 11, 24)).due
    assert (due.reference, due.level, due.completed_on) == (reference, "一级", date(2024, 11, 23))
    assert (due.due_on, due.ground) == (date(2026, 11, 24), Ground.COMPLETED)


@pytest.mark.parametrize("as_of", [date(2026, 2, 28), date(2026, 3, 1)])
def test_a_file_completed_on_a_leap_day_is_due_on_the_first_of_march(house, as_of) -> None:
    house.add(date(2024, 2, 29))
    assert len(sweep(house, as_of).due) == (as_of == date(2026, 3, 1))


@pytest.mark.parametrize("level", YEARS)
def test_each_level_is_swept_by_its_own_period(house, level) -> None:
    due_on = due_date(date(2015, 5, 5), YEARS[level])
    house.add(date(2015, 5, 5), level=level)
    assert [each.due_on for each in sweep(house, due_on).due] == [due_on]
    assert sweep(house, due_on - timedelta(days=1)).due == ()


def test_what_falls_due_within_ninety_days_is_upcoming(house) -> None:
    first, last, later = (house.add(AS_OF.replace(year=2024) + timedelta(days=d)) for d in (0, 89, 90))
    plan = sweep(house)
    assert references(plan.upcoming) == [first, last]
    assert plan.upcoming[-1].due_on == AS_OF + timedelta(days=90)
    assert plan.rest.later == 1
    assert later not in json.dumps(plan.to_json(), ensure_ascii=False)


def test_a_hold_keeps_a_due_file_back_until_it_is_lifted(house) -> None:
    reference = house.add(date(2020, 1, 5))
    hold = house.holds.place(ADMINISTRATOR, reference, "诉讼未结")
    plan = sweep(house)
    assert (plan.due, references(plan.held)) == ((), [reference])
    assert (plan.held[0].holds, plan.held[0].in_use) == ((hold,), ())
    house.holds.lift(ADMINISTRATOR, reference, "结案")
    plan = sweep(house)
    assert (references(plan.due), plan.held) == ([reference], ())


def test_several_holds_on_one_file_are_all_told(house) -> None:
    reference = house.add(date(2020, 1, 5))
    placed = tuple(house.holds.place(ADMINISTRATOR, reference, each) for each in ("诉讼", "调查"))
    assert sweep(house).held[0].holds == placed


def test_a_request_or_reading_keeps_a_due_file_back(house) -> None:
    reference, other = house.add(date(2020, 1, 5)), house.add(date(2020, 1, 6))
    house.in_use[house.case_files.get(reference).id] = ["CX-2026-00007", "CX-2026-00009"]
    house.in_use[house.case_files.get(other).id] = []
    plan = sweep(house)
    assert references(plan.held) == [reference]
    assert plan.held[0].in_use == ("CX-2026-00007", "CX-2026-00009")
    assert references(plan.due) == [other]


def test_a_hold_that_comes_while_the_sweep_reads_keeps_its_file(house, monkeypatch) -> None:
    reference = house.add(date(2020, 1, 5))
    read = Sweeps._read

    def read_and_be_overtaken(self, as_of):
        found = read(self, as_of)
        house.holds.place(ADMINISTRATOR, reference, "诉讼未结")
        return found

    monkeypatch.setattr(Sweeps, "_read", read_and_be_overtaken)
    plan = sweep(house)
    assert (plan.due, references(plan.held)) == ((), [reference])


def test_permanent_and_open_files_are_counted_and_never_due(house) -> None:
    house.add(date(1990, 1, 1), level="三级", permanent="legal-dispute")
    house.add(None, level="三级", permanent="brand-impact")
    house.add(None)
    plan = sweep(house, date.max)
    assert (plan.due, plan.held, plan.upcoming) == ((), (), ())
    assert plan.rest == Tally(permanent=2, not_completed=1)


def test_a_void_file_that_was_never_completed_counts_from_its_voiding(house) -> None:
    voided_at = datetime(2024, 11, 22, 16, 30, tzinfo=UTC)  # the 23rd in China
    reference = house.add(None, state="void", voided_at=voided_at)
    assert sweep(house, date(2026, 11, 23)).due == ()
    (due,) = sweep(house, date(2026, 11, 24)).due
    assert (due.reference, due.completed_on, due.ground) == (reference, None, Ground.VOIDED)
    assert sweep(house).rest == Tally()


def test_a_file_of_a_level_that_the_scheme_dropped_is_counted_and_never_due(house) -> None:
    house.add(date(2000, 1, 1), level="四级")
    house.add(None, level="四级")
    plan = sweep(house)
    assert plan.due == ()
    assert plan.rest == Tally(unscheduled=2)


def test_a_sweep_of_an_empty_archive_finds_nothing(house) -> None:
    assert sweep(house) == SweepPlan(AS_OF, (), (), (), Tally())


@pytest.mark.parametrize("as_of", [date.min, date.min + timedelta(days=400), date(9999, 12, 1), date.max])
def test_a_sweep_of_any_day_of_the_calendar_ends_well(house, as_of) -> None:
    house.add(date(2020, 1, 5))
    house.add(date(9999, 12, 31))
    plan = sweep(house, as_of)
    assert len(plan.due) == (as_of.year > 2022)
    assert plan.rest.later == 2 - len(plan.due)


def test_the_longest_due_come_first(house) -> None:
    days = [date(2020, 1, 5), date(2019, 1, 5), date(2021, 1, 5), date(2019, 1, 5)]
    added = [house.add(each) for each in days]
    assert references(sweep(house).due) == [added[1], added[3], added[0], added[2]]


def test_a_sweep_is_recorded_with_its_counts(house) -> None:
    house.add(date(2020, 1, 5))
    plan = sweep(house)
    (entry,) = house.entries()
    assert (entry.act, entry.actor, entry.subject) == (Act.SWEPT, ADMINISTRATOR, "sweep:2026-11-24")
    assert entry.detail == plan.counts()
    assert entry.detail == {
        "due": 1,
        "held": 0,
        "upcoming": 0,
        "permanent": 0,
        "not_completed": 0,
        "later": 0,
        "unscheduled": 0,
    }


def test_a_glance_is_not_recorded(house) -> None:
    house.add(date(2020, 1, 5))
    assert len(house.sweeps.sweep(ADMINISTRATOR, AS_OF, record=False).due) == 1
    assert house.entries() == []


def test_a_sweep_that_cannot_be_recorded_is_not_shown(house) -> None:
    house.add(date(2020, 1, 5))
    with house.catalogue.housekeeping() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER refuse BEFORE INSERT ON ledger_entry BEGIN SELECT RAISE(ABORT, 'no'); END"
        )
    with pytest.raises(sa.exc.IntegrityError):
        sweep(house)


def test_a_sweep_destroys_and_changes_nothing(house) -> None:
    for day in (5, 6, 7):
        house.add(date(2020, 1, day))

    def rows():
        with house.catalogue.reading() as connection:
            return connection.execute(sa.select(tables.case_file)).all()

    before = rows()
    assert len(sweep(house).due) == 3
    assert rows() == before


def test_the_plan_as_json_survives_the_round_trip(house) -> None:
    due = house.add(date(2020, 1, 5))
    held = house.add(date(2020, 1, 6))
    house.add(None, state="void", voided_at=datetime(2020, 1, 1, tzinfo=UTC))
    house.holds.place(ADMINISTRATOR, held, "诉讼未结")
    document = sweep(house).to_json()
    assert json.loads(json.dumps(document)) == document
    assert document["as_of"] == "2026-11-24"
    assert document["counts"]["due"] == 2
    assert [each["completed_on"] for each in document["due"]] == [None, "2020-01-05"]
    assert document["due"][1] == {
        "reference": due,
        "level": "一级",
        "completed_on": "2020-01-05",
        "due_on": "2022-01-06",
        "ground": "counted-from-completion",
    }
    assert document["held"][0]["reference"] == held
    assert document["held"][0]["holds"] == [
        {
            "hold": 1,
            "reason": "诉讼未结",
            "placed_by": "P0001",
            "placed_at": "2026-11-24T01:00:00.000000Z",
        }
    ]
    assert document["held"][0]["in_use"] == []


def test_sweeps_at_once_find_the_same_and_are_all_recorded(house, at_once) -> None:
    for day in range(1, 20):
        house.add(date(2020, 1, day))
    plans = at_once(*[lambda: sweep(house)] * 4)
    assert all(each == plans[0] for each in plans)
    assert len(plans[0].due) == 19
    assert house.verify().entries == 4
    assert [each.subject for each in house.entries()] == ["sweep:2026-11-24"] * 4


def test_a_sweep_and_a_hold_at_once_leave_the_ledger_whole(house, at_once) -> None:
    reference = house.add(date(2020, 1, 5))
    plan, hold = at_once(
        lambda: sweep(house), lambda: house.holds.place(ADMINISTRATOR, reference, "诉讼未结")
    )
    assert not isinstance(hold, MunimentError)
    assert references(plan.due) + references(plan.held) == [reference]
    assert house.verify().entries == 2


FIRST_VOIDED = datetime(2014, 1, 1, 16, 30, tzinfo=UTC)  # after midnight in China
FILES = st.fixed_dictionaries(
    {
        "level": st.sampled_from(["一级", "二级", "三级", "四级"]),
        "completed_on": st.one_of(
            st.none(), st.dates(date(2013, 1, 1), date(2026, 12, 31)), st.dates(date(1, 1, 2))
        ),
        "permanent": st.sampled_from([None, None, None, "legal-dispute"]),
        "voided_at": st.none() | st.integers(0, 4700).map(lambda days: FIRST_VOIDED + timedelta(days=days)),
        "held": st.booleans(),
        "in_use": st.booleans(),
    }
)
SWEEP_DAYS = st.one_of(st.dates(date(2015, 1, 1), date(2030, 1, 1)), st.dates())


@settings(deadline=None, max_examples=60)
@given(files=st.lists(FILES, max_size=25), as_of=SWEEP_DAYS)
def test_each_file_is_in_exactly_one_place_and_sql_finds_what_the_plan_finds(
    lasting_house, files, as_of
) -> None:
    house = lasting_house
    marks = [(each["held"], each["in_use"]) for each in files]
    rows = [
        house.row(
            state="filed" if each["voided_at"] is None else "void",
            **{name: each[name] for name in ("level", "completed_on", "permanent", "voided_at")},
        )
        for each in files
    ]
    with house.catalogue.housekeeping() as connection:
        connection.execute(sa.delete(tables.case_file))
    if rows:
        house.insert(rows)
    held = {row["id"]: (a_hold(row),) for row, (is_held, _) in zip(rows, marks, strict=True) if is_held}
    house.in_use.clear()
    house.in_use.update(
        {row["id"]: ["CX-2026-00001"] for row, (_, used) in zip(rows, marks, strict=True) if used}
    )
    schedule = Schedule(house.scheme, house.zone)

    pure = plan_sweep(house.case_files.select(), schedule, held, house.in_use, as_of)

    assert_partition(pure, rows, as_of)
    assert {each.case_file for each in pure.held} <= held.keys() | house.in_use.keys()
    assert not {each.case_file for each in pure.due} & (held.keys() | house.in_use.keys())
    # Holds are not in the catalogue here; without them the shell must agree with the plan over every file.
    shell = house.sweeps.sweep(ADMINISTRATOR, as_of, record=False)
    assert shell == plan_sweep(house.case_files.select(), schedule, {}, house.in_use, as_of)


def a_hold(row) -> Hold:
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return Hold(HoldId(1), CaseFileId(row["id"]), row["reference"], "诉讼", "P0001", moment, None, None, None)


def assert_partition(plan: SweepPlan, rows, as_of: date) -> None:
    """Each completed file that is not permanent exactly once, where its due date puts it; nothing lost."""
    listed = Counter(references(plan.due) + references(plan.held) + references(plan.upcoming))
    assert all(times == 1 for times in listed.values())
    expected_later = 0
    for row in rows:
        level = YEARS.get(row["level"])
        if row["permanent"] or level is None or (row["completed_on"] is None and row["voided_at"] is None):
            assert row["reference"] not in listed
            continue
        start = row["completed_on"] or (row["voided_at"] + timedelta(hours=8)).date()
        due_on = due_date(start, level)
        is_later = due_on is None or due_on.toordinal() > as_of.toordinal() + 90
        expected_later += is_later
        assert (row["reference"] in listed) is not is_later
        if not is_later:
            assert (row["reference"] in references(plan.upcoming)) is (due_on > as_of)
    assert plan.rest.later == expected_later
    assert sum(plan.counts().values()) == len(rows)


def test_a_hold_on_a_file_that_is_not_due_changes_nothing(house) -> None:
    reference = house.add(date(2026, 1, 5))
    before = sweep(house)
    house.holds.place(ADMINISTRATOR, reference, "诉讼未结")
    assert sweep(house) == before
    assert before.rest.later == 1


def test_only_files_that_may_be_due_are_read_out_of_many(house) -> None:
    house.insert([house.row(completed_on=date(2026, 1, 1) + timedelta(days=n % 300)) for n in range(2000)])
    house.add(date(2020, 1, 5))
    candidates, rest = house.sweeps._read(AS_OF)
    assert (len(candidates), rest.later) == (1, 2000)
    plan = sweep(house)
    assert (len(plan.due), plan.rest.later) == (1, 2000)
