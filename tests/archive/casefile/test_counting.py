"""Counts against a plain count of the same files, whatever is chosen."""

from collections import Counter
from datetime import UTC, date, datetime
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.casefile import tables
from archive.casefile.counting import Facet, Status, counts, narrowed
from archive.database.schema import metadata

FACTS = st.fixed_dictionaries(
    {
        "year": st.sampled_from([2024, 2025, 2026]),
        "level": st.sampled_from(["一级", "二级", "三级"]),
        "category": st.sampled_from(["剧本相关", "服务相关"]),
        "store": st.sampled_from(["春熙路店", "太古里店", "'; DROP TABLE"]),
        "state": st.sampled_from(["filed", "void"]),
        "completed_on": st.sampled_from([None, date(2026, 3, 1)]),
    }
)
CHOSEN = st.dictionaries(
    st.sampled_from(list(Facet)),
    st.sampled_from(["2025", "一级", "剧本相关", "春熙路店", "open", "completed", "void", "２０２５", "x"]),
    max_size=2,
)


def of(facet: Facet, row: dict[str, object]) -> str:
    if facet is not Facet.STATUS:
        return str(row[facet.value])
    if row["state"] == "void":
        return Status.VOID
    return Status.COMPLETED if row["completed_on"] else Status.OPEN


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(FACTS, max_size=25), chosen=CHOSEN)
def test_counts_are_those_of_a_plain_count(rows: list[dict[str, object]], chosen: dict[Facet, str]):
    engine = sa.create_engine("sqlite://")
    metadata.create_all(engine, tables=[tables.case_file])
    now = datetime(2026, 3, 1, tzinfo=UTC)
    fixed = {
        "version": 1, "received_at": now, "filed_at": now, "filed_by": "console", "channel": "phone",
        "department": "客服部", "headcount": 1, "voucher": b"",
    }  # fmt: skip
    with engine.begin() as connection:
        for number, row in enumerate(rows):
            connection.execute(
                tables.case_file.insert().values(
                    id=str(UUID(int=number)), reference=f"R{number}", number=number, **row, **fixed
                )
            )
        query = narrowed(sa.select(tables.case_file.c.id), chosen)
        total, found = counts(connection, query)
    engine.dispose()
    wanted = [row for row in rows if all(of(facet, row) == value for facet, value in chosen.items())]
    assert total == len(wanted)
    for facet in Facet:
        assert {each.value: each.files for each in found[facet]} == Counter(of(facet, row) for row in wanted)


@pytest.mark.parametrize("year", ["2026 ", "-2026", "٢٠٢٦", "20260", ""])
def test_a_year_that_is_none_selects_nothing(year: str):
    query = narrowed(sa.select(tables.case_file.c.id), {Facet.YEAR: year})
    assert "year = 0" in str(query.compile(compile_kwargs={"literal_binds": True}))
