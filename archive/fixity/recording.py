"""Keeping a report: its row, the marks of what was checked, and the ledger's entries in one transaction."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import insert

from archive.database.catalogue import Catalogue
from archive.errors import Code, MunimentError
from archive.fixity import tables
from archive.fixity.report import Fault, Finding, Report, Scope
from archive.keys.filekey import CaseFileId
from archive.ledger.acts import Act
from archive.ledger.entries import Actor

_NAMED = 100  # case files in the entry of a check; each has an entry of its own besides


def record(catalogue: Catalogue, actor: Actor, checked: Sequence[CaseFileId], report: Report) -> Report:
    """The report with its number. Every damaged case file gets an entry ``damage-found`` of its own."""
    with catalogue.unit(actor) as unit:
        row = tables.report.insert().values(
            scope=report.scope.value,
            actor=report.actor,
            started_at=report.started_at,
            ended_at=report.ended_at,
            files=report.files,
            documents=report.documents,
            size=report.size,
            findings=json.dumps([[each.fault, each.reference, each.name] for each in report.findings]),
        )
        number = int(unit.connection.execute(row.returning(tables.report.c.number)).scalar_one())
        _mark(unit.connection, checked, report)
        damaged = report.damaged
        unit.record(
            Act.FIXITY_CHECKED,
            f"fixity:{number}",
            detail={
                "scope": report.scope.value,
                "files": report.files,
                "documents_checked": report.documents,
                "findings": len(report.findings),
                "references": list(damaged[:_NAMED]),
                "result": "whole" if report.whole else "damaged",
            },
        )
        for reference in damaged:
            of_it = [each for each in report.findings if each.reference == reference]
            unit.record(
                Act.DAMAGE_FOUND,
                reference,
                detail={
                    "fixity": number,
                    "problem": "、".join(sorted({each.fault.value for each in of_it})),
                    "documents": sorted({each.name for each in of_it if each.name}),
                },
            )
    return replace(report, number=number)


def _mark(connection: sa.Connection, checked: Sequence[CaseFileId], report: Report) -> None:
    if not checked:
        return
    statement = insert(tables.mark)
    statement = statement.on_conflict_do_update(
        index_elements=["case_file"], set_={"checked_at": statement.excluded.checked_at}
    )
    rows = [{"case_file": each, "checked_at": report.started_at} for each in checked]
    connection.execute(statement, rows)


def reports(catalogue: Catalogue, limit: int = 100) -> tuple[Report, ...]:
    """The newest first."""
    query = sa.select(tables.report).order_by(tables.report.c.number.desc()).limit(limit)
    with catalogue.reading() as connection:
        return tuple(_report(row) for row in connection.execute(query).mappings())


def report(catalogue: Catalogue, number: int) -> Report:
    """Raises MunimentError(PAGE_NOT_FOUND)."""
    query = sa.select(tables.report).where(tables.report.c.number == number)
    with catalogue.reading() as connection:
        row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise MunimentError(Code.PAGE_NOT_FOUND)
    return _report(row)


def _report(row: Any) -> Report:
    findings = tuple(Finding(Fault(fault), *rest) for fault, *rest in json.loads(row["findings"]))
    return Report(**{**row, "scope": Scope(row["scope"]), "findings": findings})
