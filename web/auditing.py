"""Long checks while somebody waits: one run at a time of each, in the background, its progress in memory."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from archive.errors import Code, MunimentError, refusal_of
from archive.fixity.repairing import Repair
from archive.fixity.report import Report
from archive.ledger.acts import Act
from archive.ledger.entries import Actor, Detail
from archive.ledger.log import size
from archive.ledger.verifying import Verified, verify
from web.tracing import incident
from web.wiring import House

R = TypeVar("R")
Progress = Callable[[int], None]
_LOG = logging.getLogger("muniment.web")


@dataclass(frozen=True, slots=True)
class Run(Generic[R]):
    """A check as it stands. It is over when there is a result or an error."""

    started_at: datetime
    total: int
    done: int = 0
    result: R | None = None
    error: MunimentError | None = None

    @property
    def running(self) -> bool:
        return self.result is None and self.error is None


class Running(Generic[R]):
    """The newest run of this server, if there was one."""

    def __init__(self, house: House, name: str) -> None:
        self.house = house
        self._name = name
        self._lock = threading.Lock()
        self._run: Run[R] | None = None

    @property
    def latest(self) -> Run[R] | None:
        with self._lock:
            return self._run

    def begin(self, total: int, work: Callable[[Progress], R]) -> Run[R]:
        """A run under way is not started again."""
        with self._lock:
            if self._run is not None and self._run.running:
                return self._run
            run: Run[R] = Run(self.house.clock(), total)
            self._run = run
        threading.Thread(target=self._work, args=(run, work), name=self._name, daemon=True).start()
        return run

    def _work(self, run: Run[R], work: Callable[[Progress], R]) -> None:
        def progress(done: int) -> None:
            self._put(replace(run, total=max(run.total, done), done=done))

        try:
            finished = replace(run, done=run.total, result=work(progress))
        except Exception as error:  # noqa: BLE001 - the page must not wait for ever on a thread that died
            said = refusal_of(error) or incident(error, _LOG, self._name)
            finished = replace(run, done=run.total, error=said)
        self._put(finished)

    def _put(self, run: Run[R]) -> None:
        with self._lock:
            self._run = run


class Verification(Running[Verified]):
    """Of the ledger."""

    def __init__(self, house: House) -> None:
        super().__init__(house, "verification")

    def start(self, actor: Actor, kept: str | None) -> Run[Verified]:
        """``kept`` is a checkpoint that somebody kept."""
        with self.house.catalogue.reading() as connection:
            total = size(connection)

        def work(progress: Progress) -> Verified:
            return verified(self.house, actor, kept, lambda done: None if done % 100 else progress(done))

        return self.begin(total, work)


class FixityCheck(Running[Report]):
    """Of the vault; the check itself keeps and records its report."""

    def __init__(self, house: House) -> None:
        super().__init__(house, "fixity")

    def start(self, actor: Actor, sample: int | None) -> Run[Report]:
        fixity = self.house.fixity

        def work(progress: Progress) -> Report:
            return fixity.check(actor, sample, progress=lambda done, _total: progress(done))

        return self.begin(fixity.count(sample), work)


def verified(house: House, actor: Actor, kept: str | None, progress: Progress) -> Verified:
    """The ledger, verified by somebody; recorded, whatever was found. Raises as ``verify``."""

    def record(detail: Detail) -> None:
        with house.catalogue.unit(actor) as unit:
            unit.record(Act.LEDGER_VERIFIED, "ledger", detail=detail)

    try:
        with house.catalogue.reading() as connection:
            found = verify(
                connection, house.catalogue.ledger, house.case_files.file_key, kept=kept, progress=progress
            )
    except Exception as error:
        code = error.code if isinstance(error, MunimentError) else Code.INTERNAL
        with suppress(
            MunimentError
        ):  # what is damaged may take no entry; what was found is said all the same
            record({"result": code.value})
        raise
    record({"entries": found.entries, "root": found.root, "result": "whole"})
    return found


class Mending(Running[tuple[Repair, ...]]):
    """Of what a report names, from the other copy; PAGE_NOT_FOUND where none is configured."""

    def __init__(self, house: House) -> None:
        super().__init__(house, "mending")
        self._number = 0

    def of(self, report: Report) -> Run[tuple[Repair, ...]] | None:
        """The newest run, if it was of this report."""
        return self.latest if report.number == self._number else None

    def start(self, actor: Actor, report: Report) -> Run[tuple[Repair, ...]]:
        repairing = self.house.repairing
        if repairing is None:
            raise MunimentError(Code.PAGE_NOT_FOUND)
        before = self.latest
        run = self.begin(len(report.damaged), lambda _progress: repairing.repair(actor, report))
        if run is not before:  # else one of another report is under way
            self._number = report.number
        return run
