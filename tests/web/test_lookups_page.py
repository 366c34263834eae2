"""The register of look-ups, as it is written out."""

from access.lookups import Lookup, Seen
from access.person import Person, Role
from archive.casefile.filing import Submission
from archive.ledger.entries import CONSOLE
from web.pages.lookups import pages_seen

READER = Person("P0001", "李莉", Role.EMPLOYEE, "春熙路店")
ONE, TWO = "2026-一级-剧本相关-001", "2026-一级-剧本相关-002"


def lookup(*seen: Seen) -> Lookup:
    nothing = dict.fromkeys(
        ("request", "purpose", "reason", "provided_by", "provided_at", "first_at", "last_at", "signed_off_at",
         "remark", "returned_to", "returned_at"),
    )  # fmt: skip
    return Lookup(
        **nothing,
        reader=READER,
        department="",
        references=(ONE, TWO),
        approvals=(),
        pages=seen,
        recalled=False,
    )


def test_pages_are_written_as_runs_by_file_and_document():
    seen = [
        Seen(ONE, 0, 1),
        Seen(ONE, 0, 2),
        Seen(ONE, 0, 3),
        Seen(ONE, 0, 5),
        Seen(ONE, 2, 1),
        Seen(TWO, 0, 1),
    ]
    written = [(each.reference, each.document, each.numbers) for each in pages_seen(lookup(*seen))]
    assert written == [(ONE, 0, "1–3, 5"), (ONE, 2, "1"), (TWO, 0, "1")]


def test_the_description_of_a_file_is_no_page():
    assert pages_seen(lookup(Seen(ONE, 0, 0))) == []


def test_an_auditor_filters_and_an_employee_sees_only_their_own(visitor, house, forms):

    reference = house.filing.file(
        CONSOLE, Submission("一级", "剧本相关", None, None, forms.voucher())
    ).reference
    administrator = visitor(Role.ADMINISTRATOR, "客服部")
    assert administrator.get(f"/files/{reference}/pages/0/1.jpg?width=800").status_code == 200
    auditor = visitor(Role.AUDITOR, "内审部")
    assert reference in auditor.get("/lookups").text
    assert reference in auditor.get(f"/lookups?reference={reference}").text
    reader = house.people.by_name("内部审计·内审部").number
    shown = auditor.get(f"/lookups?reader={reader}").text
    assert f"/files/{reference}" not in shown
    assert "没有查阅记录" in auditor.get("/lookups?since=2020-01-01&until=2020-01-02").text
    assert 'role="alert"' in auditor.get("/lookups?since=yesterday").text
    assert reference not in visitor(Role.EMPLOYEE).get("/lookups").text
