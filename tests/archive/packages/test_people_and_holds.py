"""Who did something to a case file, and what it is held for, is the same wherever a package takes it."""

import json
from pathlib import Path

import pytest

from access.person import Role
from archive.casefile.filing import Submission
from archive.database.schema import text_of
from archive.errors import Code, MunimentError
from archive.ledger.acts import Act
from archive.ledger.entries import CONSOLE, Actor
from archive.ledger.log import follow
from tests.archive.packages.test_exporting_and_importing import rebag
from tests.vouchers import voucher
from web.wiring import House

PASSWORD = "correct-horse-battery"
KEEPER = Actor("P0003")


def add(house: House, name: str) -> str:
    return house.people.add(CONSOLE, name, Role.ADMINISTRATOR, "客服部", PASSWORD).number


def export(house: House, references: list[str], to: Path) -> Path:
    return house.exporting.export(CONSOLE, references, to, house.people.names()).folder


def bring(house: House, package: Path) -> dict[str, dict[int, int]]:
    """Which holds of each case file could not keep their numbers."""
    return {each.reference: dict(each.renumbered) for each in house.packages.import_all(CONSOLE, package)}


def named(house: House) -> list[str]:
    with house.catalogue.reading() as connection:
        return [each.subject for each in follow(connection, 0) if each.act is Act.PERSON_NAMED]


@pytest.fixture
def everybody(house: House, filed) -> list[str]:
    """Of three people the first filed, the second voided, the third placed a hold and lifted one."""
    for name in ("登记员", "档案员", "法务"):
        add(house, name)
    by_first = house.filing.file(
        Actor("P0001"), Submission("一级", "剧本相关", None, None, voucher())
    ).reference
    by_second = house.filing.file(CONSOLE, Submission("一级", "剧本相关", None, None, voucher())).reference
    house.voiding.void(Actor("P0002"), by_second, "重复登记")
    house.holds.place(KEEPER, filed[0], "仲裁")
    house.clock.wait(hours=1)
    house.holds.place(KEEPER, filed[1], "诉讼")
    house.clock.wait(hours=1)
    house.holds.place(CONSOLE, filed[0], "稽查")
    house.holds.lift(KEEPER, 1, "已结案")
    return [*filed, by_first, by_second]


@pytest.fixture
def package(house: House, everybody, tmp_path) -> Path:
    return export(house, everybody, tmp_path / "package")


def test_a_second_export_tells_the_same_of_people_and_holds(
    house: House, other: House, everybody, package, tmp_path
):
    bring(other, package)
    again = export(other, everybody, tmp_path / "again")
    for name in (*(f"{each}/metadata.json" for each in everybody), "actors.json"):
        assert (again / "data" / name).read_bytes() == (package / "data" / name).read_bytes()
    assert json.loads((again / "data" / "actors.json").read_text()) == {
        "P0001": "登记员",
        "P0002": "档案员",
        "P0003": "法务",
    }
    for reference in everybody:
        assert other.holds.active(reference) == house.holds.active(reference)
    assert other.fixity.check(CONSOLE).whole


def test_nobody_is_given_the_number_of_somebody_whose_work_was_imported(other: House, package):
    bring(other, package)
    assert add(other, "新管理") == "P0004"
    assert other.people.names() == {"P0001": "登记员", "P0002": "档案员", "P0003": "法务", "P0004": "新管理"}
    bring(other, package)
    assert named(other) == ["P0001", "P0002", "P0003"]  # once


def test_a_number_that_is_somebody_else_s_here_is_refused_before_anything_is_imported(other: House, package):
    add(other, "新管理")
    add(other, "档案员")
    with pytest.raises(MunimentError) as caught:
        bring(other, package)
    assert (caught.value.code, caught.value.facts) == (Code.PEOPLE_DIFFER, {"numbers": "P0001"})
    assert (other.case_files.select(), named(other)) == ([], [])


def test_the_same_name_under_the_same_number_is_the_same_person(other: House, package):
    add(other, "登记员")
    bring(other, package)
    assert named(other) == ["P0002", "P0003"]


def test_somebody_of_whom_a_package_tells_only_the_number_keeps_it(house, other: House, everybody, tmp_path):
    house.exporting.export(CONSOLE, everybody, tmp_path / "package", {})
    bring(other, tmp_path / "package")
    assert add(other, "新管理") == "P0004"
    assert other.people.names() == {"P0004": "新管理"}


def test_somebody_without_a_name_is_nobody_who_is_here(house, other: House, everybody, tmp_path):
    house.exporting.export(CONSOLE, everybody, tmp_path / "package", {})
    add(other, "登记员")
    with pytest.raises(MunimentError) as caught:
        bring(other, tmp_path / "package")
    assert caught.value.code is Code.PEOPLE_DIFFER


def test_an_import_that_meets_another_of_the_same_package_says_so(other: House, monkeypatch):
    """Between the look and the entry the same people were named."""
    other.people.name(CONSOLE, {"P0001": "登记员"})
    answers = iter([{}, other.people.names()])
    monkeypatch.setattr(type(other.people), "_known", lambda *_: next(answers))
    with pytest.raises(MunimentError) as caught:
        other.people.name(CONSOLE, {"P0001": "登记员"})
    assert caught.value.code is Code.ARCHIVE_BUSY


@pytest.mark.parametrize("content", ["[]", "{", '{"P0001": 1}', '{"P0001": "a\\nb"}', '{"P0001": ""}'])
def test_names_that_no_export_writes_are_refused(other: House, package, content, monkeypatch):
    monkeypatch.setattr("archive.packages.importing._exported_by", lambda *_: "key")
    (package / "data" / "actors.json").write_text(content)
    rebag(package)
    with pytest.raises(MunimentError) as caught:
        bring(other, package)
    assert (caught.value.code, caught.value.facts["path"]) == (Code.PACKAGE_DAMAGED, "data/actors.json")
    assert other.case_files.select() == []


def test_the_ledger_tells_who_had_placed_the_hold_and_when(house: House, other: House, filed, package):
    bring(other, package)
    with other.catalogue.reading() as connection:
        (reached,) = [
            each for each in follow(connection, 0) if (each.act, each.subject) == (Act.HELD, filed[1])
        ]
    assert reached.actor == CONSOLE
    (hold,) = house.holds.active(filed[1])
    page = json.loads((package / "data" / filed[1] / "metadata.json").read_text())
    assert page["holds"] == [
        {"number": hold.id, "reason": "诉讼", "placed_by": KEEPER, "placed_at": text_of(hold.placed_at)}
    ]


def test_a_hold_whose_number_is_taken_gets_one_after_all_others_and_it_is_said(
    house: House, other: House, everybody, tmp_path
):
    first, second = everybody[0], everybody[1]
    assert [each.id for each in house.holds.active(second)] == [2]
    bring(other, export(house, [everybody[2]], tmp_path / "begun"))
    for reason in ("甲", "乙"):
        other.holds.place(CONSOLE, everybody[2], reason)
    package = export(house, [first, second], tmp_path / "package")  # with the holds 3 and 2
    assert bring(other, package) == {first: {}, second: {2: 4}}
    assert [each.id for each in other.holds.active(first)] == [3]
    (hold,) = other.holds.active(second)
    assert (hold.id, hold.reason, hold.placed_by) == (4, "诉讼", KEEPER)
    assert other.fixity.check(CONSOLE).whole


@pytest.mark.parametrize("number", [0, -1, 2**31, "1", True, 1.5])
def test_a_number_that_no_hold_has_is_refused(other: House, filed, package, number, monkeypatch):
    monkeypatch.setattr("archive.packages.importing._exported_by", lambda *_: "key")
    change(package, filed[1], lambda document: document["holds"][0].update(number=number))
    with pytest.raises(MunimentError) as caught:
        bring(other, package)
    assert caught.value.code is Code.PACKAGE_DAMAGED
    assert other.case_files.select() == []


def test_a_package_from_before_holds_told_their_numbers_is_imported(
    house: House, other: House, everybody, package, monkeypatch
):
    monkeypatch.setattr("archive.packages.importing._exported_by", lambda *_: "key")

    def older(document) -> None:
        document["format"] = 2
        for each in document["holds"]:
            del each["number"]

    for reference in everybody:
        change(package, reference, older)
    assert set(map(len, bring(other, package).values())) == {0}
    held = [*other.holds.active(everybody[0]), *other.holds.active(everybody[1])]
    assert [(each.id, each.reason, each.placed_by) for each in held] == [
        (1, "稽查", CONSOLE),
        (2, "诉讼", KEEPER),
    ]


def change(package: Path, reference: str, how) -> None:
    path = package / "data" / reference / "metadata.json"
    document = json.loads(path.read_text())
    how(document)
    path.write_text(json.dumps(document))
    rebag(package)
